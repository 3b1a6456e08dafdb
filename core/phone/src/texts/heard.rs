//! Which text messages have come, so that one that is repeated is shown once.
//!
//! A repetition has the Call-ID and From tag of the first, and its CSeq (RFC 3261 section 8.2.2.2), or its Date and its body:
//! who was asked for credentials in between has to count up (section 22.2), and Date says when a request was *first* sent
//! (section 20.17). Remembers as many as fit, not for a time; a phone that begins anew has forgotten.

use std::collections::VecDeque;

use sip::message::{Message, Name};

use super::digest;

/// Marks that are kept: two of each message at most.
const MOST: usize = 512;

/// What a message is known again by, cut short: whoever finds two that are alike has only hidden a message of his own.
type Mark = [u8; 16];

/// The messages that came last.
#[derive(Default)]
pub(crate) struct Heard(VecDeque<Mark>);

impl Heard {
    /// Whether this one has come before; it is remembered.
    pub(crate) fn is_repeated(&mut self, message: &Message, body: &[u8]) -> bool {
        let field = |name| message.first(name).unwrap_or_default();
        let Some(tag) = message.from().ok().and_then(|from| from.tag().map(str::to_owned)) else {
            return false;
        };
        let by = |parts: &[&[u8]]| {
            let mut mark = Mark::default();
            mark.copy_from_slice(&digest(parts)[..16]);
            mark
        };
        let (call_id, tag) = (field(Name::CallId), tag.as_bytes());
        let date = field(Name::Date);
        let number = by(&[b"number", call_id, tag, field(Name::CSeq)]);
        let same = (!date.is_empty()).then(|| by(&[b"date", call_id, tag, date, body]));
        let repeated = self.0.contains(&number) || same.is_some_and(|same| self.0.contains(&same));
        for mark in same.into_iter().chain([number]) {
            if self.0.contains(&mark) {
                continue;
            }
            if self.0.len() == MOST {
                self.0.pop_front();
            }
            self.0.push_back(mark);
        }
        repeated
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn message(call_id: &str, cseq: u32, date: &str) -> Message {
        let date = if date.is_empty() { String::new() } else { format!("Date: {date}\r\n") };
        let text = format!(
            "MESSAGE sip:1002@offhook.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{cseq}\r\n\
             From: <sip:1001@x>;tag=f\r\nTo: <sip:1002@offhook.test>\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} MESSAGE\r\nMax-Forwards: 70\r\n{date}\r\n"
        );
        Message::read(Bytes::from(text)).unwrap()
    }

    #[test]
    fn a_repetition_is_known_by_its_number_or_by_its_date_and_body() {
        let mut heard = Heard::default();
        let date = "Fri, 15 Jan 2027 08:00:00 GMT";
        for (it, body, repeated) in [
            (message("a", 1, date), "ok", false),
            (message("a", 1, date), "ok", true),
            (message("a", 2, date), "ok", true), // asked for credentials in between
            (message("a", 3, date), "no", false),
            (message("b", 1, date), "ok", false),
            // Some clients write all their messages under one Call-ID, and without a date.
            (message("c", 1, ""), "ok", false),
            (message("c", 2, ""), "ok", false),
            (message("c", 2, ""), "ok", true),
        ] {
            assert_eq!(heard.is_repeated(&it, body.as_bytes()), repeated, "{body}");
        }
    }

    #[test]
    fn what_strangers_send_by_the_thousand_is_forgotten_again() {
        let mut heard = Heard::default();
        for number in 0..10_000 {
            assert!(!heard.is_repeated(&message("a", number, ""), b""));
        }
        assert_eq!(heard.0.len(), MOST);
    }
}
