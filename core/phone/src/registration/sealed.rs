//! What is different for an account whose messages are sealed ([`crate::vos`]).
//!
//! Knows no wire format.

use base::NetworkId;
use sip::codec::Unopened;

use super::{Registration, State};
use crate::desk::{Desk, Timer};
use crate::view::{AccountState, AccountView};
use crate::{Account, Why};

impl Registration {
    /// Something came to it, and was opened.
    pub(crate) fn opened(&mut self) {
        self.view.dropped.opened();
    }

    /// Something came to it that could not be opened. Strangers may send what they like: a count is told as it doubles.
    pub(crate) fn unopened(&mut self, why: Unopened, desk: &mut Desk) {
        let mut view = self.view.clone();
        view.dropped.count(why);
        let waits = matches!(view.state, AccountState::Registering | AccountState::Failed);
        let mismatch = waits && view.dropped.is_mismatch() && view.reason != Some(Why::OtherKey);
        if mismatch {
            view.reason = Some(Why::OtherKey);
        }
        if mismatch || view.dropped.all().is_power_of_two() {
            self.show(desk, view);
        } else {
            self.view.dropped = view.dropped;
        }
    }

    /// Its way is kept open by what every server understands, sealed as all else: empty lines and STUN may be no news there.
    pub(super) fn refresh_sealed(&mut self, desk: &mut Desk) {
        match self.state {
            State::Registered { .. } => self.send(desk),
            State::Off
            | State::Asking { .. }
            | State::Moving { .. }
            | State::Waiting
            | State::Leaving { .. } => {}
        }
    }

    /// The settings are others. The network that its requests go by from now on: its lane on it, where it has one.
    pub(super) fn other_seal(&mut self, account: &Account, desk: &mut Desk) -> NetworkId {
        // Checked when the settings were taken.
        let seal = account.seal().ok().flatten();
        desk.reseal(self.id, seal.as_ref());
        let network = account.lane_on(self.id, self.profile.network.whole());
        if network != self.profile.network {
            // Nothing more by the way that was.
            self.path = None;
            self.asking.begin_anew();
            desk.timers.cancel(&Timer::Ping(self.id));
        }
        let view = AccountView { dropped: crate::Dropped::default(), ..self.view.clone() };
        self.show(desk, view);
        network
    }
}
