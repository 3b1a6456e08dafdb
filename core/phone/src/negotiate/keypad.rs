//! Keypad digits in a description: the payload types that carry them, and which of them each side takes.
//!
//! RFC 4733 sections 2.4.1, 2.5.1.1 and 7.1.1. Events share the audio's clock, so there is one payload type for each clock
//! among the codecs.

use media::Codec;
use media::dtmf::Events;
use sip::sdp::{Media, Writer};

use super::offer::Words;

/// The number that everybody has for it at 8000 Hz, where it is free.
pub(super) const PAYLOAD_TYPE: u8 = 101;
const NAME: &str = "telephone-event";
/// What we take: the sixteen digits, and the hook flash of RFC 2833.
const TAKEN: &str = "0-16";

/// The clocks of these codecs, each once, in their order; and 8000 Hz in any case: half of those who speak Opus tell of
/// digits on no other, and to hear them costs nothing.
pub(super) fn clocks(codecs: impl Iterator<Item = Codec>) -> Vec<u32> {
    let mut clocks = Vec::new();
    for clock in codecs.map(Codec::clock_rate).chain([8000]) {
        if !clocks.contains(&clock) {
            clocks.push(clock);
        }
    }
    clocks
}

/// Says that we take digits. Who is not told which believes the sixteen: RFC 4733 section 2.4.1.
pub(super) fn write(text: &mut Writer, number: u8, clock: u32, words: Words) {
    text.rtpmap(number, NAME, clock, 1);
    if words < Words::Fewest {
        text.attribute("fmtp", format_args!("{number} {TAKEN}"));
    }
}

/// The payload type under which they take digits at a clock, if they do.
pub(super) fn find(media: &Media<'_, '_>, clock: u32) -> Option<u8> {
    media.payloads().find(|number| {
        media.rtpmap(*number).is_some_and(|map| {
            map.encoding.eq_ignore_ascii_case(NAME) && map.clock_rate == clock && map.channels == 1
        })
    })
}

/// The same, and which they take.
pub(super) fn taken(media: &Media<'_, '_>, clock: u32) -> Option<(u8, Events)> {
    let number = find(media, clock)?;
    Some((number, media.fmtp(number).map_or(Events::TONES, read)))
}

/// `0-15,66`, and the `events=` that some write before it. What cannot be read is passed over: less is taken than was meant.
fn read(list: &str) -> Events {
    let list = list.trim();
    let list = list.strip_prefix("events=").unwrap_or(list);
    list.split(',').fold(Events::none(), |events, codes| {
        let (first, last) = codes.split_once('-').unwrap_or((codes, codes));
        match (first.trim().parse::<u8>(), last.trim().parse::<u8>()) {
            (Ok(first), Ok(last)) => events.with(first..=last),
            _ => events,
        }
    })
}
