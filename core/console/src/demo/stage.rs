//! What the demo plays on: an exchange and two phones on free loopback ports, in a folder of their own.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use base::{Instant, Redacted, Secret};
use book::{Contact, ContactId, Number};
use exchange::server::{Listen, Server, ServerConfig, User};
use offhook_io::store::{OWN, Store, StoreError};
use offhook_io::{Audio, CaptureTo, Config, Crossed, Event, Handle, Trusts};
use phone::{Account, AccountId, CallerId, Command};
use sip::ladder::{Fate, Ladder};

use super::report::Report;
use super::{NUMBERS, around, speech};
use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::phone::desk::{pull_events, watch_signals};
use crate::place;

/// Where everything runs.
pub(super) const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// The domain of both.
const DOMAIN: &str = "offhook.test";
/// How long the two may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// What the demo is told.
pub(crate) enum Told {
    /// By one of the phones.
    Event(usize, Event),
    /// SIGINT or SIGTERM.
    Signal,
}

/// One phone, what it says and where it keeps what it hears.
pub(crate) struct Party {
    pub(crate) handle: Arc<Handle>,
    pub(crate) words: Vec<i16>,
    pub(crate) heard: PathBuf,
    /// Its call log.
    pub(crate) log: PathBuf,
    /// The SIP messages that crossed its wire.
    crossed: Receiver<Crossed>,
}

impl Party {
    pub(crate) fn call(&self, number: &str) {
        self.handle.call(None, number);
    }
}

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) exchange: SocketAddr,
    /// Where the exchange says what is left.
    #[cfg(feature = "rest")]
    pub(crate) http: SocketAddr,
    pub(crate) parties: [Party; 2],
    pub(crate) inbox: Receiver<Told>,
    pub(crate) interrupted: bool,
    _server: Server,
    _folder: Folder,
}

impl Stage {
    /// Starts everything. What is heard and remembered goes to `out`, or where it is removed afterwards.
    pub(crate) fn set(args: &DemoArgs, out: Option<&Path>) -> Result<Self, Failure> {
        let folder = Folder::new()?;
        let mut config = ServerConfig {
            domain: DOMAIN.into(),
            database: Some(folder.0.join("exchange.sqlite")),
            listen: Listen {
                http: Some(SocketAddr::from((LOOPBACK, 0))),
                ..Listen::at(SocketAddr::from((LOOPBACK, 0)))
            },
            rate: around::RATE.parse().ok(),
            user: NUMBERS.map(user).into(),
            ..ServerConfig::default()
        };
        let trusts = args.encryption.set_exchange(&mut config, &folder.0)?;
        let server = Server::start(config)
            .map_err(|error| Failure::Failed(format!("the exchange does not start: {error}")))?;
        let deaf = || Failure::Failed("the exchange does not listen".into());
        let exchange = args.encryption.exchange_of(&server.addresses()).ok_or_else(deaf)?;
        #[cfg(feature = "rest")]
        let http = server.addresses().http.ok_or_else(deaf)?;
        let (tell, inbox) = mpsc::channel();
        let signalled = tell.clone();
        watch_signals(move || signalled.send(Told::Signal).is_ok())?;
        let clips = [(speech::ANN, speech::ann()), (speech::BOB, speech::bob())];
        let mut parties = Vec::new();
        for (who, (file, words)) in clips.into_iter().enumerate() {
            let kept = out.unwrap_or(&folder.0).join(NUMBERS[who]);
            let play = folder.0.join(format!("said-by-{}.wav", NUMBERS[who]));
            let heard = out.unwrap_or(&folder.0).join(format!("heard-by-{}.wav", NUMBERS[who]));
            fs::create_dir_all(&kept)
                .and_then(|()| fs::write(&play, file))
                .map_err(|error| Failure::Failed(format!("{}: {error}", kept.display())))?;
            let log = place::database(&kept);
            if who == 1 {
                know_the_caller(&log).map_err(|error| Failure::Failed(error.to_string()))?;
            }
            let (crossing, crossed) = mpsc::channel();
            let capture = args.capture.clone().filter(|_| who == 0);
            let capture = capture.map(|path| CaptureTo { path, secrets: false });
            let handle = Arc::new(phone(who, play, [&heard, &log], crossing, (trusts.clone(), capture))?);
            let told = tell.clone();
            pull_events(&handle, move |event| told.send(Told::Event(who, event)).is_ok())?;
            handle.command(Command::AddAccount(AccountId(1), account(who, exchange, args)?));
            parties.push(Party { handle, words, heard, log, crossed });
        }
        let parties =
            <[Party; 2]>::try_from(parties).map_err(|_| Failure::Failed("a phone is missing".into()))?;
        Ok(Self {
            exchange,
            #[cfg(feature = "rest")]
            http,
            parties,
            inbox,
            interrupted: false,
            _server: server,
            _folder: folder,
        })
    }

    /// Both hang up and unregister.
    pub(crate) fn strike(&mut self) {
        for party in &self.parties {
            party.handle.command(Command::Shutdown);
        }
        let end = std::time::Instant::now() + GOODBYE;
        let mut stopped = 0;
        while stopped < self.parties.len() {
            match self.inbox.recv_timeout(end.saturating_duration_since(std::time::Instant::now())) {
                Ok(Told::Event(_, Event::Phone(phone::Event::Stopped))) => stopped += 1,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        // Their recordings are whole when their threads have ended.
        for party in &self.parties {
            party.handle.shutdown();
        }
    }

    /// Who said what to whom, as the two phones saw it.
    pub(crate) fn ladder(&self, report: &Report) -> Ladder {
        let mut ladder = Ladder::new("offhook demo", "", &[NUMBERS[0], "exchange", NUMBERS[1]]);
        let of = |who: usize| self.parties[who].crossed.try_iter().map(move |message| (who, message));
        let mut crossed: Vec<_> = of(0).chain(of(1)).collect();
        crossed.sort_by_key(|(_, message)| message.at);
        let begin = crossed.first().map_or(Instant::ZERO, |(_, message)| message.at);
        for (who, message) in crossed {
            let phone = who * 2;
            let (from, to) = if message.sent { (phone, 1) } else { (1, phone) };
            let meant = message.meant.as_ref().unwrap_or(&message.bytes);
            ladder.message(Instant::ZERO + message.at.since(begin), from, to, meant, Fate::Sent);
        }
        let verdict =
            if report.ok() { "both heard what was said" } else { "not everything was as it should be" };
        ladder.outcome(verdict);
        ladder
    }
}

pub(super) fn password(number: &str) -> String {
    format!("secret-{number}")
}

/// Who calls has money to spend.
fn user(number: &str) -> User {
    let mut user = User::new(number, &password(number));
    if number == NUMBERS[0] {
        user.balance = around::FUNDS.parse().ok();
        user.currency = Some(around::CURRENCY.to_owned());
    }
    user
}

/// Puts the caller's number into the phone book that is kept there.
fn know_the_caller(book: &Path) -> Result<(), StoreError> {
    let text = around::SHOWN_NUMBER.to_owned();
    let number = Number { normal: Some(text.clone()), text, kind: String::new() };
    let names = vec![around::CONTACT.to_owned()];
    let contact = Contact { id: ContactId(0), names, numbers: vec![number], weight: 0 };
    let store = Store::open(book)?.store;
    store.bulk(|| store.put_contact(OWN, 0, around::CONTACT, None, &contact)).map(drop)
}

fn phone(
    who: usize,
    play: PathBuf,
    [heard, log]: [&Path; 2],
    crossed: Sender<Crossed>,
    (trusts, capture): (Trusts, Option<CaptureTo>),
) -> Result<Handle, Failure> {
    Handle::start(Config {
        bind: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        audio: Audio::Files { play: Some(play), record: Some(heard.into()) },
        store: Some(log.into()),
        crossed: Some(crossed),
        trusts,
        capture,
        ..Config::default()
    })
    .map_err(|error| Failure::Failed(format!("phone {} does not start: {error}", NUMBERS[who])))
}

fn account(who: usize, exchange: SocketAddr, args: &DemoArgs) -> Result<Account, Failure> {
    let uri = |text: String| {
        text.parse().map_err(|error| Failure::Failed(format!("`{text}` is not a SIP URI: {error}")))
    };
    let number = NUMBERS[who];
    let mut account = Account::new(uri(format!("sip:{number}@{DOMAIN}"))?, Secret::new(password(number)));
    let transport = if args.encryption.is_under_tls() { "tls" } else { "udp" };
    account.proxy = Some(uri(format!("sip:{exchange};transport={transport}"))?);
    args.encryption.set(&mut account);
    account.codecs = vec![args.codec.0];
    if who == 0 {
        let number = Some(Redacted::new(around::SHOWN_NUMBER.to_owned()));
        account.caller_id = CallerId { number, ..CallerId::default() };
    }
    Ok(account)
}

/// A folder that is removed with everything in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let path = env::temp_dir().join(format!("offhook-demo-{}", process::id()));
        fs::create_dir(&path).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
