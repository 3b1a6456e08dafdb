//! What the interactive phone shows, as lines of text. Draws nothing itself, so that a test can look at it.

use std::path::Path;
use std::time::Duration;

use base::Instant;
use phone::{
    AccountId, AccountState, AccountView, CallState, CallView, Encrypted, Passport, Side, Unproven, Why,
};

use super::desk::Desk;
use super::line::{account_word, call_word, loss_percent, user};
use super::roster::Roster;

/// The quietest level that the meter shows, in dBov.
const METER_FLOOR: f32 = -60.0;
/// Its width.
const METER: usize = 20;

/// The lines above the prompt, none wider than the terminal.
pub(crate) fn lines(desk: &Desk, said: &[String], size: (u16, u16), now: Instant) -> Vec<String> {
    let (width, height) = (usize::from(size.0.max(20)), usize::from(size.1));
    let mut lines = account_lines(&desk.roster);
    lines.push("-".repeat(width));
    if desk.calls.is_empty() {
        lines.push(" no call".into());
    }
    let current = desk.current();
    for (id, call) in &desk.calls {
        let mark = if current == Some(*id) && desk.calls.len() > 1 { '>' } else { ' ' };
        lines.push(format!("{mark}{}", call_line(call, &desk.roster, now)));
        if let Some(stats) = desk.quality.get(id) {
            lines.push(meter_line("hear", stats.level_in_dbov));
            lines.push(meter_line("say", stats.level_out_dbov));
            lines.push(quality_line(stats));
        }
    }
    lines.push("-".repeat(width));
    let keys = if desk.roster.is_several() {
        " Enter: call, answer   Esc: hang up, decline   Tab: account   help   Ctrl-C: quit"
    } else {
        " Enter: call or answer   Esc: hang up or decline   help   Ctrl-C: quit"
    };
    // The prompt and the keys stand below.
    let room = height.saturating_sub(lines.len() + 2);
    lines.extend(said[said.len().saturating_sub(room)..].iter().map(|line| format!(" {line}")));
    lines.resize(height.saturating_sub(2).max(lines.len()), String::new());
    lines.push(keys.into());
    lines.iter().map(|line| harmless(line).chars().take(width).collect()).collect()
}

/// What a certificate says of itself, before the person is asked about it: in lines that fit a narrow terminal, the
/// fingerprint in two of them.
pub(crate) fn certificate(event: &offhook_io::Event) -> Vec<String> {
    let offhook_io::Event::Phone(phone::Event::Certificate { certificate, .. }) = event else {
        return Vec::new();
    };
    let base::Certificate { fingerprint, subject, issuer, names, not_before, not_after } = &**certificate;
    let digits = fingerprint.to_string();
    let (first, second) = digits.split_at(digits.len() / 2 + 1);
    let mut lines = vec![
        format!("certificate of {}", if subject.is_empty() { "nobody in particular" } else { subject }),
        format!("  signed by {}", if issuer == subject { "itself" } else { issuer }),
        format!("  valid {not_before} to {not_after}"),
        format!("  SHA-256 {first}"),
        format!("          {second}"),
    ];
    if !names.is_empty() {
        lines.insert(1, format!("  for {}", names.join(", ")));
    }
    lines.iter().map(|line| harmless(line)).collect()
}

/// Without control characters: names and texts are a stranger's, and would command the terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// One account in a line with the program's name; of several each in its own, marked that which calls go by.
fn account_lines(roster: &Roster) -> Vec<String> {
    if !roster.is_several() {
        return vec![match roster.views().next() {
            Some(view) => format!(" Offhook  {}", account_line(view)),
            None => " Offhook".into(),
        }];
    }
    let line = |view: &AccountView| {
        let mark = if roster.by() == Some(view.account) { '*' } else { ' ' };
        let name = roster.member(view.account).map_or("", |member| &member.name);
        format!("{mark}{:>3} {name}  {}", view.account.0, account_line(view))
    };
    std::iter::once(" Offhook".to_owned()).chain(roster.views().map(line)).collect()
}

fn account_line(view: &AccountView) -> String {
    format!("{}  {}", view.uri.reveal(), registration(view))
}

/// `registered for 300 s`, `failed, again in 4 s: The server did not answer.`
fn registration(view: &AccountView) -> String {
    let state = account_word(view.state);
    let when = match (view.state, view.expires, view.retry_in) {
        (AccountState::Registered, Some(expires), _) => format!(" for {} s", expires.as_secs()),
        (AccountState::Failed, _, Some(retry)) => format!(", again in {} s", retry.as_secs()),
        _ => String::new(),
    };
    let why = view.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let dropped = if view.dropped.is_none() { String::new() } else { format!("; {}", view.dropped) };
    format!("{state}{when}{why}{dropped}")
}

fn call_line(call: &CallView, roster: &Roster, now: Instant) -> String {
    let who = match &call.name {
        Some(name) => format!("{} ({})", name.reveal(), user(call.remote.reveal())),
        None => user(call.remote.reveal()).to_owned(),
    };
    let arrow = match call.side {
        Side::In => "<-",
        Side::Out => "->",
    };
    let mut parts = vec![format!("{} {arrow} {who}", call.call.0), state_words(call.state).into()];
    parts.extend(call.answered.map(|answered| clock(now.since(answered))));
    parts.extend(call.codec.map(|codec| codec.name().into()));
    parts.extend((call.encrypted != Encrypted::None).then(|| call.encrypted.word().into()));
    parts.extend(call.path.map(|path| path.to_string()));
    parts.extend((call.bad_keys > 0).then(|| format!("{} of their keys unusable", call.bad_keys)));
    parts.extend(call.no_reports.then(|| "without reports".into()));
    // Experimental, and no secrecy.
    parts.extend((call.encrypted == phone::Encrypted::VosXor).then(|| "disguised (experimental)".into()));
    parts.extend(call.muted.then(|| "muted".into()));
    parts.extend(call.conference.then(|| "conference".into()));
    let member = roster.member(call.account).filter(|_| roster.is_several());
    parts.extend(member.map(|member| format!("by {}", member.name)));
    parts.join("  ")
}

fn state_words(state: CallState) -> &'static str {
    match state {
        CallState::Held => "on hold",
        CallState::RemoteHeld => "put on hold by the other side",
        CallState::Announced
        | CallState::Calling
        | CallState::Ringing
        | CallState::Early
        | CallState::Active
        | CallState::Ended => call_word(state),
    }
}

/// `1:02`, or `1:00:02`.
fn clock(time: Duration) -> String {
    let s = time.as_secs();
    if s < 3600 {
        format!("{}:{:02}", s / 60, s % 60)
    } else {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

fn meter_line(label: &str, level_dbov: f32) -> String {
    let share = ((level_dbov - METER_FLOOR) / -METER_FLOOR).clamp(0.0, 1.0);
    let lit = (share * METER as f32).round() as usize;
    let level = if level_dbov <= METER_FLOOR { "silent".into() } else { format!("{level_dbov:.0} dBov") };
    format!("    {label:<5}[{}{}] {level}", "#".repeat(lit), " ".repeat(METER - lit))
}

fn quality_line(stats: &media::Stats) -> String {
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    let line = format!(
        "    loss {:.1} %  jitter {:.1} ms  MOS {:.1}",
        loss_percent(stats),
        ms(stats.jitter),
        stats.mos
    );
    match stats.round_trip {
        Some(round_trip) => format!("{line}  round trip {:.0} ms", ms(round_trip)),
        None => line,
    }
}

/// One event of one of these accounts as a sentence; `None` for what the picture shows anyway.
pub(crate) fn sentence(event: &offhook_io::Event, roster: &Roster) -> Option<String> {
    use offhook_io::Event;
    match event {
        Event::Phone(event) => {
            let before = about(event).map(|account| roster.before(account)).unwrap_or_default();
            phone_sentence(event, roster).map(|sentence| before + &harmless(&sentence))
        }
        Event::Wake { .. } | Event::History { .. } | Event::Messages { .. } | Event::Contacts => None,
        Event::RecordingEnded { path, reason } => {
            Some(format!("{}: the recording ended: {reason}", path.display()))
        }
        Event::RecordingGaps { path, silent } => Some(gaps(path, *silent)),
        Event::PlayingEnded { path, reason } => {
            Some(format!("{}: silence from now on: {reason}", path.display()))
        }
        Event::AudioFailed { reason } | Event::CaptureEnded { reason } | Event::Memory { reason } => {
            Some(reason.clone())
        }
        Event::Restarted { thread, story } => {
            Some(format!("a bug in the {thread} thread, calls were lost, please report: {story}"))
        }
    }
}

fn gaps(path: &Path, silent: Duration) -> String {
    let seconds = silent.as_secs_f64();
    format!("{}: the disk was too slow, {seconds:.1} s of the recording are silence", path.display())
}

/// Whose an event is, where its sentence does not say so itself.
fn about(event: &phone::Event) -> Option<AccountId> {
    use phone::{Event, Subject};
    match event {
        Event::Call(view) if view.state == CallState::Ringing && view.side == Side::In => Some(view.account),
        Event::Message { account, .. }
        | Event::MessageWaits { account, .. }
        | Event::Voicemail { account, .. }
        | Event::Presence { account, .. }
        | Event::PresenceRefused { account, .. }
        | Event::Certificate { account, .. }
        | Event::Trusted { account, .. }
        | Event::Refused { subject: Subject::Account(account), .. } => Some(*account),
        Event::Account(_)
        | Event::Call(_)
        | Event::Gateway(_)
        | Event::EncryptionLost { .. }
        | Event::MessageSent { .. }
        | Event::Dtmf { .. }
        | Event::DtmfLost { .. }
        | Event::Quality { .. }
        | Event::Way { .. }
        | Event::Timeline { .. }
        | Event::Silence { .. }
        | Event::Learnt(_)
        | Event::Refused { .. }
        | Event::Stopped => None,
    }
}

fn phone_sentence(event: &phone::Event, roster: &Roster) -> Option<String> {
    use phone::Event;
    match event {
        Event::Account(view) => Some(account_line(view)),
        // Who is blocked is not to be heard of; the log has it.
        Event::Call(view) if matches!(view.explanation, Some(Why::YouBlocked | Why::YouRefuseAnonymous)) => {
            None
        }
        Event::Call(view) => {
            let who = user(view.remote.reveal());
            let what = match (view.state, view.side) {
                (CallState::Calling | CallState::Announced, _) => return None,
                (CallState::Ringing, Side::In) => {
                    let passport = view.identity.as_ref().and_then(|it| it.passport.as_ref());
                    // That an account judges no signatures is not to be read at each call.
                    let said = passport.filter(|it| **it != Passport::Unproven(Unproven::NobodyBelieved));
                    let signed = said.map(|it| format!(". {it}")).unwrap_or_default();
                    format!("{who} calls: Enter answers, Esc declines{signed}")
                }
                (CallState::Ringing, Side::Out) => format!("it rings at {who}"),
                (CallState::Early, _) => format!("{who}: the network speaks"),
                // RFC 3264 sections 6.1 and 7: the answer decides, and ours keeps to the caller's order.
                (CallState::Active, side) => match (view.codec, side) {
                    (Some(codec), Side::Out) => {
                        format!("talking to {who} in {}, the first of their answer", codec.name())
                    }
                    (Some(codec), Side::In) => {
                        format!(
                            "talking to {who} in {}, the first of their offer that we speak",
                            codec.name()
                        )
                    }
                    (None, _) => format!("talking to {who}"),
                },
                (CallState::Held, _) => format!("{who} is on hold"),
                (CallState::RemoteHeld, _) => format!("{who} put the call on hold"),
                (CallState::Ended, _) => match (&view.explanation, view.status) {
                    (Some(why), Some(status)) if status >= 300 => format!("{who}: {why} ({status})"),
                    (Some(why), _) => format!("{who}: {why}"),
                    (None, _) => format!("{who}: the call has ended"),
                },
            };
            Some(what)
        }
        Event::Message { from, text, .. } => Some(format!("{}: {}", user(from.reveal()), text.reveal())),
        Event::DtmfLost { call, keys } => {
            Some(format!("call {}: {keys} digits may not have reached the other side", call.0))
        }
        Event::EncryptionLost { call } => {
            Some(format!("call {}: the other side has ended the encryption", call.0))
        }
        Event::Dtmf { call, digit, .. } => {
            Some(format!("call {}: the other side pressed {}", call.0, digit.as_char()))
        }
        Event::MessageWaits { message, why, .. } => {
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            Some(format!("message {} waits{why}", message.0))
        }
        Event::MessageSent { message, status: 202, .. } => Some(format!("message {} accepted", message.0)),
        Event::MessageSent { message, reason: None, .. } => Some(format!("message {} delivered", message.0)),
        Event::MessageSent { message, reason: Some(reason), .. } => {
            Some(format!("message {} not delivered: {reason}", message.0))
        }
        Event::Refused { reason, .. } => Some(reason.to_string()),
        Event::Voicemail { voicemail, .. } => {
            let at = voicemail.mailbox.as_ref().map(|it| format!(" at {}", it.reveal())).unwrap_or_default();
            Some(match (voicemail.waiting, voicemail.new) {
                (false, _) => "no messages wait".to_owned(),
                (true, 0) => format!("messages wait{at}"),
                (true, new) => format!("{new} new messages wait{at}"),
            })
        }
        Event::Presence { .. } | Event::PresenceRefused { .. } => super::presence::sentence(event),
        Event::Gateway(gateway) => Some(gateway.to_string()),
        Event::Silence { call, silence } => Some(format!("call {}: {silence}", call.0)),
        Event::Way { call, report } => {
            let way = report.to_string().replace('\n', "; ");
            Some(format!("call {}: {way}", call.0))
        }
        Event::Certificate { why, .. } => Some(format!("{why} If it is the server's, type `trust`")),
        Event::Trusted { account, .. } => {
            let is_stored = roster.member(*account).is_some_and(|member| member.stored.is_some());
            let file = "taken; `tls_pin` under [account] keeps it for the next start";
            Some(if is_stored { "taken, and kept with the account" } else { file }.into())
        }
        Event::Quality { .. } | Event::Timeline { .. } | Event::Learnt(_) | Event::Stopped => None,
    }
}

#[cfg(test)]
mod tests {
    use base::Redacted;
    use phone::CallId;

    use super::*;
    use crate::phone::roster::Member;

    fn view() -> CallView {
        CallView {
            call: CallId(3),
            revision: 1,
            account: AccountId(1),
            side: Side::In,
            state: CallState::Active,
            remote: Redacted::new("sip:1002@offhook.test".into()),
            name: Some(Redacted::new("Bob".into())),
            identity: None,
            codec: Some(media::Codec::Pcma),
            keys_left: None,
            encrypted: Encrypted::Sdes,
            bad_keys: 0,
            no_reports: false,
            path: Some(nat::path::Reached::Host),
            muted: true,
            conference: true,
            transfer: None,
            on_behalf_of: None,
            status: None,
            reason: None,
            explanation: None,
            started: Instant::ZERO,
            answered: Some(Instant::from_millis(1000)),
            ended: None,
        }
    }

    #[test]
    fn a_call_is_one_line_with_its_timer() {
        let line = call_line(&view(), &Roster::default(), Instant::from_millis(63_000));
        assert_eq!(line, "3 <- Bob (1002)  active  1:02  PCMA  sdes  directly  muted  conference");
    }

    #[test]
    fn each_of_several_accounts_has_a_line_and_that_which_calls_go_by_is_marked() {
        let member = |id, name: &str| Member {
            id: AccountId(id),
            stored: None,
            name: name.into(),
            address: format!("100{id}@offhook.test"),
        };
        let standing = |id| AccountView {
            account: AccountId(id),
            revision: 1,
            uri: Redacted::new(format!("sip:100{id}@offhook.test")),
            state: AccountState::Registered,
            expires: Some(Duration::from_secs(300)),
            status: None,
            step: phone::Step::Done,
            reason: None,
            as_of: Instant::ZERO,
            retry_in: None,
            dropped: phone::Dropped::default(),
        };
        let mut roster = Roster::new(vec![member(2, "Home"), member(1, "Work")], AccountId(1));
        roster.note(&standing(1));
        roster.note(&standing(2));
        assert_eq!(
            account_lines(&roster),
            [
                " Offhook",
                "   2 Home  sip:1002@offhook.test  registered for 300 s",
                "*  1 Work  sip:1001@offhook.test  registered for 300 s",
            ]
        );
        let line = call_line(&view(), &roster, Instant::from_millis(63_000));
        assert!(line.ends_with("conference  by Work"), "{line}");
        let mut alone = Roster::new(vec![member(1, "Work")], AccountId(1));
        alone.note(&standing(1));
        assert_eq!(account_lines(&alone), [" Offhook  sip:1001@offhook.test  registered for 300 s"]);
    }

    #[test]
    fn an_ended_call_says_why() {
        let ended = |why, status| {
            let explanation = Some(why);
            let view = CallView { state: CallState::Ended, explanation, status, ..view() };
            phone_sentence(&phone::Event::Call(view), &Roster::default()).unwrap()
        };
        assert_eq!(ended(Why::Busy, Some(486)), "1002: The line is busy. (486)");
        assert_eq!(ended(Why::YouEnded, Some(200)), "1002: You ended the call.");
    }

    #[test]
    fn a_strangers_text_cannot_command_the_terminal() {
        let event = offhook_io::Event::Phone(phone::Event::Message {
            account: AccountId(1),
            from: Redacted::new("sip:eve@h".into()),
            name: None,
            text: Redacted::new("\u{1b}[2Jgone\r\nforged".into()),
        });
        assert_eq!(
            sentence(&event, &Roster::default()).unwrap(),
            "eve: \u{fffd}[2Jgone\u{fffd}\u{fffd}forged"
        );
    }

    #[test]
    fn time_is_read_as_on_a_phone() {
        assert_eq!([0, 62, 3602].map(|s| clock(Duration::from_secs(s))), ["0:00", "1:02", "1:00:02"]);
    }

    #[test]
    fn the_meter_is_empty_in_silence_and_full_at_overload() {
        assert_eq!(meter_line("say", -127.0), format!("    say  [{}] silent", " ".repeat(20)));
        assert_eq!(meter_line("hear", 0.0), format!("    hear [{}] 0 dBov", "#".repeat(20)));
        assert!(meter_line("say", -30.0).contains("[##########          ]"));
    }

    #[test]
    fn a_certificate_that_is_asked_about_is_shown_whole_in_80_columns() {
        let certificate = Box::new(base::Certificate {
            fingerprint: base::Fingerprint([0xab; 32]),
            subject: "CN=bell.test".into(),
            issuer: "CN=bell.test".into(),
            names: vec!["bell.test".into(), "sip:bell.test".into()],
            not_before: "2026-01-01 00:00:00 UTC".into(),
            not_after: "2027-01-01 00:00:00 UTC".into(),
        });
        let account = AccountId(1);
        let event = phone::Event::Certificate { account, certificate, why: Why::CertificateChanged };
        let event = offhook_io::Event::Phone(event);
        let lines = super::certificate(&event);
        assert!(lines.iter().all(|line| line.len() < 78), "{lines:?}");
        let text = lines.concat().replace(' ', "");
        assert!(text.contains(&["AB"; 32].join(":")) && text.contains("signedbyitself"), "{text}");
        let asked = sentence(&event, &Roster::default()).unwrap();
        assert_eq!(
            asked,
            "The server's certificate is another than before. If it is the server's, type `trust`"
        );
    }
}
