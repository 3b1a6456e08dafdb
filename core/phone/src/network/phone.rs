//! News of networks, brought to the accounts and calls that they mean something to.
//!
//! An account that moves says so to its calls: their dialogs follow it. A call is never ended for want of a network: the
//! next one to come takes it up again, unless the other side has given up by then.

use base::nat64::Prefix64;
use base::{FlowId, NetworkId, Transport};
use sip::order::Order;

use super::{Choice, NetworkNews};
use crate::call::Place;
use crate::desk::Timer;
use crate::phone::Phone;
use crate::registration::Registration;
use crate::{AccountId, CallId};

impl Phone {
    /// The networks changed.
    pub(crate) fn network(&mut self, news: &NetworkNews) {
        let lost = self.networks.hear(news, self.desk.now);
        for id in &lost {
            self.desk.lifetimes.left(*id);
            if self.networks.get(*id).is_none() {
                self.desk.addresses.gone(*id);
                self.desk.tell_reach(*id);
                self.desk.alg.gone(*id);
            }
        }
        match news {
            NetworkNews::Appeared(network) | NetworkNews::Changed(network) => {
                self.desk.lifetimes.met(network);
                let nat64 = network.nat64.and_then(|(prefix, length)| Prefix64::new(prefix, length));
                self.desk.addresses_are(network.id, &network.addrs, nat64);
                self.desk.alg.met(network.id, network.identity.as_ref(), &network.addrs);
            }
            NetworkNews::Up { addrs } => {
                self.desk.addresses_are(NetworkId::SYSTEM, addrs, None);
                self.desk.alg.met(NetworkId::SYSTEM, None, addrs);
            }
            NetworkNews::Vanished(_) | NetworkNews::Suspect(_) | NetworkNews::Down => {}
        }
        let cut_off = self.cut_off(&lost);
        self.look_at_networks(&lost);
        self.bring_on(&cut_off);
        if let NetworkNews::Suspect(id) = news {
            let Self { accounts, desk, .. } = self;
            // Where there is no other, an answer over this one settles it.
            accounts.values_mut().filter(|it| it.network() == Some(*id)).for_each(|it| it.probe(desk));
        }
    }

    /// The unanswered calls whose network is among the `lost`.
    fn cut_off(&mut self, lost: &[NetworkId]) -> Vec<CallId> {
        let Self { calls, desk, .. } = self;
        let those = calls.values_mut().filter_map(|call| call.networks_lost(lost, desk).then(|| call.id()));
        those.collect()
    }

    /// Their accounts go by other networks already, perhaps.
    fn bring_on(&mut self, calls: &[CallId]) {
        for call in calls {
            let Some(call) = self.calls.get_mut(call) else { continue };
            let account = self.accounts.get(&call.account()).filter(|it| it.network().is_some());
            if let Some(account) = account {
                call.network_changed(&place(account), &mut self.desk);
            }
        }
    }

    /// Brings each account to the network that it should go by. The flows of those that are `lost` are worth nothing.
    pub(crate) fn look_at_networks(&mut self, lost: &[NetworkId]) {
        let Self { accounts, networks, desk, .. } = self;
        let now = desk.now;
        for (id, account) in accounts {
            let present = account.network();
            let policy = account.account().networks;
            match networks.choose(*id, policy, self.roaming_allowed, present, now) {
                Choice::Wait(why) => account.network_down(why, desk),
                Choice::Use(chosen) => {
                    let dead = |it: NetworkId| lost.contains(&it) || networks.is_suspect(it, now);
                    match present {
                        Some(present) if present == chosen && !lost.contains(&present) => account.stay(desk),
                        Some(present)
                            if present != chosen && !dead(present) && networks.get(present).is_some() =>
                        {
                            account.move_to(chosen, desk);
                        }
                        Some(_) | None => account.network_up(chosen, desk),
                    }
                }
            }
        }
        match networks.next_look(now) {
            Some(at) => desk.timers.set(Timer::Networks, at),
            None => drop(desk.timers.cancel(&Timer::Networks)),
        }
    }

    /// More is known of how IPv4 is reached by a network: whoever waits for it tries at once.
    pub(crate) fn reach_changed(&mut self, network: NetworkId) {
        let Self { desk, accounts, .. } = self;
        desk.tell_reach(network);
        let waits = |it: &&mut Registration| it.network() == Some(network) && !it.is_registered();
        accounts.values_mut().filter(waits).for_each(|it| it.renew(desk));
    }

    /// What accounts have told of their networks: calls follow those that moved; a network that does not lead to a
    /// registrar is passed over by the account that tried.
    pub(crate) fn hear_of_networks(&mut self) {
        while let Some(id) = self.desk.moved.pop() {
            let Some(account) = self.accounts.get(&id) else { continue };
            let place = place(account);
            let servers = account.account().nat.servers();
            self.desk.servers.look_up(place.network, servers, &mut self.desk.orders);
            let now = self.desk.now;
            for call in self.calls.values_mut().filter(|call| call.account() == id) {
                if call.rings_by().is_some_and(|by| self.networks.is_suspect(by, now)) {
                    call.cast_off(&mut self.desk);
                }
                call.network_changed(&place, &mut self.desk);
            }
        }
        while let Some(id) = self.desk.landed.pop() {
            let Some(account) = self.accounts.get(&id) else { continue };
            for call in self.calls.values_mut().filter(|call| call.account() == id) {
                call.registrar_reached(&place(account), &mut self.desk);
            }
        }
        while let Some(id) = self.desk.seen_elsewhere.pop() {
            for call in self.calls.values_mut().filter(|call| call.account() == id) {
                call.contact_changed(&mut self.desk);
            }
        }
        let mut look = false;
        for (id, network, reached) in std::mem::take(&mut self.desk.tried) {
            if reached {
                self.networks.trust(network);
            } else {
                self.networks.pass_over(id, network, self.desk.now);
                look = true;
            }
        }
        if look {
            self.look_at_networks(&[]);
        }
    }

    /// The network that an account goes by, while it has one.
    pub fn network_of(&self, account: AccountId) -> Option<NetworkId> {
        self.accounts.get(&account)?.network()
    }

    /// What carries an account to its registrar, while it is known.
    pub fn carrier_of(&self, account: AccountId) -> Option<Transport> {
        self.accounts.get(&account)?.carrier()
    }

    /// The networks that accounts go by, the first account's first.
    pub fn networks_in_use(&self) -> impl Iterator<Item = NetworkId> {
        self.accounts.values().filter_map(Registration::network)
    }

    /// A call has reason to believe that the way its account goes is dead, though nobody says so: media stopped, checks are
    /// not answered.
    pub fn path_suspect(&mut self, account: AccountId) {
        if let Some(network) = self.accounts.get(&account).and_then(Registration::network) {
            self.network(&NetworkNews::Suspect(network));
        }
    }

    /// Connections that accounts have moved away from are closed once nobody uses them.
    pub(crate) fn close_left(&mut self) {
        let Self { accounts, calls, desk, .. } = self;
        let used = |flow: FlowId| {
            accounts.iter().any(|(id, account)| {
                account.flow() == Some(flow)
                    || account.left() == Some(flow) && calls.values().any(|call| call.account() == *id)
            })
        };
        let over: Vec<FlowId> =
            accounts.values().filter_map(Registration::left).filter(|flow| !used(*flow)).collect();
        for flow in over {
            for account in accounts.values_mut() {
                account.forget_left(flow);
            }
            desk.orders.push(Order::CloseFlow { flow });
        }
    }
}

/// Where an account is.
fn place(account: &Registration) -> Place<'_> {
    Place { network: account.network().unwrap_or_default(), toward: account.toward(), way: account.way() }
}
