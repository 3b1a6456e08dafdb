//! A call to us until it is answered: ringing, early media, the answer that may come before the media socket does.
//!
//! RFC 3261 section 13.3, RFC 3891 (a call that replaces another is answered by itself).

use std::net::IpAddr;
use std::time::Duration;

use base::{NetworkId, Redacted};
use bytes::Bytes;
use sip::ua::SessionId;

use crate::desk::{Desk, Timer};
use crate::identity::Caller;
use crate::negotiate::Agreed;
use crate::{CallId, Refusal, Why};

use super::path::Checks;
use super::ringing::Rover;
use super::streams::Wanted;
use super::{Call, Ending, Parties, Phase, Streams};

/// How long it rings here at most; a proxy's Timer C is the same. RFC 3261 section 16.6.
const RING_LIMIT: Duration = Duration::from_secs(180);

/// A call that came in.
pub(crate) struct Incoming {
    pub(crate) session: SessionId,
    pub(crate) offer: Option<Bytes>,
    /// The address the media will have to reach, as far as it is known.
    pub(crate) toward: Option<IpAddr>,
    /// By which network.
    pub(crate) network: NetworkId,
    /// The call it replaces: it is answered by itself.
    pub(crate) replaces: Option<CallId>,
    /// The user has answered already, when it was announced.
    pub(crate) answered: bool,
}

/// What the user wants, which may have to wait for the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    Ring,
    Progress,
    Answer,
}

/// It rings here.
pub(super) struct Alerting {
    offer: Option<Bytes>,
    wish: Wish,
    /// What the 183 said: the 200 says the same. The agreement is there unless we offered.
    early: Option<(Bytes, Option<Agreed>)>,
    /// Addresses of the caller's that came before there is an answer, for then. Each message repeats those before it
    /// (RFC 8840 section 4.4), so the last is all.
    late: Option<Bytes>,
}

impl Alerting {
    /// Keeps late addresses until there is an answer; false: there is one.
    pub(super) fn keep_late(&mut self, fragment: &Bytes) -> bool {
        if self.early.is_none() {
            self.late = Some(fragment.clone());
        }
        self.early.is_none()
    }

    pub(super) fn plays_media(&self) -> bool {
        self.early.is_some()
    }

    /// What the caller has been told, and the description in it.
    pub(super) fn said(&self) -> (Wish, Option<Bytes>) {
        (self.wish, self.early.as_ref().map(|(sdp, _)| sdp.clone()))
    }
}

impl Call {
    /// A call that rings, or is on its way to be answered by itself.
    pub(crate) fn incoming(
        parties: Parties<'_>,
        call: Incoming,
        announced: Option<Self>,
        desk: &mut Desk,
    ) -> Self {
        let checks = Checks::of(parties.account, parties.settings, desk);
        let wanted = Wanted {
            call: parties.id,
            toward: call.toward,
            network: call.network,
            checks,
            offers: call.offer.is_none(),
            disguised: parties.settings.disguises(),
        };
        let streams = Streams::prepare(wanted, desk);
        let wish = if call.replaces.is_some() || call.answered { Wish::Answer } else { Wish::Ring };
        let phase = Phase::Incoming(Alerting { offer: call.offer, wish, early: None, late: None });
        let mut it = Self::new(parties, phase, streams, desk);
        it.session = Some(call.session);
        it.rover = Rover::of(call.network);
        if let Phase::Incoming(Alerting { offer: Some(offer), .. }) = &it.phase {
            it.streams.offered(offer, desk);
        }
        it.on_behalf_of = call.replaces;
        desk.timers.cancel(&Timer::Unanswered(it.id));
        if let Some(announced) = announced {
            it.follows(announced);
        }
        if wish == Wish::Ring {
            desk.agent.ring(call.session, desk.now, &mut desk.orders);
            desk.timers.set(Timer::Unanswered(it.id), desk.now + RING_LIMIT);
        }
        it.show(desk);
        it
    }

    /// A caller who was turned away without ringing: told to the app once, as ended.
    pub(crate) fn turned_away(
        parties: Parties<'_>,
        (status, why): (u16, Why),
        offer: Option<&Bytes>,
        desk: &mut Desk,
    ) {
        let phase = Phase::Incoming(Alerting { offer: None, wish: Wish::Ring, early: None, late: None });
        let mut it = Self::new(parties, phase, Streams::none(), desk);
        if let Some(offer) = offer {
            it.talk.refuse(offer);
        }
        it.end(Ending::new(status, why), desk);
    }

    /// Who calls is known better now; `refusal`: as somebody who is not to ring, and does so no longer.
    pub(crate) fn identified(&mut self, caller: Caller, refusal: Option<(u16, Why)>, desk: &mut Desk) {
        self.remote = Redacted::new(caller.uri);
        self.name = caller.name.map(Redacted::new);
        self.identity = Some(caller.identity);
        if let (Phase::Incoming(_), Some((status, why))) = (&self.phase, refusal) {
            return self.fail(Ending::new(status, why), desk);
        }
        self.show(desk);
    }

    /// The user picks up.
    pub(crate) fn answer(&mut self, desk: &mut Desk) -> Result<(), Refusal> {
        if self.answer_on_invite() {
            return Ok(());
        }
        self.wish(Wish::Answer, desk)
    }

    /// The user wants the caller to hear something before picking up.
    pub(crate) fn early(&mut self, desk: &mut Desk) -> Result<(), Refusal> {
        self.wish(Wish::Progress, desk)
    }

    fn wish(&mut self, wish: Wish, desk: &mut Desk) -> Result<(), Refusal> {
        match &mut self.phase {
            Phase::Incoming(alerting) if alerting.wish < wish => {
                alerting.wish = wish;
                self.proceed(desk);
                Ok(())
            }
            Phase::Incoming(_)
            | Phase::Announced(_)
            | Phase::Dialling(_)
            | Phase::Outgoing(_)
            | Phase::Up
            | Phase::Over => Err(Refusal::WrongState),
        }
    }

    /// The user declines, or nobody came.
    pub(crate) fn reject(&mut self, status: u16, desk: &mut Desk) -> Result<(), Refusal> {
        if let Phase::Announced(_) = self.phase {
            self.end(Ending::new(status, Why::YouDeclined), desk);
            return Ok(());
        }
        let (Phase::Incoming(_), Some(session)) = (&self.phase, self.session) else {
            return Err(Refusal::WrongState);
        };
        desk.agent.reject(session, status, "", &[], &[], desk.now, &mut desk.orders);
        self.end(Ending::new(status, Why::YouDeclined), desk);
        Ok(())
    }

    /// It has rung for long enough.
    pub(crate) fn unanswered(&mut self, desk: &mut Desk) {
        match self.phase {
            Phase::Incoming(_) => self.fail(Ending::new(480, Why::NobodyHere), desk),
            Phase::Announced(_) => self.never_came(408, Why::NeverCame, desk),
            Phase::Outgoing(_) => self.waited_for_network(desk),
            Phase::Dialling(_) | Phase::Up | Phase::Over => {}
        }
    }

    /// Does what the user wants as soon as there is a socket to write into the description.
    pub(super) fn proceed(&mut self, desk: &mut Desk) {
        let (Phase::Incoming(alerting), Some(session), Some(locals)) =
            (&mut self.phase, self.session, self.streams.locals())
        else {
            return;
        };
        let wish = alerting.wish;
        if wish == Wish::Ring || self.rover.is_mute() {
            return;
        }
        if wish == Wish::Progress && alerting.early.is_some() {
            return;
        }
        let described = match (alerting.early.take(), &alerting.offer) {
            (Some(early), _) => Ok(early),
            (None, None) => {
                self.ways.asked();
                Ok((self.talk.offer(&locals, false), None))
            }
            (None, Some(offer)) => {
                self.talk.answer(offer, &locals, false).map(|(sdp, agreed)| (sdp, Some(agreed)))
            }
        };
        let (sdp, agreed) = match described {
            Ok(described) => described,
            Err(why) => return self.fail(Ending::disagreed(why), desk),
        };
        let late = alerting.late.take();
        if wish == Wish::Progress {
            alerting.early = Some((sdp.clone(), agreed.clone()));
        } else {
            self.answer_now(desk);
        }
        if let Some(agreed) = agreed {
            self.agree(&agreed, desk);
        }
        if let Some(late) = late {
            self.trickled(&late, desk);
        }
        match wish {
            Wish::Answer => desk.agent.accept(session, sdp, desk.now, &mut desk.orders),
            Wish::Ring | Wish::Progress => desk.agent.progress(session, sdp, desk.now, &mut desk.orders),
        }
        self.show(desk);
    }

    /// The other side has our answer, or has answered our offer.
    pub(crate) fn confirmed(&mut self, sdp: Option<Bytes>, desk: &mut Desk) {
        match sdp.map(|answer| self.talk.take_answer(&answer, self.held)) {
            None => {}
            Some(Ok(agreed)) => self.agree(&agreed, desk),
            Some(Err(why)) => return self.fail(Ending::disagreed(why), desk),
        }
        self.move_answered(desk);
        self.may_tell_late(desk);
        self.settle(desk);
    }
}
