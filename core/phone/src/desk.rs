//! What every machine of the phone works with: the agent below, the app above, the time.
//!
//! Knows no policy.

use std::collections::VecDeque;

use base::{Instant, Rng, Timers};
use sip::order::Orders;
use sip::ua::Agent;

use crate::{AccountId, CallId, Event, MediaId, MediaOrder, Output};

/// Deadlines of the phone itself; the agent keeps its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Register, refresh or try again.
    Register(AccountId),
    /// Keep the way to the registrar open.
    Ping(AccountId),
    /// Nobody picked up here.
    Unanswered(CallId),
    /// The goodbye has taken long enough.
    Stop,
}

impl Timer {
    /// The reason that diagnostics show.
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::Ping(_) => "keepalive",
            Self::Unanswered(_) => "unanswered call",
            Self::Stop => "shutdown",
        }
    }
}

/// The shared part of the phone, lent to one machine at a time.
pub(crate) struct Desk {
    pub(crate) agent: Agent,
    pub(crate) now: Instant,
    pub(crate) rng: Rng,
    pub(crate) timers: Timers<Timer>,
    /// What the agent wants done; goes out behind the media orders of the same news, so that a stream is open before
    /// the other side is told of it.
    pub(crate) orders: Orders,
    pub(crate) queue: VecDeque<Output>,
    media_ids: u32,
}

impl Desk {
    pub(crate) fn new(agent: Agent, rng: Rng) -> Self {
        Self {
            agent,
            now: Instant::ZERO,
            rng,
            timers: Timers::default(),
            orders: Orders::new(),
            queue: VecDeque::new(),
            media_ids: 0,
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.queue.push_back(Output::Event(event));
    }

    pub(crate) fn media(&mut self, media: MediaId, order: MediaOrder) {
        self.queue.push_back(Output::Media { media, order });
    }

    pub(crate) fn next_media(&mut self) -> MediaId {
        self.media_ids += 1;
        MediaId(self.media_ids)
    }

    /// Moves the agent's orders to the queue.
    pub(crate) fn flush(&mut self) {
        self.queue.extend(self.orders.drain(..).map(Output::Sip));
    }
}
