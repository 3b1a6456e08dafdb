//! What a call makes of its media's ways: it waits for its own addresses, and shows how the other side is reached.
//!
//! RFC 8839. Knows nothing of how a way is found: see [`nat::path`].

use nat::path::{Event, Settings, Turn, Way};
use nat::turn::Account;

use crate::desk::Desk;
use crate::{MediaId, Relay, RelayWay};

use super::{Call, Phase};

/// What an account's outside addresses are found and its ways checked with; `None`: neither is done.
pub(super) fn checks(account: &crate::Account, desk: &Desk) -> Option<Settings> {
    let nat = &account.nat;
    (nat.ice || !nat.stun.is_empty()).then(|| Settings {
        ice: nat.ice,
        stun: nat.stun.iter().flat_map(|server| desk.servers.of(server)).collect(),
        turn: nat.turn.iter().flat_map(|relay| ways(relay, desk)).collect(),
        udp: nat.udp,
        tcp: nat.tcp_punch,
    })
}

/// Each way to a relay, at each of its addresses.
fn ways(relay: &Relay, desk: &Desk) -> Vec<Turn> {
    let account = Account { user: relay.user.clone(), password: relay.password.clone() };
    let addresses = desk.servers.of(&relay.server);
    let of = |way: &RelayWay| match way {
        RelayWay::Udp => Way::Udp,
        RelayWay::Tcp => Way::Tcp,
        RelayWay::Tls => Way::Tls(relay.server.host.clone()),
    };
    let ways = relay.ways.iter().map(of);
    let at = |way: Way| addresses.iter().map(move |address| (*address, way.clone()));
    ways.flat_map(at).map(|(address, way)| Turn::new(address, way, Some(account.clone()))).collect()
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
