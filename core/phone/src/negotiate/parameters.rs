//! What a codec's `a=fmtp` says: whether silence may be left out, and what a decoder is good for.
//!
//! RFC 4856 section 2.1.9 with RFC 7261 (G.729's `annexb`), RFC 7587 section 6.1 (Opus); RFC 3389 section 4 for the codecs
//! that have comfort noise beside them instead. Everything else that is written there asks nothing of us.

use media::Codec;
use sip::sdp::{Media, Writer};

use super::offer::Words;

/// Says ours, where there is something to say. `silence`: they may leave it out.
pub(super) fn write(text: &mut Writer, number: u8, codec: Codec, silence: bool, words: Words) {
    match codec {
        // Said either way: its absence means yes, and half of the world forgets that.
        Codec::G729 => {
            text.attribute("fmtp", format_args!("{number} annexb={}", if silence { "yes" } else { "no" }));
        }
        Codec::Opus => {
            let rate = codec.sample_rate();
            // What it captures at is not said: each byte brings the offer nearer to what UDP carries in one piece.
            let parameters = format_args!("{number} maxplaybackrate={rate}; useinbandfec=1");
            if words == Words::Fewest && !silence {
                // Who knows nothing of it repeats nothing: losses are heard a little more.
            } else if words == Words::Few && !silence {
                text.attribute("fmtp", format_args!("{number} useinbandfec=1"));
            } else if silence {
                text.attribute("fmtp", format_args!("{parameters}; usedtx=1"));
            } else {
                text.attribute("fmtp", parameters);
            }
        }
        Codec::Pcmu | Codec::Pcma | Codec::Gsm | Codec::G722 => {}
    }
}

/// Comfort noise's payload type. RFC 3551 table 4.
pub(super) const NOISE: u8 = 13;
pub(super) const NOISE_NAME: &str = "CN";

/// Whether a codec's silence is told of beside it.
pub(super) const fn needs_noise(codec: Codec) -> bool {
    matches!(codec, Codec::Pcmu | Codec::Pcma)
}

/// Under which payload type they take comfort noise.
pub(super) fn noise(media: &Media<'_, '_>) -> Option<u8> {
    media.payloads().find(|number| match media.rtpmap(*number) {
        Some(map) => map.encoding.eq_ignore_ascii_case(NOISE_NAME) && map.clock_rate == 8000,
        None => *number == NOISE,
    })
}

/// Whether they know what to make of silence that we leave out.
pub(super) fn takes_silence(media: &Media<'_, '_>, number: u8, codec: Codec) -> bool {
    match codec {
        Codec::G729 => {
            parameter(media, number, "annexb").is_none_or(|value| !value.eq_ignore_ascii_case("no"))
        }
        // The encoder may leave it out whatever they say (RFC 7587 section 3.1.3): a decoder always copes.
        Codec::Opus => true,
        Codec::Pcmu | Codec::Pcma => noise(media).is_some(),
        Codec::Gsm | Codec::G722 => false,
    }
}

/// Whether they can use what a packet repeats of the one before it. RFC 7587 section 6.1.
pub(super) fn takes_redundancy(media: &Media<'_, '_>, number: u8, codec: Codec) -> bool {
    codec == Codec::Opus && parameter(media, number, "useinbandfec") == Some("1")
}

/// One of `name=value; name=value`, names in any case.
fn parameter<'a>(media: &Media<'_, 'a>, number: u8, name: &str) -> Option<&'a str> {
    let pairs = media.fmtp(number)?.split(';').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(found, _)| found.trim().eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim())
}
