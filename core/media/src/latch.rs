//! Symmetric RTP: where packets go is where they come from.
//!
//! RFC 4961 and the practice it describes: the address in the SDP is a first guess, the source of the first valid
//! packet the truth behind a NAT, and it is left only when it has gone silent, for one who goes on where it stopped or sits
//! where the signalling or the voice was. Nobody else is sent the voice: a third party that sprays packets is a stranger.
//! Where ways are checked ([`Lead::Checked`]) nothing is learnt at all. Does not know what is valid.

use std::net::SocketAddr;
use std::time::Duration;

use base::Instant;

/// How long the source in use must have been silent before another is believed. Long enough that nobody takes
/// over a call between two packets, short enough that one who moved is heard again soon.
const SILENT: Duration = Duration::from_secs(1);

/// How packets go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lead {
    /// To where the signalling says, then to where they come from.
    #[default]
    Plain,
    /// To nobody but `target`, and from nobody but those admitted: they have shown that they are who we talk to.
    Checked {
        /// Whereto; `None`: nowhere yet.
        target: Option<SocketAddr>,
        /// From where.
        admitted: Vec<SocketAddr>,
    },
}

/// The other side's address for one port.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latch {
    way: Lead,
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
        match &self.way {
            Lead::Plain => self.learnt.map(|(address, _)| address).or(self.told),
            Lead::Checked { target, .. } => *target,
        }
    }

    /// How packets go from now on.
    pub(crate) fn lead(&mut self, way: Lead) {
        self.way = way;
    }

    /// Whether nothing but checks says how packets go.
    pub(crate) fn is_checked(&self) -> bool {
        matches!(self.way, Lead::Checked { .. })
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

    /// Whether a packet from here would be taken. `same_voice`: it is of the source that was heard last.
    pub(crate) fn admits(&self, from: SocketAddr, same_voice: bool, now: Instant) -> bool {
        if let Lead::Checked { admitted, .. } = &self.way {
            return admitted.contains(&from);
        }
        if let Some((left, at)) = self.left
            && left == from
            && self.told != Some(from)
            && now.since(at) < SILENT
        {
            return false;
        }
        let Some((address, heard)) = self.learnt else { return true };
        // Where the signalling says is always right: whoever came first from elsewhere may have been nobody.
        if address == from || self.told == Some(from) {
            return true;
        }
        let is_near = address.ip() == from.ip() || self.told.is_some_and(|told| told.ip() == from.ip());
        now.since(heard) >= SILENT && (same_voice || is_near)
    }

    /// Takes the source of a valid packet that was admitted.
    pub(crate) fn heard(&mut self, from: SocketAddr, now: Instant) {
        if let Lead::Checked { .. } = self.way {
            return;
        }
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
        assert!(latch.admits(address(2), false, at(10)));
        latch.heard(address(2), at(10));
        assert_eq!((latch.target(), latch.moves()), (Some(address(2)), 0));
    }

    #[test]
    fn another_source_is_believed_only_after_silence() {
        let mut latch = Latch::default();
        latch.heard(address(1), at(0));
        assert!(!latch.admits(address(2), false, at(999)));
        assert!(latch.admits(address(2), false, at(1000)));
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
        assert!(!latch.admits(address(1), false, at(110)));
        assert!(latch.admits(address(2), false, at(110)) && latch.admits(address(3), false, at(110)));
    }

    #[test]
    fn a_third_address_is_never_sent_the_voice_but_the_same_voice_from_there_is_followed() {
        let third = ([203, 0, 113, 66], 6).into();
        let mut latch = Latch::default();
        latch.tell(Some(address(1)), at(0));
        latch.heard(address(1), at(0));
        assert!(!latch.admits(third, false, at(60_000)));
        assert!(!latch.admits(third, true, at(999)) && latch.admits(third, true, at(1000)));
        latch.heard(third, at(1000));
        assert!(latch.admits(address(1), false, at(1001)), "where the signalling says");
    }

    #[test]
    fn a_checked_way_learns_nothing_and_admits_whom_it_names() {
        let mut latch = Latch::default();
        latch.tell(Some(address(1)), at(0));
        latch.lead(Lead::Checked { target: None, admitted: vec![address(2)] });
        assert_eq!(latch.target(), None);
        assert!(!latch.admits(address(1), true, at(5000)) && latch.admits(address(2), false, at(5000)));
        latch.heard(address(2), at(5000));
        latch.lead(Lead::Checked { target: Some(address(3)), admitted: vec![address(2)] });
        assert_eq!((latch.target(), latch.moves()), (Some(address(3)), 0));
        latch.lead(Lead::Plain);
        assert_eq!(latch.target(), Some(address(1)));
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
