//! What the app shows: whole pictures of a call and of an account.
//!
//! `phone`'s views, with names revealed (they are the app's to show, never to log) and times the platform can read.

use crate::{CallerIdentity, Why};

/// Milliseconds since boot, sleep included.
pub(crate) fn millis(at: base::Instant) -> u64 {
    at.as_nanos() / 1_000_000
}

/// One call, whole.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct CallView {
    /// Which call.
    pub call: u32,
    /// Counts up with every change; only the newest matters.
    pub revision: u32,
    /// The account it goes over.
    pub account: u32,
    /// Who called whom.
    pub side: Side,
    /// Where it stands.
    pub state: CallState,
    /// The other side's URI.
    pub remote: String,
    /// The number or user name in it, to show where there is no name.
    pub number: String,
    /// The other side's display name, as it calls itself.
    pub name: Option<String>,
    /// What is sent, in the field's words (`PCMU`); for the details of a call.
    pub codec: Option<String>,
    /// How what is said is kept from others.
    pub encrypted: Encrypted,
    /// Whether the user closed the microphone.
    pub muted: bool,
    /// Whether the user has merged it with others: all that say so hear each other, unless they are on hold.
    pub conference: bool,
    /// How the transfer of this call fares, once one was asked for.
    pub transfer: Option<TransferState>,
    /// The call that this one replaces or was started for, in a transfer.
    pub on_behalf_of: Option<u32>,
    /// Once ended: why.
    pub why: Option<Why>,
    /// The status and the words of the other side or the network, for the details of a call: `486 Busy Here`.
    pub said: Option<String>,
    /// When it began.
    pub started_ms: u64,
    /// When it was answered.
    pub answered_ms: Option<u64>,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// How far `remote` and `name` are to be believed, where the other side called.
    #[uniffi(default = None)]
    pub identity: Option<CallerIdentity>,
    /// Lines of keys in their descriptions that were dropped: that cannot be read, lie, or are for suites that we do not have.
    #[uniffi(default = 0)]
    pub bad_keys: u32,
    /// No reports go with its sound, so that neither side hears how it fares at the other; for the details of a call.
    #[uniffi(default = false)]
    pub no_reports: bool,
}

impl From<phone::CallView> for CallView {
    fn from(view: phone::CallView) -> Self {
        let remote = view.remote.into_inner();
        let number = phone::number_of(&remote);
        let said = view.status.map(|status| match &view.reason {
            Some(reason) => format!("{status} {reason}"),
            None => status.to_string(),
        });
        Self {
            call: view.call.0,
            revision: view.revision,
            account: view.account.0,
            side: view.side,
            state: view.state,
            number,
            remote,
            name: view.name.map(base::Redacted::into_inner),
            codec: view.codec.map(|codec| codec.name().to_owned()),
            encrypted: view.encrypted,
            muted: view.muted,
            conference: view.conference,
            transfer: view.transfer.map(Into::into),
            on_behalf_of: view.on_behalf_of.map(|call| call.0),
            why: view.explanation,
            said,
            started_ms: millis(view.started),
            answered_ms: view.answered.map(millis),
            ended_ms: view.ended.map(millis),
            identity: view.identity.as_ref().map(CallerIdentity::of),
            bad_keys: view.bad_keys,
            no_reports: view.no_reports,
        }
    }
}

/// Who called whom.
#[uniffi::remote(Enum)]
pub enum Side {
    In,
    Out,
}
pub use phone::Side;

pub use phone::Encrypted;

/// How a call's media is kept from others.
#[uniffi::remote(Enum)]
pub enum Encrypted {
    None,
    VosXor,
    Sdes,
    Dtls,
}

pub use phone::CallState;

/// Where a call stands.
#[uniffi::remote(Enum)]
pub enum CallState {
    Announced,
    Calling,
    Ringing,
    Early,
    Active,
    Held,
    RemoteHeld,
    Ended,
}

/// How the transfer of a call fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum TransferState {
    /// The other side is being asked.
    Asking,
    /// It agreed and calls.
    Trying,
    /// It rings there.
    Ringing,
    /// Done: this call ends.
    Done,
    /// It did not work out; the call is still here, on hold.
    Failed,
}

impl From<phone::Transfer> for TransferState {
    fn from(transfer: phone::Transfer) -> Self {
        match transfer {
            phone::Transfer::Asking => Self::Asking,
            phone::Transfer::Trying => Self::Trying,
            phone::Transfer::Ringing => Self::Ringing,
            phone::Transfer::Done => Self::Done,
            phone::Transfer::Failed(_) => Self::Failed,
        }
    }
}

/// One account, whole.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct AccountView {
    /// Which account.
    pub account: u32,
    /// Counts up with every change; only the newest matters.
    pub revision: u32,
    /// The address of record.
    pub uri: String,
    /// The number or user name in it.
    pub number: String,
    /// Where its registration stands.
    pub state: AccountState,
    /// How far it has got: under way, or failed at.
    pub step: Step,
    /// Why it failed.
    pub why: Option<Why>,
    /// The status of a failure, for its details.
    pub said: Option<String>,
    /// When it is tried again; none while failed means never by itself.
    pub retry_ms: Option<u64>,
    /// For how long the registrar took us, in seconds, while registered.
    pub expires_s: Option<u32>,
}

impl From<phone::AccountView> for AccountView {
    fn from(view: phone::AccountView) -> Self {
        let uri = view.uri.into_inner();
        let seconds = |expires: std::time::Duration| u32::try_from(expires.as_secs()).unwrap_or(u32::MAX);
        Self {
            account: view.account.0,
            revision: view.revision,
            number: phone::number_of(&uri),
            uri,
            state: view.state,
            step: view.step,
            why: view.reason,
            said: view.status.map(|status| status.to_string()),
            retry_ms: view.retry_in.map(|wait| millis(view.as_of + wait)),
            expires_s: view.expires.map(seconds),
        }
    }
}

pub use phone::AccountState;

/// Where a registration stands.
#[uniffi::remote(Enum)]
pub enum AccountState {
    Registering,
    Registered,
    Failed,
    Unregistered,
}

pub use phone::Step;

/// What a registration has to get done, in this order.
#[uniffi::remote(Enum)]
pub enum Step {
    Find,
    Reach,
    Register,
    Done,
}

/// How a call sounds.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Quality {
    /// The listener's opinion by the E-model, 1.0 to 4.5. ITU-T G.107.
    pub mos: f32,
    /// Of the packets sent to us, the share that was lost, 0.0 to 1.0.
    pub loss: f32,
    /// Variation of arrival, in milliseconds. RFC 3550 section 6.4.1.
    pub jitter_ms: f32,
    /// Round trip, in milliseconds, once reports went both ways.
    pub round_trip_ms: Option<f32>,
}

impl From<offhook_io::Stats> for Quality {
    fn from(stats: offhook_io::Stats) -> Self {
        let ms = |time: std::time::Duration| time.as_secs_f32() * 1000.0;
        let all = stats.received + stats.lost;
        let loss = if all == 0 { 0.0 } else { stats.lost as f32 / all as f32 };
        Self { mos: stats.mos, loss, jitter_ms: ms(stats.jitter), round_trip_ms: stats.round_trip.map(ms) }
    }
}

/// How a call sounded for a while.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct QualityPoint {
    /// The end of that while, in milliseconds since the call's sound began.
    pub at_ms: u64,
    /// The listener's opinion, 1.0 to 4.5.
    pub mos: f32,
    /// Of the packets sent to us, the share that never came, 0.0 to 1.0.
    pub lost: f32,
    /// The share that came too late.
    pub late: f32,
    /// Sound that was made up for what was missing, in milliseconds.
    pub concealed_ms: f32,
    /// Variation of arrival, in milliseconds.
    pub jitter_ms: f32,
    /// Round trip, in milliseconds, where it was known.
    pub round_trip_ms: Option<f32>,
    /// From mouth to ear, in milliseconds, estimated.
    pub delay_ms: f32,
    /// Their codec, where one was heard: `PCMU`, `G729`.
    pub codec: Option<String>,
}

impl From<&offhook_io::Point> for QualityPoint {
    fn from(point: &offhook_io::Point) -> Self {
        let ms = |time: std::time::Duration| time.as_secs_f32() * 1000.0;
        let share = |part: u32| part as f32 / point.expected.max(1) as f32;
        Self {
            at_ms: point.at.as_millis() as u64,
            mos: point.mos,
            lost: share(point.lost),
            late: share(point.late),
            concealed_ms: ms(point.concealed),
            jitter_ms: ms(point.jitter),
            round_trip_ms: point.round_trip.map(ms),
            delay_ms: ms(point.delay),
            codec: point.codec.map(|codec| codec.name().to_owned()),
        }
    }
}
