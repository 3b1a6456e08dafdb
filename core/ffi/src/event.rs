//! What the app pulls: pictures of the present, and moments.

use offhook_io::{Event as IoEvent, Silence};
use phone::Event as PhoneEvent;

use crate::error::Refused;
use crate::view::millis;
use crate::{AccountView, Balance, CallView, Came, Quality, QualityPoint, Reached, Why};

/// One event. *State* may skip what is outdated by now; a *moment* comes once and is never dropped.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Event {
    /// *State*: an account changed. Show it.
    Account {
        /// All of it.
        view: AccountView,
    },
    /// *State*: the accounts that there are, their names, order or default are others: read [`crate::Phone::account_list`] anew.
    Accounts,
    /// *State*: a call changed. Show it; the last one of a call is `Ended`.
    Call {
        /// All of it.
        view: CallView,
    },
    /// *State*: how a call sounds, every second or so.
    Quality {
        /// Which call.
        call: u32,
        /// How.
        quality: Quality,
    },
    /// *State*: by which way a call's sound goes, and why. For the details of a call; nothing needs to be done.
    Way {
        /// Which call.
        call: u32,
        /// How the other side is reached; none: nothing is chosen yet, or the other side makes no checks.
        reached: Option<Reached>,
        /// All that is known, for a person: the addresses of both sides, the pair in use, and why it is no straighter one.
        /// Addresses are personal.
        lines: Vec<String>,
    },
    /// *Moment*: how a call sounded from its beginning to its end. It comes after the call's last view: keep it, if at all.
    Timeline {
        /// Which call.
        call: u32,
        /// What one point spans, in seconds.
        span_s: u64,
        /// At least one.
        points: Vec<QualityPoint>,
    },
    /// *Moment*: nothing comes from the other side though it should. Say so until `SilenceEnded`, a hold or the end of the
    /// call.
    SilenceBegan {
        /// In which call.
        call: u32,
        /// For how long nothing has come, in milliseconds.
        since_ms: u64,
        /// Something came before. Else: nothing at all.
        heard_before: bool,
        /// Whether the other side receives us, where it says so.
        hears_us: Option<bool>,
    },
    /// *Moment*: something comes again.
    SilenceEnded {
        /// In which call.
        call: u32,
        /// The time without, in milliseconds.
        lasted_ms: u64,
    },
    /// *State*: when the phone must be awake next. Set the platform's alarm to it, in place of the one before.
    Wake {
        /// When, and why.
        wake: WakeAt,
    },
    /// *Moment*: the other side pressed a key.
    Digit {
        /// In which call.
        call: u32,
        /// `0`-`9`, `*`, `#`, `A`-`D`, or `!` for a hook flash.
        digit: String,
    },
    /// *Moment*: keys of ours may not have reached the other side. Say so: the user may press them again.
    DigitsLost {
        /// In which call.
        call: u32,
        /// How many.
        count: u32,
    },
    /// *Moment*: a text message came. Tell the user; it is kept, and `Messages` follows.
    Message {
        /// To which account.
        account: u32,
        /// The sender's URI.
        from: String,
        /// The number in it: its thread's.
        number: String,
        /// The sender's name, as it calls itself.
        name: Option<String>,
        /// Plain text.
        text: String,
    },
    /// *Moment*: an account is not registered, for its server has a certificate that is not accepted. Show it and ask whether it is
    /// the server's all the same: [`crate::Phone::trust`]. Only the fingerprint is beyond doubt, the rest is what a stranger
    /// wrote.
    Certificate {
        /// Which account.
        account: u32,
        /// Its SHA-256, to be compared with what the provider says: `AB:CD:...`.
        fingerprint: String,
        /// Whose it is; empty where it does not say.
        subject: String,
        /// Who has signed it.
        issuer: String,
        /// The servers that it is for.
        names: Vec<String>,
        /// From when, as `2026-11-27 18:00:00 UTC`.
        not_before: String,
        /// Until when.
        not_after: String,
        /// Why it is not accepted. `CertificateChanged`: warn of it, somebody may stand between.
        why: Why,
    },
    /// *State*: a text message cannot be sent yet, or was sent in vain, and is tried again; `MessageSent` ends it.
    MessageWaits {
        /// Which.
        message: u32,
        /// Why; none: its account is not registered yet.
        why: Option<Why>,
    },
    /// *Moment*: what became of a text message.
    MessageSent {
        /// Which.
        message: u32,
        /// Why it was not delivered; none: it was, or is on its way.
        why: Option<Why>,
    },
    /// *Moment*: a command came too late, for the world had moved on. [`Refused`] says what to show, if anything.
    Refused {
        /// What the command was about.
        subject: Subject,
        /// Why.
        why: Refused,
    },
    /// *Moment*: a call that was encrypted is so no more, by the other side's wish: tell the user. The call goes on.
    EncryptionLost {
        /// Which.
        call: u32,
    },
    /// *Moment*: there is no microphone or no speaker: tell the user. The call goes on, and sound is tried again by
    /// [`crate::Phone::restart_audio`].
    AudioFailed {
        /// For a person.
        sentence: String,
    },
    /// *Moment*: the password of an account cannot be read any more. Ask the user for it.
    PasswordLost {
        /// Which account.
        account: u32,
    },
    /// *Moment*: a file of sound or of a capture ended before its time, or has gaps; calls go on.
    FileEnded {
        /// For a person.
        sentence: String,
    },
    /// *State*: what a router on the way does to messages, and how it is gone round. Nothing needs to be done; show it where
    /// the person looks for what is wrong.
    Gateway {
        /// For a person.
        sentence: String,
    },
    /// *State*: messages wait for the person at the provider, or no longer.
    Voicemail {
        /// Of which account.
        account: u32,
        /// Whether any does.
        waiting: bool,
        /// Voice messages that nobody has heard; 0 where the provider does not count them.
        new: u32,
        /// Those that somebody has.
        old: u32,
        /// What to call to hear them; none: nobody has said it.
        mailbox: Option<String>,
    },
    /// *State*: the call log is another than before: read anew what is shown of it.
    CallLog {
        /// Missed calls that the person has not seen.
        unseen: u32,
    },
    /// *State*: what is left on an account, or why it is not known. Show the last amount with its age beside the trouble.
    Balance {
        /// Which account.
        account: u32,
        /// What was told last; none: nothing yet.
        balance: Option<Balance>,
        /// For a person, in English; none: the balance is fresh.
        trouble: Option<String>,
    },
    /// *State*: for how long a call to what was typed could be, or why that is not known: show it beside the number while it stands
    /// there.
    Minutes {
        /// By which account.
        account: u32,
        /// As it was typed.
        number: String,
        /// In seconds; none: it is not known, or such a call is not possible.
        seconds: Option<u64>,
        /// For a person, in English.
        trouble: Option<String>,
    },
    /// *Moment*: what came of a card ([`crate::Phone::top_up`]). A balance follows.
    ToppedUp {
        /// On which account.
        account: u32,
        /// What.
        came: Came,
        /// What the provider says, in its own words; or why not, in English.
        says: Option<String>,
    },
    /// *Moment*: what came of a call that the provider was asked to make ([`crate::Phone::call_back`]).
    CallBack {
        /// By which account.
        account: u32,
        /// Whom it calls in the end.
        number: String,
        /// What.
        came: Came,
        /// As for `ToppedUp`.
        says: Option<String>,
    },
    /// *State*: the kept text messages are others than before: read anew what is shown of them.
    Messages {
        /// Those that the person has not seen.
        unseen: u32,
    },
    /// *State*: the phone book is another than before, or is in memory now: read anew what is shown of it.
    Contacts,
    /// *Moment*: something of what the phone remembers is lost, or was not stored. Tell the user; calls go on.
    Memory {
        /// For a person.
        sentence: String,
    },
    /// *State*: how a watched person is ([`crate::Phone::watch`]).
    Presence {
        /// Which account watches.
        account: u32,
        /// Whom: a URI.
        who: String,
        /// The number in it.
        number: String,
        /// In one word.
        state: phone::PresenceState,
        /// In their own, if they say more. What a stranger wrote.
        note: Option<String>,
    },
    /// *Moment*: an account's server does not tell others how the user is. It is asked again when the account is changed.
    PresenceRefused {
        /// Which account.
        account: u32,
        /// The SIP status, for diagnostics.
        status: u16,
    },
    /// *Moment*: a bug. Calls were lost and are told as ended; accounts register again by themselves. Worth a report.
    Restarted {
        /// Which thread.
        thread: String,
        /// Where in the source; nothing personal.
        story: String,
    },
    /// *Moment*: after `shutdown`, everything has said goodbye. The last event.
    Stopped,
}

/// When the phone must be awake next.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WakeAt {
    /// Milliseconds since boot, sleep included; none: take the alarm back.
    pub at_ms: Option<u64>,
    /// For diagnostics: `register`, `keepalive`.
    pub why: String,
}

/// What a refused command was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Subject {
    /// A call.
    Call {
        /// Which.
        call: u32,
    },
    /// An account.
    Account {
        /// Which.
        account: u32,
    },
    /// A text message.
    Message {
        /// Which.
        message: u32,
    },
    /// The phone.
    Phone,
}

impl From<phone::Subject> for Subject {
    fn from(subject: phone::Subject) -> Self {
        match subject {
            phone::Subject::Call(call) => Self::Call { call: call.0 },
            phone::Subject::Account(account) => Self::Account { account: account.0 },
            phone::Subject::Message(message) => Self::Message { message: message.0 },
            phone::Subject::Phone => Self::Phone,
        }
    }
}

impl Event {
    /// What the app is told of it.
    pub(crate) fn of(event: IoEvent) -> Option<Self> {
        Some(match event {
            IoEvent::Phone(event) => return of_phone(event),
            IoEvent::Wake { at, why } => {
                Self::Wake { wake: WakeAt { at_ms: at.map(millis), why: why.into() } }
            }
            IoEvent::RecordingEnded { reason, .. }
            | IoEvent::PlayingEnded { reason, .. }
            | IoEvent::CaptureEnded { reason } => Self::FileEnded { sentence: reason },
            IoEvent::RecordingGaps { path, silent } => {
                let (path, seconds) = (path.display(), silent.as_secs_f64());
                let sentence = format!("{path}: {seconds:.1} s are silence, for the storage was too slow");
                Self::FileEnded { sentence }
            }
            IoEvent::History { unseen } => Self::CallLog { unseen: unseen as u32 },
            IoEvent::Messages { unseen } => Self::Messages { unseen: unseen as u32 },
            IoEvent::Contacts => Self::Contacts,
            IoEvent::Memory { reason } => Self::Memory { sentence: reason },
            IoEvent::AudioFailed { reason } => Self::AudioFailed { sentence: reason },
            IoEvent::Restarted { thread, story } => Self::Restarted { thread: thread.into(), story },
        })
    }
}

fn of_phone(event: PhoneEvent) -> Option<Event> {
    Some(match event {
        PhoneEvent::Account(view) => Event::Account { view: view.into() },
        PhoneEvent::Call(view) => Event::Call { view: view.into() },
        PhoneEvent::Message { account, from, name, text } => Event::Message {
            account: account.0,
            number: phone::number_of(from.reveal()),
            from: from.into_inner(),
            name: name.map(base::Redacted::into_inner),
            text: text.into_inner(),
        },
        PhoneEvent::MessageWaits { message, why, .. } => Event::MessageWaits { message: message.0, why },
        PhoneEvent::MessageSent { message, reason, .. } => {
            Event::MessageSent { message: message.0, why: reason }
        }
        PhoneEvent::Quality { call, stats } => Event::Quality { call: call.0, quality: stats.into() },
        PhoneEvent::Timeline { call, timeline } => Event::Timeline {
            call: call.0,
            span_s: timeline.span().as_secs(),
            points: timeline.points().iter().map(Into::into).collect(),
        },
        PhoneEvent::Silence { call, silence: Silence::Began { since, heard_before, hears_us } } => {
            let since_ms = since.as_millis() as u64;
            Event::SilenceBegan { call: call.0, since_ms, heard_before, hears_us }
        }
        PhoneEvent::Silence { call, silence: Silence::Ended { lasted } } => {
            Event::SilenceEnded { call: call.0, lasted_ms: lasted.as_millis() as u64 }
        }
        PhoneEvent::Refused { subject, reason } => {
            Event::Refused { subject: subject.into(), why: reason.into() }
        }
        PhoneEvent::EncryptionLost { call } => Event::EncryptionLost { call: call.0 },
        PhoneEvent::DtmfLost { call, keys } => Event::DigitsLost { call: call.0, count: keys as u32 },
        PhoneEvent::Dtmf { call, digit, .. } => Event::Digit { call: call.0, digit: digit.as_char().into() },
        PhoneEvent::Voicemail { account, voicemail } => Event::Voicemail {
            account: account.0,
            waiting: voicemail.waiting,
            new: voicemail.new,
            old: voicemail.old,
            mailbox: voicemail.mailbox.map(base::Redacted::into_inner),
        },
        PhoneEvent::Presence { account, who, presence } => Event::Presence {
            account: account.0,
            number: phone::number_of(who.reveal()),
            who: who.into_inner(),
            state: presence.state,
            note: presence.note.map(base::Redacted::into_inner),
        },
        PhoneEvent::PresenceRefused { account, status } => {
            Event::PresenceRefused { account: account.0, status }
        }
        PhoneEvent::Gateway(gateway) => Event::Gateway { sentence: gateway.to_string() },
        PhoneEvent::Stopped => Event::Stopped,
        PhoneEvent::Way { call, report } => Event::Way {
            call: call.0,
            reached: report.pair.as_ref().map(Reached::of),
            lines: report.to_string().lines().map(str::to_owned).collect(),
        },
        PhoneEvent::Certificate { account, certificate, why } => Event::Certificate {
            account: account.0,
            fingerprint: certificate.fingerprint.to_string(),
            subject: certificate.subject,
            issuer: certificate.issuer,
            names: certificate.names,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            why,
        },
        // Kept on this side of the door.
        PhoneEvent::Learnt(_) | PhoneEvent::Trusted { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use nat::Kind;
    use nat::ice::{Counts, Pair};
    use nat::path::{Report, Route};
    use phone::CallId;

    use super::*;

    #[test]
    fn the_way_of_a_call_is_a_word_and_lines_and_what_is_not_chosen_yet_is_no_word() {
        let (local, remote) = ("10.0.0.1:4000".parse().unwrap(), "198.51.100.2:4000".parse().unwrap());
        let kinds = (Kind::Host, Kind::Relayed);
        let pair =
            Pair { local, remote, mapped: local, local_kind: kinds.0, remote_kind: kinds.1, tcp: false };
        let told = |pair| {
            let report = Report {
                ours: Vec::new(),
                theirs: Vec::new(),
                pair,
                settled: true,
                route: Route::Plain,
                round_trip: None,
                counts: Counts::default(),
                mute: Vec::new(),
            };
            let event = PhoneEvent::Way { call: CallId(7), report: Box::new(report) };
            let Some(Event::Way { call: 7, reached, lines }) = of_phone(event) else {
                panic!("a way of that call")
            };
            (reached, lines.len())
        };
        assert_eq!(told(Some(pair)), (Some(Reached::Relayed), 2));
        assert_eq!(told(None), (None, 1));
    }
}
