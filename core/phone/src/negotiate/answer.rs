//! Our side of an answer: a line for each line offered, port 0 for what we lack.
//!
//! RFC 3264 section 6: the codecs in the offer's order and under the offer's numbers. The user's order decides what we
//! offer; here it only says what we may speak, since a codec that the caller prefers spares both sides a change.

use std::net::IpAddr;

use media::Codec;
use sip::sdp::{Media, Sdp};

use super::crypto::{self, Secrecy};
use super::{Disagreement, Formats, Line, fragment, keypad, parameters, plan, reports};

/// The first formats of a declined line are said back; a line needs one.
const MAX_FORMATS_KEPT: usize = 8;

/// Looks at a first offer before anything is ordered for it: whether it can be answered, and the address the media will
/// have to reach.
///
/// # Errors
/// As [`super::Negotiation::answer`].
pub fn first_look(offer: &[u8], codecs: &[Codec], secrecy: Secrecy) -> Result<Option<IpAddr>, Disagreement> {
    let theirs = Sdp::read(offer)?;
    let line = theirs.media().find(|media| !common(media, codecs, secrecy).is_empty());
    let line = line.ok_or_else(|| why_none(&theirs, codecs, secrecy))?;
    Ok(line.connection().and_then(|connection| connection.ip).filter(|ip| !ip.is_unspecified()))
}

/// Accepts as many audio lines as there are streams.
pub(super) fn line_by_line(
    theirs: &Sdp<'_>,
    codecs: &[Codec],
    silence: bool,
    mut streams: usize,
    secrecy: Secrecy,
) -> Vec<Line> {
    let accept = |media: Media<'_, '_>| {
        let codecs = common(&media, codecs, secrecy);
        if streams == 0 || codecs.is_empty() {
            return declined(&media);
        }
        streams -= 1;
        let clocks = keypad::clocks(codecs.iter().map(|(_, codec)| *codec));
        let events =
            clocks.into_iter().filter_map(|clock| Some((keypad::find(&media, clock)?, clock))).collect();
        let noise = parameters::noise(&media).filter(|_| silence);
        let formats = Formats { codecs, noise, events };
        let extended = reports::known(&media);
        let (protocol, mux) = (media.protocol().to_owned(), media.rtcp_mux());
        Line::Audio { protocol, formats, mux, extended, mid: fragment::mid_of(&media) }
    };
    theirs.media().map(accept).collect()
}

/// The codecs of an audio line that we speak too, in its order and under its numbers; none when it is no line for us.
fn common(media: &Media<'_, '_>, codecs: &[Codec], secrecy: Secrecy) -> Vec<(u8, Codec)> {
    if crypto::look(secrecy, media).is_err() { Vec::new() } else { spoken(media, codecs) }
}

/// Why no line is for us: by its encryption, where one of them would have been otherwise.
pub(super) fn why_none(theirs: &Sdp<'_>, codecs: &[Codec], secrecy: Secrecy) -> Disagreement {
    let line = theirs.media().find(|media| !spoken(media, codecs).is_empty());
    let why = line.and_then(|media| crypto::look(secrecy, &media).err());
    why.unwrap_or(Disagreement::NothingInCommon)
}

/// The same, whether or not it is encrypted.
fn spoken(media: &Media<'_, '_>, codecs: &[Codec]) -> Vec<(u8, Codec)> {
    if media.kind() != "audio" || media.port() == 0 {
        return Vec::new();
    }
    let mut payloads: Vec<(u8, Codec)> = Vec::new();
    for number in media.payloads() {
        if let Some(codec) = plan::codec_of(media, number)
            && codecs.contains(&codec)
            && !payloads.iter().any(|(_, known)| *known == codec)
        {
            payloads.push((number, codec));
        }
    }
    payloads
}

fn declined(media: &Media<'_, '_>) -> Line {
    Line::Declined {
        kind: media.kind().to_owned(),
        protocol: media.protocol().to_owned(),
        formats: media.formats().take(MAX_FORMATS_KEPT).map(ToString::to_string).collect(),
    }
}
