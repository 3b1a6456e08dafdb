//! One account's watched people: a subscription for each, and what it tells.
//!
//! RFC 3856 (`presence`), RFC 4235 (`dialog`), RFC 6665 section 4.1 (when to subscribe anew). No wake of its own: what ended is
//! asked for again when something else happens, the registration's next refresh at the latest. Knows nothing of XML.

use std::time::Duration;

use base::{Instant, Redacted};
use sip::message::Uri;
use sip::ua::{Subscribe, SubscriptionId, SubscriptionState};

use super::read::{Document, Lamp, Lit};
use super::{Here, PACKAGE, PIDF, Place, Presence, PresenceState, WatchBy};
use crate::desk::Desk;
use crate::registration::{may_pass, profile_id};
use crate::{AccountId, Event, Refusal};

/// People that one account watches at most: each is a subscription.
const MOST: usize = 64;
/// Between two attempts at one subscription.
const PAUSE: Duration = Duration::from_secs(30);
/// After this many at the latest, whatever the server says.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// One watched person.
#[derive(Debug)]
struct Watch {
    to: Uri,
    by: WatchBy,
    subscription: Option<SubscriptionId>,
    /// The calls that a busy lamp has told of.
    lamp: Lamp,
    /// What the app was told last.
    shown: Option<Presence>,
    /// It is not asked for again: whoever decides said no.
    refused: bool,
    /// It is not asked for before.
    wait: Instant,
}

/// All of one account.
#[derive(Debug, Default)]
pub(super) struct Watching {
    those: Vec<Watch>,
    /// From where the subscriptions were made.
    place: Option<Here>,
}

impl Watching {
    pub(super) fn is_empty(&self) -> bool {
        self.those.is_empty()
    }

    /// Watches; whoever is watched already is asked for anew.
    pub(super) fn add(&mut self, to: Uri, by: WatchBy, desk: &mut Desk) -> Result<(), Refusal> {
        self.remove(&to, desk);
        if self.those.len() >= MOST {
            return Err(Refusal::TooManyWatched);
        }
        let (lamp, wait) = (Lamp::default(), Instant::ZERO);
        self.those.push(Watch { to, by, subscription: None, lamp, shown: None, refused: false, wait });
        Ok(())
    }

    pub(super) fn remove(&mut self, to: &Uri, desk: &mut Desk) {
        let Some(at) = self.those.iter().position(|it| it.to.view().equals(&to.view())) else { return };
        if let Some(subscription) = self.those.remove(at).subscription {
            desk.agent.unsubscribe(subscription, desk.now, &mut desk.orders);
        }
    }

    /// The account leaves: subscriptions end, those who are watched are remembered.
    pub(super) fn leave(&mut self, account: AccountId, desk: &mut Desk) {
        for it in &mut self.those {
            if let Some(subscription) = it.subscription.take() {
                desk.agent.unsubscribe(subscription, desk.now, &mut desk.orders);
            }
            (it.refused, it.wait) = (false, Instant::ZERO);
            it.show(account, Presence::default(), desk);
        }
    }

    /// Asks for what is not asked for, tells where we are now, and lets go what a lost network has cut off.
    pub(super) fn look(&mut self, place: &Place<'_>, desk: &mut Desk) {
        if place.network.is_none() {
            for it in &mut self.those {
                if let Some(subscription) = it.subscription.take() {
                    desk.agent.forget_subscription(subscription, desk.now, &mut desk.orders);
                    it.show(place.account, Presence::default(), desk);
                }
                it.wait = Instant::ZERO;
            }
            return;
        }
        if !place.serves {
            // Once it is back, whoever we are told by may have been away.
            self.place = None;
            return;
        }
        let moved = self.place.as_ref() != Some(&place.here);
        if moved {
            self.place = Some(place.here.clone());
        }
        for it in &mut self.those {
            match it.subscription {
                Some(subscription) if moved => {
                    desk.agent.resubscribe(subscription, desk.now, &mut desk.orders);
                }
                Some(_) => {}
                None if !it.refused && it.wait <= desk.now => it.subscribe(place, desk),
                None => {}
            }
        }
    }

    /// News of a subscription: was it one of these?
    pub(super) fn notified(
        &mut self,
        account: AccountId,
        subscription: SubscriptionId,
        (state, status): (&SubscriptionState, Option<u16>),
        body: &[u8],
        desk: &mut Desk,
    ) -> bool {
        let Some(it) = self.those.iter_mut().find(|it| it.subscription == Some(subscription)) else {
            return false;
        };
        if !body.is_empty() {
            it.told(account, body, desk);
        } else if it.shown.is_none() {
            // Accepted, and nothing known.
            it.show(account, Presence::default(), desk);
        }
        if let SubscriptionState::Terminated { reason, retry_after } = state {
            it.subscription = None;
            it.over(reason, status, *retry_after, desk.now);
            it.show(account, Presence::default(), desk);
        }
        true
    }
}

impl Watch {
    fn subscribe(&mut self, place: &Place<'_>, desk: &mut Desk) {
        let (event, accept) = match self.by {
            WatchBy::Presence => (PACKAGE, PIDF),
            WatchBy::Lamp => ("dialog", "application/dialog-info+xml"),
        };
        let (event, accept) = (event.into(), accept.into());
        let want = Subscribe { to: self.to.clone(), event, accept, expires: place.lifetime(desk.now) };
        self.lamp = Lamp::default();
        self.wait = desk.now + PAUSE;
        let id = desk.agent.subscribe(profile_id(place.account), want, desk.now, &mut desk.orders);
        self.subscription = Some(id);
    }

    /// A document came.
    fn told(&mut self, account: AccountId, body: &[u8], desk: &mut Desk) {
        match (Document::read(body), self.by) {
            (Some(Document::Presence(presence)), WatchBy::Presence) => self.show(account, presence, desk),
            (Some(Document::Dialogs(told)), WatchBy::Lamp) => match self.lamp.take(told) {
                Lit::Shows(state) => self.show(account, Presence { state, note: None }, desk),
                Lit::Missed => {
                    if let Some(subscription) = self.subscription {
                        desk.agent.resubscribe(subscription, desk.now, &mut desk.orders);
                    }
                }
                Lit::Old => {}
            },
            (Some(_) | None, _) => desk.unread += 1,
        }
    }

    /// It ended. RFC 6665 section 4.1.3: what the reasons mean.
    fn over(&mut self, reason: &str, status: Option<u16>, retry_after: Option<Duration>, now: Instant) {
        let asked = retry_after.map(|wait| now + wait.min(LONGEST_PAUSE));
        match status {
            // The dialog is lost there, not the wish for it.
            None if ["rejected", "noresource", "invariant"]
                .iter()
                .any(|it| reason.eq_ignore_ascii_case(it)) =>
            {
                self.refused = true;
            }
            None | Some(481) => self.wait = asked.unwrap_or(self.wait),
            Some(status) if may_pass(status) => self.wait = asked.unwrap_or(now + PAUSE),
            Some(_) => self.refused = true,
        }
    }

    fn show(&mut self, account: AccountId, presence: Presence, desk: &mut Desk) {
        let nothing_new = match &self.shown {
            Some(shown) => *shown == presence,
            // A subscription that is not there yet has nothing to take back.
            None => presence.state == PresenceState::Unknown && self.subscription.is_none() && !self.refused,
        };
        if !nothing_new {
            self.shown = Some(presence.clone());
            let who = Redacted::new(self.to.to_string());
            desk.event(Event::Presence { account, who, presence });
        }
    }
}
