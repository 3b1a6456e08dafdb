//! Extended reports in a description: what we read and send, and what they ask for.
//!
//! RFC 3611 section 5, RFC 3605. Who asks for none is sent none; only who offers some is asked.

use std::net::SocketAddr;

use media::Extended;
use sip::sdp::{Media, Writer};

const NAME: &str = "rtcp-xr";
const METRICS: &str = "voip-metrics";
const ROUND_TRIP: &str = "rcvr-rtt";

/// Asks for both that we read.
pub(super) fn write(text: &mut Writer) {
    text.attribute(NAME, format_args!("{METRICS} {ROUND_TRIP}=all"));
}

/// Says where reports are sent to, where that is not what everybody guesses. RFC 3605, RFC 8839 section 4.2.1.2.
pub(super) fn write_port(text: &mut Writer, media: SocketAddr, control: SocketAddr) {
    let (ip, port) = (control.ip(), control.port());
    if ip != media.ip() {
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        text.attribute("rtcp", format_args!("{port} IN {family} {ip}"));
    } else if port != media.port().wrapping_add(1) {
        text.attribute("rtcp", port);
    }
}

/// Whether they know the attribute at all.
pub(super) fn known(media: &Media<'_, '_>) -> bool {
    media.value(NAME).is_some()
}

/// What they ask for.
pub(super) fn wanted(media: &Media<'_, '_>) -> Extended {
    let words = || media.value(NAME).unwrap_or_default().split_ascii_whitespace();
    Extended {
        metrics: words().any(|word| word == METRICS),
        // Its mode says who answers, and its size holds more than the one answer that we give: both allow ours.
        round_trip: words().any(|word| word.split_once('=').is_some_and(|(name, _)| name == ROUND_TRIP)),
    }
}
