//! What a call makes of its media's ways: it waits for its own addresses, and shows how the other side is reached.
//!
//! RFC 8839. Knows nothing of how a way is found: see [`nat::path`].

use nat::path::{Event, Settings};

use crate::desk::Desk;
use crate::{Account, MediaId};

use super::{Call, Phase};

/// What an account's ways are checked with; `None`: they are not.
pub(super) fn checks(account: &Account, desk: &Desk) -> Option<Settings> {
    let nat = &account.nat;
    nat.ice.then(|| Settings {
        stun: nat.stun.iter().flat_map(|server| desk.servers.of(server)).collect(),
        turn: Vec::new(),
        udp: nat.udp,
    })
}

impl Call {
    /// `Timer::Path` is due.
    pub(crate) fn path_due(&mut self, media: MediaId, desk: &mut Desk) {
        self.streams.due(media, desk);
        self.hear_paths(desk);
    }

    /// Acts on what happened to the ways.
    pub(super) fn hear_paths(&mut self, desk: &mut Desk) {
        while let Some(event) = self.streams.poll_path() {
            match event {
                Event::Gathered => self.described(desk),
                Event::Reached(_) | Event::Unreachable => self.show(desk),
                Event::More | Event::Lost => {}
            }
        }
    }

    /// The streams' addresses are known, perhaps: what waited for them goes on.
    pub(super) fn described(&mut self, desk: &mut Desk) {
        match self.phase {
            Phase::Dialling(_) => self.invite(desk),
            Phase::Incoming(_) => self.proceed(desk),
            Phase::Announced(_) | Phase::Outgoing(_) | Phase::Up | Phase::Over => {}
        }
    }
}
