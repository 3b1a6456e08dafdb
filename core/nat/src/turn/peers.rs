//! Whom an allocation may talk to: permissions and channels, and when each wants to be refreshed.
//!
//! RFC 8656 sections 9 and 12. Refreshes go together: the wake of one takes along whoever would soon want one of his own.
//! Knows no message.
//!
//! ```text
//!  permit                 answered                  due, or another is
//!  ------> wanted/asking ----------> ready/resting --------------------> ready/asking
//!               |                          ^                                  |
//!               | refused                  +----------------------------------+--> refused, or silent too long: gone
//!               v
//!             gone
//! ```

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{Instant, Wake};

use super::Misuse;
use crate::channel;

/// The most peers of one allocation: candidates of a call come from a stranger.
pub const MAX_PEERS: usize = 16;

/// How long a permission lasts. RFC 8656 section 9.
const PERMISSION: Duration = Duration::from_secs(300);
/// When it is refreshed: a minute before its end, for a request is given up after 39.5 s and then asked once more.
const PERMISSION_DUE: Duration = Duration::from_secs(240);
/// When a channel is, which lasts 10 minutes. RFC 8656 section 12.
const CHANNEL_DUE: Duration = Duration::from_secs(540);
/// A channel this old is bound again when its peer's permission is due: one request for both, and no wake for itself.
const CHANNEL_EARLY: Duration = Duration::from_secs(300);
const _: () =
    assert!(CHANNEL_EARLY.as_secs() < CHANNEL_DUE.as_secs(), "what is due is asked for, or it stays due");
/// A permission this old goes along with the refresh of the allocation.
const PERMISSION_EARLY: Duration = Duration::from_secs(120);
/// How long after it was last bound a channel may be given to another peer: it lasts, and 5 minutes. RFC 8656 section 12.
const CHANNEL_HELD: Duration = Duration::from_secs(900);
/// After a request without answer.
const AGAIN: Duration = Duration::from_secs(5);
/// How many given-up channels are remembered.
const MAX_RELEASED: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// A channel is wanted; its number, once asked for.
    wants_channel: bool,
    pub(super) channel: Option<u16>,
    pub(super) ready: bool,
    asking: bool,
    permitted: Instant,
    bound: Instant,
    /// Not before: the last request had no answer.
    not_before: Instant,
}

impl Peer {
    fn due(&self) -> Instant {
        let permission = self.permitted + PERMISSION_DUE;
        let channel = self.bound + CHANNEL_DUE;
        let due = if self.channel.is_some() { permission.min(channel) } else { permission };
        due.max(self.not_before)
    }

    fn rests(&self) -> bool {
        self.ready && !self.asking
    }
}

/// What is to be asked now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// All in one request.
    pub(super) permit: Vec<SocketAddr>,
    /// Each in its own; the permission is in it.
    pub(super) bind: Vec<(SocketAddr, u16)>,
}

#[derive(Clone, Debug)]
pub(super) struct Peers {
    all: Vec<Peer>,
    next_channel: u16,
    /// Channels of peers that were forgotten, and until when each is theirs alone.
    released: VecDeque<(SocketAddr, u16, Instant)>,
}

impl Default for Peers {
    fn default() -> Self {
        Self { all: Vec::new(), next_channel: *channel::NUMBERS.start(), released: VecDeque::new() }
    }
}

impl Peers {
    /// Notes a peer as wanted. One who is there already may get a channel beside the permission.
    pub(super) fn want(&mut self, address: SocketAddr, wants_channel: bool) -> Result<(), Misuse> {
        if let Some(peer) = self.get_mut(address) {
            if wants_channel && !peer.wants_channel {
                (peer.wants_channel, peer.ready) = (true, false);
            }
            return Ok(());
        }
        if self.all.len() >= MAX_PEERS {
            return Err(Misuse::TooManyPeers);
        }
        self.all.push(Peer {
            address,
            wants_channel,
            channel: None,
            ready: false,
            asking: false,
            permitted: Instant::ZERO,
            bound: Instant::ZERO,
            not_before: Instant::ZERO,
        });
        Ok(())
    }

    pub(super) fn get(&self, address: SocketAddr) -> Option<&Peer> {
        self.all.iter().find(|peer| peer.address == address)
    }

    fn get_mut(&mut self, address: SocketAddr) -> Option<&mut Peer> {
        self.all.iter_mut().find(|peer| peer.address == address)
    }

    /// Data may come as soon as a channel was asked for: RFC 8656 section 12.
    pub(super) fn by_channel(&self, channel: u16) -> Option<SocketAddr> {
        self.all.iter().find(|peer| peer.channel == Some(channel)).map(|peer| peer.address)
    }

    /// Permissions are of addresses; ports do not matter. RFC 8656 section 9.
    pub(super) fn permits(&self, ip: IpAddr) -> bool {
        self.all.iter().any(|peer| peer.address.ip() == ip && (peer.ready || peer.asking))
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.all.iter().map(|peer| peer.address).collect()
    }

    /// What is due, with what goes along; all of it counts as asked. `anyway`: the device is awake and sends in any case.
    pub(super) fn plan(&mut self, anyway: bool, now: Instant) -> Plan {
        let mut plan = Plan::default();
        let due = self.all.iter().any(|peer| peer.rests() && peer.due() <= now);
        let soon = |peer: &Peer| {
            peer.rests() && now.since(peer.permitted) >= PERMISSION_EARLY && peer.not_before <= now
        };
        let refresh = due || anyway && self.all.iter().any(soon);
        for at in 0..self.all.len() {
            let peer = &self.all[at];
            if peer.asking || peer.ready && !(refresh && peer.not_before <= now) {
                continue;
            }
            let early = now.since(peer.bound) >= CHANNEL_EARLY;
            let (address, binds) = (peer.address, peer.wants_channel && (!peer.ready || early));
            self.all[at].asking = true;
            if binds {
                let channel = self.all[at].channel.unwrap_or_else(|| self.number(address, now));
                self.all[at].channel = Some(channel);
                plan.bind.push((address, channel));
            } else {
                plan.permit.push(address);
            }
        }
        plan
    }

    /// A number for a channel: the peer's own where it had one, for no address may have two.
    fn number(&mut self, address: SocketAddr, now: Instant) -> u16 {
        self.released.retain(|(_, _, until)| *until > now);
        if let Some(at) = self.released.iter().position(|(peer, ..)| *peer == address) {
            return self.released.remove(at).expect("it was found there").1;
        }
        loop {
            let number = self.next_channel;
            self.next_channel =
                if number == *channel::NUMBERS.end() { *channel::NUMBERS.start() } else { number + 1 };
            let released = self.released.iter().any(|(_, held, _)| *held == number);
            if !released && self.by_channel(number).is_none() {
                return number;
            }
        }
    }

    /// The server has said yes: the channel when it was for one. Says whether the peer was not ready before.
    pub(super) fn granted(&mut self, address: SocketAddr, bound: bool, now: Instant) -> bool {
        let Some(peer) = self.get_mut(address) else { return false };
        (peer.asking, peer.permitted, peer.not_before) = (false, now, now);
        if bound {
            peer.bound = now;
        }
        // Only permitted while a channel was wanted meanwhile: that one is still to come.
        let ready = bound || !peer.wants_channel || peer.channel.is_some();
        ready && !std::mem::replace(&mut peer.ready, ready)
    }

    /// No answer: asked again for as long as its permission lasts. Says whether that is over.
    pub(super) fn unanswered(&mut self, address: SocketAddr, now: Instant) -> bool {
        let Some(peer) = self.get_mut(address) else { return false };
        (peer.asking, peer.not_before) = (false, now + AGAIN);
        !peer.ready || now.since(peer.permitted) >= PERMISSION
    }

    /// Those of a request for many that was refused: each is asked for by itself next, so that each gets its own answer.
    pub(super) fn one_by_one(&mut self, addresses: &[SocketAddr], now: Instant) -> Plan {
        let mut plan = Plan::default();
        for address in addresses {
            let Some(peer) = self.get_mut(*address) else { continue };
            peer.not_before = now;
            match peer.channel {
                Some(channel) => plan.bind.push((*address, channel)),
                None => plan.permit.push(*address),
            }
        }
        plan
    }

    /// Lets it go; its channel remains its own for a while. Says whether it was there.
    pub(super) fn forget(&mut self, address: SocketAddr, now: Instant) -> bool {
        let Some(at) = self.all.iter().position(|peer| peer.address == address) else { return false };
        let peer = self.all.remove(at);
        if let Some(channel) = peer.channel {
            if self.released.len() == MAX_RELEASED {
                self.released.pop_front();
            }
            self.released.push_back((address, channel, now + CHANNEL_HELD));
        }
        true
    }

    /// There is no allocation any more: all are only wanted again.
    pub(super) fn start_over(&mut self) {
        self.released.clear();
        for peer in &mut self.all {
            (peer.ready, peer.asking, peer.channel) = (false, false, None);
        }
    }

    /// What was asked will not be answered, for we have moved; all that was granted still is.
    pub(super) fn not_asking(&mut self) {
        for peer in &mut self.all {
            peer.asking = false;
        }
    }

    pub(super) fn next_wake(&self) -> Option<Wake> {
        let resting = self.all.iter().filter(|peer| peer.rests());
        resting.map(|peer| Wake { at: peer.due(), why: "relay permission" }).min()
    }
}

/// Whether an address can be nobody's: a candidate of a stranger may name anything. The relay is none of its own peers
/// (RFC 8656 section 21.1.7).
pub(super) fn is_nobody(peer: SocketAddr, server: SocketAddr, loopback: bool) -> bool {
    let wrong = match peer.ip() {
        IpAddr::V4(ip) => {
            ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_link_local()
                || ip.octets()[0] == 0
                || ip.is_loopback() && !loopback
        }
        IpAddr::V6(ip) => {
            ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unicast_link_local()
                || ip.to_ipv4_mapped().is_some()
                || ip.is_loopback() && !loopback
        }
    };
    wrong || peer.port() == 0 || peer == server
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn peer(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn bound(peers: &mut Peers, address: SocketAddr, now: Instant) -> u16 {
        peers.want(address, true).unwrap();
        let plan = peers.plan(false, now);
        let [(asked, channel)] = plan.bind[..] else { panic!("{plan:?}") };
        assert_eq!(asked, address);
        assert!(peers.granted(address, true, now));
        channel
    }

    #[test]
    fn a_channel_goes_to_nobody_else_for_a_quarter_of_an_hour_and_back_to_its_peer_at_once() {
        let mut peers = Peers::default();
        let first = bound(&mut peers, peer(1), at(0));
        assert!(peers.forget(peer(1), at(10)));
        peers.next_channel = first;
        assert_ne!(bound(&mut peers, peer(2), at(11)), first);
        assert_eq!(bound(&mut peers, peer(1), at(12)), first);
        assert!(peers.forget(peer(1), at(20)) && peers.forget(peer(2), at(20)));
        peers.next_channel = first;
        assert_eq!(bound(&mut peers, peer(3), at(921)), first);
    }

    #[test]
    fn refreshes_go_together_and_an_old_channel_takes_its_permission_along() {
        let mut peers = Peers::default();
        bound(&mut peers, peer(1), at(0));
        bound(&mut peers, peer(2), at(100));
        assert_eq!(peers.next_wake().unwrap().at, at(240));
        assert_eq!(peers.plan(false, at(239)), Plan::default());
        assert_eq!(peers.plan(false, at(240)).permit, [peer(1), peer(2)]);
        for address in [peer(1), peer(2)] {
            assert!(!peers.granted(address, false, at(240)), "it was ready before");
        }
        let plan = peers.plan(false, at(480));
        assert_eq!((plan.bind.len(), plan.permit.len()), (2, 0));
    }

    #[test]
    fn nobody_is_no_peer() {
        let server = "192.0.2.9:3478".parse().unwrap();
        for text in [
            "0.0.0.0:1",
            "127.0.0.1:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "169.254.1.1:1",
            "192.0.2.1:0",
            "192.0.2.9:3478",
            "[::]:1",
            "[::1]:1",
            "[ff02::1]:1",
            "[fe80::1]:1",
            "[::ffff:10.0.0.1]:1",
        ] {
            assert!(is_nobody(text.parse().unwrap(), server, false), "{text}");
        }
        assert!(!is_nobody("127.0.0.1:1".parse().unwrap(), server, true));
        assert!(!is_nobody("10.0.0.1:1".parse().unwrap(), server, false));
    }
}
