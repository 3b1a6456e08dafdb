//! What a user types in for an account, as the account screen has it.
//!
//! What becomes of it is [`crate::document`]'s. Knows nothing of where it is kept.

use phone::Carry;
use serde::{Deserialize, Serialize};

use crate::media_encryption::{MediaEncryption, MediaKeys};
use crate::relay::RelaySettings;

/// Longer than any name, number or server that works.
pub(crate) const LONGEST: usize = 255;

/// One account, as the account screen has it. The password goes its own way.
///
/// It is kept as the account's document has it, so that what is read back may be written otherwise than it was typed: a
/// server beside a whole address is then the `proxy`, and a port is there though none was typed. What the document has and
/// this has not (several STUN servers, say) stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountSettings {
    /// The number or user name, or the whole address (`1001@sip.example.com`).
    pub number: String,
    /// The server's name or address, with a port if it needs one. With a whole address in `number` it may be empty.
    pub server: String,
    /// The outbound proxy, as `server`; empty: none.
    #[uniffi(default = "")]
    pub proxy: String,
    /// The digest user name where it is not the number; empty: it is.
    #[uniffi(default = "")]
    pub auth_user: String,
    /// Shown to the people called; empty: nothing.
    #[uniffi(default = "")]
    pub display_name: String,
    /// How the server is reached.
    pub transport: Transport,
    /// Whether to be reachable over this account.
    #[uniffi(default = true)]
    pub register: bool,
    /// Whether calls look for the straightest way to the other side (ICE). Who knows none of that is called as ever.
    #[uniffi(default = true)]
    pub ice: bool,
    /// Who says under which address the world sees us, as `server` (port 3478 where none is named); empty: nobody.
    #[uniffi(default = "")]
    pub stun: String,
    /// Whether the server is told whether the user is free, for those who may know.
    #[uniffi(default = false)]
    pub publish_presence: bool,
    /// How signalling is hidden from those on the way. With anything but `None`, `transport` means nothing.
    #[uniffi(default = None)]
    pub encryption: Option<Encryption>,
    /// Whether calls are encrypted; none: never, and who insists on it is refused.
    #[uniffi(default = None)]
    pub media_encryption: Option<MediaEncryption>,
    /// How both sides come to the keys; none: as the other side and the transport have it.
    #[uniffi(default = None)]
    pub media_keys: Option<MediaKeys>,
    /// Who carries a call's sound where nothing else does; their passwords by [`crate::Phone::set_relay_password`].
    #[uniffi(default = [])]
    pub relays: Vec<RelaySettings>,
    /// What may be offered, the preferred first, by the names that [`crate::codecs`] gives; empty: all, in that order.
    #[uniffi(default = [])]
    pub codecs: Vec<String>,
    /// By which way keypad digits go; none: by whichever the other side takes.
    #[uniffi(default = None)]
    pub keypad: Option<KeypadBy>,
    /// How its provider wants numbers: each rule in turn, until one fits. [`crate::Phone::try_plan`] shows what it does.
    #[uniffi(default = [])]
    pub dial_plan: Vec<DialRule>,
    /// What the people called are to see; none: the account, as it is.
    #[uniffi(default = None)]
    pub caller_id: Option<CallerIdSettings>,
    /// Which networks may be used; none: any.
    #[uniffi(default = None)]
    pub networks: Option<NetworkLimit>,
    /// Whether sound may go by datagrams (UDP); else by streams alone.
    #[uniffi(default = true)]
    pub media_udp: bool,
    /// Nothing is sent while nobody speaks: saves a battery and a data plan, and costs the beginnings of words.
    #[uniffi(default = false)]
    pub silence_suppression: bool,
    /// Whether the provider is asked for messages that wait. Providers that tell by themselves are heard anyway.
    #[uniffi(default = false)]
    pub voicemail: bool,
    /// What is called to hear them, a number or an address; empty: what the provider says.
    #[uniffi(default = "")]
    pub mailbox: String,
    /// Emergency calls may go by it, on a device that is no telephone. Say before that help may not be told where it is needed.
    #[uniffi(default = false)]
    pub emergency: bool,
    /// How long a registration is asked for, in seconds, a week at most; none: as usual.
    #[uniffi(default = None)]
    pub expires_s: Option<u32>,
}

impl Default for AccountSettings {
    /// As a new account's screen begins.
    fn default() -> Self {
        Self {
            number: String::new(),
            server: String::new(),
            proxy: String::new(),
            auth_user: String::new(),
            display_name: String::new(),
            transport: Transport::Automatic,
            register: true,
            ice: true,
            stun: String::new(),
            publish_presence: false,
            encryption: None,
            media_encryption: None,
            media_keys: None,
            relays: Vec::new(),
            codecs: Vec::new(),
            keypad: None,
            dial_plan: Vec::new(),
            caller_id: None,
            networks: None,
            media_udp: true,
            silence_suppression: false,
            voicemail: false,
            mailbox: String::new(),
            emergency: false,
            expires_s: None,
        }
    }
}

/// How signalling is hidden from those on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum Encryption {
    /// As VOS servers have it, by UDP to port 5070 where none is named; the key is the password. It gets through networks that
    /// block SIP, and keeps no secrets. Not tried against a live server.
    Vos,
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum Transport {
    /// As the server's name says, UDP if it says nothing.
    #[default]
    Automatic,
    /// UDP only.
    Udp,
    /// TCP only.
    Tcp,
    /// TLS only: nobody on the way reads who is called.
    Tls,
}

/// By which way an account's keypad digits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum KeypadBy {
    /// As telephone events (RFC 4733) or not at all.
    Events,
    /// As SIP INFO or not at all.
    Info,
    /// As tones in the voice.
    Tones,
}

/// Which networks an account may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum NetworkLimit {
    /// A foreign operator's only after [`crate::Phone::allow_roaming`].
    AskRoaming,
    /// No operator's at all.
    WifiOnly,
}

/// One rule of a dial plan. It fits where all that it names does; what fits is then changed, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct DialRule {
    /// Numbers that begin so; empty: any.
    #[uniffi(default = "")]
    pub begins: String,
    /// Numbers that this regular expression fits; empty: any.
    #[uniffi(default = "")]
    pub fits: String,
    /// Of at least so many digits.
    #[uniffi(default = None)]
    pub least: Option<u32>,
    /// Of at most so many.
    #[uniffi(default = None)]
    pub most: Option<u32>,
    /// Takes so many digits from the beginning.
    #[uniffi(default = 0)]
    pub strip: u32,
    /// Puts this in front.
    #[uniffi(default = "")]
    pub prefix: String,
    /// Makes this of it instead: `$1` is what the expression's first group has found.
    #[uniffi(default = None)]
    pub replace: Option<String>,
    /// Whether the rules behind it are looked at too.
    #[uniffi(default = false)]
    pub go_on: bool,
}

/// What the people called are to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct CallerIdSettings {
    /// The number: digits, with a + before them or not; empty: the account's own.
    #[uniffi(default = "")]
    pub number: String,
    /// Where it is said; empty: in the name beside the account, and as preferred identity.
    #[uniffi(default = [])]
    pub carry: Vec<Carry>,
    /// Nobody is to see it.
    #[uniffi(default = false)]
    pub hide: bool,
}

/// Where a number is said.
#[uniffi::remote(Enum)]
pub enum Carry {
    FromUser,
    FromDisplay,
    Preferred,
    Asserted,
    RemoteParty,
}
