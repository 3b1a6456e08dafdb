//! What the user set: the phone's own settings and one account's.
//!
//! Knows nothing of how either is stored or typed in.

use base::{ClientCertificate, Fingerprint, Redacted, Secret};
use media::Codec;
use nat::path::Tcp;
use sip::message::Uri;
use sip::ua::{Reliable, TransportPolicy};

use crate::{CallerId, Encryption, Keepalive, NetworkPolicy, Regions, Stir};

/// One account at one provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// The address of record: `sip:1001@offhook.test`.
    pub uri: Uri,
    /// The first hop; without one the address of record's domain is located (RFC 3263).
    pub proxy: Option<Uri>,
    /// The digest user name; without one the user part of `uri`.
    pub auth_user: Option<Redacted<String>>,
    /// The digest password; empty when the account has none.
    pub password: Secret<String>,
    /// Shown to the people called.
    pub display_name: Option<Redacted<String>>,
    /// What the people called are to see.
    pub caller_id: CallerId,
    /// Whose signatures on callers' numbers are believed (STIR). Nobody's: only what the provider says of them.
    pub stir: Stir,
    /// Whether to register by itself when added and when the network changes.
    pub register: bool,
    /// How long a registration is asked for, in seconds. The registrar may shorten it, or ask for more (423).
    pub expires: u32,
    /// What may be offered and answered, the preferred first. Never empty in an account that can call.
    pub codecs: Vec<Codec>,
    /// Silence may be left out, both ways: saves a battery and a data plan, and costs the beginnings of words.
    pub silence_suppression: bool,
    /// By which way keypad digits go.
    pub digits: DigitsBy,
    /// Reliable provisional responses. RFC 3262.
    pub reliable_provisional: Reliable,
    /// The session timer asked for, in seconds; 0 is off. RFC 4028.
    pub session_expires: u32,
    /// How its way to the registrar is kept open.
    pub keepalive: Keepalive,
    /// Which networks may be used.
    pub networks: NetworkPolicy,
    /// Which carriers may be used.
    pub transport: TransportPolicy,
    /// Sends INVITE without an offer and answers the one in the response (some gateways want it so).
    pub late_offer: bool,
    /// By what its provider may wake this phone; `None`: not.
    pub push: Option<Push>,
    /// Whether the provider is asked for messages that wait (RFC 3842). Providers that tell by themselves are heard anyway.
    pub voicemail: bool,
    /// What is called to hear them, where the provider does not say it or says it wrong.
    pub mailbox: Option<Redacted<String>>,
    /// Whether the provider is told whether the user is free, for those who may know (RFC 3856). Off: nobody is told anything.
    pub publish_presence: bool,
    /// How its provider wants numbers.
    pub dial_plan: numbers::Plan,
    /// Emergency calls may go by it, on a machine that is no telephone, whose person knows that help may not be told where it
    /// is needed (RFC 6881 section 3).
    pub emergency: bool,
    /// How its media gets through routers.
    pub nat: Nat,
    /// How connections to its server are made.
    pub connection: Connection,
    /// What its signalling is sealed by.
    pub encryption: Encryption,
    /// Whether its calls are encrypted.
    pub media_encryption: MediaEncryption,
    /// How both sides come to the keys.
    pub media_encryption_by: KeysBy,
    /// Keys may stand in descriptions (SDES) also where signalling is not under TLS, and whoever carries it can read them.
    pub sdes_in_clear: bool,
}

impl Account {
    /// An account with the usual settings: registers for 300 s, every codec in its usual order, 100rel and session timers
    /// supported.
    pub fn new(uri: Uri, password: Secret<String>) -> Self {
        Self {
            uri,
            proxy: None,
            auth_user: None,
            password,
            display_name: None,
            caller_id: CallerId::default(),
            stir: Stir::default(),
            register: true,
            expires: 300,
            codecs: Codec::ALL.to_vec(),
            silence_suppression: false,
            digits: DigitsBy::Auto,
            reliable_provisional: Reliable::Supported,
            session_expires: 1800,
            keepalive: Keepalive::Prompt,
            networks: NetworkPolicy::Any,
            transport: TransportPolicy::Auto,
            late_offer: false,
            push: None,
            voicemail: false,
            mailbox: None,
            publish_presence: false,
            dial_plan: numbers::Plan::default(),
            emergency: false,
            nat: Nat::default(),
            connection: Connection::default(),
            encryption: Encryption::None,
            media_encryption: MediaEncryption::Off,
            media_encryption_by: KeysBy::default(),
            sdes_in_clear: false,
        }
    }
}

/// By what a server may wake a phone that sleeps: a push service, and who the phone is there. It stands in the Contact of
/// registrations, for a server on the way that knows of it; nobody who does not is troubled. RFC 8599.
#[derive(Clone, Debug)]
pub struct Push {
    /// The service: `fcm`, `apns`, `webpush`.
    pub provider: String,
    /// Whose app it is, as the service wants it: `fcm` a project, `apns` team and topic, `webpush` nothing.
    pub param: Option<String>,
    /// What the service knows this phone by. Who has it can wake the phone.
    pub prid: Secret<String>,
}

/// How connections to an account's server are made, under TLS and by WebSocket. Accounts of one server share its connection:
/// of them the one that was added last has its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The only certificate that the server may have, whoever signed it and whatever its name and date; else whom the
    /// platform trusts is the one. The person's own decision: [`crate::Event::Certificate`] asks for it.
    pub pin: Option<Fingerprint>,
    /// Shown to a server that asks who connects.
    pub certificate: Option<ClientCertificate>,
    /// Where on the server its WebSocket is; empty: at the root.
    pub path: String,
}

/// Whether an account's calls are encrypted (SRTP, RFC 3711).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaEncryption {
    /// Never: who insists on it is refused.
    #[default]
    Off,
    /// Where the other side can, too; else the call goes in clear. RFC 8643.
    Optional,
    /// Always: there is no call in clear, ever, and none that becomes so.
    Required,
}

/// How both sides of a call come to the keys that it is encrypted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeysBy {
    /// They stand in the descriptions (SDES, RFC 4568): there at once, and readable to whoever carries those.
    Sdes,
    /// They are agreed on where media goes (DTLS-SRTP, RFC 5764): a few ways there and back later, and known to both
    /// sides alone.
    Dtls,
    /// As the answer has it. We answer by SDES under TLS, otherwise by DTLS.
    #[default]
    Both,
}

/// How an account's media gets through routers.
#[derive(Clone, Debug)]
pub struct Nat {
    /// Ways are described and checked (ICE, RFC 8445). Without it media goes to where the description says, and then to where
    /// packets come from.
    pub ice: bool,
    /// Servers that tell us our outside address; the first two that have one of the right family are asked.
    pub stun: Vec<Server>,
    /// Relays, for where nothing else carries.
    pub turn: Vec<Relay>,
    /// Datagrams may be tried. Without them media takes streams alone.
    pub udp: bool,
    /// When streams are tried, which both sides open at once.
    pub tcp_punch: Tcp,
}

impl Default for Nat {
    /// As without routers: an operator that knows no ICE need not read of it, and its requests stay small.
    fn default() -> Self {
        Self { ice: false, stun: Vec::new(), turn: Vec::new(), udp: true, tcp_punch: Tcp::IfBlocked }
    }
}

impl Nat {
    /// All servers that are named.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Server> {
        self.stun.iter().chain(self.turn.iter().map(|relay| &relay.server))
    }
}

/// A relay (TURN, RFC 8656) and who we are there.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Where it is.
    pub server: Server,
    /// By what it may be reached, in this order: each is tried when the one before has not answered in a moment.
    pub ways: Vec<RelayWay>,
    /// The user name.
    pub user: Redacted<String>,
    /// The password.
    pub password: Secret<String>,
}

/// By what a relay is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayWay {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS.
    Tls,
}

/// A server beside SIP's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Its name, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Server {
    /// STUN's port. RFC 8489 section 18.6.
    pub const STUN_PORT: u16 = 3478;
}

/// By which way an account's keypad digits go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigitsBy {
    /// As telephone events where the other side takes them; else as INFO, and as tones where that is refused.
    #[default]
    Auto,
    /// As telephone events (RFC 4733, once RFC 2833) or not at all.
    Events,
    /// As SIP INFO or not at all.
    Info,
    /// As tones in the voice; a codec that garbles them is left first.
    Tones,
}

/// The phone's own settings, whichever account is used.
#[derive(Clone, Debug)]
pub struct Config {
    /// This phone's own name, the same over all its starts: `urn:uuid:...`. Registrars that know of flows (RFC 5626) replace
    /// a binding by it wherever we are then; without one none is asked for.
    pub instance: Option<String>,
    /// The `User-Agent` and `Server` header field.
    pub user_agent: String,
    /// Whether whoever owns the sockets can open streams under TLS.
    pub tls: bool,
    /// Where the phone is: which numbers are for emergencies. None known: those that all networks know are.
    pub regions: Regions,
    /// Calls at one time, both ways; the next one is busy.
    pub max_calls: usize,
    /// Whether a call may ring while another is up; else it is busy.
    pub call_waiting: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            instance: None,
            user_agent: concat!("Offhook/", env!("CARGO_PKG_VERSION")).into(),
            tls: false,
            regions: Regions::default(),
            max_calls: 8,
            call_waiting: true,
        }
    }
}
