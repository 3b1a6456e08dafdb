//! Symmetric RTP: where packets go is where they come from.
//!
//! RFC 4961 and the practice it describes: the address in the SDP is a first guess, the source of the first valid
//! packet the truth behind a NAT, and it is left only when it has gone silent. Does not know what is valid.

use std::net::SocketAddr;
use std::time::Duration;

use base::Instant;

/// How long the source in use must have been silent before another is believed. Long enough that nobody takes
/// over a call between two packets, short enough that one who moved is heard again soon.
const SILENT: Duration = Duration::from_secs(1);

/// The other side's address for one port.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latch {
    told: Option<SocketAddr>,
    learnt: Option<(SocketAddr, Instant)>,
    /// The source that was in use when the signalling named a new address: its last packets, still under way,
    /// are not to be learnt again.
    left: Option<(SocketAddr, Instant)>,
    moves: u32,
}

impl Latch {
    /// Where to send now.
    pub(crate) fn target(&self) -> Option<SocketAddr> {
        self.learnt.map(|(address, _)| address).or(self.told)
    }

    /// How often the source changed without the signalling saying so.
    pub(crate) fn moves(&self) -> u32 {
        self.moves
    }

    /// What the signalling says; forgets what was learnt when it names another address.
    pub(crate) fn tell(&mut self, address: Option<SocketAddr>, now: Instant) {
        if self.told != address {
            self.told = address;
            self.left = self.learnt.take().map(|(from, _)| (from, now));
        }
    }

    /// Whether a packet from here would be taken.
    pub(crate) fn admits(&self, from: SocketAddr, now: Instant) -> bool {
        if let Some((left, at)) = self.left
            && left == from
            && self.told != Some(from)
            && now.since(at) < SILENT
        {
            return false;
        }
        match self.learnt {
            Some((address, heard)) => address == from || now.since(heard) >= SILENT,
            None => true,
        }
    }

    /// Takes the source of a valid packet that was admitted.
    pub(crate) fn heard(&mut self, from: SocketAddr, now: Instant) {
        if self.learnt.is_some_and(|(address, _)| address != from) {
            self.moves += 1;
        }
        self.learnt = Some((from, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn the_first_source_replaces_what_the_sdp_said() {
        let mut latch = Latch::default();
        latch.tell(Some(address(1)), at(0));
        assert_eq!(latch.target(), Some(address(1)));
        assert!(latch.admits(address(2), at(10)));
        latch.heard(address(2), at(10));
        assert_eq!((latch.target(), latch.moves()), (Some(address(2)), 0));
    }

    #[test]
    fn another_source_is_believed_only_after_silence() {
        let mut latch = Latch::default();
        latch.heard(address(1), at(0));
        assert!(!latch.admits(address(2), at(999)));
        assert!(latch.admits(address(2), at(1000)));
        latch.heard(address(2), at(1000));
        assert_eq!((latch.target(), latch.moves()), (Some(address(2)), 1));
    }

    #[test]
    fn the_last_packets_of_the_old_place_do_not_undo_a_move_by_signalling() {
        let mut latch = Latch::default();
        latch.tell(Some(address(1)), at(0));
        latch.heard(address(1), at(10));
        latch.tell(Some(address(2)), at(100));
        assert_eq!(latch.target(), Some(address(2)));
        assert!(!latch.admits(address(1), at(110)));
        assert!(latch.admits(address(2), at(110)) && latch.admits(address(3), at(110)));
    }

    #[test]
    fn telling_the_same_again_keeps_what_was_learnt() {
        let mut latch = Latch::default();
        latch.tell(Some(address(1)), at(0));
        latch.heard(address(2), at(10));
        latch.tell(Some(address(1)), at(100));
        assert_eq!(latch.target(), Some(address(2)));
    }
}
