//! The call log, as an app shows it: pages of rows, and of days with each number once; what the person forgets and takes away.
//!
//! Rows are written by the core as calls go; the app writes none. All of this may wait for a disk: call it from a thread that
//! does not draw. Decides nothing: what counts as missed is `io`'s, how rows are grouped and found the store's.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};

use offhook_io::store::{self, About, CallKey, Filter, Forget, Format, Kind, Page, Store};
use phone::Encrypted;

use crate::error::PhoneError;
use crate::{CallerSignature, Phone, Said, Side, Why};
use crate::{caller, why};

/// Rows that the door hands over at once, at most.
const MOST: u32 = 500;

/// Which calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Enum)]
pub enum WhichCalls {
    /// All.
    #[default]
    All,
    /// Those that nobody took here.
    Missed,
    /// Those that came.
    Incoming,
    /// Those that were made.
    Outgoing,
}

/// Which rows of the call log are wanted. All of it together.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct CallFilter {
    /// Which calls.
    #[uniffi(default = None)]
    pub which: Option<WhichCalls>,
    /// Part of a number, a name or an address, as it is typed; empty: any.
    #[uniffi(default = "")]
    pub text: String,
    /// With this number alone, as a row has it.
    #[uniffi(default = None)]
    pub number: Option<String>,
    /// By this account alone: its address of record, as a row has it.
    #[uniffi(default = None)]
    pub account: Option<String>,
    /// Begun at that time or later, in milliseconds since 1970.
    #[uniffi(default = None)]
    pub since_ms: Option<i64>,
    /// Begun before that time, in milliseconds since 1970.
    #[uniffi(default = None)]
    pub until_ms: Option<i64>,
}

/// A call that was, or still is. Times are milliseconds since 1970; absent is what is not known.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct CallRecord {
    /// Names the row; never given twice. What began later has a greater one.
    pub id: i64,
    /// The address of record of the account that it went over.
    pub account: String,
    /// Who called whom.
    pub side: Side,
    /// The other side's URI: what to call to call back.
    pub remote: String,
    /// The number or user name in it.
    pub number: String,
    /// What to show for it: what the phone book called it at the time, else what it called itself.
    pub name: Option<String>,
    /// Whether `name` is the phone book's.
    pub known: bool,
    /// When it began.
    pub started_ms: i64,
    /// When it was answered.
    pub answered_ms: Option<i64>,
    /// When it ended; none: it is not over.
    pub ended_ms: Option<i64>,
    /// How long they talked, in milliseconds.
    pub talked_ms: Option<i64>,
    /// Whether nobody took it here.
    pub missed: bool,
    /// Whether the person has seen that.
    pub seen: bool,
    /// Why it ended, to be translated.
    pub why: Option<Why>,
    /// The same in English; where `why` is of another version, all there is.
    pub sentence: Option<String>,
    /// The SIP status that ended it, for the details of a call.
    pub status: Option<u16>,
    /// What was spoken, in the field's words.
    pub codec: Option<String>,
    /// By which kind of way: `host`, `relay`; for the details of a call.
    pub path: Option<String>,
    /// How it was kept from others.
    pub encrypted: Option<Encrypted>,
    /// What carried it, in order: `wifi`, `cellular`, `ethernet`, `other`.
    pub networks: Vec<String>,
    /// How it was heard: 1.0 to 4.5.
    pub mos: Option<f32>,
    /// The share of packets that were not played: 0.0 to 1.0.
    pub loss: Option<f32>,
    /// Where its recording is; the file may be gone.
    pub recording: Option<String>,
    /// Who said who called; none: nobody called here.
    pub said_by: Option<Said>,
    /// What the provider found when it checked the number's signature; none: it did not say.
    pub verified: Option<bool>,
    /// What was found here; none: there was none.
    pub signature: Option<CallerSignature>,
}

/// The calls with one number on one day.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct CallGroup {
    /// Days since 1970 where the person is.
    pub day: i64,
    /// The newest of them.
    pub newest: CallRecord,
    /// How many there are.
    pub calls: u32,
    /// How many of them were missed.
    pub missed: u32,
}

/// A page of groups.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct CallGroups {
    /// The newest first.
    pub groups: Vec<CallGroup>,
    /// What to give as `before` for the next page; none: this was the last.
    pub next: Option<i64>,
}

/// Which rows are to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ForgetCalls {
    /// One.
    One {
        /// Which.
        id: i64,
    },
    /// Those that began before then.
    Before {
        /// Milliseconds since 1970.
        at_ms: i64,
    },
    /// All.
    All,
}

/// How the call log is written for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ExportFormat {
    /// A line of names, then a line a call.
    Csv,
    /// One array of objects.
    Json,
}

/// The call log.
#[uniffi::export]
impl Phone {
    /// Rows, the newest first: those before the row `before`, at most `rows` (500 is the most).
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn call_log(
        &self,
        filter: CallFilter,
        before: Option<i64>,
        rows: u32,
    ) -> Result<Vec<CallRecord>, PhoneError> {
        let page = Page { before: before.map(CallKey), rows: rows.min(MOST) as usize };
        Ok(self.remembered()?.calls(&filter.into(), page)?.into_iter().map(Into::into).collect())
    }

    /// Whole days, each number once a day with the newest call with it, the newest first: until there are `least` groups,
    /// those before the row `before`. `utc_offset_ms`: how far the person's clock is ahead of UTC now.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn call_groups(
        &self,
        filter: CallFilter,
        before: Option<i64>,
        least: u32,
        utc_offset_ms: i64,
    ) -> Result<CallGroups, PhoneError> {
        let (least, offset) = (least.min(MOST) as usize, utc_offset_ms.clamp(-86_400_000, 86_400_000));
        let page = self.remembered()?.groups(&filter.into(), before.map(CallKey), least, offset)?;
        let groups = page.groups.into_iter().map(|group| CallGroup {
            day: group.day,
            newest: group.newest.into(),
            calls: group.calls as u32,
            missed: group.missed as u32,
        });
        Ok(CallGroups { groups: groups.collect(), next: page.next.map(|key| key.0) })
    }

    /// One row; none: it was forgotten.
    ///
    /// # Errors
    /// `Store`: it cannot be read: say so.
    pub fn call_record(&self, id: i64) -> Result<Option<CallRecord>, PhoneError> {
        Ok(self.remembered()?.call(CallKey(id))?.map(Into::into))
    }

    /// The person has seen the missed calls: take the notices of them away. [`crate::Event::CallLog`] follows.
    ///
    /// # Errors
    /// `Store`: it cannot be kept: they are told of again.
    pub fn calls_seen(&self) -> Result<(), PhoneError> {
        self.require_open()?;
        self.handle.on_store(About::Calls, Store::mark_seen)?;
        Ok(())
    }

    /// Forgets rows of calls that are over, for good; how many those were. [`crate::Event::CallLog`] follows. Recordings stay.
    ///
    /// # Errors
    /// `Store`: nothing was forgotten: say so.
    pub fn forget_calls(&self, which: ForgetCalls) -> Result<u32, PhoneError> {
        self.require_open()?;
        let which = match which {
            ForgetCalls::One { id } => Forget::One(CallKey(id)),
            ForgetCalls::Before { at_ms } => Forget::Before(at_ms),
            ForgetCalls::All => Forget::All,
        };
        let gone = self.handle.on_store(About::Calls, move |store| store.forget_calls(which))?;
        self.log.note(format!("{gone} calls forgotten"));
        Ok(gone as u32)
    }

    /// The rows that `filter` lets through as text, to be shared. All of it is in memory twice meanwhile: a long log goes to
    /// a file.
    ///
    /// # Errors
    /// `Store`: they cannot be read: say so.
    pub fn export_calls(&self, filter: CallFilter, format: ExportFormat) -> Result<String, PhoneError> {
        let mut text = Vec::new();
        self.remembered()?.export(&filter.into(), format.into(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The same into a file, in place of an older one.
    ///
    /// # Errors
    /// - `BadArgument`: no path.
    /// - `Store`: they cannot be read, or not written: say so. There is no file then.
    pub fn export_calls_to(
        &self,
        filter: CallFilter,
        format: ExportFormat,
        path: String,
    ) -> Result<(), PhoneError> {
        if path.is_empty() || path.contains('\0') {
            return Err(PhoneError::BadArgument { sentence: "an export needs a file".into() });
        }
        let written = (|| {
            let mut file = BufWriter::new(File::create(&path)?);
            self.remembered()?.export(&filter.into(), format.into(), &mut file)?;
            Ok(file.flush()?)
        })();
        if written.is_err() {
            // Half of a log must not pass for all of it.
            let _ = fs::remove_file(&path);
        }
        written
    }
}

impl Phone {
    /// What is remembered, to be read beside the thread that writes.
    pub(crate) fn remembered(&self) -> Result<Store, PhoneError> {
        Ok(Store::reader(&self.memory)?)
    }
}

impl From<store::StoreError> for PhoneError {
    fn from(error: store::StoreError) -> Self {
        Self::Store { sentence: error.to_string() }
    }
}

impl From<CallFilter> for Filter {
    fn from(filter: CallFilter) -> Self {
        Self {
            kind: match filter.which.unwrap_or_default() {
                WhichCalls::All => Kind::All,
                WhichCalls::Missed => Kind::Missed,
                WhichCalls::Incoming => Kind::In,
                WhichCalls::Outgoing => Kind::Out,
            },
            text: filter.text,
            number: filter.number,
            account: filter.account,
            since: filter.since_ms,
            until: filter.until_ms,
        }
    }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Json => Self::Json,
        }
    }
}

impl From<store::CallRow> for CallRecord {
    fn from(row: store::CallRow) -> Self {
        let encrypted = [Encrypted::None, Encrypted::VosXor, Encrypted::Sdes, Encrypted::Dtls];
        let encrypted = row.encryption.and_then(|word| encrypted.into_iter().find(|it| it.word() == word));
        let talked_ms = row.ended.zip(row.answered).map(|(ended, answered)| (ended - answered).max(0));
        Self {
            id: row.id.0,
            account: row.account,
            side: match row.direction {
                store::Direction::In => Side::In,
                store::Direction::Out => Side::Out,
            },
            remote: row.remote,
            number: row.number,
            known: row.contact.is_some(),
            name: row.contact.or(row.name),
            started_ms: row.started,
            answered_ms: row.answered,
            ended_ms: row.ended,
            talked_ms,
            missed: row.missed,
            seen: row.seen,
            why: row.why.as_deref().and_then(why::of_word),
            sentence: row.reason,
            status: row.status,
            codec: row.codec,
            path: row.path,
            encrypted,
            networks: row.networks.iter().flat_map(|it| it.split(' ')).map(str::to_owned).collect(),
            mos: row.mos,
            loss: row.loss,
            recording: row.recording,
            said_by: row.said_by.as_deref().and_then(caller::said_by),
            verified: row.verified,
            signature: row.attest.map(|word| CallerSignature::kept(&word, row.signature)),
        }
    }
}
