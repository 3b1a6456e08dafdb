//! One call, from the first digit or ring to its end.
//!
//! RFC 3261 sections 13 to 15 as a user sees them; RFC 3264 and RFC 6337 through [`crate::negotiate`]. What belongs to the
//! caller, the callee, a call that is up, and a transfer each has its file. Knows no other call: what one call means for
//! another is decided by commands and news.

mod active;
mod announced;
mod conference;
mod incoming;
mod keying;
mod keypad;
mod keys;
mod late;
mod outgoing;
mod path;
mod ringing;
mod roaming;
mod room;
mod streams;
mod takeover;
mod transfer;
mod view;

use base::{Instant, Redacted};
use dtls::Certificate;
use media::Plan;
use media::dtmf::Way;
use sip::message::{Uri, phrase};
use sip::ua::{Cause, Party, ReferId, SessionId};

pub(crate) use announced::{Announcement, Declined};
pub(crate) use incoming::Incoming;
pub(crate) use keypad::Info;
use keypad::{Doubles, Keypad};
pub(crate) use outgoing::{Asked, Outgoing};
pub(crate) use roaming::Place;
use room::Room;
use streams::Streams;
use transfer::Transferring;

use crate::desk::{Desk, Timer};
use crate::negotiate::{Agreed, Disagreement, Negotiation, Sdes, Secrecy};
use crate::view::{CallView, Encrypted};
use crate::{
    Account, AccountId, CallId, Event, Identity, KeysBy, MediaId, MediaNews, Refusal, Side, Via, Why, reason,
};

/// ```text
///            media ready: INVITE                          2xx
///   Dialling -------------------> Outgoing ------------------------------+
///                                  (calling, ringing, early)             v
///                                                                       Up ----> Over
///   Announced --- INVITE -------> Incoming --- answered, media ready --> ^         ^
///    (by a push)                   (ringing, early)                                |
///   any state: hung up, refused, cancelled, failed, lost --------------------------+
/// ```
enum Phase {
    /// Waits for the media socket; no INVITE yet, nothing to cancel.
    Dialling(outgoing::Dialling),
    /// The INVITE is out.
    Outgoing(outgoing::Calling),
    /// A push has told of it; no INVITE yet.
    Announced(announced::Announced),
    /// It rings here.
    Incoming(incoming::Alerting),
    /// Answered.
    Up,
    /// Over, and shown so.
    Over,
}

/// Declined on this phone only: others of the same number ring on. RFC 3261 section 21.4.24.
pub(crate) const HERE: u16 = 486;

/// Who is in a call, and by which settings.
pub(crate) struct Parties<'a> {
    pub(crate) id: CallId,
    pub(crate) account: AccountId,
    pub(crate) settings: &'a Account,
    pub(crate) side: Side,
    /// The other side's URI.
    pub(crate) remote: String,
    /// The other side's display name.
    pub(crate) name: Option<String>,
    /// How far that is to be believed, of who calls us.
    pub(crate) identity: Option<Identity>,
    /// Our signalling goes under TLS, as far as we can see.
    pub(crate) secure: bool,
}

impl Parties<'_> {
    /// What the call may do to keep its media from others.
    pub(crate) fn secrecy(&self) -> Secrecy {
        secrecy(self.settings, self.secure)
    }
}

/// The same of an account whose signalling goes under TLS, or does not.
pub(crate) fn secrecy(account: &Account, secure: bool) -> Secrecy {
    let sdes = match (account.media_encryption_by, secure, account.sdes_in_clear) {
        (KeysBy::Dtls, ..) => Sdes::No,
        (_, true, _) => Sdes::UnderTls,
        (_, false, true) => Sdes::InClear,
        (_, false, false) => Sdes::No,
    };
    let dtls = account.media_encryption_by != KeysBy::Sdes;
    Secrecy { policy: account.media_encryption, sdes, dtls }
}

/// Why a call is over.
struct Ending {
    status: u16,
    reason: String,
    explanation: Why,
}

impl Ending {
    fn new(status: u16, explanation: Why) -> Self {
        Self { status, reason: phrase(status).into(), explanation }
    }

    /// Theirs cannot be agreed to.
    fn disagreed(why: Disagreement) -> Self {
        Self::new(488, reason::of_disagreement(why))
    }
}

/// One call.
pub(crate) struct Call {
    id: CallId,
    account: AccountId,
    side: Side,
    remote: Redacted<String>,
    name: Option<Redacted<String>>,
    identity: Option<Identity>,
    session: Option<SessionId>,
    phase: Phase,
    streams: Streams,
    talk: Negotiation,
    /// How long descriptions of ours may be.
    room: Room,
    keypad: Keypad,
    their_keypad: Doubles,
    /// Typed behind the number and not pressed yet.
    keys_left: String,
    muted: bool,
    /// What the user wants, and does at once with the microphone.
    hold: bool,
    /// What the other side was last told.
    held: bool,
    /// Our offer is under way, and this is the hold it speaks of.
    offered: Option<bool>,
    /// And it holds only codecs that carry tones.
    offered_tones: bool,
    remote_hold: bool,
    /// How its ways are found anew.
    ways: path::Ways,
    /// How addresses are told that came when the description had been made.
    late: late::Late,
    /// The user has merged it with others.
    conference: bool,
    transferring: Option<Transferring>,
    /// The other side was asked to end this call by joining another: its hang-up is the success.
    handed_over: bool,
    /// We call because we were asked to: who wants to know how it goes.
    report_to: Option<ReferId>,
    on_behalf_of: Option<CallId>,
    /// The latest provisional status and its phrase.
    progress: Option<(u16, String)>,
    started: Instant,
    answered: Option<Instant>,
    ended: Option<(Instant, Ending)>,
    shown: Option<CallView>,
    /// Its account goes by another network, and the other side was not told yet.
    moved: bool,
    /// How it finds its way while nobody has answered.
    rover: ringing::Rover,
    /// How its dialog follows it.
    takeover: takeover::Takeover,
}

impl Call {
    fn new(parties: Parties<'_>, phase: Phase, streams: Streams, desk: &mut Desk) -> Self {
        let secrecy = parties.secrecy();
        let remote = parties.remote.parse().unwrap_or_else(|_| parties.settings.uri.clone());
        let room = Room::of(parties.settings, &remote);
        let mut it = Self {
            id: parties.id,
            account: parties.account,
            side: parties.side,
            remote: Redacted::new(parties.remote),
            name: parties.name.map(Redacted::new),
            identity: parties.identity,
            session: None,
            phase,
            streams,
            talk: Negotiation::new(
                &parties.settings.codecs,
                parties.settings.silence_suppression,
                &mut desk.rng,
            ),
            room,
            keypad: Keypad::new(parties.settings.digits),
            their_keypad: Doubles::default(),
            keys_left: String::new(),
            muted: false,
            hold: false,
            held: false,
            offered: None,
            offered_tones: false,
            remote_hold: false,
            ways: path::Ways::default(),
            late: late::Late::default(),
            conference: false,
            transferring: None,
            handed_over: false,
            report_to: None,
            on_behalf_of: None,
            progress: None,
            started: desk.now,
            answered: None,
            ended: None,
            shown: None,
            moved: false,
            rover: ringing::Rover::default(),
            takeover: takeover::Takeover::default(),
        };
        let certificate = secrecy.may_agree().then(|| desk.certificate(it.account));
        it.talk.guard(secrecy, certificate.as_ref().map(Certificate::fingerprint), &mut desk.rng);
        if let Some(certificate) = certificate {
            it.streams.agree_on_keys(&certificate, desk);
        }
        it
    }

    pub(crate) fn id(&self) -> CallId {
        self.id
    }

    pub(crate) fn side(&self) -> Side {
        self.side
    }

    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    /// The other side, as somebody else may call it.
    pub(crate) fn remote_uri(&self) -> Option<Uri> {
        self.remote.reveal().parse().ok()
    }

    /// The call it replaces or was started for.
    pub(crate) fn on_behalf_of(&self) -> Option<CallId> {
        self.on_behalf_of
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        self.session
    }

    pub(crate) fn owns(&self, media: MediaId) -> bool {
        self.streams.owns(media)
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up)
    }

    /// Up, and the user talks in it.
    pub(crate) fn is_talking(&self) -> bool {
        self.is_up() && !self.hold
    }

    pub(crate) fn is_held(&self) -> bool {
        self.is_up() && self.hold
    }

    /// As the app last saw it.
    pub(crate) fn shown(&self) -> Option<&CallView> {
        self.shown.as_ref()
    }

    /// On hold as far as the user is concerned, in whichever phase.
    pub(crate) fn wants_hold(&self) -> bool {
        self.hold
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// News of one of its streams.
    pub(crate) fn media(&mut self, media: MediaId, news: MediaNews, desk: &mut Desk) {
        match news {
            MediaNews::Ready { local } => {
                self.streams.ready(media, local, desk);
                self.described(desk);
                self.hear_paths(desk);
            }
            MediaNews::Told { leg, from, bytes } => {
                self.streams.told(media, leg, from, &bytes, desk);
                self.hear_paths(desk);
                self.hear_keys(desk);
            }
            MediaNews::Socket { .. } | MediaNews::StreamUp { .. } | MediaNews::StreamDown { .. } => {
                self.streams.up(media, &news, desk);
                self.may_move(desk);
                self.hear_paths(desk);
                if !self.is_up() {
                    self.described(desk);
                }
            }
            MediaNews::Failed { reason } => {
                // 500: the fault is ours, and another device of the user's may have none.
                self.fail(Ending { reason, ..Ending::new(500, Why::Audio) }, desk);
            }
            MediaNews::Quality(stats) => {
                if !self.is_over() {
                    desk.event(Event::Quality { call: self.id, stats });
                }
            }
            MediaNews::Overdue(overdue) => self.overdue(media, overdue, desk),
            MediaNews::Silence(silence) => {
                // It may have been on its way while a hold was agreed.
                if self.is_talking() && !self.remote_hold {
                    desk.event(Event::Silence { call: self.id, silence });
                }
            }
            MediaNews::Dtmf { digit, way } => {
                let via = match way {
                    Way::Event => Via::Events,
                    Way::Tone => Via::Tones,
                };
                self.heard(digit, via, desk);
            }
        }
    }

    /// Ends the call as its state asks.
    pub(crate) fn hang_up(&mut self, desk: &mut Desk) {
        match (&self.phase, self.session) {
            (Phase::Over, _) => {}
            // `Ended` follows at once, and ends the call here too.
            (_, Some(session)) => desk.agent.hang_up(session, &[], desk.now, &mut desk.orders),
            (Phase::Announced(_), None) => self.end(Ending::new(HERE, Why::YouDeclined), desk),
            (_, None) => self.end(Ending::new(487, reason::of_abandoned(Party::Us)), desk),
        }
    }

    /// The phone goes: a call that still rings here may go on ringing elsewhere, so it is not declined for the person.
    pub(crate) fn leave(&mut self, desk: &mut Desk) {
        if let Phase::Incoming(_) | Phase::Announced(_) = self.phase {
            self.fail(Ending::new(480, Why::SwitchedOff), desk);
        } else {
            self.hang_up(desk);
        }
    }

    /// The session is over, whoever ended it.
    pub(crate) fn session_ended(&mut self, by: Party, cause: &Cause, desk: &mut Desk) {
        if self.ends_for_heir(by, cause) {
            return;
        }
        let explanation = match (&self.phase, self.side) {
            (Phase::Up, _) => reason::of_end(by, cause, self.is_transferred()),
            (_, Side::In) => reason::of_missed(by, cause),
            (_, Side::Out) => reason::of_abandoned(by),
        };
        self.end(Ending { status: cause.status, reason: cause.text.clone(), explanation }, desk);
    }

    /// Ends a call that cannot go on, telling the other side and keeping the reason for ours.
    fn fail(&mut self, ending: Ending, desk: &mut Desk) {
        if let Some(session) = self.session.take() {
            match self.phase {
                Phase::Incoming(_) => {
                    desk.agent.reject(session, ending.status, "", &[], &[], desk.now, &mut desk.orders);
                }
                Phase::Dialling(_) | Phase::Outgoing(_) | Phase::Announced(_) | Phase::Up | Phase::Over => {
                    desk.agent.hang_up(session, &[], desk.now, &mut desk.orders);
                }
            }
        }
        self.end(ending, desk);
    }

    fn end(&mut self, ending: Ending, desk: &mut Desk) {
        if self.is_over() {
            return;
        }
        if self.answered.is_none() {
            self.report(ending.status, &ending.reason, desk);
        }
        desk.timers.cancel(&Timer::Unanswered(self.id));
        desk.timers.cancel(&Timer::Keypad(self.id));
        desk.timers.cancel(&Timer::Renew(self.id));
        desk.timers.cancel(&Timer::Left(self.id));
        self.disinherit(desk);
        self.streams.close(self.id, desk);
        // What is still told of the session is told to nobody: a call ends once.
        self.session = None;
        self.phase = Phase::Over;
        self.ended = Some((desk.now, ending));
        self.show(desk);
    }

    /// Becomes a call that is up.
    fn answer_now(&mut self, desk: &mut Desk) {
        desk.timers.cancel(&Timer::Unanswered(self.id));
        self.phase = Phase::Up;
        self.answered = Some(desk.now);
        self.progress = None;
        self.tell_late(desk);
    }

    /// Does what was agreed.
    fn agree(&mut self, agreed: &Agreed, desk: &mut Desk) {
        self.remote_hold = agreed.held;
        let hear_tones = self.keypad.is_heard();
        let early = !self.is_up();
        let was = self.streams.encrypted();
        let adapt = |plan: Plan| Plan { hear_tones: plan.hear_tones || hear_tones, early, ..plan };
        let call_id = self.session.and_then(|session| desk.agent.call_id(session)).map(str::to_owned);
        self.talk.agreed(agreed);
        self.streams.apply(agreed, adapt, call_id.as_deref(), desk);
        if self.is_up() && was != Encrypted::None && self.streams.is_clear() {
            desk.event(Event::EncryptionLost { call: self.id });
        }
        self.late.agreed(agreed.ways.iter().flatten().any(|theirs| theirs.trickle));
        if self.ways.told(agreed.ours) {
            self.moved_media(desk);
        }
        self.hear_paths(desk);
        self.mix(desk);
    }

    fn require_up(&self) -> Result<SessionId, Refusal> {
        match (&self.phase, self.session) {
            (Phase::Up, Some(session)) => Ok(session),
            _ => Err(Refusal::WrongState),
        }
    }
}
