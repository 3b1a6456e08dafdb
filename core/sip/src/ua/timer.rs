//! Session timers: who refreshes, how often, and what happens when nobody does.
//!
//! RFC 4028. The interval is agreed anew by each INVITE and UPDATE; too short a wish of ours is mended in `request` (422).

use std::time::Duration;

use base::Instant;

use super::common::{Cx, Timer};
use super::news::{By, Cause, Party};
use super::profile::Profile;
use super::session::{Alarm, Session, State};
use crate::message::{Draft, Message, Name, Refresher};

/// The shortest interval anybody may ask for, in seconds. RFC 4028 section 4.
const SHORTEST: u32 = 90;

/// A session's refreshing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refreshing {
    /// What we would like, in seconds; 0: nothing.
    wish: u32,
    /// What we bear at least.
    min_se: u32,
    /// What is agreed; 0: nothing.
    interval: u32,
    who: Party,
    /// In the transaction that agreed it: what `refresher=` says in the response.
    word: Refresher,
    /// Whether the other side's Supported lists "timer": it must, to be told to refresh.
    expires: Instant,
    /// A refresh of ours is out; the alarm is for the end.
    asked: bool,
}

/// What a request's wish comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    Off,
    On,
    /// Answer 422 with this Min-SE.
    TooSmall(u32),
}

impl Refreshing {
    pub(super) fn new(profile: &Profile) -> Self {
        let min_se = profile.min_se.max(SHORTEST);
        Self {
            wish: if profile.session_expires == 0 { 0 } else { profile.session_expires.max(min_se) },
            min_se,
            interval: 0,
            who: Party::Us,
            word: Refresher::Uac,
            expires: Instant::ZERO,
            asked: false,
        }
    }

    /// Session-Expires and Min-SE of a request of ours. RFC 4028 sections 7.1 and 7.4: roles stay as they are.
    pub(super) fn push_wish(&self, draft: &mut Draft) {
        match (self.interval, self.wish) {
            (0, 0) => return,
            (0, wish) => draft.push(Name::SessionExpires, wish),
            (interval, _) => {
                let word = if self.who == Party::Us { "uac" } else { "uas" };
                draft.push(Name::SessionExpires, format_args!("{interval};refresher={word}"))
            }
        };
        if self.min_se > SHORTEST {
            draft.push(Name::MinSe, self.min_se);
        }
    }

    /// Agrees as the one who was asked. RFC 4028 section 9.
    pub(super) fn grant(&mut self, request: &Message) -> Grant {
        let supported = request.supports("timer") || request.requires("timer");
        let floor = request.min_se().unwrap_or(0).max(self.min_se);
        let (interval, word) = match request.session_expires() {
            Some(asked) if asked.seconds < self.min_se && supported => return Grant::TooSmall(self.min_se),
            Some(asked) => {
                let lower = if self.wish == 0 { asked.seconds } else { asked.seconds.min(self.wish) };
                let word = if supported { asked.refresher.unwrap_or(Refresher::Uac) } else { Refresher::Uas };
                (lower.max(floor), word)
            }
            None if self.wish == 0 => {
                self.interval = 0;
                return Grant::Off;
            }
            None => (self.wish.max(floor), Refresher::Uas),
        };
        self.interval = interval;
        self.word = word;
        self.who = match word {
            Refresher::Uac => Party::Them,
            Refresher::Uas => Party::Us,
        };
        Grant::On
    }

    /// What was granted, in the 2xx.
    pub(super) fn push_grant(&self, response: &mut Draft) {
        if self.interval == 0 {
            return;
        }
        let word = match self.word {
            Refresher::Uac => {
                // Whoever is told to refresh must know how. RFC 4028 section 9.
                response.push(Name::Require, "timer");
                "uac"
            }
            Refresher::Uas => "uas",
        };
        response.push(Name::SessionExpires, format_args!("{};refresher={word}", self.interval));
    }

    /// Agrees as the one who asked: a 2xx without Session-Expires has none. RFC 4028 section 7.2.
    pub(super) fn settle_as_caller(&mut self, response: &Message) {
        let Some(granted) = response.session_expires() else {
            self.interval = 0;
            return;
        };
        self.interval = granted.seconds.max(SHORTEST);
        self.who = match granted.refresher {
            Some(Refresher::Uas) => Party::Them,
            Some(Refresher::Uac) | None => Party::Us,
        };
    }

    /// From now on. `None`: there is no timer.
    fn start(&mut self, now: Instant) -> Option<Instant> {
        if self.interval == 0 {
            return None;
        }
        let interval = Duration::from_secs(u64::from(self.interval));
        self.expires = now + interval;
        self.asked = false;
        Some(match self.who {
            Party::Us => now + interval / 2,
            // RFC 4028 section 10: a third, but at most 32 s, before the end.
            Party::Them | Party::Network => {
                now + interval.saturating_sub((interval / 3).min(Duration::from_secs(32)))
            }
        })
    }
}

impl Session {
    /// Begins the agreed interval anew.
    pub(super) fn set_refresh(&mut self, cx: &mut Cx<'_>) {
        // The answer to a re-INVITE may come when all is over; a timer set then would outlive the session.
        if matches!(self.state, State::Leaving | State::Over) {
            return;
        }
        let timer = Timer::Session(self.id, Alarm::Refresh);
        match self.refreshing.start(cx.now) {
            Some(at) => cx.common.timers.set(timer, at),
            None => {
                cx.common.timers.cancel(&timer);
            }
        }
    }

    pub(super) fn refresh_is_due(&mut self, cx: &mut Cx<'_>) {
        if !self.is_active() || self.refreshing.interval == 0 {
            return;
        }
        let refreshing = self.refreshing;
        match refreshing.who {
            Party::Us if !refreshing.asked => {
                self.refreshing.asked = true;
                // An exchange under way is a refresh itself.
                let _ = self.refresh(By::Either, false, cx);
                cx.common.timers.set(Timer::Session(self.id, Alarm::Refresh), refreshing.expires);
            }
            Party::Us | Party::Them | Party::Network => {
                let cause = Cause { status: 408, text: "Session expired".into(), q850: None };
                self.tell_end(Party::Network, cause, cx);
                let reason = "SIP;cause=408;text=\"Session expired\"".into();
                self.leave(&[(Name::Reason, reason)], cx);
            }
        }
    }
}
