//! The phone for scripts: a command a line in, an event a line out.

use std::io::{self, Write as _};

use offhook_io::Event;

use super::desk::{Desk, News};
use super::line::Line;
use super::request::Request;
use crate::failure::Failure;

/// Until `quit`, a signal, or the end of stdin: a script that is gone leaves no phone behind.
pub(crate) fn run(desk: &mut Desk) -> Result<(), Failure> {
    loop {
        let done = match desk.next(None) {
            Some(News::Event(Event::Phone(phone::Event::Stopped))) | None => return Ok(()),
            Some(News::Event(event)) => Line::of(&event).map_or(Ok(()), |line| say(&line)),
            Some(News::Typed(line)) => match Request::from_json_once(line) {
                Ok(Request::Quit) => break,
                Ok(Request::Status) => say(&desk.status()),
                Ok(Request::History) => match desk.history() {
                    Ok(history) => say(&history),
                    Err(reason) => say(&Line::error(reason)),
                },
                Ok(Request::Provider(wish)) => {
                    desk.provider(wish).or_else(|reason| say(&Line::error(reason)))
                }
                // A script gives the card with the command.
                Ok(Request::TopUp) => Ok(()),
                Ok(Request::Diagnose) => desk.diagnose().or_else(|reason| say(&Line::error(reason))),
                Ok(request) => {
                    desk.perform(request);
                    Ok(())
                }
                Err(reason) => say(&Line::error(reason)),
            },
            Some(News::Diagnosed(Ok(router))) => say(&Line::Router(*router)),
            #[cfg(feature = "rest")]
            Some(News::Money(money)) => say(&*money),
            Some(News::Diagnosed(Err(reason)) | News::Trouble(reason)) => say(&Line::error(reason)),
            Some(News::InputEnded | News::Signal) => break,
            Some(News::Terminal(_)) => Ok(()),
        };
        if done.is_err() {
            // Nobody reads any more.
            break;
        }
    }
    desk.stop(|event| {
        let _ = Line::of(event).map(|line| say(&line));
    });
    Ok(())
}

/// One object, one line, at once.
pub(crate) fn say(line: &impl serde::Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    out.write_all(b"\n")?;
    out.flush()
}
