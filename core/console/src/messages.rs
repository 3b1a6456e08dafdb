//! `offhook messages`: the text messages that a phone has kept, for people and for scripts.

use offhook_io::store::{Delivery, Direction, MessageRow, Store, StoreError, Thread};
use serde::Serialize;

use crate::cli::MessagesArgs;
use crate::failure::Failure;
use crate::phone::json::say;
use crate::phone::picture::harmless;

/// `"event":"threads"`: the newest message with each number.
#[derive(Serialize)]
struct Threads {
    event: &'static str,
    threads: Vec<Thread>,
}

/// `"event":"messages"`: those with one number, the oldest first.
#[derive(Serialize)]
struct Messages {
    event: &'static str,
    messages: Vec<MessageRow>,
}

/// Shows them.
pub(crate) fn run(args: &MessagesArgs) -> Result<(), Failure> {
    let store =
        Store::reader(&args.place.present("there are no messages")?).map_err(|error| failed(&error))?;
    let gone = |error: std::io::Error| Failure::Failed(error.to_string());
    let rows = usize::from(args.limit);
    if let Some(number) = &args.with {
        let mut messages = store.messages(Some(number), None, rows).map_err(|error| failed(&error))?;
        messages.reverse();
        if args.json {
            return say(&Messages { event: "messages", messages }).map_err(gone);
        }
        for message in &messages {
            println!("{}", line(message));
        }
        return Ok(());
    }
    let threads = store.threads(rows).map_err(|error| failed(&error))?;
    if args.json {
        return say(&Threads { event: "threads", threads }).map_err(gone);
    }
    for thread in threads {
        println!("{} ({} in all, {} not seen)", line(&thread.newest), thread.messages, thread.unseen);
    }
    Ok(())
}

fn failed(error: &StoreError) -> Failure {
    Failure::Failed(error.to_string())
}

fn line(message: &MessageRow) -> String {
    let arrow = if message.direction == Direction::In { "<-" } else { "->" };
    let who = message.contact.as_ref().or(message.name.as_ref());
    let who = who.map_or_else(|| message.number.clone(), |name| format!("{name} ({})", message.number));
    let state = match (message.delivery, &message.reason) {
        (Delivery::Sent, _) if message.status == Some(202) => " [accepted]".to_owned(),
        (Delivery::Came | Delivery::Sent, _) => String::new(),
        (Delivery::Queued, None) => " [on its way]".to_owned(),
        (Delivery::Queued, Some(reason)) => format!(" [waits: {reason}]"),
        (Delivery::Failed, None) => " [not delivered]".to_owned(),
        (Delivery::Failed, Some(reason)) => format!(" [not delivered: {reason}]"),
    };
    harmless(&format!("{arrow} {who}: {}{state}", message.text))
}
