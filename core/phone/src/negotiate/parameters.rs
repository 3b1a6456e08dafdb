//! What a codec's `a=fmtp` says: whether silence may be left out, and what a decoder is good for.
//!
//! RFC 4856 section 2.1.9 with RFC 7261 (G.729's `annexb`), RFC 7587 section 6.1 (Opus). Everything else that is written
//! there asks nothing of us.

use media::Codec;
use sip::sdp::{Media, Writer};

/// Says ours, where there is something to say. `silence`: they may leave it out.
pub(super) fn write(text: &mut Writer, number: u8, codec: Codec, silence: bool) {
    match codec {
        // Said either way: its absence means yes, and half of the world forgets that.
        Codec::G729 => {
            text.attribute("fmtp", format_args!("{number} annexb={}", if silence { "yes" } else { "no" }));
        }
        Codec::Pcmu | Codec::Pcma => {}
    }
}

/// Whether they know what to make of silence that we leave out.
pub(super) fn takes_silence(media: &Media<'_, '_>, number: u8, codec: Codec) -> bool {
    match codec {
        Codec::G729 => {
            parameter(media, number, "annexb").is_none_or(|value| !value.eq_ignore_ascii_case("no"))
        }
        Codec::Pcmu | Codec::Pcma => false,
    }
}

/// One of `name=value; name=value`, names in any case.
fn parameter<'a>(media: &Media<'_, 'a>, number: u8, name: &str) -> Option<&'a str> {
    let pairs = media.fmtp(number)?.split(';').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(found, _)| found.trim().eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim())
}
