//! Where a stream may be reached, in a description: candidates, what their checks are known by, and when not to trust them.
//!
//! RFC 8839 section 5 over [`nat::path::Description`]. A candidate that we cannot use is passed over; the section's other
//! attributes (`ice-pacing`, `remote-candidates`) ask nothing of us.

use std::net::SocketAddr;

use base::Secret;
use nat::Candidate;
use nat::ice::Credentials;
use nat::path::Description;
use sip::sdp::{Media, Sdp, Writer};

/// Lines looked at; what a stranger sends beyond them is not.
const MAX_LINES: usize = 100;

/// The option of those who take candidates that come later. RFC 8838.
const TRICKLE: &str = "trickle";

/// What a line of theirs says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing: they know no ICE.
    Nothing,
    /// That the address in the line is none of the candidates: somebody on the way rewrote it, and would have to be
    /// talked past. RFC 8839 section 4.2.5.
    Mismatch,
    /// Where they may be reached.
    Candidates(Description),
}

/// Reads a line.
pub(super) fn of(media: &Media<'_, '_>) -> Told {
    let (Some(fragment), Some(password)) = (media.value("ice-ufrag"), media.value("ice-pwd")) else {
        return Told::Nothing;
    };
    let credentials =
        Credentials { fragment: fragment.to_owned(), password: Secret::new(password.to_owned()) };
    if !credentials.are_sound() || media.section().attribute("ice-mismatch").is_some() {
        return Told::Nothing;
    }
    let lines = media.attributes().filter(|attribute| attribute.name == "candidate").take(MAX_LINES);
    let mut named = false;
    let mut candidates: Vec<Candidate> = Vec::new();
    for line in lines {
        match line.value.unwrap_or_default().parse() {
            Ok(candidate) => candidates.push(candidate),
            Err(why) => named |= why == nat::BadCandidate::Named,
        }
    }
    let options = media.value("ice-options").unwrap_or_default();
    let trickle = options.split_ascii_whitespace().any(|option| option == TRICKLE);
    let default =
        media.connection().and_then(|connection| connection.ip).map(|ip| SocketAddr::new(ip, media.port()));
    let is_listed = |address: SocketAddr| candidates.iter().any(|candidate| candidate.address == address);
    // Nothing can be compared with 0.0.0.0, port 9 (what comes later has those: RFC 8840 section 4.1.1), or a name; and the
    // line's own port is one of datagrams.
    let no_datagrams = candidates.iter().all(|candidate| candidate.carrier != nat::Carrier::Udp);
    let exempt =
        |address: SocketAddr| address.ip().is_unspecified() || address.port() == 9 || named || no_datagrams;
    if default.is_some_and(|address| !exempt(address) && !is_listed(address)) {
        return Told::Mismatch;
    }
    if media.rtcp_mux() {
        // Those of RTCP's own port are for who does not multiplex, and we always do. RFC 5761 section 5.1.3.
        candidates.retain(|candidate| candidate.component == 1);
    }
    let lite = media.value("ice-lite").is_some() || is_flagged(media, "ice-lite");
    Told::Candidates(Description { credentials, candidates, lite, trickle })
}

/// A flag of the session's or of the line's own.
fn is_flagged(media: &Media<'_, '_>, name: &str) -> bool {
    media.section().attribute(name).is_some() || media.session().attribute(name).is_some()
}

/// What each audio line of an offer says of its stream, before it is answered: a restart of theirs asks one of us.
pub fn offered(offer: &[u8]) -> Vec<Option<Description>> {
    let Ok(theirs) = Sdp::read(offer) else { return Vec::new() };
    let lines = theirs.media().filter(|media| media.kind() == "audio" && media.port() != 0);
    lines
        .map(|media| match of(&media) {
            Told::Candidates(description) => Some(description),
            Told::Nothing | Told::Mismatch => None,
        })
        .collect()
}

/// Whether an offer says of any of its streams how it may be reached.
pub fn has_candidates(offer: &[u8]) -> bool {
    offered(offer).iter().any(Option::is_some)
}

/// Writes ours. That more may come is said where the line has a name by which that finds it: RFC 8840 section 4.1.1.
pub(super) fn write(text: &mut Writer, ours: &Description, mid: Option<&str>) {
    if let Some(mid) = mid.filter(|_| ours.trickle) {
        text.attribute("mid", mid);
        text.attribute("ice-options", TRICKLE);
    }
    text.attribute("ice-ufrag", &ours.credentials.fragment);
    text.attribute("ice-pwd", ours.credentials.password.expose());
    for candidate in &ours.candidates {
        text.attribute("candidate", candidate);
    }
}

/// Says that we do not trust what came.
pub(super) fn write_mismatch(text: &mut Writer) {
    text.flag("ice-mismatch");
}
