//! `offhook backup` and `offhook restore`: all that a phone remembers as one file, and back.
//!
//! What is in the file, and what becomes of it beside what is here, is the store's; passwords are the vault's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base::Secret;
use clap::Args;
use offhook_io::store::{
    BackupError, LONGEST_BACKUP, Lock, Part, Restored, Store, StoreError, Tally, Unlocked,
};
use serde::Serialize;

use crate::failure::Failure;
use crate::phone::json::say;
use crate::place::Place;
use crate::vault;

const BACKUP_EXAMPLES: &str = "\
Examples:
  offhook backup --data phone-data phone.json
  offhook backup --config phone.toml --passphrase-file phrase.txt phone.json    with the accounts' passwords

Exit status: 0 done, 1 it could not be done, 2 called wrongly.";

const RESTORE_EXAMPLES: &str = "\
What is here stays; a second time adds nothing. While no phone runs on the folder.

Examples:
  offhook restore --data phone-data phone.json
  offhook restore --data phone-data --passphrase-file phrase.txt phone.json     with the accounts' passwords

Exit status: 0 done, 1 nothing was taken, 2 called wrongly.";

#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLES)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    place: Place,
    /// The backup, JSON; one that is there is replaced.
    file: PathBuf,
    /// The first line of this file is the passphrase under which the passwords go with it; without it they stay here.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    place: Place,
    /// The backup.
    file: PathBuf,
    /// The first line of this file is the passphrase of its passwords; without it they stay locked.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// `"event":"backup"`: how many records there are of each part.
#[derive(Serialize)]
struct Written {
    event: &'static str,
    #[serde(flatten)]
    records: BTreeMap<&'static str, usize>,
    /// Accounts whose passwords are in it; absent without a passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    passwords: Option<usize>,
}

/// `"event":"restore"`: what became of the records of each part.
#[derive(Serialize)]
struct Taken {
    event: &'static str,
    /// When the backup was made, in milliseconds since 1970.
    made: i64,
    parts: BTreeMap<&'static str, Counts>,
    passwords: Passwords,
}

#[derive(Serialize)]
struct Counts {
    taken: usize,
    same: usize,
    kept: usize,
    orphaned: usize,
    bad: usize,
    beyond: usize,
}

impl From<Tally> for Counts {
    fn from(it: Tally) -> Self {
        Self {
            taken: it.taken,
            same: it.same,
            kept: it.kept,
            orphaned: it.orphaned,
            bad: it.bad,
            beyond: it.beyond,
        }
    }
}

/// What became of the passwords: of how many accounts.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Passwords {
    None,
    Locked,
    Here { taken: usize, withheld: usize },
}

/// Writes one.
pub(crate) fn back_up(args: &BackupArgs) -> Result<(), Failure> {
    let store = Store::reader(&args.place.present("there is nothing to back up")?).map_err(store_failed)?;
    let passphrase = passphrase(args.passphrase_file.as_deref())?;
    let secrets = match passphrase {
        Some(_) => vault::read(&args.place.folder()?).map_err(Failure::Failed)?,
        None => vault::Secrets::new(),
    };
    let mut rng = offhook_io::clock::seeded()
        .map_err(|error| Failure::Failed(format!("the system has no randomness: {error}")))?;
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    rng.fill(&mut salt);
    rng.fill(&mut nonce);
    let lock = passphrase.as_ref().map(|passphrase| Lock { passphrase, salt, nonce, secrets: &secrets });
    let now = offhook_io::clock::wall_millis();
    let done = vault::write_private(&args.file, |file| store.back_up(now, lock.as_ref(), file))
        .map_err(|error| failed(&args.file, error))?;
    let records = done.records.iter().map(|(part, count)| (part.name(), *count)).collect();
    let written =
        Written { event: "backup", records, passwords: passphrase.is_some().then_some(done.passwords) };
    if args.json {
        return say(&written).map_err(|error| Failure::Failed(format!("stdout is gone: {error}")));
    }
    for (part, count) in done.records {
        println!("{:>8} {}", count, word(part));
    }
    match written.passwords {
        Some(count) => println!("passwords of {count} accounts, under the passphrase"),
        None => println!("passwords are not in it"),
    }
    Ok(())
}

/// Reads one.
pub(crate) fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let unread = |error| Failure::Usage(format!("{}: cannot be read: {error}", args.file.display()));
    if fs::metadata(&args.file).map_err(unread)?.len() > LONGEST_BACKUP as u64 {
        return Err(failed(&args.file, BackupError::TooLong));
    }
    let backup = fs::read(&args.file).map_err(unread)?;
    let passphrase = passphrase(args.passphrase_file.as_deref())?;
    let store = Store::open(&args.place.made()?).map_err(store_failed)?.store;
    let Restored { made, parts, passwords } =
        store.restore(&backup, passphrase.as_ref()).map_err(|error| failed(&args.file, error))?;
    let passwords = match passwords {
        Unlocked::None => Passwords::None,
        Unlocked::Locked => Passwords::Locked,
        Unlocked::Secrets { of, withheld } => {
            Passwords::Here { taken: take_in(&args.place.folder()?, of)?, withheld }
        }
    };
    if args.json {
        let parts = parts.iter().map(|(part, tally)| (part.name(), (*tally).into())).collect();
        let taken = Taken { event: "restore", made, parts, passwords };
        return say(&taken).map_err(|error| Failure::Failed(format!("stdout is gone: {error}")));
    }
    for (part, tally) in parts {
        println!("{}: {tally}", word(part));
    }
    match passwords {
        Passwords::None => println!("there are no passwords in it"),
        Passwords::Locked => println!("its passwords stay locked: --passphrase-file names what opens them"),
        Passwords::Here { taken, withheld } => {
            println!("passwords: of {taken} accounts taken");
            if withheld > 0 {
                println!(
                    "passwords: of {withheld} accounts not, as those are set otherwise now or are not here"
                );
            }
        }
    }
    Ok(())
}

/// Puts secrets beside those that are here, which stay; of how many accounts any came.
fn take_in(folder: &Path, secrets: vault::Secrets) -> Result<usize, Failure> {
    let mut all = vault::read(folder).map_err(Failure::Failed)?;
    let mut taken = 0;
    for (key, secrets) in secrets {
        let here = all.entry(key).or_default();
        let before = here.len();
        for (name, secret) in secrets {
            here.entry(name).or_insert(secret);
        }
        taken += usize::from(here.len() > before);
    }
    // A second time finds the accounts here, and brings their passwords again.
    vault::write(folder, &all)
        .map_err(|why| Failure::Failed(format!("all but the passwords was taken. {why}. Try again.")))?;
    Ok(taken)
}

fn passphrase(file: Option<&Path>) -> Result<Option<Secret<String>>, Failure> {
    let Some(path) = file else { return Ok(None) };
    let text = fs::read_to_string(path).map(Secret::new).map_err(|error| {
        Failure::Usage(format!("{}: the passphrase cannot be read: {error}", path.display()))
    })?;
    let first = text.expose().lines().next().unwrap_or_default();
    if first.is_empty() {
        return Err(Failure::Usage(format!("{}: its first line is empty", path.display())));
    }
    Ok(Some(Secret::new(first.to_owned())))
}

fn failed(file: &Path, error: BackupError) -> Failure {
    match error {
        BackupError::Store(error) => store_failed(error),
        other => Failure::Failed(format!("{}: {other}", file.display())),
    }
}

fn store_failed(error: StoreError) -> Failure {
    Failure::Failed(error.to_string())
}

/// As people say it.
const fn word(part: Part) -> &'static str {
    match part {
        Part::Accounts => "accounts",
        Part::Settings => "settings",
        Part::Contacts => "contacts",
        Part::Marks => "contacts of others that are marked",
        Part::SpeedDial => "speed dials",
        Part::Blocked => "blocked numbers",
        Part::Calls => "calls",
        Part::Messages => "messages",
        Part::Drafts => "drafts",
    }
}
