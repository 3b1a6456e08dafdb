//! `offhook history`, and the phone's own `history`: the call log for people and for scripts.

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use offhook_io::store::{CUT_OFF, CallKey, CallRow, Direction, Filter, Forget, Format, Kind, Page, Store};
use serde::Serialize;
use time::{OffsetDateTime, UtcOffset};

use crate::cli::{ExportFormat, HistoryArgs, WhichCalls};
use crate::failure::Failure;
use crate::phone::json::say;
use crate::phone::picture::harmless;
use crate::typing;

/// How far this machine's clock is ahead of UTC. Not to be had: times are UTC's, and say so.
static HERE: OnceLock<Option<UtcOffset>> = OnceLock::new();

/// Asks the system for its time zone, before there is any other thread: it cannot be asked safely then.
pub(crate) fn find_time_zone() {
    HERE.get_or_init(|| UtcOffset::current_local_offset().ok());
}

/// The day of a time in milliseconds since 1970, here; `None`: it is in no calendar.
#[cfg(feature = "rest")]
pub(crate) fn day(millis: i64) -> Option<String> {
    let here = HERE.get().copied().flatten().unwrap_or(UtcOffset::UTC);
    let time = OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000)).ok()?;
    time.checked_to_offset(here).map(|time| time.date().to_string())
}

/// A page of the log: `"event":"history"`.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    event: &'static str,
    /// Missed calls that were not seen yet.
    unseen: usize,
    calls: Vec<Call>,
}

/// A call that was. Absent is what is not known.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Call {
    id: i64,
    account: String,
    direction: Direction,
    pub(crate) number: String,
    remote: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Milliseconds since 1970.
    started: i64,
    answered: bool,
    missed: bool,
    /// How long they talked.
    duration_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encrypted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    networks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mos: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<String>,
    /// Who said who called: `pai`, `stir`, `rpid`, `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    said_by: Option<String>,
    /// What the provider found when it checked the number's signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    /// What the signature was found to be worth here: `A`, `B`, `C`, `false`, `unproven`.
    #[serde(skip_serializing_if = "Option::is_none")]
    attest: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

impl From<CallRow> for Call {
    fn from(row: CallRow) -> Self {
        let hundredths = |value: f32| (f64::from(value) * 100.0).round() / 100.0;
        Self {
            id: row.id.0,
            duration_s: row.talked().unwrap_or(0) as f64 / 1000.0,
            answered: row.answered.is_some(),
            account: row.account,
            direction: row.direction,
            number: row.number,
            remote: row.remote,
            name: row.contact.or(row.name),
            started: row.started,
            missed: row.missed,
            status: row.status,
            why: row.why,
            reason: row.reason,
            codec: row.codec,
            path: row.path,
            encrypted: row.encryption,
            networks: row.networks,
            mos: row.mos.map(hundredths),
            loss: row.loss.map(|loss| (f64::from(loss) * 10_000.0).round() / 10_000.0),
            recording: row.recording,
            said_by: row.said_by,
            verified: row.verified,
            attest: row.attest,
            signature: row.signature,
        }
    }
}

impl History {
    /// The newest calls of the log at `file`. The error is a sentence.
    pub(crate) fn newest(file: &Path, rows: usize) -> Result<Self, String> {
        Self::read(file, &Filter::default(), Page::first(rows))
    }

    /// The newest call of these.
    pub(crate) fn into_newest(self) -> Option<Call> {
        self.calls.into_iter().next()
    }

    fn read(file: &Path, filter: &Filter, page: Page) -> Result<Self, String> {
        let store = Store::reader(file).map_err(|error| error.to_string())?;
        let rows = store.calls(filter, page).map_err(|error| error.to_string())?;
        let unseen = store.unseen().map_err(|error| error.to_string())?;
        Ok(Self { event: "history", unseen, calls: rows.into_iter().map(Call::from).collect() })
    }

    /// A line a call, under a line a day.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut today = None;
        for call in &self.calls {
            let started = local(call.started);
            let day = started.date();
            if today != Some(day) {
                today = Some(day);
                lines.push(format!("{day}{}", zone()));
            }
            lines.push(call.line(started.hour(), started.minute()));
        }
        if self.calls.is_empty() {
            lines.push("no calls".to_owned());
        }
        lines
    }
}

impl Call {
    /// Who called whom, in one word.
    pub(crate) const fn word(&self) -> &'static str {
        match self.direction {
            Direction::In => "in",
            Direction::Out => "out",
        }
    }

    /// How long they talked.
    #[cfg(feature = "rest")]
    pub(crate) fn talked(&self) -> std::time::Duration {
        std::time::Duration::from_secs_f64(self.duration_s)
    }

    /// Whether all is known of a call that was answered.
    pub(crate) const fn is_whole(&self) -> bool {
        self.answered && self.duration_s > 0.0 && self.codec.is_some() && self.mos.is_some() && !self.missed
    }

    /// One line, without the time of day.
    pub(crate) fn sentence(&self) -> String {
        let who = self.name.as_ref().map_or_else(String::new, |name| format!("{name}, "));
        let mos = self.mos.map(|mos| format!(", MOS {mos}")).unwrap_or_default();
        let codec = self.codec.as_deref().unwrap_or("-");
        let encrypted = self.encrypted.as_deref().unwrap_or("-");
        let reason = self.reason.as_deref().unwrap_or_default();
        harmless(&format!(
            "{:<3} {who}{}: {:.1} s, {codec}, encryption {encrypted}{mos}. {reason}",
            self.word(),
            self.number,
            self.duration_s,
        ))
    }

    /// Whether it was them, where a signature was checked.
    fn verdict(&self) -> &'static str {
        match phone::Verdict::of(self.verified, self.attest.as_deref()) {
            Some(phone::Verdict::Forged) => " FORGED",
            Some(phone::Verdict::Vouched) => " verified",
            None => "",
        }
    }

    fn line(&self, hour: u8, minute: u8) -> String {
        let arrow = match (self.direction, self.missed) {
            (_, true) => "missed",
            (Direction::In, _) => "from",
            (Direction::Out, _) => "to",
        };
        let who = match &self.name {
            Some(name) => format!("{name} ({}){}", self.number, self.verdict()),
            None => format!("{}{}", self.number, self.verdict()),
        };
        let seconds = self.duration_s.round() as u64;
        let cut_off = self.why.as_deref() == Some(CUT_OFF);
        let ended = if self.answered && !cut_off {
            format!("{}:{:02}", seconds / 60, seconds % 60)
        } else {
            self.reason.clone().unwrap_or_default()
        };
        harmless(&format!("{:>6}  {hour:02}:{minute:02}  {arrow:<6}  {who:<30}  {ended}", self.id))
            .trim_end()
            .to_owned()
    }
}

/// The log, each number once a day.
fn grouped(file: &Path, filter: &Filter, args: &HistoryArgs) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let here = HERE.get().copied().flatten().unwrap_or(UtcOffset::UTC);
    let ahead = i64::from(here.whole_seconds()) * 1000;
    let store = Store::reader(file).map_err(|error| failed(&error))?;
    let page = store
        .groups(filter, args.before.map(CallKey), args.limit.into(), ahead)
        .map_err(|error| failed(&error))?;
    let mut today = None;
    for group in page.groups {
        let (calls, missed, day) = (group.calls, group.missed, group.day);
        let newest = Call::from(group.newest);
        if args.json {
            let group = Grouped { event: "group", day, calls, missed, newest };
            say(&group).map_err(|error| failed(&error))?;
            continue;
        }
        let started = local(newest.started);
        if today != Some(day) {
            today = Some(day);
            println!("{}{}", started.date(), zone());
        }
        let times = if calls > 1 { format!("  ({calls} calls, {missed} missed)") } else { String::new() };
        println!("{}{times}", newest.line(started.hour(), started.minute()));
    }
    if let Some(CallKey(next)) = page.next.filter(|_| !args.json) {
        println!("more: --before {next}");
    }
    Ok(())
}

/// A number's calls of one day: `"event":"group"`.
#[derive(Debug, Serialize)]
struct Grouped {
    event: &'static str,
    /// Days since 1970 where the person is.
    day: i64,
    calls: usize,
    missed: usize,
    newest: Call,
}

/// A moment where the person is.
fn local(millis: i64) -> OffsetDateTime {
    let here = HERE.get().copied().flatten().unwrap_or(UtcOffset::UTC);
    OffsetDateTime::from_unix_timestamp(millis / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(here)
}

/// What a day says of its zone.
fn zone() -> &'static str {
    if HERE.get().copied().flatten().is_some() { "" } else { " UTC" }
}

/// Shows the log, or changes it.
pub(crate) fn run(args: &HistoryArgs) -> Result<(), Failure> {
    let file = args.place.present("there is no call log")?;
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(error.to_string());
    let kind = if args.missed { Kind::Missed } else { Kind::All };
    let filter = Filter { kind, text: args.search.clone(), ..Filter::default() };
    if let Some(which) = args.forget {
        let which = match which {
            WhichCalls::One(id) => Forget::One(CallKey(id)),
            WhichCalls::Before(at) => Forget::Before(at),
            WhichCalls::All => Forget::All,
        };
        let store = Store::open(&file).map_err(|error| failed(&error))?.store;
        let gone = store.forget_calls(which).map_err(|error| failed(&error))?;
        println!("{gone} forgotten");
        return Ok(());
    }
    if let Some(format) = args.export {
        let format = match format {
            ExportFormat::Csv => Format::Csv,
            ExportFormat::Json => Format::Json,
        };
        let store = Store::reader(&file).map_err(|error| failed(&error))?;
        return store.export(&filter, format, &mut io::stdout().lock()).map_err(|error| failed(&error));
    }
    if args.find {
        return typing::run(|typed, rows| {
            let filter = Filter { text: typed.to_owned(), ..filter.clone() };
            Ok(History::read(&file, &filter, Page::first(rows)).map_err(Failure::Failed)?.lines())
        });
    }
    if args.grouped {
        return grouped(&file, &filter, args);
    }
    let page = Page { before: args.before.map(CallKey), rows: args.limit.into() };
    let history = History::read(&file, &filter, page).map_err(Failure::Failed)?;
    if args.json {
        say(&history).map_err(|error| failed(&error))?;
    } else {
        history.lines().iter().for_each(|line| println!("{line}"));
    }
    if args.seen {
        let store = Store::open(&file).map_err(|error| failed(&error))?.store;
        store.mark_seen().map_err(|error| failed(&error))?;
    }
    Ok(())
}
