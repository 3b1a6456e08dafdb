//! What is told of a user who tells nothing himself, and of his line.
//!
//! RFC 3863 (PIDF), RFC 4235 section 4 (dialog-info). Of a call no more is told than that there is one: neither with whom, nor
//! what would let a stranger into it.

use std::fmt::Write as _;

use super::lines::{Direction, Stage};

pub(super) const PIDF: &str = "application/pidf+xml";
pub(super) const DIALOG_INFO: &str = "application/dialog-info+xml";

/// Whether a user has a phone that is registered.
pub(super) fn presence(entity: &str, open: bool) -> String {
    let basic = if open { "open" } else { "closed" };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{}\">\r\n\
         <tuple id=\"exchange\"><status><basic>{basic}</basic></status></tuple>\r\n</presence>\r\n",
        escaped(entity)
    )
}

/// The calls of a line, all of them.
pub(super) fn dialogs(entity: &str, calls: impl Iterator<Item = (u64, Direction, Stage)>) -> String {
    let mut xml = String::new();
    for (id, direction, stage) in calls {
        let direction = match direction {
            Direction::Out => "initiator",
            Direction::In => "recipient",
        };
        let state = match stage {
            Stage::Trying => "trying",
            Stage::Ringing => "early",
            Stage::Up => "confirmed",
        };
        let _ =
            write!(xml, "<dialog id=\"{id}\" direction=\"{direction}\"><state>{state}</state></dialog>\r\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{VERSION}\" state=\"full\" \
         entity=\"{}\">\r\n{xml}</dialog-info>\r\n",
        escaped(entity)
    )
}

/// Where the number of a document goes: each subscription counts its own. RFC 4235 section 3.10.
const VERSION: &str = "VERSION";

/// The document with its number, where it has one.
pub(super) fn numbered(document: &str, version: u32) -> String {
    document.replacen(&format!("version=\"{VERSION}\""), &format!("version=\"{version}\""), 1)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
