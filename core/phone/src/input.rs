//! The news a phone is told.
//!
//! Knows no sockets: flows, queries and media streams are names that their owner understands.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Certificate, Fingerprint, FlowId, NetworkId, QueryId, Redacted, Transport, Untrusted};
use bytes::Bytes;
use media::dtmf::Digit;
use sip::locate::Answer;

use crate::{
    Account, AccountId, CallId, FetchId, Fetched, Learnt, MediaId, MessageId, NetworkNews, NotHad,
    OwnPresence, Regions, Relay, SeenAs, WatchBy,
};

/// One piece of news.
pub enum Input<'a> {
    /// A datagram, or the next chunk of a stream.
    Bytes {
        /// Where it came in.
        flow: FlowId,
        /// Who sent it.
        from: SocketAddr,
        /// The bytes, as the wire had them.
        bytes: &'a [u8],
    },
    /// A flow is usable: one that was ordered, one that a stranger opened, or a listening UDP socket.
    FlowUp {
        /// The network it goes by: the one that was ordered.
        network: NetworkId,
        /// Its name from here on.
        flow: FlowId,
        /// Its carrier.
        transport: Transport,
        /// Our address on it, never `0.0.0.0`.
        local: SocketAddr,
        /// The other end, or the remote that an `OpenFlow` for UDP asked about; `None` for a UDP socket that just listens.
        remote: Option<SocketAddr>,
    },
    /// A flow is gone.
    FlowDown {
        /// Which.
        flow: FlowId,
    },
    /// A flow that was ordered could not be had.
    FlowFailed {
        /// The network it was to go by.
        network: NetworkId,
        /// The carrier asked for.
        transport: Transport,
        /// The remote asked for.
        remote: SocketAddr,
    },
    /// Why a flow under TLS cannot be had; `FlowFailed` follows.
    Untrusted {
        /// Whose certificate it should have been, as the order said.
        name: &'a str,
        /// What is wrong with the one that came.
        why: Untrusted,
        /// What that one says of itself, if it could be read.
        certificate: Option<&'a Certificate>,
    },
    /// The name servers answered.
    Resolved {
        /// Which question.
        query: QueryId,
        /// What they said.
        answer: Answer,
    },
    /// Answers a [`crate::Fetch`].
    Fetched {
        /// Which.
        fetch: FetchId,
        /// What came.
        answer: Result<Fetched, NotHad>,
    },
    /// A network appeared, changed or went away.
    Network(NetworkNews),
    /// News of a media stream.
    Media {
        /// Which.
        media: MediaId,
        /// What.
        news: MediaNews,
    },
    /// The user wants something.
    Command(Command),
    /// The time has come that [`crate::Phone::next_wake`] named.
    Due,
}

/// Bytes are shown by their length only: they carry numbers, names and credentials.
impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes { flow, from, bytes } => write!(f, "Bytes({} from {from} by {flow:?})", bytes.len()),
            Self::FlowUp { flow, transport, .. } => write!(f, "FlowUp({flow:?}, {transport})"),
            Self::FlowDown { flow } => write!(f, "FlowDown({flow:?})"),
            Self::FlowFailed { transport, remote, .. } => write!(f, "FlowFailed({transport} to {remote})"),
            Self::Untrusted { name, why, .. } => write!(f, "Untrusted({name}: {why:?})"),
            Self::Resolved { query, .. } => write!(f, "Resolved({query:?})"),
            Self::Fetched { fetch, answer } => {
                write!(f, "Fetched({fetch:?}: {:?})", answer.as_ref().map(|it| it.bytes.len()))
            }
            Self::Network(news) => write!(f, "Network({news:?})"),
            Self::Media { media, news } => write!(f, "{media:?}: {news:?}"),
            Self::Command(command) => write!(f, "Command({command:?})"),
            Self::Due => f.write_str("Due"),
        }
    }
}

/// What becomes of a media stream that was ordered.
#[derive(Debug)]
pub enum MediaNews {
    /// Answers `Prepare`: the stream has a socket.
    Ready {
        /// The RTP address to write into SDP, never `0.0.0.0`. RTCP is expected one port above unless it is multiplexed.
        local: SocketAddr,
    },
    /// Answers `AddSocket`.
    Socket {
        /// Its name.
        leg: nat::path::Leg,
        /// Its address.
        local: SocketAddr,
    },
    /// A stream is open: one that was ordered, or one that somebody opened to us.
    StreamUp {
        /// Its name.
        leg: nat::path::Leg,
        /// Our end.
        local: SocketAddr,
        /// Theirs.
        remote: SocketAddr,
    },
    /// A stream is gone or was never had, or a pair of sockets could not be.
    StreamDown {
        /// Its name.
        leg: nat::path::Leg,
        /// It was refused while connecting, not left without an answer.
        refused: bool,
    },
    /// A message that is no media came to one of its sockets or connections. RFC 7983.
    Told {
        /// To which.
        leg: nat::path::Leg,
        /// By whom.
        from: SocketAddr,
        /// All of it.
        bytes: Bytes,
    },
    /// The stream cannot be had; the call ends with this sentence.
    Failed {
        /// A sentence for the user.
        reason: String,
    },
    /// How it sounds, every few seconds while open.
    Quality(media::Stats),
    /// What should come does not: does the way still carry?
    Overdue(media::Overdue),
    /// They fell silent, or are back.
    Silence(media::Silence),
    /// The other side pressed a key: each once, in order.
    Dtmf {
        /// Which.
        digit: Digit,
        /// By which way.
        way: media::dtmf::Way,
    },
}

/// What the user wants. One that the present state cannot follow is answered by [`crate::Event::Refused`], and nothing
/// else happens.
#[derive(Debug)]
pub enum Command {
    /// Adds an account, or replaces its settings. Registers if the account says so.
    AddAccount(AccountId, Account),
    /// Gives an account other relays, for calls from now on: neither those that are up nor its registration notice.
    Relays(AccountId, Vec<Relay>),
    /// Unregisters and forgets an account.
    RemoveAccount(AccountId),
    /// The certificate that [`crate::Event::Certificate`] has shown is the server's: this one and no other from now on.
    Trust(AccountId, Fingerprint),
    /// Registers now, whatever was being waited for.
    Register(AccountId),
    /// Unregisters and stays so.
    Unregister(AccountId),
    /// What names no account goes by this one; `None`, or one that is not there: by none rather than another.
    DefaultAccount(Option<AccountId>),
    /// Calls. A call that is up is put on hold first.
    Call {
        /// Drawn from the shared [`crate::CallIds`].
        call: CallId,
        /// Which account; `None` is the one that [`Command::DefaultAccount`] names where that is registered or never registers;
        /// else the first that is registered, else the one that is named, else the first.
        account: Option<AccountId>,
        /// What was typed: a number, an extension, a `sip:` or `tel:` URI.
        to: Redacted<String>,
        /// What it says of who calls.
        seen_as: SeenAs,
    },
    /// Expects a call that a push has announced, and registers anew so that it finds us.
    Announce {
        /// Drawn from the shared [`crate::CallIds`]; the call keeps it when it comes.
        call: CallId,
        /// To which account.
        account: AccountId,
        /// The caller's URI; empty if the push does not say, and then it says the Call-ID.
        remote: Redacted<String>,
        /// The caller's name.
        name: Option<Redacted<String>>,
        /// The Call-ID that its INVITE will have, if the push says so.
        call_id: Option<String>,
    },
    /// Answers a ringing or announced call. A call that is up is put on hold first.
    Answer(CallId),
    /// Sends early media (183) to a caller who has not been answered.
    Progress(CallId),
    /// Declines a ringing or announced call with this status (400..=699).
    Reject(CallId, u16),
    /// Ends a call in any state.
    HangUp(CallId),
    /// Puts a call on hold; one that was merged, with all that it was merged with.
    Hold(CallId),
    /// Takes a call off hold, or the conference that it is in; what is up is put on hold.
    Resume(CallId),
    /// Closes (true) or opens the microphone toward a call, or the conference that it is in.
    Mute(CallId, bool),
    /// Holds the call that is up and resumes the youngest of those on hold.
    Swap,
    /// Merges the call that is up with the youngest of the others that are up or on hold: a conference on this phone,
    /// of at most three others.
    Merge,
    /// Merges two calls that are up or on hold, and whoever one of them was merged with before.
    MergeWith {
        /// Which call.
        call: CallId,
        /// And which other.
        other: CallId,
    },
    /// Takes a call out of the conference, to talk to it alone: the others go on hold.
    Split(CallId),
    /// Blind transfer: the other side is asked to call `to`.
    Transfer {
        /// The call to transfer.
        call: CallId,
        /// What was typed.
        to: Redacted<String>,
    },
    /// Attended transfer: the other side of `call` is asked to take over our place in `other`.
    TransferTo {
        /// The call to transfer.
        call: CallId,
        /// The call it joins.
        other: CallId,
    },
    /// Refreshes the session without changing it. RFC 4028.
    Refresh {
        /// Which call.
        call: CallId,
        /// By which request.
        with: With,
    },
    /// Press what was typed behind the number, up to where the person wants to be asked again: [`crate::CallView::keys_left`].
    PressOn(CallId),
    /// Sends keypad digits into a call.
    Dtmf {
        /// Which call.
        call: CallId,
        /// `0`-`9`, `*`, `#`, `A`-`D`, `!` for a hook flash and `,` for a pause of two seconds; at most 64. They are pressed
        /// after those of earlier commands.
        digits: Redacted<String>,
    },
    /// Sends a text message, as soon as its account can: for three days. RFC 3428.
    Message {
        /// The app's name for it.
        message: MessageId,
        /// Which account; as for `Call`.
        account: Option<AccountId>,
        /// What was typed.
        to: Redacted<String>,
        /// Plain text.
        text: Redacted<String>,
        /// When it was written, by the wall clock since 1970; `None`: now. One that an earlier phone had left is given with
        /// its own time: by that the other side knows it again, if it has it already.
        written: Option<Duration>,
    },
    /// Does not send a message that waits; one that is on its way is not tried again.
    TakeBack(MessageId),
    /// Refuses every caller with 480 while on.
    DoNotDisturb(bool),
    /// Sends every caller elsewhere (302) while set.
    ForwardTo(Option<Redacted<String>>),
    /// Lets a second call ring (true) or makes it busy.
    CallWaiting(bool),
    /// Callers with one of these numbers or addresses do not ring, and what they write is dropped; in place of those that were
    /// given before. [`base::number`] compares them.
    Block(Vec<Redacted<String>>),
    /// Wants to know how somebody is, from now on: [`crate::Event::Presence`] tells, the first time when the server has
    /// answered. Again for one who is watched asks anew.
    Watch {
        /// Which account; as for `Call`.
        account: Option<AccountId>,
        /// What was typed.
        who: Redacted<String>,
        /// What is asked for.
        by: WatchBy,
    },
    /// Does not want to know any more.
    Unwatch {
        /// Which account; as for `Call`.
        account: Option<AccountId>,
        /// What was typed.
        who: Redacted<String>,
    },
    /// How the user is to be seen, by accounts that publish it.
    SetPresence {
        /// In one word.
        own: OwnPresence,
        /// In the user's own words, shown to those who watch; at most 200 bytes.
        note: Option<Redacted<String>>,
    },
    /// Lets callers who do not say who they are not ring (true), or again.
    RefuseAnonymous(bool),
    /// The phone is there from now on: [`crate::Config::regions`].
    Regions(Regions),
    /// Knows this of a network from now on: what an earlier phone has learnt.
    Remember(Learnt),
    /// Lets accounts that ask first use a foreign operator's network (true), or no longer.
    AllowRoaming(bool),
    /// Hangs up, unregisters, then says [`crate::Event::Stopped`].
    Shutdown,
}

/// By which request a session is refreshed. RFC 4028 section 7.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// UPDATE, where the other side allows it.
    Update,
    /// re-INVITE.
    Reinvite,
}
