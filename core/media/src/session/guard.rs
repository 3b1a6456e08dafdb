//! What stands between a session and its packets: nothing, keys, or the wait for keys.
//!
//! RFC 3711 through [`crate::srtp`]. While keys are awaited nothing is sent and a little of what comes is kept; under keys
//! nothing is taken or sent without them. Keys that stay the same keep their state: to begin anew would repeat a keystream.

use std::collections::VecDeque;
use std::net::SocketAddr;

use base::Instant;

use super::Session;
use crate::plan::Protection;
use crate::playout::MAX_PAYLOAD;
use crate::rtp;
use crate::srtp::{Inbound, Outbound, Refused, Spent, TRAILER};

/// Packets that wait for keys: a second of a voice. More are a flood, and the oldest are the least worth.
const WAITING: usize = 50;
/// Keys that were left and may be gone back to: as many as forks of a call are listened to.
const MOST_LEFT: usize = 8;
/// Longer packets are not kept while keys are awaited.
const LONGEST: usize = 1500;

/// ```text
///   Clear <------------------> Keyed (keys change: the old ones are still read a while)
///     |                          ^
///     '-------> Awaited ---------'  what waited is read
/// ```
#[derive(Debug, Default)]
pub(super) enum Guard {
    #[default]
    Clear,
    Awaited(VecDeque<Waiting>),
    Keyed(Box<Keyed>),
}

#[derive(Debug)]
pub(super) struct Keyed {
    out: Outbound,
    /// Under keys that were left, and may be gone back to (forks that take turns): they go on counting.
    left: Vec<Outbound>,
    within: Inbound,
    /// What came, where it is opened.
    opened: Vec<u8>,
}

/// A packet that came before the keys.
#[derive(Debug)]
pub(super) struct Waiting {
    bytes: Vec<u8>,
    from: SocketAddr,
    is_rtcp_port: bool,
    now: Instant,
    wall: u64,
}

impl Guard {
    pub(super) fn new(protection: &Protection) -> Self {
        match protection {
            Protection::Clear => Self::Clear,
            Protection::Awaited => Self::Awaited(VecDeque::new()),
            Protection::Keyed { send, receive } => Self::Keyed(Box::new(Keyed {
                out: Outbound::new(send.clone()),
                left: Vec::new(),
                within: Inbound::new(receive.clone()),
                opened: Vec::with_capacity(rtp::HEADER + MAX_PAYLOAD + TRAILER),
            })),
        }
    }

    /// Whether anything may be sent.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Clear | Self::Keyed(_) => true,
            Self::Awaited(_) => false,
        }
    }

    /// Makes an RTP packet of ours fit to be sent.
    pub(super) fn protect(&mut self, packet: &mut Vec<u8>) -> Result<(), Spent> {
        match self {
            Self::Clear => Ok(()),
            Self::Awaited(_) => Err(Spent),
            Self::Keyed(keyed) => keyed.out.protect(packet),
        }
    }

    /// The same for a report.
    pub(super) fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Spent> {
        match self {
            Self::Clear => Ok(()),
            Self::Awaited(_) => Err(Spent),
            Self::Keyed(keyed) => keyed.out.protect_rtcp(packet),
        }
    }
}

impl Session {
    /// Goes on under other keys, or none.
    pub(super) fn guard_by(&mut self, protection: &Protection) {
        match (&mut self.guard, protection) {
            (Guard::Clear, Protection::Clear) | (Guard::Awaited(_), Protection::Awaited) => {}
            (Guard::Keyed(keyed), Protection::Keyed { send, receive }) => {
                if keyed.out.keys() != send {
                    // RFC 4568 section 7.1.4 has them count our rounds from 0 again, RFC 3711 section 3.3.1 has them not:
                    // another source begins at 0 for both.
                    if keyed.out.has_wrapped() {
                        self.sending.begin_source();
                    }
                    let known = keyed.left.iter().position(|out| out.keys() == send);
                    let next = known.map(|at| keyed.left.remove(at));
                    let next = next.unwrap_or_else(|| Outbound::new(send.clone()));
                    if keyed.left.len() == MOST_LEFT {
                        keyed.left.remove(0);
                    }
                    keyed.left.push(std::mem::replace(&mut keyed.out, next));
                }
                if keyed.within.keys() != receive {
                    keyed.within.rekey(receive.clone());
                }
            }
            (guard, protection) => {
                let before = std::mem::replace(guard, Guard::new(protection));
                if let (Guard::Awaited(waiting), Protection::Keyed { .. }) = (before, protection) {
                    for Waiting { bytes, from, is_rtcp_port, now, wall } in waiting {
                        self.packet(&bytes, from, is_rtcp_port, now, wall);
                    }
                }
            }
        }
    }

    /// Takes a datagram from the RTP or the RTCP socket. `wall` is the time in NTP's 32.32 bits.
    /// What is bad is counted and dropped.
    pub fn packet(&mut self, bytes: &[u8], from: SocketAddr, is_rtcp_port: bool, now: Instant, wall: u64) {
        let is_rtcp = is_rtcp_port || rtp::is_rtcp(bytes);
        match &mut self.guard {
            Guard::Clear => self.clear_packet(bytes, from, (is_rtcp, is_rtcp_port), now, wall),
            Guard::Awaited(waiting) => {
                if bytes.len() <= LONGEST {
                    if waiting.len() == WAITING {
                        waiting.pop_front();
                    }
                    waiting.push_back(Waiting { bytes: bytes.to_vec(), from, is_rtcp_port, now, wall });
                }
            }
            Guard::Keyed(keyed) => {
                keyed.opened.clear();
                keyed.opened.extend_from_slice(bytes);
                let opened = if is_rtcp {
                    keyed.within.open_rtcp(&mut keyed.opened)
                } else {
                    keyed.within.open(&mut keyed.opened)
                };
                match opened {
                    Ok(()) => {
                        let opened = std::mem::take(&mut keyed.opened);
                        self.clear_packet(&opened, from, (is_rtcp, is_rtcp_port), now, wall);
                        if let Guard::Keyed(keyed) = &mut self.guard {
                            keyed.opened = opened;
                        }
                    }
                    Err(Refused::Malformed) => self.malformed += 1,
                    Err(Refused::Forged | Refused::Replayed | Refused::TooMany) => self.refused += 1,
                }
            }
        }
    }
}
