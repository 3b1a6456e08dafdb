//! The phone's events as JSON lines.

use std::num::NonZeroU32;
use std::time::Duration;

use base::{Instant, Redacted};
use offhook_io::Event;
use phone::{AccountState, AccountView, CallState, CallView, Side, Subject, Transfer, Via};
use serde::Serialize;

use super::roster::{Roster, Which, Whose};
use crate::diagnose::Router;

/// One object on stdout. Absent is what is not known, and what is not built.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Line {
    Registration(Registration),
    Call(Call),
    Quality(Quality),
    Timeline(Timeline),
    Silence(Silence),
    /// By which way a call's media goes, and why.
    Way {
        call: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<&'static str>,
        lines: Vec<String>,
    },
    Dtmf {
        call: u32,
        digit: char,
        via: &'static str,
    },
    Message {
        from: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        text: String,
        #[serde(flatten)]
        whose: Whose,
    },
    /// A message of ours is sent later.
    Waits {
        message: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(flatten)]
        whose: Whose,
    },
    Sent {
        message: u32,
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Status {
        accounts: Vec<Registration>,
        calls: Vec<Call>,
    },
    /// What lies between us and a STUN server.
    Router(Router),
    /// What a router does to messages.
    Gateway {
        sentence: String,
    },
    /// Messages that wait at the provider.
    Voicemail {
        new: u32,
        old: u32,
        waiting: bool,
        /// What to call to hear them.
        #[serde(skip_serializing_if = "Option::is_none")]
        mailbox: Option<String>,
        #[serde(flatten)]
        whose: Whose,
    },
    /// How a watched person is.
    Presence {
        who: String,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(flatten)]
        whose: Whose,
    },
    /// The server has a certificate that is not accepted: `trust` takes it all the same.
    Certificate {
        fingerprint: String,
        subject: String,
        issuer: String,
        names: Vec<String>,
        not_before: String,
        not_after: String,
        reason: String,
        #[serde(flatten)]
        whose: Whose,
    },
    /// The server is known by this certificate from now on. A stored account keeps it; for one of a settings file `tls_pin`
    /// there does.
    Trusted {
        fingerprint: String,
        #[serde(flatten)]
        whose: Whose,
    },
    Error {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        call: Option<u32>,
        #[serde(flatten)]
        whose: Whose,
    },
}

/// An account, whole.
#[derive(Debug, Serialize)]
pub(crate) struct Registration {
    account: String,
    #[serde(flatten)]
    which: Which,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_in: Option<u64>,
    /// What could not be opened under VOS encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<Dropped>,
}

/// Counts, since the settings were made.
#[derive(Debug, Serialize)]
pub(crate) struct Dropped {
    plain: u32,
    broken: u32,
    noise: u32,
}

/// A call, whole.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the contract's word for its number")]
pub(crate) struct Call {
    call: u32,
    #[serde(flatten)]
    whose: Whose,
    direction: &'static str,
    state: &'static str,
    remote: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Who says so: `pai`, `stir`, `rpid` or `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    said_by: Option<&'static str>,
    /// What the provider found when it checked the number's signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    /// What we found: the level `A`, `B` or `C`, `false`, `asking` or `unproven`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stir: Option<&'static str>,
    /// The same, as a sentence, with who has signed or why it is not believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    stir_says: Option<String>,
    /// They do not want to be known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<&'static str>,
    encrypted: &'static str,
    /// Lines of keys that were dropped of their descriptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    bad_keys: Option<NonZeroU32>,
    /// False where no reports go with its media.
    #[serde(skip_serializing_if = "Option::is_none")]
    reports: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'static str>,
    /// By which way and why, in `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<String>,
    muted: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    conference: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<f64>,
}

/// How a call sounds.
#[derive(Debug, Serialize)]
pub(crate) struct Quality {
    call: u32,
    mos: f64,
    /// Percent that was not played: lost or late.
    loss: f64,
    jitter_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_ms: Option<f64>,
    sent: u64,
    received: u64,
    lost: u64,
    late: u64,
    level_in_dbov: f64,
    level_out_dbov: f64,
}

/// How a call sounded: a row for each span of time, its figures in the order of the columns.
#[derive(Debug, Serialize)]
pub(crate) struct Timeline {
    call: u32,
    span_s: u64,
    columns: [&'static str; 9],
    points: Vec<Row>,
}

/// End, score, percent lost and late, milliseconds made up, of jitter, of the round trip and from mouth to ear, codec.
type Row = (f64, f64, f64, f64, f64, f64, Option<f64>, f64, Option<&'static str>);

const COLUMNS: [&str; 9] =
    ["at_s", "mos", "lost", "late", "concealed_ms", "jitter_ms", "rtt_ms", "delay_ms", "codec"];

/// Nothing comes from the other side, or something comes again.
#[derive(Debug, Serialize)]
pub(crate) struct Silence {
    call: u32,
    state: &'static str,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    heard_before: Option<bool>,
    /// Whether the other side receives us, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    hears_us: Option<bool>,
    reason: String,
}

impl Line {
    /// An error event about no call in particular.
    pub(crate) fn error(reason: impl Into<String>) -> Self {
        Self::Error { reason: reason.into(), call: None, whose: Whose::default() }
    }

    /// The same about one account.
    pub(crate) fn error_of(whose: Whose, reason: String) -> Self {
        Self::Error { reason, call: None, whose }
    }

    /// The line of an event of one of these accounts; `None` for one that is not shown.
    pub(crate) fn of(event: &Event, roster: &Roster) -> Option<Self> {
        match event {
            Event::Phone(event) => Self::of_phone(event, roster),
            Event::Wake { .. } | Event::History { .. } | Event::Messages { .. } | Event::Contacts => None,
            Event::RecordingEnded { .. }
            | Event::RecordingGaps { .. }
            | Event::PlayingEnded { .. }
            | Event::AudioFailed { .. }
            | Event::CaptureEnded { .. }
            | Event::Memory { .. }
            | Event::Restarted { .. } => super::picture::sentence(event, roster).map(Self::error),
        }
    }

    fn of_phone(event: &phone::Event, roster: &Roster) -> Option<Self> {
        use phone::Event;
        Some(match event {
            Event::Account(view) => Self::Registration(Registration::of(view, roster)),
            Event::Call(view) => Self::Call(Call::of(view, roster)),
            Event::Quality { call, stats } => Self::Quality(Quality {
                call: call.0,
                mos: hundredths(stats.mos.into()),
                loss: hundredths(loss_percent(stats)),
                jitter_ms: ms(stats.jitter),
                rtt_ms: stats.round_trip.map(ms),
                sent: stats.sent,
                received: stats.received,
                lost: stats.lost,
                late: stats.late,
                level_in_dbov: hundredths(stats.level_in_dbov.into()),
                level_out_dbov: hundredths(stats.level_out_dbov.into()),
            }),
            Event::Timeline { call, timeline } => Self::Timeline(Timeline::of(call.0, timeline)),
            Event::Way { call, report } => Self::Way {
                call: call.0,
                path: report.pair.as_ref().map(|pair| nat::path::Reached::of(pair).word()),
                lines: report.to_string().lines().map(str::to_owned).collect(),
            },
            Event::Silence { call, silence } => Self::Silence(Silence::of(call.0, silence)),
            Event::Dtmf { call, digit, via } => {
                let via = match via {
                    Via::Events => "rfc4733",
                    Via::Info => "info",
                    Via::Tones => "inband",
                };
                Self::Dtmf { call: call.0, digit: digit.as_char(), via }
            }
            Event::EncryptionLost { call } => Self::Error {
                reason: "the other side has ended the encryption of the call".into(),
                call: Some(call.0),
                whose: Whose::default(),
            },
            Event::DtmfLost { call, keys } => Self::Error {
                reason: format!("{keys} digits may not have reached the other side"),
                call: Some(call.0),
                whose: Whose::default(),
            },
            Event::Message { account, from, name, text } => Self::Message {
                from: shown(from),
                name: name.as_ref().map(shown),
                text: shown(text),
                whose: roster.whose(*account),
            },
            Event::MessageWaits { message, account, status, why } => Self::Waits {
                message: message.0,
                status: *status,
                reason: why.as_ref().map(ToString::to_string),
                whose: roster.whose(*account),
            },
            Event::MessageSent { message, status, reason } => Self::Sent {
                message: message.0,
                status: *status,
                reason: reason.as_ref().map(ToString::to_string),
            },
            Event::Refused { subject, reason } => Self::Error {
                reason: reason.to_string(),
                call: match subject {
                    Subject::Call(call) => Some(call.0),
                    Subject::Account(_) | Subject::Message(_) | Subject::Phone => None,
                },
                whose: match subject {
                    Subject::Account(account) => roster.whose(*account),
                    Subject::Call(_) | Subject::Message(_) | Subject::Phone => Whose::default(),
                },
            },
            Event::Voicemail { account, voicemail } => Self::Voicemail {
                new: voicemail.new,
                old: voicemail.old,
                waiting: voicemail.waiting,
                mailbox: voicemail.mailbox.as_ref().map(|it| it.reveal().clone()),
                whose: roster.whose(*account),
            },
            Event::Presence { .. } | Event::PresenceRefused { .. } => {
                return super::presence::line(event, roster);
            }
            Event::Gateway(gateway) => Self::Gateway { sentence: gateway.to_string() },
            Event::Certificate { account, certificate, why } => Self::Certificate {
                fingerprint: certificate.fingerprint.to_string(),
                subject: certificate.subject.clone(),
                issuer: certificate.issuer.clone(),
                names: certificate.names.clone(),
                not_before: certificate.not_before.clone(),
                not_after: certificate.not_after.clone(),
                reason: why.to_string(),
                whose: roster.whose(*account),
            },
            Event::Trusted { account, fingerprint } => {
                Self::Trusted { fingerprint: fingerprint.to_string(), whose: roster.whose(*account) }
            }
            Event::Learnt(_) | Event::Stopped => return None,
        })
    }
}

impl Timeline {
    fn of(call: u32, timeline: &media::Timeline) -> Self {
        let row = |point: &media::Point| -> Row {
            let percent = |part: u32| hundredths(f64::from(part) * 100.0 / f64::from(point.expected.max(1)));
            (
                hundredths(point.at.as_secs_f64()),
                hundredths(point.mos.into()),
                percent(point.lost),
                percent(point.late),
                ms(point.concealed),
                ms(point.jitter),
                point.round_trip.map(ms),
                ms(point.delay),
                point.codec.map(media::Codec::name),
            )
        };
        Self {
            call,
            span_s: timeline.span().as_secs(),
            columns: COLUMNS,
            points: timeline.points().iter().map(row).collect(),
        }
    }
}

impl Silence {
    fn of(call: u32, silence: &media::Silence) -> Self {
        let reason = silence.to_string();
        let seconds = |time: Duration| hundredths(time.as_secs_f64());
        match *silence {
            media::Silence::Began { since, heard_before, hears_us } => Self {
                call,
                state: "began",
                seconds: seconds(since),
                heard_before: Some(heard_before),
                hears_us,
                reason,
            },
            media::Silence::Ended { lasted } => Self {
                call,
                state: "ended",
                seconds: seconds(lasted),
                heard_before: None,
                hears_us: None,
                reason,
            },
        }
    }
}

impl Registration {
    /// Of one of these accounts.
    pub(crate) fn of(view: &AccountView, roster: &Roster) -> Self {
        Self {
            account: user(view.uri.reveal()).to_owned(),
            which: roster.which(view.account),
            state: account_word(view.state),
            expires: view.expires.map(|d| d.as_secs()),
            status: view.status,
            reason: view.reason.as_ref().map(ToString::to_string),
            // Rounded up: by then it has been tried.
            retry_in: view.retry_in.map(|d| d.as_millis().div_ceil(1000) as u64),
            dropped: (!view.dropped.is_none()).then_some(Dropped {
                plain: view.dropped.plain,
                broken: view.dropped.broken,
                noise: view.dropped.noise,
            }),
        }
    }
}

impl Call {
    /// The same, and by which way it goes and why.
    pub(crate) fn with_way(view: &CallView, roster: &Roster, way: Option<String>) -> Self {
        Self { way, ..Self::of(view, roster) }
    }

    /// Of one of these accounts.
    fn of(view: &CallView, roster: &Roster) -> Self {
        let since = |from: Option<Instant>, to: Option<Instant>| Some(to?.since(from?));
        let identity = view.identity.as_ref();
        let passport = identity.and_then(|it| it.passport.as_ref());
        Self {
            call: view.call.0,
            whose: roster.whose(view.account),
            direction: match view.side {
                Side::In => "in",
                Side::Out => "out",
            },
            state: call_word(view.state),
            remote: shown(&view.remote),
            name: view.name.as_ref().map(shown),
            said_by: identity.map(|it| it.by.word()),
            verified: identity.and_then(|it| it.verified),
            stir: passport.map(phone::Passport::word),
            stir_says: passport.map(ToString::to_string),
            hidden: identity.is_some_and(|it| it.hidden),
            codec: view.codec.map(media::Codec::name),
            encrypted: view.encrypted.word(),
            bad_keys: NonZeroU32::new(view.bad_keys),
            reports: view.no_reports.then_some(false),
            path: view.path.map(nat::path::Reached::word),
            way: None,
            muted: view.muted,
            conference: view.conference,
            transfer: view.transfer.map(|transfer| match transfer {
                Transfer::Asking => "asking",
                Transfer::Trying => "trying",
                Transfer::Ringing => "ringing",
                Transfer::Done => "done",
                Transfer::Failed(_) => "failed",
            }),
            status: view.status,
            reason: view.reason.clone(),
            explanation: view.explanation.as_ref().map(ToString::to_string),
            setup_ms: since(Some(view.started), view.answered).map(ms),
            duration_s: since(view.answered, view.ended).map(|d| hundredths(d.as_secs_f64())),
        }
    }
}

/// The contract's word for a registration's state.
pub(crate) fn account_word(state: AccountState) -> &'static str {
    match state {
        AccountState::Registering => "registering",
        AccountState::Registered => "registered",
        AccountState::Failed => "failed",
        AccountState::Unregistered => "unregistered",
    }
}

/// The contract's word for a call's state.
pub(crate) fn call_word(state: CallState) -> &'static str {
    match state {
        CallState::Announced => "announced",
        CallState::Calling => "calling",
        CallState::Ringing => "ringing",
        CallState::Early => "early",
        CallState::Active => "active",
        CallState::Held => "held",
        CallState::RemoteHeld => "remote_held",
        CallState::Ended => "ended",
    }
}

/// The user part of an address of record, which names the account here.
pub(crate) fn user(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    rest.split(['@', ';']).next().unwrap_or(rest)
}

/// Percent of what they sent that was not played.
pub(crate) fn loss_percent(stats: &media::Stats) -> f64 {
    (stats.lost + stats.late) as f64 * 100.0 / (stats.received + stats.lost).max(1) as f64
}

fn shown(text: &Redacted<String>) -> String {
    text.reveal().clone()
}

fn ms(d: Duration) -> f64 {
    hundredths(d.as_secs_f64() * 1000.0)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;
