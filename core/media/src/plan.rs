//! What one m-line's media is to do: the signalling's words for it, without its syntax.

use std::net::SocketAddr;
use std::time::Duration;

use crate::codec::Codec;
use crate::dtmf::Events;
use crate::srtp::Keys;

/// What we do, not what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Talk and listen.
    SendRecv,
    /// We hold them: they hear us, we do not listen.
    SendOnly,
    /// They hold us.
    RecvOnly,
    /// Both hold.
    Inactive,
}

impl Direction {
    /// Whether we send.
    pub const fn sends(self) -> bool {
        match self {
            Self::SendRecv | Self::SendOnly => true,
            Self::RecvOnly | Self::Inactive => false,
        }
    }

    /// Whether we play what comes.
    pub const fn receives(self) -> bool {
        match self {
            Self::SendRecv | Self::RecvOnly => true,
            Self::SendOnly | Self::Inactive => false,
        }
    }
}

/// Which extended reports they asked for, and so which we send; all are read. RFC 3611 section 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extended {
    /// How the call sounds here (`voip-metrics`).
    pub metrics: bool,
    /// Our clock to be said back, and theirs (`rcvr-rtt`): who sends no audio knows the round trip too.
    pub round_trip: bool,
}

/// How the packets of a stream are kept from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// They are not.
    #[default]
    Clear,
    /// By keys that are still being agreed on: nothing is sent until [`Self::Keyed`] follows, and a little of what comes is
    /// kept until then.
    Awaited,
    /// By these. The same keys again go on where they were; others are changed to without a gap.
    Keyed {
        /// For what we send.
        send: Keys,
        /// For what they send.
        receive: Keys,
    },
}

/// What was agreed for one m-line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What they may send, by payload type. Need not be the numbers that we send (RFC 3264 section 5.1).
    pub codecs_in: Vec<(u8, Codec)>,
    /// What we send.
    pub codec_out: (u8, Codec),
    /// Under which payload types they may send keypad digits (RFC 4733), each with its clock.
    pub events_in: Vec<(u8, u32)>,
    /// Under which we send them, at the clock of `codec_out`, and those that they take.
    pub events_out: Option<(u8, Events)>,
    /// Digits are looked for in their voice too: they tell of none by events.
    pub hear_tones: bool,
    /// They can use what a packet repeats of the one before it (Opus).
    pub redundancy: bool,
    /// Silence may be left out of what we send.
    pub silence: bool,
    /// Under which payload types they and we tell of the silence (RFC 3389), beside codecs that cannot.
    pub noise_in: Option<u8>,
    /// As well.
    pub noise_out: Option<u8>,
    /// Audio in a packet that we send; kept within 10 ms..=60 ms.
    pub ptime: Duration,
    /// Who talks.
    pub direction: Direction,
    /// Their address in the SDP; `None` when they gave none yet, or 0.0.0.0.
    pub remote: Option<SocketAddr>,
    /// From `a=rtcp`; `None`: the next port (RFC 3550 section 11).
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP shares the RTP port.
    pub rtcp_mux: bool,
    /// Reports are sent. False: they have a port of their own, and our keys are none of its (RFC 5764 section 4.1.2 wants another
    /// association there, which we do not make).
    pub reports: bool,
    /// The call is not answered yet: they may send, and owe nothing.
    pub early: bool,
    /// Reports beyond those that everybody sends.
    pub extended: Extended,
    /// How packets are kept from others.
    pub protection: Protection,
}

impl Plan {
    /// One codec both ways in packets of 20 ms, toward nobody yet, without anything that may go beside it.
    pub fn of(payload_type: u8, codec: Codec) -> Self {
        Self {
            codecs_in: vec![(payload_type, codec)],
            codec_out: (payload_type, codec),
            events_in: Vec::new(),
            events_out: None,
            hear_tones: false,
            redundancy: false,
            silence: false,
            noise_in: None,
            noise_out: None,
            ptime: Duration::from_millis(20),
            direction: Direction::SendRecv,
            remote: None,
            remote_rtcp: None,
            rtcp_mux: true,
            reports: true,
            early: false,
            extended: Extended::default(),
            protection: Protection::Clear,
        }
    }
}
