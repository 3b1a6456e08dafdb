//! The command line, as `--help` shows it.

mod contacts;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::backup::{BackupArgs, RestoreArgs};
use crate::config::nat::StunServer;
use crate::config::parts::{CodecName, SipUri};
use crate::demo::encryption::Encryption;
use crate::place::Place;

pub(crate) use contacts::{ContactsArgs, ContactsJob};

const EXAMPLES: &str = "\
Examples:
  offhook demo                          a whole call on this machine, checked
  offhook exchange                      a pocket exchange on 127.0.0.1:5060
  offhook phone --uri sip:1001@127.0.0.1 --play speech.wav

Exit status: 0 did what was asked, 1 the call or registration failed, 2 called wrongly.";

const DEMO_EXAMPLES: &str = "\
Examples:
  offhook demo
  offhook demo --seconds 10 --codec PCMA --out heard/
  offhook demo --encryption vos --capture vos.pcapng
  offhook demo --json | tail -n 1";

const EXCHANGE_EXAMPLES: &str = "\
Without a file: domain offhook.test, users 1001..1009 with password secret-<user>.

Examples:
  offhook exchange
  offhook exchange --listen 192.0.2.10:5060
  offhook exchange --config exchange.toml --json";

const PHONE_EXAMPLES: &str = "\
The password comes from the file, --password-file or OFFHOOK_PASSWORD.

Examples:
  OFFHOOK_PASSWORD=secret-1001 offhook phone --uri sip:1001@127.0.0.1:5060
  offhook phone --config phone.toml --play speech.wav --record heard.wav
  offhook phone --config phone.toml --json          {\"cmd\":\"call\",\"to\":\"1002\"} on stdin calls
  offhook phone --data phone-data                   all stored accounts that are in use";

const DIAGNOSE_EXAMPLES: &str = "\
Examples:
  offhook diagnose --stun stun.example.com
  offhook diagnose --config phone.toml
  offhook diagnose --stun 192.0.2.10:3478 --json

Exit status: 0 the server answered, 1 it did not, 2 called wrongly.";

const HISTORY_EXAMPLES: &str = "\
Examples:
  offhook history --data phone-data
  offhook history --config phone.toml --search ann --json
  offhook history --data phone-data --export csv > calls.csv
  offhook history --data phone-data --grouped
  offhook history --data phone-data --find            as one types
  offhook history --data phone-data --forget 17

Exit status: 0 done, 1 the log cannot be read, 2 called wrongly.";

const MESSAGES_EXAMPLES: &str = "\
Examples:
  offhook messages --data phone-data
  offhook messages --data phone-data --with 1002 --json

Exit status: 0 done, 1 they cannot be read, 2 called wrongly.";

const ACCOUNTS_EXAMPLES: &str = "\
The password comes from --password-file, --from password=FILE or, for a new account, OFFHOOK_PASSWORD.

Examples:
  offhook accounts --data phone-data add sip:1001@sip.example.com transport=tls srtp=optional
  offhook accounts --data phone-data change 1001 codecs='[\"opus\", \"PCMA\"]' nat.stun=stun:stun.example.com
  offhook accounts --data phone-data import \"offhook:provision?url=https%3A%2F%2Fexample.com%2Fa%3Ft%3D1\"
  offhook accounts --data phone-data export 1001 > account.json     without its secrets
  offhook accounts --data phone-data test 030123456                 what its dial plan makes of it

Exit status: 0 done, 1 it could not be done, 2 called wrongly.";

const NUMBERS_EXAMPLES: &str = "\
Examples:
  offhook numbers --region DE \"030 123456,,12#\"
  offhook numbers --data phone-data --account Work 030123456
  offhook numbers --region US --json 911";

const BALANCE_EXAMPLES: &str = "\
Who is asked, and how, is `[balance]` in the settings, or `balance` of a stored account. A card is never an argument: others on this machine see those.

Examples:
  offhook balance --config phone.toml
  offhook balance --config phone.toml --to +49301234 --json
  offhook balance --data phone-data --account Work
  offhook balance --config phone.toml --top-up                          asks for the card
  offhook balance --config phone.toml --top-up --card-file card.txt     its number, and its PIN in a second line

Exit status: 0 the provider answered, 1 it did not or said no, 2 called wrongly.";

const CALLBACK_EXAMPLES: &str = "\
Examples:
  offhook callback --config phone.toml 1002
  offhook callback --config phone.toml --from +49170555 +49301234

Exit status: 0 the provider takes it on, 1 it does not, 2 called wrongly.";

/// A SIP phone in a terminal, with an exchange to try it on.
#[derive(Debug, Parser)]
#[command(name = "offhook", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) job: Job,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// Makes a real call between two phones through a real exchange, all in this process, and checks it.
    Demo(DemoArgs),
    /// Runs the pocket exchange: registrar, proxy and redirect server.
    Exchange(ExchangeArgs),
    /// Runs a phone.
    Phone(PhoneArgs),
    /// Says what the router in the way does to calls, in plain words.
    Diagnose(DiagnoseArgs),
    /// Shows the calls that a phone has made and taken, and forgets them.
    History(HistoryArgs),
    /// Shows the text messages that came and were sent.
    Messages(MessagesArgs),
    /// The phone book: finds, adds, imports, exports, blocks.
    Contacts(ContactsArgs),
    /// Says what becomes of a number that is typed.
    Numbers(NumbersArgs),
    /// Asks the provider what is left on the account, and pays a card in.
    Balance(BalanceArgs),
    /// Has the provider ring you, and then whom you want.
    Callback(CallbackArgs),
    /// Writes all that a phone remembers into one file.
    Backup(BackupArgs),
    /// Adds what such a file has to what a phone remembers.
    Restore(RestoreArgs),
    /// The accounts that a phone keeps: shows, adds, changes, imports from a link or a QR code's text.
    Accounts(AccountsArgs),
}

#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArgs {
    /// How long the two talk.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) seconds: u64,
    /// The codec of the call: G729, PCMU, PCMA, GSM, opus or G722.
    #[arg(long, value_name = "NAME", default_value = "G729")]
    pub(crate) codec: CodecName,
    /// How the call is protected: none, vos (signalling through the exchange's VOS listener), vos-xor (and, as an experiment,
    /// sound disguised), tls (its signalling), sdes (tls, and its media by keys in the signalling), or dtls (its media by keys
    /// that the phones agree on between themselves).
    #[arg(long, value_name = "MODE", default_value = "none")]
    pub(crate) encryption: Encryption,
    /// Writes what crosses the caller's wire, credentials masked; what was sealed also in clear, on an interface of its own.
    #[arg(long, value_name = "FILE.pcapng")]
    pub(crate) capture: Option<PathBuf>,
    /// Leaves what each phone heard in this folder, as WAV, and what it remembers, in a folder of its number:
    /// `offhook history --data DIR/1001`.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON object a line; the last is the report.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXCHANGE_EXAMPLES)]
pub(crate) struct ExchangeArgs {
    /// The settings, TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// UDP and TCP listen here, whatever the file says.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// One JSON object a line; the first says where it listens.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = PHONE_EXAMPLES)]
pub(crate) struct PhoneArgs {
    /// The settings, TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The account, instead of the file's: `sip:1001@HOST[:PORT]`.
    #[arg(long, value_name = "URI")]
    pub(crate) uri: Option<SipUri>,
    /// The phone's folder, instead of the file's.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// One stored account, by its id, name or address; without it, and without another, all that are in use.
    #[arg(long, value_name = "WHICH", conflicts_with = "uri")]
    pub(crate) account: Option<String>,
    /// The first line of this file is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// What the phone says, round and round; silence without it.
    #[arg(long, value_name = "WAV")]
    pub(crate) play: Option<PathBuf>,
    /// Where what it hears is kept.
    #[arg(long, value_name = "WAV")]
    pub(crate) record: Option<PathBuf>,
    /// Commands as JSON lines on stdin, events as JSON lines on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Writes what crosses the wire, credentials masked.
    #[arg(long, value_name = "FILE.pcapng")]
    pub(crate) capture: Option<PathBuf>,
    /// Leaves the credentials in the capture as they were.
    #[arg(long, requires = "capture")]
    pub(crate) capture_secrets: bool,
}

#[derive(Debug, Args)]
#[command(after_help = DIAGNOSE_EXAMPLES)]
pub(crate) struct DiagnoseArgs {
    /// The server that is asked, instead of the file's first; one with two addresses tells most.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) stun: Option<StunServer>,
    /// A phone's settings, TOML: `stun` under `[nat]`, and `bind`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Only calls that nobody took.
    #[arg(long)]
    pub(crate) missed: bool,
    /// Only calls with this in their number, name or URI.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) search: String,
    /// Types on the terminal what is looked for, and shows what fits with each key.
    #[arg(long, conflicts_with_all = ["json", "export", "forget", "grouped", "search"])]
    pub(crate) find: bool,
    /// Each number once a day, with how many calls there were.
    #[arg(long, conflicts_with_all = ["export", "forget"])]
    pub(crate) grouped: bool,
    /// Only calls older than this one: the next page.
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<i64>,
    /// How many, at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: u16,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// All that is found as a file, `csv` or `json`, on stdout.
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    pub(crate) export: Option<ExportFormat>,
    /// Forgets one call by its id, those before a day (UTC), or `all`. While no phone runs on the folder.
    #[arg(long, value_name = "ID|YYYY-MM-DD|all", conflicts_with_all = ["export", "json"])]
    pub(crate) forget: Option<WhichCalls>,
    /// Takes the missed calls for seen. While no phone runs on the folder.
    #[arg(long)]
    pub(crate) seen: bool,
}

/// How the log leaves.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// A line a call.
    Csv,
    /// One array.
    Json,
}

/// Which calls are to be forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WhichCalls {
    One(i64),
    /// Begun before this, in milliseconds since 1970.
    Before(i64),
    All,
}

impl std::str::FromStr for WhichCalls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::One(id));
        }
        let midnight = day(text).map(|day| day.midnight().assume_utc().unix_timestamp() * 1000);
        midnight.map(Self::Before).ok_or_else(|| "a call's id, a day such as 2026-01-31, or `all`".to_owned())
    }
}

/// `2026-01-31`.
fn day(text: &str) -> Option<time::Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = month.parse::<u8>().ok()?.try_into().ok()?;
    time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?)
        .ok()
        .filter(|_| parts.next().is_none())
}

#[derive(Debug, Args)]
#[command(after_help = MESSAGES_EXAMPLES)]
pub(crate) struct MessagesArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// All messages with this number, instead of the newest with each.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) with: Option<String>,
    /// How many, at most: the newest.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: u16,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = ACCOUNTS_EXAMPLES)]
pub(crate) struct AccountsArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where the phone is: `DE`. Which numbers are for emergencies.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// One JSON object a thing.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) job: AccountsJob,
}

/// What is to be done to the accounts. WHICH is an id, a name, an address or its user. While no phone runs on the folder,
/// unless it only shows.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountsJob {
    /// All of them, in order; `*` is the one that calls go by unless said otherwise.
    List,
    /// One, with its settings.
    Show {
        /// Which.
        which: String,
    },
    /// Adds one.
    Add {
        /// Its address: `sip:1001@HOST`.
        uri: SipUri,
        /// What it is called.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        fields: NewFields,
    },
    /// Changes one.
    Change {
        /// Which.
        which: String,
        /// What it is called.
        #[arg(long)]
        name: Option<String>,
        /// Takes it out of use.
        #[arg(long, conflicts_with = "on")]
        off: bool,
        /// Puts it into use.
        #[arg(long)]
        on: bool,
        #[command(flatten)]
        fields: NewFields,
    },
    /// Removes one, and its secrets.
    Remove {
        /// Which.
        which: String,
    },
    /// Makes one that which calls go by unless said otherwise.
    Default {
        /// Which.
        which: String,
    },
    /// Puts one at another place.
    Move {
        /// Which.
        which: String,
        /// From 1.
        place: usize,
    },
    /// Shows an account that somebody hands out, and takes it if it is agreed to.
    Import {
        /// A link, an address, a QR code's text, or a file (`-`: stdin) with one of these.
        from: String,
        /// Agreed.
        #[arg(long)]
        yes: bool,
        /// What it is called.
        #[arg(long)]
        name: Option<String>,
        /// The first line of this file is the password.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// One as a document, without its secrets, on stdout.
    Export {
        /// Which.
        which: String,
    },
    /// Says what becomes of a number, and what the dial plan makes of it.
    Test {
        /// As it is typed.
        number: String,
        /// By which account; else by the default one.
        #[arg(long, value_name = "WHICH")]
        account: Option<String>,
    },
}

/// Fields of an account's document.
#[derive(Debug, Args)]
pub(crate) struct NewFields {
    /// FIELD=VALUE, as the document has it (JSON or a text): `transport=tls`, `nat.ice=true`; without a value: as usual.
    pub(crate) fields: Vec<FieldValue>,
    /// A field whose value is in a file: secrets.
    #[arg(long, value_name = "FIELD=FILE")]
    pub(crate) from: Vec<FieldValue>,
    /// The first line of this file is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// `FIELD=VALUE`.
#[derive(Clone, Debug)]
pub(crate) struct FieldValue {
    pub(crate) field: String,
    pub(crate) value: String,
}

impl std::str::FromStr for FieldValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, value) = text.split_once('=').ok_or("FIELD=VALUE")?;
        Ok(Self { field: field.to_owned(), value: value.to_owned() })
    }
}

#[derive(Debug, Args)]
#[command(after_help = NUMBERS_EXAMPLES)]
pub(crate) struct NumbersArgs {
    /// As it is typed.
    pub(crate) typed: String,
    /// Where the phone is: `DE`.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The phone's folder: what the dial plan of its default account makes of the number is told, too.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// That of another account.
    #[arg(long, value_name = "WHICH", requires = "data")]
    pub(crate) account: Option<String>,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whose provider it is.
#[derive(Debug, Args)]
pub(crate) struct WhoseArgs {
    /// The phone's settings, TOML.
    #[arg(long, value_name = "FILE", required_unless_present = "data")]
    pub(crate) config: Option<PathBuf>,
    /// The phone's folder, instead of the file's.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// A stored account, by its id, name or address; without it, and without one in the settings, the default one.
    #[arg(long, value_name = "WHICH")]
    pub(crate) account: Option<String>,
    /// The first line of this file is the account's password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "rest")]
impl WhoseArgs {
    /// As a phone would be started with them.
    pub(crate) fn phone(&self) -> PhoneArgs {
        PhoneArgs {
            config: self.config.clone(),
            uri: None,
            data: self.data.clone(),
            account: self.account.clone(),
            password_file: self.password_file.clone(),
            play: None,
            record: None,
            json: self.json,
            capture: None,
            capture_secrets: false,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = BALANCE_EXAMPLES)]
pub(crate) struct BalanceArgs {
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Also for how long a call to that number could be.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) to: Option<String>,
    /// Pays a card in first. Its number and PIN are asked for, or are two lines of stdin.
    #[arg(long)]
    pub(crate) top_up: bool,
    /// They are the first two lines of this file.
    #[arg(long, value_name = "FILE", requires = "top_up")]
    pub(crate) card_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = CALLBACK_EXAMPLES)]
pub(crate) struct CallbackArgs {
    /// Whom you want.
    pub(crate) number: String,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Where you are, instead of `caller` under `[balance.callback]`, else the account's own number.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) from: Option<String>,
}
