//! What is read and written again reads as the same message, in both forms; and nothing breaks the readers.

use offhook_vectors::{Mutator, TORTURE};
use sip::message::{Draft, Form, Framed, Message, Name, Side, Start, Stream, UriRef};
use sip::sdp::Sdp;

/// Everything a message says, folds and length aside.
#[derive(Debug, PartialEq)]
struct Meaning {
    start: String,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

fn meaning<B: AsRef<[u8]>>(message: &Message<B>) -> Meaning {
    let unfold = |text: &[u8]| -> Vec<u8> {
        text.iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }).collect()
    };
    let start = match message.start() {
        Start::Request { method, uri } => format!("{method} {}", unfold(uri).escape_ascii()),
        Start::Response { status, reason } => format!("{status} {}", unfold(reason).escape_ascii()),
    };
    let fields = message.fields().filter(|f| f.name != Name::ContentLength);
    let fields = fields
        .map(|f| match f.name {
            Name::Other => (f.text.escape_ascii().to_string(), unfold(f.value)),
            name => (name.to_string(), unfold(f.value)),
        })
        .collect();
    Meaning { start, fields, body: message.body().to_vec() }
}

fn round_trips(message: &Message<&[u8]>, form: Form) {
    let wire = Draft::from_message(message).write(form);
    let again = Message::read(&wire[..]).expect("what we write reads");
    let (mine, theirs) = (meaning(message), meaning(&again));
    assert_eq!(mine, theirs);
    assert_eq!(again.content_length(), Some(message.body().len() as u32));
}

#[test]
fn every_torture_message_survives_reading_and_writing() {
    let mut read = 0;
    for (_, bytes) in TORTURE {
        if let Ok(message) = Message::read(bytes) {
            round_trips(&message, Form::Full);
            round_trips(&message, Form::Compact);
            read += 1;
        }
    }
    assert_eq!(read, 48, "all but bigcode and test");
}

/// Touches everything there is to touch.
fn torment(bytes: &[u8]) {
    if let Ok(message) = Message::read(bytes) {
        let _ = (
            message.refusal(),
            message.flaw(),
            format!("{message:?}"),
            message.request_uri().map(|u| u.equals(&u)),
        );
        for name in Name::KNOWN {
            for address in message.name_addrs(*name).flatten() {
                let uri = address.uri();
                let _ =
                    (address.display(), address.tag(), address.expires(), address.q(), uri.user_decoded());
                let _ = uri.equals(&uri) && uri.header_fields().count() > 0;
            }
            let _ = message.list(*name).count();
        }
        let _ =
            (message.vias().count(), message.cseq(), message.call_id(), message.rack(), message.replaces());
        let _ = (message.session_expires(), message.min_se(), message.event(), message.subscription_state());
        let _ = (
            message.reasons().count(),
            message.warnings().count(),
            message.retry_after(),
            message.content_type(),
        );
        let _ = sip::ladder::line(&message, &[Name::Via]);
        round_trips(&message, Form::Compact);
        if let Ok(sdp) = Sdp::read(message.body()) {
            for media in sdp.media() {
                let _ =
                    (media.rtpmaps().count(), media.fmtp(0), media.ptime(), media.rtcp(), media.connection());
            }
        }
    }
    let _ = UriRef::read(bytes);
    let mut stream = Stream::new(Side::Accepted);
    for chunk in bytes.chunks(97) {
        stream.push(chunk);
        while let Ok(Some(framed)) = stream.next() {
            if let Framed::Message(bytes) = framed {
                assert!(bytes.len() <= 65_535);
            }
        }
    }
}

/// `OFFHOOK_MUTANTS=1000000` for the long run.
#[test]
fn mutated_torture_messages_never_panic() {
    let count = std::env::var("OFFHOOK_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000_usize);
    let seed = std::env::var("OFFHOOK_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(4475);
    let (mut mutator, mut mutant) = (Mutator::new(seed), Vec::new());
    for n in 0..count {
        let (name, original) = TORTURE[n % TORTURE.len()];
        let (_, other) = TORTURE[n * 7 / 3 % TORTURE.len()];
        mutator.mutate(original, other, &mut mutant);
        let outcome = std::panic::catch_unwind(|| torment(&mutant));
        assert!(outcome.is_ok(), "seed {seed}, mutant {n} of {name}: \"{}\"", mutant.escape_ascii());
    }
}
