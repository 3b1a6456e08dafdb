//! A call of ours until it is answered: the socket, the INVITE, ringing, early media from one fork or another.
//!
//! RFC 3261 section 13.2, RFC 3960 (early media), RFC 6228 (199). The latest fork with media is the one that is heard:
//! the network plays it because it has something to say.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base::NetworkId;
use bytes::Bytes;
use sip::message::{Name, Uri};
use sip::ua::{Failure, Invite, ReferId, Sdp};

use crate::desk::Desk;
use crate::negotiate::{Agreed, Disagreement, Local};
use crate::{Account, AccountId, CallId, SeenAs, Side, Why, identity, reason};

use super::path::Checks;
use super::ringing::Rover;
use super::room::Room;
use super::streams::Wanted;
use super::{Call, Ending, Parties, Phase, Streams};
use crate::registration::profile_id;

/// Forks whose early media is remembered; later ones are not heard before they answer.
const MAX_FORKS: usize = 8;

/// The INFO package of late addresses, as Recv-Info names it. RFC 8840 section 10.4.
const TRICKLE: &str = "trickle-ice";

/// A call to be made.
pub(crate) struct Outgoing {
    pub(crate) to: Uri,
    /// The next hop, where known: its family is the media's.
    pub(crate) toward: Option<IpAddr>,
    /// By which network.
    pub(crate) network: NetworkId,
    /// Our signalling goes under TLS, as far as we can see.
    pub(crate) secure: bool,
    /// What it says of who calls.
    pub(crate) seen_as: SeenAs,
    /// The REFER and the call it came in, when we were asked to make this one.
    pub(crate) asked: Option<Asked>,
}

/// A REFER that a call is made for.
pub(crate) struct Asked {
    pub(crate) refer: ReferId,
    pub(crate) in_call: CallId,
    pub(crate) referred_by: Option<String>,
}

/// What the INVITE will say, while the media socket is awaited.
#[derive(Clone)]
pub(super) struct Dialling {
    to: Uri,
    headers: Vec<(Name, String)>,
    late_offer: bool,
}

/// The INVITE is out.
pub(super) struct Calling {
    /// What it says, should it have to go anew.
    dialled: Dialling,
    rings: bool,
    /// Early answers, by fork.
    forks: BTreeMap<u32, Agreed>,
    /// The fork that is heard.
    heard: Option<u32>,
}

impl Calling {
    fn of(dialled: Dialling) -> Self {
        Self { dialled, rings: false, forks: BTreeMap::new(), heard: None }
    }

    pub(super) fn again(&self) -> Dialling {
        self.dialled.clone()
    }

    pub(super) fn rings(&self) -> bool {
        self.rings
    }

    pub(super) fn hears_media(&self) -> bool {
        self.heard.is_some()
    }
}

impl Call {
    /// Begins a call: asks for the media socket and shows it.
    pub(crate) fn outgoing(
        id: CallId,
        account: (AccountId, &Account),
        call: Outgoing,
        desk: &mut Desk,
    ) -> Self {
        let (account, settings) = account;
        // What a REFER wants said to the target is no part of its name.
        let remote = call.to.as_str().split('?').next().unwrap_or_default().to_owned();
        let parties = Parties {
            id,
            account,
            settings,
            side: Side::Out,
            remote,
            name: None,
            identity: None,
            secure: call.secure,
        };
        let can_encrypt = parties.secrecy().is_possible();
        let checks = Checks::of(account, settings, desk);
        let wanted = Wanted {
            call: id,
            toward: call.toward,
            network: call.network,
            checks,
            offers: !settings.late_offer,
            disguised: settings.disguises(),
        };
        let streams = Streams::prepare(wanted, desk);
        let (refer, in_call, referred_by) = match call.asked {
            Some(asked) => (Some(asked.refer), Some(asked.in_call), asked.referred_by),
            None => (None, None, None),
        };
        let mut headers = identity::headers(settings, &call.seen_as);
        headers.extend(referred_by.map(|by| (Name::ReferredBy, by)));
        let more: usize = headers.iter().map(|(_, value)| value.len() + 20).sum();
        let room = Room::of(settings, &call.to).less(more);
        let phase = Phase::Dialling(Dialling { to: call.to, headers, late_offer: settings.late_offer });
        let mut it = Self::new(parties, phase, streams, desk);
        it.room = room;
        it.rover = Rover::of(call.network);
        it.report_to = refer;
        it.on_behalf_of = in_call;
        if !can_encrypt {
            it.end(Ending::new(488, Why::KeysInClear), desk);
        }
        it.show(desk);
        it
    }

    /// The socket is there: out with the INVITE.
    pub(super) fn invite(&mut self, desk: &mut Desk) {
        let Some(locals) = self.streams.locals() else { return };
        let Phase::Dialling(dialling) = &self.phase else { return };
        let dialling = dialling.clone();
        self.phase = Phase::Outgoing(Calling::of(dialling.clone()));
        let mut headers = dialling.headers;
        let offer = (!dialling.late_offer).then(|| self.short_offer(locals, self.room.first()));
        let offer = offer.map(|(offer, takes_late)| {
            headers.extend(takes_late.then(|| (Name::RecvInfo, TRICKLE.to_owned())));
            offer
        });
        self.ways.asked();
        let invite = Invite { headers, follow_redirects: true, ..Invite::new(dialling.to, offer) };
        self.session = Some(desk.agent.invite(profile_id(self.account), invite, desk.now, &mut desk.orders));
        self.show(desk);
    }

    /// An offer within the call's dialog, by what may be an INVITE as well.
    pub(super) fn offer_again(&mut self, locals: Vec<Local>, desk: &Desk) -> Bytes {
        let head = self.session.and_then(|session| desk.agent.offer_head(session));
        self.short_offer(locals, self.room.again(head)).0
    }

    /// The offer, without what would make it longer than this; and whether it says that we take addresses that come later. That
    /// goes first, then candidates, then what a call is good without.
    fn short_offer(&mut self, mut locals: Vec<Local>, room: usize) -> (Bytes, bool) {
        let takes_late = locals.iter().flat_map(|local| &local.ice).any(|ice| ice.trickle);
        let offer = self.talk.offer(&locals, self.hold);
        // Also in Supported.
        let head = if takes_late { Name::RecvInfo.as_str().len() + 2 * TRICKLE.len() + 5 } else { 0 };
        if offer.len() + head <= room || locals.iter().all(|local| local.ice.is_none()) {
            return (offer, takes_late);
        }
        self.talk.withdraw();
        for ice in locals.iter_mut().flat_map(|local| &mut local.ice) {
            ice.trickle = false;
        }
        let offer = self.talk.offer(&locals, self.hold);
        let over = offer.len().saturating_sub(room);
        if over == 0 {
            return (offer, false);
        }
        self.talk.withdraw();
        for local in &mut locals {
            if let Some(ice) = &mut local.ice {
                ice.fit(ice.octets().saturating_sub(over), local.address);
            }
        }
        let offer = self.talk.offer(&locals, self.hold);
        if offer.len() <= room {
            return (offer, false);
        }
        self.talk.withdraw();
        (self.talk.offer_briefly(&locals, self.hold), false)
    }

    /// A provisional response.
    pub(crate) fn proceeding(
        &mut self,
        fork: u32,
        status: u16,
        phrase: String,
        (sdp, reliable): (Option<Sdp>, bool),
        desk: &mut Desk,
    ) {
        // What was not agreed on is not heard; the answer will say the same, or better.
        let agreed = self.early_description(sdp, desk).and_then(Result::ok);
        // RFC 8840 section 4.3.2: who answers early and unreliably learns by an INFO that it was heard.
        let trickles = |agreed: &Agreed| agreed.ways.iter().flatten().any(|theirs| theirs.trickle);
        let confirms = !reliable && agreed.as_ref().is_some_and(trickles);
        let Phase::Outgoing(calling) = &mut self.phase else { return };
        let mut play = None;
        if status == 199 {
            calling.forks.remove(&fork);
            if calling.heard == Some(fork) {
                let other = calling.forks.iter().next_back().map(|(fork, agreed)| (*fork, agreed.clone()));
                calling.heard = other.as_ref().map(|(fork, _)| *fork);
                play = other.map(|(_, agreed)| agreed);
            }
        } else {
            calling.rings |= status == 180;
            if let Some(agreed) = agreed
                && (calling.forks.len() < MAX_FORKS || calling.forks.contains_key(&fork))
            {
                calling.forks.insert(fork, agreed.clone());
                calling.heard = Some(fork);
                play = Some(agreed);
            }
            self.progress = Some((status, phrase.clone()));
            self.report(status, &phrase, desk);
        }
        if let Some(agreed) = play {
            self.agree(&agreed, desk);
        }
        self.move_early(desk);
        self.tell_early(fork, confirms, desk);
        self.show(desk);
    }

    /// The call is answered.
    pub(crate) fn answered(&mut self, fork: u32, sdp: Option<Sdp>, desk: &mut Desk) {
        let Phase::Outgoing(calling) = &mut self.phase else { return };
        self.late.answered_by(fork);
        let early = calling.forks.remove(&fork);
        let agreed = match sdp {
            Some(_) => self.early_description(sdp, desk),
            None => early.map(Ok),
        };
        let agreed = match agreed.unwrap_or(Err(Disagreement::NothingInCommon)) {
            Ok(agreed) => agreed,
            Err(why) => return self.fail(Ending::disagreed(why), desk),
        };
        self.answer_now(desk);
        self.held = self.hold;
        self.agree(&agreed, desk);
        self.move_answered(desk);
        self.report(200, "OK", desk);
        self.may_tell_late(desk);
        self.settle(desk);
        self.press_what_was_typed(desk);
    }

    /// Reads what a response brought; an offer (we sent none) is answered on the spot.
    fn early_description(
        &mut self,
        sdp: Option<Sdp>,
        desk: &mut Desk,
    ) -> Option<Result<Agreed, Disagreement>> {
        match sdp? {
            Sdp::Answer(answer) => Some(self.talk.take_answer(&answer, self.hold)),
            Sdp::Offer(offer) => {
                let session = self.session?;
                self.streams.offered(&offer, desk);
                let answer = self.talk.answer(&offer, &self.streams.locals()?, self.hold);
                Some(answer.map(|(answer, agreed)| {
                    desk.agent.ack_sdp(session, answer, desk.now, &mut desk.orders);
                    agreed
                }))
            }
        }
    }

    /// The call came to nothing.
    pub(crate) fn failed(&mut self, failure: Failure, desk: &mut Desk) {
        if matches!(failure.status, 488 | 606) && !failure.local && self.ask_otherwise(desk) {
            return;
        }
        let explanation = match failure.status {
            // What was offered was more than codecs.
            488 | 606 if self.talk.insists() => Why::EncryptionRefused,
            status => reason::of_failure(status, failure.local),
        };
        self.end(Ending { status: failure.status, reason: failure.reason, explanation }, desk);
    }

    /// Calls anew with an offer that asks for encryption in another way, if there is one: it was what we described that is not
    /// acceptable (RFC 3261 sections 21.4.26 and 21.6.4). To the person it is one call.
    fn ask_otherwise(&mut self, desk: &mut Desk) -> bool {
        let Phase::Outgoing(calling) = &self.phase else { return false };
        let again = calling.again();
        // Who was asked for an offer did not refuse one.
        if again.late_offer || !self.talk.ask_otherwise() {
            return false;
        }
        self.phase = Phase::Dialling(again);
        self.session = None;
        self.offered = None;
        self.progress = None;
        self.streams.other_session();
        self.invite(desk);
        true
    }

    /// Tells whoever asked us to call how it goes.
    pub(super) fn report(&mut self, status: u16, phrase: &str, desk: &mut Desk) {
        let refer = if status >= 200 { self.report_to.take() } else { self.report_to };
        if let Some(refer) = refer {
            desk.agent.notify_refer(refer, status, phrase, desk.now, &mut desk.orders);
        }
    }
}
