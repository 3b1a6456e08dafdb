//! Our side of an offer: which lines, in which order, with which payload types.
//!
//! RFC 3264 sections 5, 5.1 and 8: a later offer has the lines of the one before in their places, and a payload type
//! never changes its meaning.

use std::net::{IpAddr, SocketAddr};

use media::Codec;
use sip::sdp::{Direction, Writer};

use super::{Formats, Line, keypad, parameters, reports};

/// First payload type without a fixed meaning. RFC 3551 section 6.
const FIRST_DYNAMIC: u8 = 96;
/// Audio we want in a packet, milliseconds. RFC 3551 section 4.2.
const PTIME: u32 = 20;

/// Makes the lines that an offer describes: those of before, and as many audio lines as there are streams.
/// `protocol`: what a new one is called.
pub(super) fn lay_out(
    lines: &mut Vec<Line>,
    codecs: &[Codec],
    silence: bool,
    streams: usize,
    protocol: &str,
) {
    let mut alive = lines.iter().filter(|line| matches!(line, Line::Audio { .. })).count();
    let new = || Line::Audio {
        protocol: protocol.into(),
        formats: Formats::default(),
        mux: true,
        // Not worth 40 octets of an INVITE that hardly fits a datagram (RFC 3261 section 18.1.1).
        extended: false,
        mid: None,
    };
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
    for (at, line) in lines.iter_mut().enumerate() {
        match line {
            Line::Audio { formats, mid, .. } => {
                complete(formats, codecs, silence);
                mid.get_or_insert_with(|| at.to_string());
            }
            Line::Declined { .. } => {}
        }
    }
}

/// Adds what has no payload type yet, behind what is in use.
fn complete(formats: &mut Formats, codecs: &[Codec], silence: bool) {
    for codec in codecs {
        if !formats.codecs.iter().any(|(_, known)| known == codec) {
            let number = free(formats, codec.static_payload_type());
            formats.codecs.extend(number.map(|number| (number, *codec)));
        }
    }
    if silence && formats.codecs.iter().any(|(_, codec)| parameters::needs_noise(*codec)) {
        formats.noise = formats.noise.or_else(|| free(formats, Some(parameters::NOISE)));
    }
    for clock in keypad::clocks(formats.codecs.iter().map(|(_, codec)| *codec)) {
        if !formats.events.iter().any(|(_, known)| *known == clock) {
            let usual = (clock == 8000).then_some(keypad::PAYLOAD_TYPE);
            formats.events.extend(free(formats, usual).map(|number| (number, clock)));
        }
    }
}

/// A number that means nothing yet in this line: the usual one, if it is free.
fn free(formats: &Formats, usual: Option<u8>) -> Option<u8> {
    let taken = |wanted: &u8| formats.numbers().any(|number| number == *wanted);
    usual.filter(|number| !taken(number)).or_else(|| (FIRST_DYNAMIC..=127).find(|number| !taken(number)))
}

/// All of them, or only those codecs in which a keypad's tones survive. Without much room, digits on one clock alone.
pub(super) fn limited(formats: &Formats, tones_only: bool, words: Words) -> Formats {
    let mut formats = formats.clone();
    formats.codecs.retain(|(_, codec)| !tones_only || codec.carries_tones());
    formats.events.retain(|(_, clock)| words < Words::Fewest || *clock == 8000);
    formats
}

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Words {
    /// All that helps somebody.
    All,
    /// Only what is not so anyway: candidates need the room.
    Few,
    /// Nor what makes a call better that is good without: it would not fit a datagram.
    Fewest,
}

/// An audio line that is ours to use.
pub(super) struct Audio<'a> {
    pub(super) protocol: &'a str,
    pub(super) formats: &'a Formats,
    pub(super) mux: bool,
    /// They may leave silence out.
    pub(super) silence: bool,
    /// They may send extended reports.
    pub(super) extended: bool,
    pub(super) words: Words,
}

/// One audio line.
pub(super) fn write_audio(
    text: &mut Writer,
    local: SocketAddr,
    session: IpAddr,
    audio: &Audio<'_>,
    direction: Direction,
) {
    let Audio { protocol, formats, mux, silence, extended, words } = audio;
    let terse = *words > Words::All;
    text.media("audio", local.port(), protocol, formats.numbers());
    if local.ip() != session {
        text.connection(local.ip());
    }
    for (number, codec) in &formats.codecs {
        // A number with a fixed meaning needs no words: RFC 8866 section 6.6. G.729's are said, for some forget it.
        if !(terse && codec.static_payload_type() == Some(*number) && *codec != Codec::G729) {
            text.rtpmap(*number, codec.name(), codec.clock_rate(), codec.channels());
        }
        parameters::write(text, *number, *codec, *silence, *words);
    }
    if let Some(number) = formats.noise {
        text.rtpmap(number, parameters::NOISE_NAME, 8000, 1);
    }
    for (number, clock) in &formats.events {
        keypad::write(text, *number, *clock, *words);
    }
    if !terse {
        text.attribute("ptime", PTIME);
    }
    if *mux {
        text.flag("rtcp-mux");
    }
    if *extended {
        reports::write(text);
    }
    if !(terse && direction == Direction::default()) {
        text.direction(direction);
    }
}
