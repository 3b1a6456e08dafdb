//! INFO in a dialog: keypad digits as the field sends them, and the one package we take.
//!
//! RFC 6086, with its legacy use (section 2); RFC 8840 section 10 for the package `trickle-ice`. Knows nothing of what a body
//! says.

use bytes::Bytes;

use super::common::Cx;
use super::news::News;
use super::session::{Errand, Session, State};
use crate::message::{Draft, Message, Method, Name};
use crate::transaction::TxId;

/// What an INFO of no package may hold: keypad digits, and the field's request for a whole picture.
const INFORMED_OF: &[&str] = &[
    "application/dtmf-relay",
    "application/dtmf",
    "application/hook-flash",
    "application/media_control+xml",
];

/// The package that we take.
pub(super) const PACKAGE: &str = "trickle-ice";
/// What it holds. RFC 8840 section 9.
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// What an INFO of ours is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// No package.
    Legacy,
    /// Addresses that were found late.
    Trickle,
}

impl Session {
    pub(super) fn info(&mut self, content_type: &str, body: Bytes, cx: &mut Cx<'_>) {
        self.inform(About::Legacy, content_type, body, cx);
    }

    pub(super) fn trickle(&mut self, fragment: Bytes, cx: &mut Cx<'_>) {
        // RFC 6086 section 5.2.2: nothing is sent to who did not say that they take it. The same as they would say.
        if !self.takes_late() {
            return cx.tell(self.informed(About::Trickle, 469));
        }
        self.inform(About::Trickle, FRAGMENT, fragment, cx);
    }

    /// Whether there is a dialog, one alone, whose other side takes late addresses.
    pub(super) fn takes_late(&self) -> bool {
        matches!(&self.legs[..], [leg] if leg.takes_late)
    }

    fn inform(&mut self, about: About, content_type: &str, body: Bytes, cx: &mut Cx<'_>) {
        let Some(mut task) = self.in_dialog(&Method::Info, Errand::Info(about)) else {
            return cx.tell(self.informed(about, 481));
        };
        if about == About::Trickle {
            task.draft.push(Name::InfoPackage, PACKAGE);
            task.draft.push(Name::ContentDisposition, "Info-Package");
        }
        task.draft.body(content_type, body);
        self.send(task, cx);
    }

    pub(super) fn info_done(&mut self, about: About, status: u16, cx: &mut Cx<'_>) {
        self.tell(self.informed(about, status), cx);
        // Who has not answered the call yet may still do so.
        if !matches!(self.state, State::Calling(_)) {
            self.check_lost(status, cx);
        }
    }

    const fn informed(&self, about: About, status: u16) -> News {
        match about {
            About::Legacy => News::InfoDone { session: self.id, status },
            About::Trickle => News::TrickleDone { session: self.id, status },
        }
    }

    pub(super) fn on_info(&mut self, tx: TxId, message: &Message, cx: &mut Cx<'_>) {
        let content_type = message.text(Name::ContentType).unwrap_or_default().to_owned();
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let packaged = message.has(Name::InfoPackage);
        if packaged && !message.text(Name::InfoPackage).is_some_and(is_ours) {
            // RFC 6086 section 4.2.2.
            let mut response = cx.response(message, 469);
            response.push(Name::RecvInfo, PACKAGE);
            cx.respond(tx, response);
            return;
        }
        let known = if packaged { &[FRAGMENT] } else { INFORMED_OF };
        // RFC 3261 section 21.4.13. An empty one asks whether we are there.
        if !message.body().is_empty() && !known.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
            let mut response = cx.response(message, 415);
            response.push(Name::Accept, known.join(", "));
            cx.respond(tx, response);
            return;
        }
        cx.answer(tx, message, 200);
        let (session, body) = (self.id, message.body_bytes());
        let news = if packaged {
            News::Trickled { session, fragment: body }
        } else {
            News::InfoReceived { session, content_type, body }
        };
        self.tell(news, cx);
    }
}

/// Says what is taken to who has said what they take; never to others. RFC 6086 section 5.2.3.
pub(super) fn push_packages(response: &mut Draft, asked: &Message) {
    if asked.has(Name::RecvInfo) {
        response.push(Name::RecvInfo, PACKAGE);
    }
}

/// Whether a value of Info-Package is our package, with whatever parameters.
fn is_ours(package: &str) -> bool {
    package.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(PACKAGE)
}
