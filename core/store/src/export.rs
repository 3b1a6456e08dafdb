//! The call log as a file for others: CSV (RFC 4180) or JSON (RFC 8259), the oldest last.

use std::fmt::Write as _;
use std::io;

use crate::{CallRow, Direction, Filter, Store, StoreError};

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line of names, then a line a call.
    Csv,
    /// One array of objects.
    Json,
}

const NAMES: &str = "id,account,direction,remote,number,name,contact,started,answered,ended,why,status,reason,codec,path,\
                     encryption,networks,mos,loss,recording,said_by,verified,attest,signature,missed";

impl Store {
    /// Writes the rows that `filter` lets through.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read, or not written: what is there is not whole.
    pub fn export(&self, filter: &Filter, format: Format, to: &mut dyn io::Write) -> Result<(), StoreError> {
        let mut failed = None;
        let mut first = true;
        to.write_all(match format {
            Format::Csv => NAMES.as_bytes(),
            Format::Json => b"[",
        })?;
        if format == Format::Csv {
            to.write_all(b"\r\n")?;
        }
        self.while_calls(filter, None, usize::MAX, &mut |row| {
            let line = match format {
                Format::Csv => csv(&row),
                Format::Json => json(&row, first),
            };
            first = false;
            failed = to.write_all(line.as_bytes()).err();
            failed.is_none()
        })?;
        if format == Format::Json && failed.is_none() {
            to.write_all(b"\n]\n")?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

fn json(row: &CallRow, first: bool) -> String {
    let row = serde_json::to_string(row).unwrap_or_default();
    format!("{}\n{row}", if first { "" } else { "," })
}

fn csv(row: &CallRow) -> String {
    let mut line = row.id.0.to_string();
    let direction = if row.direction == Direction::In { "in" } else { "out" };
    let number = |value: Option<i64>| value.map(|it| it.to_string());
    let fraction = |value: Option<f32>| value.map(|it| format!("{it:.3}"));
    let fields = [
        Some(row.account.clone()),
        Some(direction.to_owned()),
        Some(row.remote.clone()),
        Some(row.number.clone()),
        row.name.clone(),
        row.contact.clone(),
        Some(row.started.to_string()),
        number(row.answered),
        number(row.ended),
        row.why.clone(),
        number(row.status.map(i64::from)),
        row.reason.clone(),
        row.codec.clone(),
        row.path.clone(),
        row.encryption.clone(),
        row.networks.clone(),
        fraction(row.mos),
        fraction(row.loss),
        row.recording.clone(),
        row.said_by.clone(),
        row.verified.map(|it| it.to_string()),
        row.attest.clone(),
        row.signature.clone(),
        Some(row.missed.to_string()),
    ];
    for field in fields {
        let field = field.unwrap_or_default();
        // A spreadsheet takes a cell that begins so for a formula: a caller's name must not be one.
        let guard =
            if field.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(&field) { "'" } else { "" };
        let _ = write!(line, ",\"{guard}{}\"", field.replace('"', "\"\""));
    }
    line.push_str("\r\n");
    line
}

/// `+4930123456` and `-1` are harmless.
fn is_number(field: &str) -> bool {
    let digits = field.strip_prefix(['+', '-']).unwrap_or(field);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
