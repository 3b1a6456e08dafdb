//! Our side of an offer: which lines, in which order, with which payload types.
//!
//! RFC 3264 sections 5, 5.1 and 8: a later offer has the lines of the one before in their places, and a payload type
//! never changes its meaning.

use std::net::{IpAddr, SocketAddr};

use media::Codec;
use sip::sdp::{Direction, Writer};

use super::Line;

/// First payload type without a fixed meaning. RFC 3551 section 6.
const FIRST_DYNAMIC: u8 = 96;
/// Audio we want in a packet, milliseconds. RFC 3551 section 4.2.
const PTIME: u32 = 20;

/// Makes the lines that an offer describes: those of before, and as many audio lines as there are streams.
pub(super) fn lay_out(lines: &mut Vec<Line>, codecs: &[Codec], streams: usize) {
    let mut alive = lines.iter().filter(|line| matches!(line, Line::Audio { .. })).count();
    let new = || Line::Audio { protocol: "RTP/AVP".into(), payloads: Vec::new(), mux: true };
    // A line that was refused may be offered again in its old place. RFC 3264 section 8.1.
    for line in lines.iter_mut() {
        if alive < streams && matches!(line, Line::Declined { kind, .. } if kind == "audio") {
            *line = new();
            alive += 1;
        }
    }
    while alive < streams {
        lines.push(new());
        alive += 1;
    }
    for line in lines {
        match line {
            Line::Audio { payloads, .. } => complete(payloads, codecs),
            Line::Declined { .. } => {}
        }
    }
}

/// Adds the codecs that have no payload type yet, behind those in use.
fn complete(payloads: &mut Vec<(u8, Codec)>, codecs: &[Codec]) {
    for codec in codecs {
        if payloads.iter().any(|(_, known)| known == codec) {
            continue;
        }
        let taken = |wanted: u8| payloads.iter().any(|(number, _)| *number == wanted);
        let free = codec
            .static_payload_type()
            .filter(|number| !taken(*number))
            .or_else(|| (FIRST_DYNAMIC..=127).find(|number| !taken(*number)));
        payloads.extend(free.map(|number| (number, *codec)));
    }
}

/// One audio line.
pub(super) fn write_audio(
    text: &mut Writer,
    local: SocketAddr,
    session: IpAddr,
    protocol: &str,
    payloads: &[(u8, Codec)],
    mux: bool,
    direction: Direction,
) {
    text.media("audio", local.port(), protocol, payloads.iter().map(|(number, _)| number));
    if local.ip() != session {
        text.connection(local.ip());
    }
    for (number, codec) in payloads {
        text.rtpmap(*number, codec.name(), codec.clock_rate());
    }
    text.attribute("ptime", PTIME);
    if mux {
        text.flag("rtcp-mux");
    }
    text.direction(direction);
}
