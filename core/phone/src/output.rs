//! What a phone wants done, and what it has to tell.
//!
//! Knows nothing of who does it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use base::{Certificate, Fingerprint, NetworkId, Redacted};
use bytes::Bytes;
use media::dtmf::{Digit, Keys};

use crate::{
    AccountId, AccountView, CallId, CallView, Connection, FetchId, Gateway, Learnt, MediaId, MessageId,
    Presence, Tone, Voicemail, Why,
};

/// One order or event.
#[derive(Debug)]
pub enum Output {
    /// For the owner of the signalling sockets.
    Sip(sip::order::Order),
    /// For the owner of the signalling sockets: how connections to the server of that name are made from now on.
    Server {
        /// The name, as orders to open a flow have it.
        name: String,
        /// How; the default is as if nothing had been said.
        connection: Connection,
    },
    /// For the owner of the media sockets.
    Media {
        /// Which stream.
        media: MediaId,
        /// What to do with it.
        order: MediaOrder,
    },
    /// For the owner of the loudspeaker. *State*: what should sound from now on beside the calls, as the person's own
    /// country plays it; `None`: nothing. Told when it changes.
    Tone(Option<Tone>),
    /// For whoever can ask the web: a certificate of somebody who signs for callers. [`crate::Input::Fetched`] answers, once.
    Fetch(Fetch),
    /// For the app.
    Event(Event),
}

/// A certificate to be fetched: one GET, by TLS, without following where it is sent on to. A stranger has written the address:
/// whoever asks looks at the addresses that the host has, too ([`stir::address::is_public`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The question.
    pub id: FetchId,
    /// `https://`, and nothing in it that a client would read otherwise. What it names may say who calls.
    pub url: String,
    /// The host in it, in lower case; an IPv6 address without brackets.
    pub host: String,
    /// The account names the host itself: it may be anywhere.
    pub named: bool,
}

/// What is to be done with a media stream. `Prepare` comes first, `Close` last, once each.
#[derive(Debug)]
pub enum MediaOrder {
    /// Get a socket and answer `Ready` or `Failed`.
    Prepare {
        /// Whose stream it will be.
        call: CallId,
        /// The address it will have to reach, where that is known: picks IPv4 or IPv6 and the local address.
        toward: Option<IpAddr>,
        /// By which network.
        network: NetworkId,
    },
    /// Start sending and receiving.
    Open(media::Plan),
    /// Go on otherwise.
    Change(media::Plan),
    /// Send silence instead of the microphone (true), or the microphone.
    Mute(bool),
    /// Let those that are mixed hear each other (true) beside the microphone, or this one be heard by the user alone.
    /// `Mute` is of the microphone only.
    Mix(bool),
    /// RTP is disguised by this byte from now on: [`media::disguise`]. Comes before `Open`, once.
    Disguise(u8),
    /// Press these keys, after those that were ordered before: never to one who takes no digits.
    Dtmf(Keys),
    /// Play these keys as tones in the voice, after those that were ordered before.
    Tones(Keys),
    /// Media goes so from now on; before the first such order it goes plain.
    Route(nat::path::Route),
    /// RTCP that has a port of its own goes so from now on; before the first such order it goes plain.
    ControlRoute(nat::path::Route),
    /// Send a message that is no media, by one of the stream's sockets or connections.
    Tell {
        /// Which.
        leg: nat::path::Leg,
        /// To whom.
        to: SocketAddr,
        /// All of it.
        bytes: Bytes,
    },
    /// Send a message that is no media by the way that media goes, wherever that leads: DTLS.
    Ship {
        /// To whom, where media goes plain.
        to: SocketAddr,
        /// All of it.
        bytes: Bytes,
    },
    /// Connect a stream, then called by this name: `StreamUp` or `StreamDown` follows.
    Connect {
        /// Its name.
        leg: nat::path::Leg,
        /// From this very address, shared with other streams and with who listens there; `None`: any.
        from: Option<SocketAddr>,
        /// Whom to.
        to: SocketAddr,
        /// How messages lie on it.
        framing: nat::framing::Framing,
        /// Under TLS, to a server of this name.
        name: Option<String>,
    },
    /// Take streams at this address, shared with those that connect from it: `StreamUp` for each, under names from
    /// [`nat::path::Leg::TAKEN`] on.
    TakeStreams {
        /// Where.
        at: SocketAddr,
    },
    /// What comes from a relay under this channel is a peer's.
    Channel {
        /// By which leg it comes.
        leg: nat::path::Leg,
        /// From which relay.
        server: SocketAddr,
        /// The channel.
        number: u16,
        /// Whose it is.
        peer: SocketAddr,
    },
    /// Get one more pair of sockets, by another network: `Socket` or `StreamDown` follows.
    AddSocket {
        /// Its name.
        leg: nat::path::Leg,
        /// The address it will have to reach, where that is known.
        toward: Option<IpAddr>,
        /// By which network.
        network: NetworkId,
    },
    /// Plain media goes by this pair of sockets from now on; what comes to the others is still taken.
    GoBy(nat::path::Leg),
    /// Close a connection, or a pair of sockets.
    CloseLeg(nat::path::Leg),
    /// The way is dead: who is owed something need not wait for it.
    Dead,
    /// Tell of messages that are no media (RFC 7983: STUN, DTLS) as [`crate::MediaNews::Told`], also before the stream is open.
    Listen,
    /// Stop and give the socket back. Also after `Failed`.
    Close {
        /// Whose stream it was. The call is over by now: its last figures go to the app without passing the phone.
        call: CallId,
    },
}

/// What a phone has to tell.
#[derive(Debug)]
pub enum Event {
    /// *State*: an account changed.
    Account(AccountView),
    /// *Moment*: an account is not registered, for its server has a certificate that is not accepted. Ask the person whether it is
    /// the server's all the same: [`crate::Command::Trust`]. It comes once for each certificate, until one was accepted.
    Certificate {
        /// Which account.
        account: AccountId,
        /// What it says of itself; only the fingerprint is beyond doubt.
        certificate: Box<Certificate>,
        /// Why it is not accepted. [`Why::CertificateChanged`]: somebody may stand between.
        why: Why,
    },
    /// *Moment*: an account knows its server by this certificate from now on. Keep it with the account
    /// ([`Connection::pin`]).
    Trusted {
        /// Which account.
        account: AccountId,
        /// The certificate.
        fingerprint: Fingerprint,
    },
    /// *State*: what a router on the way does to messages, and how it is gone round. Its `Display` is a sentence for the
    /// person.
    Gateway(Gateway),
    /// *State*: messages wait for the person at the provider, or no longer.
    Voicemail {
        /// Of which account.
        account: AccountId,
        /// How many.
        voicemail: Voicemail,
    },
    /// *State*: how a watched person is ([`crate::Command::Watch`]).
    Presence {
        /// Which account watches.
        account: AccountId,
        /// Whom: the URI that what was typed has become.
        who: Redacted<String>,
        /// How they are.
        presence: Presence,
    },
    /// *Moment*: an account's server does not take what the account would publish of its user; it is not asked again until the
    /// account's settings change.
    PresenceRefused {
        /// Which account.
        account: AccountId,
        /// 489, 405, 501: it knows no presence at all.
        status: u16,
    },
    /// *State*: a call changed.
    Call(CallView),
    /// *Moment*: a call that was encrypted is so no more, by the other side's wish. Its account lets that be.
    EncryptionLost {
        /// Which.
        call: CallId,
    },
    /// *Moment*: a text message came.
    Message {
        /// To which account.
        account: AccountId,
        /// The sender's URI.
        from: Redacted<String>,
        /// The sender's display name.
        name: Option<Redacted<String>>,
        /// The text; bytes that are not UTF-8 are shown as U+FFFD.
        text: Redacted<String>,
    },
    /// *State*: a text message of ours cannot be sent yet, or was sent in vain, and is tried again. [`Event::MessageSent`] ends it.
    MessageWaits {
        /// Which.
        message: MessageId,
        /// By which account it goes.
        account: AccountId,
        /// What was answered last, if anything was.
        status: Option<u16>,
        /// Why it waits; `None`: its account is not registered yet.
        why: Option<Why>,
    },
    /// *Moment*: what became of a text message that was sent.
    MessageSent {
        /// Which.
        message: MessageId,
        /// 202: somebody has taken it who passes it on; another 2xx: delivered. Else why not.
        status: u16,
        /// Why not, unless it was delivered.
        reason: Option<Why>,
    },
    /// *Moment*: the other side pressed a key of its keypad.
    Dtmf {
        /// In which call.
        call: CallId,
        /// Which key.
        digit: Digit,
        /// By which way.
        via: Via,
    },
    /// *Moment*: keys of ours did not reach the other side, or it is not known whether they did. Say so: the person may press
    /// them again.
    DtmfLost {
        /// In which call.
        call: CallId,
        /// How many.
        keys: usize,
    },
    /// *State*: how a call sounds. The last figures may come after the call's last view.
    Quality {
        /// Which call.
        call: CallId,
        /// Figures of its audio.
        stats: media::Stats,
    },
    /// *State*: by which way a call's media goes and why, for the details of a call. `Display` prints it.
    Way {
        /// Which call.
        call: CallId,
        /// Its addresses, the pair in use, and what was dropped.
        report: Box<nat::path::Report>,
    },
    /// *Moment*: how a call sounded from its beginning to its end. It comes after the call's last view.
    Timeline {
        /// Which call.
        call: CallId,
        /// Its points; there is at least one.
        timeline: media::Timeline,
    },
    /// *Moment*: nothing comes from the other side though it should, or something comes again. Not on hold, which ends it
    /// without a word, as the end of the call does.
    Silence {
        /// Which call.
        call: CallId,
        /// What of it. `Display` is a sentence for a person.
        silence: media::Silence,
    },
    /// *State*: what is known of a network, to be remembered for the next start: it saves finding it out again.
    Learnt(Learnt),
    /// *Moment*: a command could not be followed; nothing else happened.
    Refused {
        /// What it was about.
        subject: Subject,
        /// Why.
        reason: Refusal,
    },
    /// *Moment*: after [`crate::Command::Shutdown`], all calls have ended and all accounts have said goodbye.
    Stopped,
}

/// By which way keypad digits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// As telephone events in the audio stream. RFC 4733.
    Events,
    /// As SIP INFO. RFC 6086.
    Info,
    /// As tones in the voice.
    Tones,
}

/// What a refused command was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A call.
    Call(CallId),
    /// An account.
    Account(AccountId),
    /// A text message.
    Message(MessageId),
    /// The phone.
    Phone,
}

/// Why a command was refused. `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The call is over, or never was.
    #[error("there is no such call")]
    NoSuchCall,
    /// The id is in use: draw a fresh one.
    #[error("there is such a call already")]
    CallExists,
    /// Add an account first.
    #[error("there is no such account")]
    NoAccount,
    /// Show it beside the text field.
    #[error("{0}")]
    BadTarget(crate::BadTarget),
    /// The call cannot do that now.
    #[error("the call cannot do that now")]
    WrongState,
    /// Hang one up first.
    #[error("there are too many calls")]
    TooManyCalls,
    /// The last change to this call is still being agreed: try again in a moment.
    #[error("the call is busy with another change")]
    Busy,
    /// A status outside 400..=699.
    #[error("a call is declined with a status of 400 to 699")]
    BadStatus,
    /// Unwatch somebody first.
    #[error("there are too many people to watch")]
    TooManyWatched,
    /// Wait until some have been sent.
    #[error("too many messages wait to be sent")]
    TooManyMessages,
    /// It was sent, or never was.
    #[error("no such message waits")]
    NoSuchMessage,
    /// The text is longer than a message may be.
    #[error("the message is too long")]
    TextTooLong,
    /// Only a certificate that was shown can be trusted: show the newest.
    #[error("the server has shown no such certificate")]
    NotShown,
    /// The phone is shutting down.
    #[error("the phone is shutting down")]
    ShuttingDown,
    /// Say so beside the text field.
    #[error("{}", media::dtmf::BadKeys)]
    BadDigits,
    /// Keys have no use in this call: show no keypad.
    #[error("the other side takes no keypad digits")]
    NoKeypad,
    /// Letters or the flash, as a rule: the plain digits will do.
    #[error("the other side does not take all of these digits")]
    DigitsNotTaken,
    /// Show it beside the account's password, or its id.
    #[error("{0}")]
    CannotSeal(sip::codec::vos::Unusable),
    /// The account's address or proxy names another carrier, or `sips:`: show it there.
    #[error("VOS encryption goes by UDP only")]
    SealedOnlyByUdp,
}

/// Drains what the phone wants done, in order; what is not drained stays queued for the next call.
#[must_use = "orders that nobody carries out are lost calls"]
#[derive(Debug)]
pub struct Outputs<'a>(pub(crate) &'a mut VecDeque<Output>);

impl Iterator for Outputs<'_> {
    type Item = Output;

    fn next(&mut self) -> Option<Output> {
        self.0.pop_front()
    }
}
