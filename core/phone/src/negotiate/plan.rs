//! From two descriptions of a line to what its media does.
//!
//! RFC 3264 sections 6.1 and 7: each side receives under its own numbers and sends under the other's. RFC 3605, RFC 5761.

use std::net::SocketAddr;
use std::time::Duration;

use media::{Codec, Plan};
use sip::sdp::{Direction, Media};

use super::{Formats, keypad, parameters, reports};

/// Packet duration when the other side has no wish. RFC 3551 section 4.2.
const PTIME: u32 = 20;

/// What a payload type means in a line: its rtpmap, else the fixed meaning.
pub(super) fn codec_of(media: &Media<'_, '_>, number: u8) -> Option<Codec> {
    match media.rtpmap(number) {
        Some(map) => Codec::from_name(map.encoding)
            .filter(|codec| codec.clock_rate() == map.clock_rate && map.channels <= codec.channels()),
        None => Codec::from_static_payload_type(number),
    }
}

/// The plan of a line that both sides speak; `None` when they have no codec in common. `ours` is what we wrote; `silence`:
/// we may leave it out where they allow it.
pub(super) fn of(
    ours: &Formats,
    mux: bool,
    silence: bool,
    wish: Direction,
    media: &Media<'_, '_>,
) -> Option<Plan> {
    let known = |codec: &Codec| ours.codecs.iter().any(|(_, ours)| ours == codec);
    let codec_out =
        media.payloads().find_map(|number| Some((number, codec_of(media, number).filter(known)?)))?;
    let (number, codec) = codec_out;
    let events_out = keypad::taken(media, codec.clock_rate()).filter(|_| !ours.events.is_empty());
    let ip = media.connection().and_then(|connection| connection.ip).filter(|ip| !ip.is_unspecified());
    let direction = both(wish, media.direction().reversed());
    let direction = Direction::of(direction.sends() && !is_silenced(media), direction.receives());
    Some(Plan {
        codecs_in: ours.codecs.clone(),
        codec_out,
        events_in: ours.events.clone(),
        events_out,
        hear_tones: events_out.is_none() && codec.carries_tones(),
        redundancy: parameters::takes_redundancy(media, number, codec),
        silence: silence && parameters::takes_silence(media, number, codec),
        noise_in: ours.noise,
        noise_out: parameters::noise(media).filter(|_| silence && parameters::needs_noise(codec)),
        ptime: ptime(media),
        direction: match direction {
            Direction::SendRecv => media::Direction::SendRecv,
            Direction::SendOnly => media::Direction::SendOnly,
            Direction::RecvOnly => media::Direction::RecvOnly,
            Direction::Inactive => media::Direction::Inactive,
        },
        remote: ip.map(|ip| SocketAddr::new(ip, media.port())),
        remote_rtcp: media.rtcp().and_then(|rtcp| Some(SocketAddr::new(rtcp.ip.or(ip)?, rtcp.port))),
        rtcp_mux: mux && media.rtcp_mux(),
        reports: true,
        early: false,
        protection: media::Protection::Clear,
        extended: reports::wanted(media),
    })
}

/// What remains of a direction when both sides have a say in it.
pub(super) const fn both(a: Direction, b: Direction) -> Direction {
    Direction::of(a.sends() && b.sends(), a.receives() && b.receives())
}

/// The hold of RFC 2543: nothing is to be sent to 0.0.0.0 or ::. RFC 3264 section 8.4.
pub(super) fn is_silenced(media: &Media<'_, '_>) -> bool {
    media.connection().is_some_and(|connection| connection.is_unspecified())
}

/// What they would like in a packet, in whole steps of 10 ms and never more than they can take.
fn ptime(media: &Media<'_, '_>) -> Duration {
    let most = media.maxptime().unwrap_or(60).clamp(10, 60);
    let wanted = media.ptime().unwrap_or(PTIME).min(most).max(10);
    Duration::from_millis((wanted / 10 * 10).into())
}
