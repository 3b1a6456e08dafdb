//! A call that nobody has answered yet, while its account moves to another network.
//!
//! RFC 3261 sections 9.1, 12.1.1 and 18.2.2, RFC 3311, RFC 3326. Where the old network stays, nobody is disturbed: the answer
//! comes by it, and the call moves then. Where it is gone:
//!
//! ```text
//!   ours:    the answer could not reach us any more. CANCEL by the new network, for a reason that leaves no missed call,
//!            and the same INVITE anew. (RFC 3891 section 4: a caller must not replace the early dialog of his own INVITE.)
//!   theirs:  what we say goes by the new network, as part of the same transaction; 180 again tells our Contact.
//! ```
//! Knows nothing of how a transaction is carried.

use std::net::IpAddr;
use std::time::Duration;

use base::{FlowId, NetworkId};
use sip::message::Name;
use sip::ua::By;

use super::incoming::Wish;
use super::roaming::Place;
use super::{Call, Phase};
use crate::desk::{Desk, Timer};
use crate::reason;

use super::Ending;

/// How long a call whose way broke waits for news of networks, before it is believed to have failed.
const MAY_BE_A_MOVE: Duration = Duration::from_secs(2);
/// How long the registrar has to answer by the new network before a call does without.
const FIRST_REGISTER: Duration = Duration::from_secs(2);
/// How long a call without an answer waits for any network. A transaction has no more patience: RFC 3261 section 17.1.1.2.
const ANY_NETWORK: Duration = Duration::from_secs(32);
/// RFC 3326: said by proxies to the phones that need not show a missed call.
const GOES_ON: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// What an unanswered call knows of its way.
#[derive(Debug, Default)]
pub(super) struct Rover {
    /// The network that its INVITE went or came by.
    pub(super) by: NetworkId,
    /// That one is gone, or as good as gone.
    adrift: bool,
    /// The account goes by that network now, and reaches that address; media follows once it may.
    elsewhere: Option<(NetworkId, Option<IpAddr>)>,
    /// What we say does not get there yet.
    mute: bool,
}

impl Rover {
    pub(super) fn of(by: NetworkId) -> Self {
        Self { by, ..Self::default() }
    }

    /// Whether what the user wants said has to wait.
    pub(super) const fn is_mute(&self) -> bool {
        self.mute
    }
}

impl Call {
    /// These networks are gone. True: it has lost its own.
    pub(crate) fn networks_lost(&mut self, lost: &[NetworkId], desk: &mut Desk) -> bool {
        match self.phase {
            Phase::Outgoing(_) | Phase::Incoming(_) if lost.contains(&self.rover.by) => {
                self.cast_off(desk);
                true
            }
            Phase::Dialling(_) => lost.contains(&self.rover.by),
            Phase::Outgoing(_) | Phase::Incoming(_) | Phase::Announced(_) | Phase::Up | Phase::Over => false,
        }
    }

    /// The network of its INVITE, while nobody has answered that.
    pub(crate) fn rings_by(&self) -> Option<NetworkId> {
        match self.phase {
            Phase::Outgoing(_) | Phase::Incoming(_) => Some(self.rover.by),
            Phase::Dialling(_) | Phase::Announced(_) | Phase::Up | Phase::Over => None,
        }
    }

    /// The way of its INVITE is gone, or will never be heard of again.
    pub(crate) fn cast_off(&mut self, desk: &mut Desk) {
        self.rover.adrift = true;
        if let Some(session) = self.session {
            desk.agent.loosen(session, desk.now, &mut desk.orders);
        }
        match self.phase {
            Phase::Outgoing(_) => desk.timers.set(Timer::Unanswered(self.id), desk.now + ANY_NETWORK),
            Phase::Incoming(_) => self.rover.mute = true,
            Phase::Dialling(_) | Phase::Announced(_) | Phase::Up | Phase::Over => {}
        }
    }

    /// A call of ours, and its account goes by another network.
    pub(super) fn calls_from(&mut self, place: &Place<'_>, desk: &mut Desk) {
        match self.phase {
            Phase::Dialling(_) => self.find_place(place.network, place.toward, desk),
            Phase::Outgoing(_) if self.rover.adrift => {
                self.rover.elsewhere = Some((place.network, place.toward));
                if place.way.is_some() {
                    self.invite_again(place, desk);
                } else {
                    desk.timers.set(Timer::Unanswered(self.id), desk.now + FIRST_REGISTER);
                }
            }
            Phase::Outgoing(_) => {
                self.rover.elsewhere = Some((place.network, place.toward));
                self.moved = true;
                self.move_early(desk);
            }
            Phase::Incoming(_) | Phase::Announced(_) | Phase::Up | Phase::Over => {}
        }
    }

    /// The registrar has answered its account by the network that it goes by.
    pub(crate) fn registrar_reached(&mut self, place: &Place<'_>, desk: &mut Desk) {
        match self.phase {
            Phase::Outgoing(_) if self.rover.adrift => self.invite_again(place, desk),
            Phase::Incoming(_) if self.rover.mute => self.speak_by(place, desk),
            Phase::Outgoing(_)
            | Phase::Incoming(_)
            | Phase::Dialling(_)
            | Phase::Announced(_)
            | Phase::Up
            | Phase::Over => {}
        }
    }

    /// `Timer::Unanswered` of a call of ours.
    pub(super) fn waited_for_network(&mut self, desk: &mut Desk) {
        if let Some((network, toward)) = self.rover.elsewhere {
            return self.invite_from(network, toward, desk);
        }
        self.fail(Ending::new(503, reason::of_failure(503, true)), desk);
    }

    /// A flow is gone: perhaps its network is, and that is told next.
    pub(crate) fn flow_lost(&mut self, flow: FlowId, desk: &mut Desk) {
        if let (Phase::Outgoing(_), Some(session), false) = (&self.phase, self.session, self.rover.adrift)
            && desk.agent.rides_on(session, flow, desk.now, &mut desk.orders)
        {
            self.cast_off(desk);
            desk.timers.set(Timer::Unanswered(self.id), desk.now + MAY_BE_A_MOVE);
        }
    }

    fn invite_again(&mut self, place: &Place<'_>, desk: &mut Desk) {
        if let Some(session) = self.session {
            desk.agent.carry(session, place.network, place.way, desk.now, &mut desk.orders);
        }
        self.invite_from(place.network, place.toward, desk);
    }

    /// Calls anew by that network. What is still heard of the call before is heard by nobody.
    fn invite_from(&mut self, network: NetworkId, toward: Option<IpAddr>, desk: &mut Desk) {
        let Phase::Outgoing(calling) = &mut self.phase else { return };
        let again = calling.again();
        if let Some(session) = self.session.take() {
            let why = [(Name::Reason, GOES_ON.to_owned())];
            desk.agent.hang_up(session, &why, desk.now, &mut desk.orders);
        }
        desk.timers.cancel(&Timer::Unanswered(self.id));
        self.phase = Phase::Dialling(again);
        self.streams.other_session();
        self.offered = None;
        self.moved = false;
        self.progress = None;
        self.find_place(network, toward, desk);
        self.described(desk);
        self.show(desk);
    }

    /// Its sockets are to be on that network, before anything is said of them.
    fn find_place(&mut self, network: NetworkId, toward: Option<IpAddr>, desk: &mut Desk) {
        self.rover = Rover::of(network);
        if !self.streams.heads_for(network) {
            self.streams.change_network(network, toward, desk);
        }
    }

    /// Media moves before the answer, where an UPDATE can tell of it.
    pub(super) fn move_early(&mut self, desk: &mut Desk) {
        if let (Phase::Outgoing(_), Some(session), Some((network, toward))) =
            (&self.phase, self.session, self.rover.elsewhere)
            && desk.agent.can_update(session)
        {
            self.rover.elsewhere = None;
            self.streams.change_network(network, toward, desk);
        }
    }

    /// Offers the new sockets before the answer. RFC 3311 section 5.1.
    pub(super) fn update_early(&mut self, desk: &mut Desk) {
        let (Phase::Outgoing(_), Some(session), None) = (&self.phase, self.session, self.offered) else {
            return;
        };
        let Some(locals) = self.streams.locals() else { return };
        if self.ways.wanted() && desk.agent.can_update(session) {
            let offer = self.offer_again(locals, desk);
            match desk.agent.reoffer(session, offer, By::Update, desk.now, &mut desk.orders) {
                Ok(()) => {
                    self.offered = Some(self.hold);
                    self.ways.asked();
                    self.moved = false;
                }
                Err(_) => self.talk.withdraw(),
            }
        }
    }

    /// A call of ours is answered: what had to wait for that moves now.
    pub(super) fn move_answered(&mut self, desk: &mut Desk) {
        if self.streams.can_move() && self.offered.is_none() {
            self.ways.want();
        }
        if let Some((network, toward)) = self.rover.elsewhere.take() {
            self.move_media(network, toward, desk);
        }
    }

    /// A call to us, and its account goes by another network.
    pub(super) fn rings_at(&mut self, place: &Place<'_>, desk: &mut Desk) {
        if self.rover.by == place.network && !self.rover.adrift && !self.rover.mute {
            return;
        }
        if let Phase::Incoming(alerting) = &self.phase
            && alerting.plays_media()
        {
            // What was described before the answer is the answer: media moves behind it.
            self.rover.elsewhere = Some((place.network, place.toward));
        } else if !self.streams.heads_for(place.network) {
            self.streams.change_network(place.network, place.toward, desk);
        }
        self.speak_by(place, desk);
    }

    /// What we say of a call to us goes the new way, and tells our new Contact.
    fn speak_by(&mut self, place: &Place<'_>, desk: &mut Desk) {
        let (Phase::Incoming(_), Some(session)) = (&self.phase, self.session) else { return };
        self.rover.mute = !desk.agent.carry(session, place.network, place.way, desk.now, &mut desk.orders);
        if self.rover.mute {
            return;
        }
        (self.rover.by, self.rover.adrift) = (place.network, false);
        self.say_again(desk);
        // The user has answered meanwhile.
        self.proceed(desk);
    }

    /// The caller is told once more how far we are: our Contact stands there.
    pub(super) fn say_again(&self, desk: &mut Desk) {
        let (Phase::Incoming(alerting), Some(session)) = (&self.phase, self.session) else { return };
        let (wish, early) = alerting.said();
        match (wish, early) {
            (Wish::Ring, _) | (Wish::Progress, None) => {
                desk.agent.ring(session, desk.now, &mut desk.orders);
            }
            (Wish::Progress, Some(sdp)) => desk.agent.progress(session, sdp, desk.now, &mut desk.orders),
            (Wish::Answer, _) => {}
        }
    }
}
