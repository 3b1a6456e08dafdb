//! Why a relay is of no use, as a person may read it.

use std::time::Duration;

/// Why something was refused or ended. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Nothing came back.
    #[error("the relay does not answer")]
    Silent,
    /// 401 with credentials, or 441.
    #[error("the relay does not know this user name or password")]
    WrongPassword,
    /// The relay wants an account, and there is none.
    #[error("the relay asks for a user name and a password")]
    NoAccount,
    /// 486.
    #[error("this account already uses as many relayed addresses as the relay allows")]
    Quota,
    /// 508.
    #[error("the relay is full")]
    Full,
    /// 403.
    #[error("the relay forbids this")]
    Forbidden,
    /// 440 or 443.
    #[error("the relay has no address of this kind (IPv4 or IPv6)")]
    Family,
    /// 442.
    #[error("the relay does not relay this kind of transport")]
    Transport,
    /// 437 to a first request: another allocation is held from this very address.
    #[error("the relay still keeps an older session for this address")]
    AddressTaken,
    /// 437: it does not know of our allocation any more.
    #[error("the relay has forgotten this session")]
    Forgotten,
    /// 300, and not for the first time, or with no address that makes sense.
    #[error("the relay sends us from one server to the next")]
    Redirects,
    /// 400, 420, or an answer that cannot be read.
    #[error("the relay and this program do not understand each other")]
    NotUnderstood,
    /// Only answers that the server has not written.
    #[error("somebody answers in the relay's name who does not know the password")]
    Forged,
    /// RFC 8489 section 9.2.1.
    #[error("somebody between here and the relay weakens its password check")]
    Weakened,
    /// 446.
    #[error("the relay is already connected to this peer")]
    AlreadyConnected,
    /// 447.
    #[error("the relay cannot connect to this peer")]
    CannotConnect,
    /// Anything else, most of it 5xx.
    #[error("the relay has an error of its own ({0})")]
    Broken(u16),
}

impl Why {
    /// When the same server may be asked again. RFC 8656 section 7.4. `None`: not before somebody has changed something.
    pub fn try_again_after(self) -> Option<Duration> {
        match self {
            // From another port at once; from this one when the server has let go.
            Self::AddressTaken => Some(Duration::from_secs(120)),
            Self::Silent | Self::Quota | Self::Full | Self::Broken(_) => Some(Duration::from_secs(60)),
            Self::Forgotten => Some(Duration::ZERO),
            Self::CannotConnect | Self::AlreadyConnected => Some(Duration::from_secs(10)),
            Self::WrongPassword
            | Self::NoAccount
            | Self::Forbidden
            | Self::Family
            | Self::Transport
            | Self::Redirects
            | Self::NotUnderstood
            | Self::Forged
            | Self::Weakened => None,
        }
    }

    /// What an error response to a request inside an allocation says.
    pub(super) fn of(code: u16) -> Self {
        match code {
            401 | 441 => Self::WrongPassword,
            403 | 405 => Self::Forbidden,
            400 | 420 => Self::NotUnderstood,
            437 => Self::Forgotten,
            440 | 443 => Self::Family,
            442 => Self::Transport,
            446 => Self::AlreadyConnected,
            447 => Self::CannotConnect,
            486 => Self::Quota,
            508 => Self::Full,
            code => Self::Broken(code),
        }
    }
}

/// A wrong call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// The user name is empty or longer than 508 bytes: show it beside the field.
    #[error("no user name that can be written")]
    BadUser,
    /// Streams are relayed only over a stream: set `reliable` and open one.
    #[error("streams are relayed only over a stream")]
    NeedsStream,
    /// This peer cannot be meant: nobody, everybody, this machine, the relay itself. Ignore the candidate.
    #[error("no peer's address")]
    BadPeer,
    /// [`super::MAX_PEERS`] are there already: forget one.
    #[error("too many peers")]
    TooManyPeers,
    /// It was not permitted, or is not yet ready: wait for its `PeerReady`.
    #[error("this peer is not ready")]
    NotReady,
    /// Longer than a datagram to a peer may be here: see [`super::MAX_DATA`].
    #[error("too long")]
    TooLong,
    /// Datagrams where streams are relayed, or the other way round.
    #[error("the allocation is of the other transport")]
    OtherTransport,
    /// The client is done: begin another.
    #[error("the allocation is gone")]
    Done,
}
