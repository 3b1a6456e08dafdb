//! Presence: whether others are free, and what others see of us.
//!
//! RFC 3856, RFC 3863, RFC 3903, RFC 4235. Two machines for each account: `watching` subscribes to people and tells how they
//! are, `publication` says how we are, where the account's settings ask for that. Both look at the account after each piece of
//! news, as tones look at the calls, and have next to no wakes of their own: they go along with the registration's.
//! Knows nothing of how a request is sent, nor who may see whom: that is the server's to say.

mod publication;
mod read;
mod watching;

use std::collections::BTreeMap;

use base::{FlowId, Instant, NetworkId, Redacted};
use sip::message::Uri;
use sip::ua::{Outcome, RequestId, SubscriptionId, SubscriptionState};

use crate::desk::Desk;
use crate::phone::{Goodbye, Phone};
use crate::registration::profile_id;
use crate::{AccountId, Refusal, Side, dial};
use publication::Publication;
pub use read::{Dialogs, Document};
use watching::Watching;

const PACKAGE: &str = "presence";
const PIDF: &str = "application/pidf+xml";
/// Longest note of ours, in bytes.
const LONGEST_NOTE: usize = 200;

/// How somebody is, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PresenceState {
    /// To be called.
    Free,
    /// It rings there: a busy lamp's word alone.
    Ringing,
    /// In a call, or not to be disturbed.
    Busy,
    /// Not there, though the phone is.
    Away,
    /// No phone of theirs is there.
    Offline,
    /// Not told: not yet, no longer, or not to us.
    #[default]
    Unknown,
}

/// How somebody is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// In one word.
    pub state: PresenceState,
    /// In their own, if they say more.
    pub note: Option<Redacted<String>>,
}

/// What is asked for of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WatchBy {
    /// What they, or their phones, say of themselves. RFC 3856.
    #[default]
    Presence,
    /// The calls of their line, as a busy lamp shows them. RFC 4235.
    Lamp,
}

/// How the user wants to be seen where an account publishes that ([`crate::Account::publish_presence`]). Who is in a call is
/// busy, unless hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnPresence {
    /// As it is: free, or busy while nobody is to disturb.
    #[default]
    Automatic,
    /// Busy.
    Busy,
    /// Away.
    Away,
    /// As if no phone were there.
    Offline,
}

/// What others are to see.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    state: PresenceState,
    /// Busy with a call.
    talks: bool,
    note: Option<Redacted<String>>,
}

/// How others reach an account.
type Here = (Option<NetworkId>, Option<String>, Option<FlowId>);

/// Where an account stands, as far as it matters here.
struct Place<'a> {
    account: AccountId,
    uri: &'a Uri,
    /// Requests may go out: it is registered, or does not register at all.
    serves: bool,
    registers: bool,
    network: Option<NetworkId>,
    /// Changes when others reach us otherwise.
    here: Here,
    /// Its registration was granted, or refreshed, since the last look.
    granted_anew: bool,
    refresh_at: Instant,
}

/// What is asked for at least and at most, in seconds. A server that begins anew has forgotten both subscriptions and
/// publications, and over datagrams nothing tells of that but a refresh.
const LIFETIME: (u64, u64) = (600, 3600);

impl Place<'_> {
    /// For how long to ask, in seconds: refreshed with every second wake of the registration, and not often by itself.
    fn lifetime(&self, now: Instant) -> u32 {
        let (least, most) = LIFETIME;
        let asked = if self.registers { self.refresh_at.since(now).as_secs() * 2 } else { most };
        u32::try_from(asked.clamp(least, most)).unwrap_or(u32::MAX)
    }
}

/// One account's.
#[derive(Default)]
struct Machines {
    watching: Watching,
    publication: Publication,
    /// Registrations seen.
    grants: u32,
}

/// The presence part of a phone.
#[derive(Default)]
pub(crate) struct Presences {
    accounts: BTreeMap<AccountId, Machines>,
    own: OwnPresence,
    note: Option<Redacted<String>>,
}

impl Presences {
    /// News of a subscription; `status`: it ended by this response.
    pub(crate) fn notified(
        &mut self,
        subscription: SubscriptionId,
        how: (&SubscriptionState, Option<u16>),
        body: &[u8],
        desk: &mut Desk,
    ) -> bool {
        let mut those = self.accounts.iter_mut();
        those.any(|(id, it)| it.watching.notified(*id, subscription, how, body, desk))
    }
}

impl Phone {
    /// Documents about watched people that could not be read: dropped.
    pub fn unread(&self) -> u64 {
        self.desk.unread
    }

    pub(crate) fn watch(
        &mut self,
        account: Option<AccountId>,
        who: &Redacted<String>,
        by: Option<WatchBy>,
    ) -> Result<(), Refusal> {
        let account = self.pick(account)?;
        let target = dial::target(who.reveal(), self.account(account)?, &self.config.regions);
        let to = target.map_err(Refusal::BadTarget)?.uri;
        match by {
            Some(by) => {
                let machines = self.presence.accounts.entry(account).or_default();
                machines.watching.add(to, by, &mut self.desk)
            }
            None => {
                if let Some(machines) = self.presence.accounts.get_mut(&account) {
                    machines.watching.remove(&to, &mut self.desk);
                }
                Ok(())
            }
        }
    }

    pub(crate) fn set_presence(
        &mut self,
        own: OwnPresence,
        note: Option<Redacted<String>>,
    ) -> Result<(), Refusal> {
        if note.as_ref().is_some_and(|note| note.reveal().len() > LONGEST_NOTE) {
            return Err(Refusal::TextTooLong);
        }
        (self.presence.own, self.presence.note) = (own, note.filter(|note| !note.reveal().trim().is_empty()));
        Ok(())
    }

    /// An account is about to leave its registrar, or to be another: what stands is taken back.
    pub(crate) fn leave_presence(&mut self, account: AccountId) {
        let Self { presence, accounts, desk, .. } = self;
        let (Some(machines), Some(registration)) =
            (presence.accounts.get_mut(&account), accounts.get(&account))
        else {
            return;
        };
        machines.watching.leave(account, desk);
        machines.publication.end(account, &registration.account().uri, desk);
    }

    /// A request of a publication is settled.
    pub(crate) fn published(&mut self, request: RequestId, outcome: &Outcome) -> bool {
        let Self { presence, accounts, desk, .. } = self;
        presence.accounts.iter_mut().any(|(id, it)| {
            let registration = accounts.get(id);
            registration.is_some_and(|registration| {
                it.publication.done(*id, &registration.account().uri, request, outcome, desk)
            })
        })
    }

    /// Looks at every account that watches somebody or publishes.
    pub(crate) fn look_at_presence(&mut self) {
        if self.goodbye != Goodbye::NotSaid {
            return;
        }
        let wanted = self.shown();
        let Self { presence, accounts, desk, .. } = self;
        presence.accounts.retain(|id, _| accounts.contains_key(id));
        for (id, registration) in accounts.iter().filter(|(_, it)| !it.is_leaving()) {
            let publishes = registration.account().publish_presence;
            if !publishes && !presence.accounts.contains_key(id) {
                continue;
            }
            let machines = presence.accounts.entry(*id).or_default();
            let granted_anew = machines.grants != registration.grants();
            machines.grants = registration.grants();
            let registers = registration.account().register || registration.grants() > 0;
            let network = registration.network();
            let way = registration.way();
            let contact = way.and_then(|way| desk.agent.contact(profile_id(*id), way));
            let place = Place {
                account: *id,
                uri: &registration.account().uri,
                serves: network.is_some()
                    && (!registers || registration.is_still_wanted() && registration.is_registered()),
                registers,
                network,
                here: (network, contact, way.map(|way| way.flow)),
                granted_anew,
                refresh_at: registration.refresh_at(),
            };
            machines.watching.look(&place, desk);
            if publishes {
                machines.publication.look(&place, &wanted, desk);
            } else {
                machines.publication.end(*id, place.uri, desk);
            }
            if granted_anew && !machines.watching.is_empty() {
                // What would wake the device before the registration does is done now.
                desk.agent.resubscribe_along(place.refresh_at, desk.now, &mut desk.orders);
            }
        }
    }

    /// How the user is to be seen.
    fn shown(&self) -> Shown {
        let talks = self.calls.values().any(|call| call.is_up() || call.side() == Side::Out);
        let state = match self.presence.own {
            OwnPresence::Offline => PresenceState::Offline,
            _ if talks || self.do_not_disturb => PresenceState::Busy,
            OwnPresence::Busy => PresenceState::Busy,
            OwnPresence::Away => PresenceState::Away,
            OwnPresence::Automatic => PresenceState::Free,
        };
        Shown { state, talks: talks && state == PresenceState::Busy, note: self.presence.note.clone() }
    }
}
