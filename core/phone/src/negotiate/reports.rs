//! Extended reports in a description: what we read and send, and what they ask for.
//!
//! RFC 3611 section 5. Who asks for none is sent none; only who offers some is asked.

use media::Extended;
use sip::sdp::{Media, Writer};

const NAME: &str = "rtcp-xr";
const METRICS: &str = "voip-metrics";
const ROUND_TRIP: &str = "rcvr-rtt";

/// Asks for both that we read.
pub(super) fn write(text: &mut Writer) {
    text.attribute(NAME, format_args!("{METRICS} {ROUND_TRIP}=all"));
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
