//! The records of a backup, and which of them make sense.
//!
//! A record is read by itself: a bad one costs no other. Knows no table.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{CallRow, Delivery, Direction, MessageRow, Millis};

/// Bytes of a text, at most; of what a message says too.
const LONGEST: usize = 256 * 1024;
/// Bytes of a name or a number, at most.
const LONGEST_NAME: usize = 4 * 1024;
/// Names of a contact, and groups that it is in, at most.
const MOST_NAMES: usize = 1_000;
/// Numbers of a contact, at most.
const MOST_NUMBERS: usize = 10_000;
/// The end of the year 9999: a time behind it is none.
const LAST: Millis = 253_402_300_800_000;
/// Why a message is not sent any more that waited when the backup was made.
const WAITED: &str = "It was not sent before the backup was made.";

/// Whether a record may be taken.
pub(super) trait Sensible {
    fn is_sensible(&self) -> bool;
}

#[derive(Serialize, Deserialize)]
pub(super) struct AccountRecord {
    pub(super) id: i64,
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) default: bool,
    pub(super) settings: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SettingRecord {
    pub(super) name: String,
    pub(super) value: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ContactRecord {
    pub(super) key: String,
    #[serde(default)]
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) numbers: Vec<NumberRecord>,
    #[serde(default)]
    pub(super) favourite: bool,
    #[serde(default)]
    pub(super) groups: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct NumberRecord {
    pub(super) text: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) normal: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MarkRecord {
    pub(super) source: String,
    pub(super) key: String,
    #[serde(default)]
    pub(super) favourite: bool,
    #[serde(default)]
    pub(super) groups: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SpeedRecord {
    pub(super) digit: u8,
    pub(super) number: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct BlockedRecord {
    pub(super) number: String,
    pub(super) since: Millis,
}

/// What is not known is left out.
#[derive(Serialize, Deserialize)]
pub(super) struct CallRecord {
    pub(super) account: String,
    pub(super) direction: Direction,
    pub(super) remote: String,
    pub(super) number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<String>,
    pub(super) started: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answered: Option<Millis>,
    pub(super) ended: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) codec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encryption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) networks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mos: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loss: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) said_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<String>,
    #[serde(default)]
    pub(super) missed: bool,
    #[serde(default)]
    pub(super) seen: bool,
}

/// What is not known is left out.
#[derive(Serialize, Deserialize)]
pub(super) struct MessageRecord {
    pub(super) account: String,
    pub(super) direction: Direction,
    pub(super) remote: String,
    pub(super) number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<String>,
    pub(super) text: String,
    pub(super) at: Millis,
    pub(super) delivery: Delivery,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) seen: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DraftRecord {
    pub(super) account: i64,
    pub(super) number: String,
    pub(super) text: String,
    pub(super) at: Millis,
}

const fn yes() -> bool {
    true
}

/// None: it is not over, and what it will be is not known yet.
pub(super) fn of_call(row: CallRow) -> Option<CallRecord> {
    Some(CallRecord {
        account: row.account,
        direction: row.direction,
        remote: row.remote,
        number: row.number,
        name: row.name,
        contact: row.contact,
        started: row.started,
        answered: row.answered,
        ended: row.ended?,
        why: row.why,
        status: row.status,
        reason: row.reason,
        codec: row.codec,
        path: row.path,
        encryption: row.encryption,
        networks: row.networks,
        mos: row.mos,
        loss: row.loss,
        said_by: row.said_by,
        verified: row.verified,
        attest: row.attest,
        signature: row.signature,
        missed: row.missed,
        seen: row.seen,
    })
}

/// Nothing that waits in a backup is sent again: the phone that made it does that.
pub(super) fn of_message(row: MessageRow) -> MessageRecord {
    let waits = row.delivery == Delivery::Queued;
    MessageRecord {
        account: row.account,
        direction: row.direction,
        remote: row.remote,
        number: row.number,
        name: row.name,
        contact: row.contact,
        text: row.text,
        at: row.at,
        delivery: if waits { Delivery::Failed } else { row.delivery },
        status: row.status,
        reason: if waits { Some(WAITED.into()) } else { row.reason },
        seen: row.seen,
    }
}

fn short<'a>(texts: impl IntoIterator<Item = &'a String>) -> bool {
    texts.into_iter().all(|text| text.len() <= LONGEST_NAME)
}

fn is_time(at: Millis) -> bool {
    (0..LAST).contains(&at)
}

impl Sensible for AccountRecord {
    fn is_sensible(&self) -> bool {
        short([&self.name]) && self.settings.get().len() <= LONGEST
    }
}

impl Sensible for SettingRecord {
    fn is_sensible(&self) -> bool {
        short([&self.name]) && self.value.get().len() <= LONGEST
    }
}

impl Sensible for ContactRecord {
    fn is_sensible(&self) -> bool {
        let few = [self.names.len(), self.groups.len()].iter().all(|count| *count <= MOST_NAMES);
        let parts = |number: &NumberRecord| short([&number.text, &number.kind]) && short(&number.normal);
        few && self.numbers.len() <= MOST_NUMBERS
            && short([&self.key])
            && self.names.iter().all(|name| name.len() <= LONGEST)
            && short(&self.groups)
            && self.numbers.iter().all(parts)
    }
}

impl Sensible for MarkRecord {
    fn is_sensible(&self) -> bool {
        !self.source.is_empty()
            && self.groups.len() <= MOST_NAMES
            && short([&self.source, &self.key])
            && short(&self.groups)
    }
}

impl Sensible for SpeedRecord {
    fn is_sensible(&self) -> bool {
        (1..=9).contains(&self.digit) && short([&self.number])
    }
}

impl Sensible for BlockedRecord {
    fn is_sensible(&self) -> bool {
        short([&self.number]) && is_time(self.since) && !base::number::bare(&self.number).is_empty()
    }
}

impl Sensible for CallRecord {
    fn is_sensible(&self) -> bool {
        let known = [&self.name, &self.contact, &self.why, &self.reason, &self.codec];
        let more = [&self.path, &self.encryption, &self.networks];
        let identity = [&self.said_by, &self.attest, &self.signature];
        let times = [Some(self.started), self.answered, Some(self.ended)];
        short([&self.account, &self.remote, &self.number])
            && short(known.into_iter().chain(more).chain(identity).flatten())
            && times.into_iter().flatten().all(is_time)
            && self.mos.is_none_or(|mos| (0.0..=5.0).contains(&mos))
            && self.loss.is_none_or(|loss| (0.0..=1.0).contains(&loss))
    }
}

impl Sensible for MessageRecord {
    fn is_sensible(&self) -> bool {
        // One that waits would be sent: by a file, and not by a person.
        let way = match self.delivery {
            Delivery::Came => self.direction == Direction::In,
            Delivery::Sent | Delivery::Failed => self.direction == Direction::Out,
            Delivery::Queued => false,
        };
        way && short([&self.account, &self.remote, &self.number])
            && short([&self.name, &self.contact, &self.reason].into_iter().flatten())
            && self.text.len() <= LONGEST
            && is_time(self.at)
    }
}

impl Sensible for DraftRecord {
    fn is_sensible(&self) -> bool {
        short([&self.number]) && self.text.len() <= LONGEST && !self.text.is_empty() && is_time(self.at)
    }
}
