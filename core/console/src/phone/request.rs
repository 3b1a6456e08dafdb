//! What a person or a script asks of the phone: a JSON line, or a line typed at the prompt.
//!
//! Only reads; what the phone makes of it is its own.

use std::net::IpAddr;
use std::path::PathBuf;

use base::{BadFingerprint, Fingerprint, Secret};
use phone::{NetworkKind, OwnPresence};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::presence::own;

/// One thing asked for. A merge of no calls is of the one that is up and the youngest other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Call {
        to: String,
    },
    Answer {
        call: u32,
    },
    Reject {
        call: u32,
        status: u16,
    },
    HangUp {
        call: u32,
    },
    Hold {
        call: u32,
    },
    Resume {
        call: u32,
    },
    Mute {
        call: u32,
        on: bool,
    },
    Progress {
        call: u32,
    },
    Refresh {
        call: u32,
        update: bool,
    },
    /// Presses what was typed behind the number.
    PressOn {
        call: u32,
    },
    Dtmf {
        call: u32,
        digits: String,
    },
    Transfer {
        call: u32,
        to: String,
    },
    TransferTo {
        call: u32,
        other: u32,
    },
    Swap,
    Merge {
        calls: Vec<u32>,
    },
    Split {
        call: u32,
    },
    Record {
        call: u32,
        path: PathBuf,
        beep: bool,
    },
    StopRecording {
        call: u32,
    },
    Message {
        to: String,
        text: String,
    },
    TakeBack {
        message: u32,
    },
    DoNotDisturb {
        on: bool,
    },
    /// How somebody is, from now on or no longer; `lamp`: by the calls of their line.
    Watch {
        who: String,
        on: bool,
        lamp: bool,
    },
    /// How one wants to be seen.
    Presence {
        own: OwnPresence,
        note: Option<String>,
    },
    /// Callers of that number do not ring, or do again.
    Block {
        number: String,
        on: bool,
    },
    Forward {
        to: Option<String>,
    },
    Register,
    Unregister,
    NetworkUp(IpAddr),
    NetworkDown,
    /// One more network, beside others.
    NetworkAppeared {
        id: i64,
        kind: NetworkKind,
        address: IpAddr,
        metered: bool,
    },
    NetworkVanished(i64),
    NetworkSuspect(i64),
    /// The certificate that was shown is the server's; without one the newest.
    Trust {
        fingerprint: Option<Fingerprint>,
    },
    /// Calls go by the account that is named, from now on.
    Use,
    Diagnose,
    /// Something of an account's provider, by the web.
    Provider(Wish),
    /// A card is to be paid in: it is asked for.
    TopUp,
    History,
    Status,
    Quit,
}

/// What a provider can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// What is left.
    Balance,
    /// For how long, to whom.
    Minutes { to: String },
    /// By a card.
    TopUp { number: Secret<String>, pin: Secret<String> },
    /// It rings the person, and then them.
    CallBack { to: String, from: Option<String> },
}

/// A decline when no status is named: 603 would decline for all of the person's phones.
const BUSY_HERE: u16 = 486;

/// The JSON form. Unknown fields are let pass: later builds add some.
#[derive(Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case")]
enum Line {
    Call {
        to: String,
    },
    Answer {
        call: u32,
    },
    Reject {
        call: u32,
        status: Option<u16>,
    },
    Hangup {
        call: u32,
    },
    Hold {
        call: u32,
    },
    Resume {
        call: u32,
    },
    Mute {
        call: u32,
    },
    Unmute {
        call: u32,
    },
    Progress {
        call: u32,
    },
    Refresh {
        call: u32,
        with: With,
    },
    Presson {
        call: u32,
    },
    Dtmf {
        call: u32,
        digits: String,
    },
    Transfer {
        call: u32,
        to: Option<String>,
        replaces: Option<u32>,
    },
    Swap,
    Merge {
        call: Option<u32>,
        other: Option<u32>,
    },
    Conference {
        calls: Vec<u32>,
    },
    Split {
        call: u32,
    },
    Record {
        call: u32,
        path: PathBuf,
        beep: Option<bool>,
    },
    RecordStop {
        call: u32,
    },
    Message {
        to: String,
        text: String,
    },
    TakeBack {
        message: u32,
    },
    Dnd {
        on: bool,
    },
    Block {
        number: String,
    },
    Unblock {
        number: String,
    },
    Forward {
        to: Option<String>,
    },
    Register,
    Unregister,
    Network {
        up: Option<IpAddr>,
        down: Option<serde_json::Value>,
        appeared: Option<IpAddr>,
        vanished: Option<i64>,
        suspect: Option<i64>,
        id: Option<i64>,
        #[serde(default)]
        kind: Kind,
        #[serde(default)]
        metered: bool,
    },
    Trust {
        fingerprint: String,
    },
    Use,
    Diagnose,
    Status,
    Quit,
    Watch {
        who: String,
        #[serde(default)]
        lamp: bool,
    },
    Unwatch {
        who: String,
    },
    Presence {
        state: String,
        note: Option<String>,
    },
    Balance,
    Minutes {
        to: String,
    },
    TopUp {
        card: Hidden,
        #[serde(default)]
        pin: Hidden,
    },
    Callback {
        to: String,
        from: Option<String>,
    },
    History,
}

/// What no message may quote, such as one about its kind.
#[derive(Default)]
struct Hidden(Secret<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let read = String::deserialize(source)
            .map_err(|_| D::Error::custom("a card and its PIN are text, in quotes"))?;
        Ok(Self(Secret::new(read)))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Wifi,
    Cellular,
    Ethernet,
    #[default]
    Other,
}

impl From<Kind> for NetworkKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Wifi => Self::Wifi,
            Kind::Cellular => Self::Cellular,
            Kind::Ethernet => Self::Ethernet,
            Kind::Other => Self::Other,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum With {
    Update,
    Reinvite,
}

/// A request, and of which account, where that is said: by its id, its name or its address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) account: Option<String>,
}

/// What any command may say beside its own.
#[derive(Deserialize)]
struct Said {
    account: Option<Named>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Id(i64),
    Word(String),
}

impl Asked {
    /// Reads a JSON line, and wipes it: there may be a card in it. The error is a sentence for the `error` event.
    pub(crate) fn from_json_once(line: String) -> Result<Self, String> {
        let line = Secret::new(line);
        let request = Request::from_json(line.expose())?;
        let said: Said = serde_json::from_str(line.expose())
            .map_err(|_| "`account` is the id of an account, its name or its address".to_owned())?;
        let account = said.account.map(|named| match named {
            Named::Id(id) => id.to_string(),
            Named::Word(word) => word,
        });
        if account.is_none() && request == Request::Use {
            return Err("use which `account`?".to_owned());
        }
        Ok(Self { request, account })
    }

    /// Reads a typed line, perhaps with `by ACCOUNT` before it; `call` is the one that is meant when none is named. The error
    /// is a sentence.
    pub(crate) fn from_typed(line: &str, call: Option<u32>) -> Result<Self, String> {
        let (verb, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let (account, rest) = match verb {
            "use" | "by" => rest.trim().split_once(' ').unwrap_or((rest.trim(), "")),
            _ => ("", line),
        };
        let account = Some(account.to_owned()).filter(|account| !account.is_empty());
        match (verb, &account) {
            ("use" | "by", None) => Err(format!("{verb} which account?")),
            ("use", _) if rest.trim().is_empty() => Ok(Self { request: Request::Use, account }),
            ("use", _) => Err("one account, by its id, its name or its address".to_owned()),
            _ => Ok(Self { request: Request::from_typed(rest, call)?, account }),
        }
    }
}

impl Request {
    /// Reads a JSON line. The error is a sentence for the `error` event.
    pub(crate) fn from_json(line: &str) -> Result<Self, String> {
        Ok(match serde_json::from_str(line).map_err(|error| format!("not a command: {error}"))? {
            Line::Call { to } => Self::Call { to },
            Line::Answer { call } => Self::Answer { call },
            Line::Reject { call, status } => Self::Reject { call, status: status.unwrap_or(BUSY_HERE) },
            Line::Hangup { call } => Self::HangUp { call },
            Line::Hold { call } => Self::Hold { call },
            Line::Resume { call } => Self::Resume { call },
            Line::Mute { call } => Self::Mute { call, on: true },
            Line::Unmute { call } => Self::Mute { call, on: false },
            Line::Progress { call } => Self::Progress { call },
            Line::Refresh { call, with } => Self::Refresh { call, update: matches!(with, With::Update) },
            Line::Presson { call } => Self::PressOn { call },
            Line::Dtmf { call, digits } => Self::Dtmf { call, digits },
            Line::Transfer { call, to: Some(to), replaces: None } => Self::Transfer { call, to },
            Line::Transfer { call, to: None, replaces: Some(other) } => Self::TransferTo { call, other },
            Line::Transfer { .. } => return Err("a transfer needs either `to` or `replaces`".into()),
            Line::Swap => Self::Swap,
            Line::Merge { call: Some(call), other: Some(other) } => Self::Merge { calls: vec![call, other] },
            Line::Merge { call: None, other: None } => Self::Merge { calls: Vec::new() },
            Line::Merge { .. } => return Err("a merge needs both `call` and `other`, or neither".into()),
            Line::Conference { calls } if calls.len() >= 2 => Self::Merge { calls },
            Line::Conference { .. } => return Err("a conference needs two `calls` or more".into()),
            Line::Split { call } => Self::Split { call },
            Line::Record { call, path, beep } => Self::Record { call, path, beep: beep.unwrap_or(false) },
            Line::RecordStop { call } => Self::StopRecording { call },
            Line::Message { to, text } => Self::Message { to, text },
            Line::TakeBack { message } => Self::TakeBack { message },
            Line::Block { number } => Self::Block { number, on: true },
            Line::Unblock { number } => Self::Block { number, on: false },
            Line::Dnd { on } => Self::DoNotDisturb { on },
            Line::Forward { to } => Self::Forward { to },
            Line::Register => Self::Register,
            Line::Unregister => Self::Unregister,
            Line::Network { up, down, appeared, vanished, suspect, id, kind, metered } => {
                match (up, down, appeared, vanished, suspect) {
                    (Some(address), None, None, None, None) => Self::NetworkUp(address),
                    (None, Some(_), None, None, None) => Self::NetworkDown,
                    (None, None, Some(address), None, None) => {
                        let id = id.ok_or("a network that appeared needs an `id`")?;
                        Self::NetworkAppeared { id, kind: kind.into(), address, metered }
                    }
                    (None, None, None, Some(id), None) => Self::NetworkVanished(id),
                    (None, None, None, None, Some(id)) => Self::NetworkSuspect(id),
                    _ => {
                        return Err(
                            "network needs either `up` with an address or `down`; or `appeared` with \
                                    an address, `vanished` or `suspect` with an id"
                                .into(),
                        );
                    }
                }
            }
            Line::Trust { fingerprint } => {
                let read = fingerprint.parse().map_err(|error: BadFingerprint| error.to_string())?;
                Self::Trust { fingerprint: Some(read) }
            }
            Line::Use => Self::Use,
            Line::Diagnose => Self::Diagnose,
            Line::Status => Self::Status,
            Line::Quit => Self::Quit,
            Line::Balance => Self::Provider(Wish::Balance),
            Line::Minutes { to } => Self::Provider(Wish::Minutes { to }),
            Line::TopUp { card, pin } => Self::Provider(Wish::TopUp { number: card.0, pin: pin.0 }),
            Line::Callback { to, from } => Self::Provider(Wish::CallBack { to, from }),
            Line::Watch { who, lamp } => Self::Watch { who, on: true, lamp },
            Line::Unwatch { who } => Self::Watch { who, on: false, lamp: false },
            Line::Presence { state, note } => Self::Presence { own: own(&state)?, note },
            Line::History => Self::History,
        })
    }

    /// Reads a typed line; `call` is the one that is meant when none is named. The error is a sentence.
    pub(crate) fn from_typed(line: &str, call: Option<u32>) -> Result<Self, String> {
        let (verb, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let rest = rest.trim();
        let number = || match (rest.parse(), call) {
            (Ok(call), _) => Ok(call),
            (Err(_), Some(call)) if rest.is_empty() => Ok(call),
            (Err(_), Some(_)) => Err(format!("`{rest}` is not the number of a call")),
            (Err(_), None) => Err("there is no call".to_owned()),
        };
        let current = || call.ok_or("there is no call".to_owned());
        let target = |what: &str| {
            if rest.is_empty() { Err(format!("{what} whom?")) } else { Ok(rest.to_owned()) }
        };
        Ok(match verb {
            "" => return Err("type a number to call it, or `help`".into()),
            "call" => Self::Call { to: target("call")? },
            "answer" => Self::Answer { call: number()? },
            "reject" => Self::Reject { call: number()?, status: BUSY_HERE },
            "hangup" => Self::HangUp { call: number()? },
            "hold" => Self::Hold { call: number()? },
            "resume" => Self::Resume { call: number()? },
            "mute" => Self::Mute { call: number()?, on: true },
            "unmute" => Self::Mute { call: number()?, on: false },
            "progress" => Self::Progress { call: number()? },
            "presson" => Self::PressOn { call: current()? },
            "dtmf" if rest.is_empty() => return Err("dtmf which digits?".into()),
            "dtmf" => Self::Dtmf { call: current()?, digits: rest.into() },
            "transfer" => match rest.strip_prefix('#').map(str::parse) {
                Some(Ok(other)) => Self::TransferTo { call: current()?, other },
                Some(Err(_)) => return Err(format!("`{rest}` is not the number of a call")),
                None => Self::Transfer { call: current()?, to: target("transfer to")? },
            },
            "swap" => Self::Swap,
            "merge" if rest.is_empty() => Self::Merge { calls: Vec::new() },
            "merge" => Self::Merge { calls: vec![current()?, number()?] },
            "split" => Self::Split { call: number()? },
            "record" if rest.is_empty() => return Err("record to which file?".into()),
            "record" if rest == "off" => Self::StopRecording { call: current()? },
            "record" => Self::Record { call: current()?, path: rest.into(), beep: false },
            "message" => match rest.split_once(' ') {
                Some((to, text)) => Self::Message { to: to.into(), text: text.trim().into() },
                None => return Err("message whom, and what?".into()),
            },
            "unsend" => Self::TakeBack { message: rest.parse().map_err(|_| "take back which message?")? },
            "block" => Self::Block { number: target("block")?, on: true },
            "unblock" => Self::Block { number: target("unblock")?, on: false },
            "dnd" => Self::DoNotDisturb { on: rest != "off" },
            "forward" => Self::Forward { to: (!rest.is_empty() && rest != "off").then(|| rest.into()) },
            "trust" if rest.is_empty() => Self::Trust { fingerprint: None },
            "trust" => {
                let read = rest.parse().map_err(|error: BadFingerprint| error.to_string())?;
                Self::Trust { fingerprint: Some(read) }
            }
            "register" => Self::Register,
            "unregister" => Self::Unregister,
            "diagnose" => Self::Diagnose,
            "status" => Self::Status,
            "quit" | "exit" => Self::Quit,
            "history" => Self::History,
            "balance" => Self::Provider(Wish::Balance),
            "minutes" => Self::Provider(Wish::Minutes { to: target("minutes to")? }),
            "callback" => Self::Provider(Wish::CallBack { to: target("call back, and then")?, from: None }),
            "topup" if rest.is_empty() => Self::TopUp,
            "topup" => return Err("type `topup` alone: the card is asked for, and not shown".into()),
            "watch" => Self::Watch { who: target("watch")?, on: true, lamp: false },
            "lamp" => Self::Watch { who: target("watch")?, on: true, lamp: true },
            "unwatch" => Self::Watch { who: target("unwatch")?, on: false, lamp: false },
            "presence" => {
                let (state, note) = rest.split_once(' ').unwrap_or((rest, ""));
                let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
                Self::Presence { own: own(state)?, note }
            }
            // A number or a URI by itself is called.
            to if rest.is_empty() && to.contains(|c: char| c.is_ascii_digit() || c == ':' || c == '@') => {
                Self::Call { to: to.into() }
            }
            _ => return Err(format!("`{verb}` is unknown; type `help`")),
        })
    }
}

/// The verbs of the prompt.
pub(crate) const HELP: &[&str] = &[
    "1002           call a number, sip: or tel: URI    answer, reject, hangup [CALL]",
    "hold, resume, mute, unmute [CALL]                 swap                 dtmf 12#",
    "merge [CALL]   into a conference                  split [CALL]   out of it",
    "record FILE|off                                   status, diagnose",
    "transfer 1003  blind    transfer #2  to call 2    message 1002 TEXT",
    "dnd on|off     forward 1003|off                   register, unregister, quit",
    "block 0900123, unblock 0900123                    history",
    "balance        what is left    minutes 1002  to a number    topup  by a card",
    "callback 1002  the provider rings you, and then them",
    "watch 1002     by a busy lamp: lamp 1002          unwatch 1002",
    "presence auto|busy|away|offline [NOTE]            as others see you",
    "trust          the server's certificate, as shown last    unsend MESSAGE",
    "use WORK       calls go by that account (or Tab)          by WORK 1002   once",
];

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
