//! What the demo plays on: an exchange and two phones on free loopback ports, in a folder of their own.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use base::{Instant, Secret};
use exchange::server::{Listen, Server, ServerConfig, User};
use offhook_io::{Audio, CaptureTo, Config, Crossed, Event, Handle, Trusts};
use phone::{Account, AccountId, Command};
use sip::ladder::{Fate, Ladder};

use super::report::Report;
use super::{NUMBERS, speech};
use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::phone::desk::{pull_events, watch_signals};

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
    pub(crate) parties: [Party; 2],
    pub(crate) inbox: Receiver<Told>,
    pub(crate) interrupted: bool,
    _server: Server,
    _folder: Folder,
}

impl Stage {
    /// Starts everything. What is heard goes to `out`, or where it is removed afterwards.
    pub(crate) fn set(args: &DemoArgs, out: Option<&Path>) -> Result<Self, Failure> {
        let folder = Folder::new()?;
        let mut config = ServerConfig {
            domain: DOMAIN.into(),
            database: Some(folder.0.join("exchange.sqlite")),
            listen: Listen::at(SocketAddr::from((LOOPBACK, 0))),
            user: NUMBERS.map(|number| User::new(number, &password(number))).into(),
            ..ServerConfig::default()
        };
        let trusts = args.encryption.set_exchange(&mut config, &folder.0)?;
        let server = Server::start(config)
            .map_err(|error| Failure::Failed(format!("the exchange does not start: {error}")))?;
        let exchange = args.encryption.exchange_of(&server.addresses());
        let exchange = exchange.ok_or(Failure::Failed("the exchange does not listen".into()))?;
        let (tell, inbox) = mpsc::channel();
        let signalled = tell.clone();
        watch_signals(move || signalled.send(Told::Signal).is_ok())?;
        let clips = [(speech::ANN, speech::ann()), (speech::BOB, speech::bob())];
        let mut parties = Vec::new();
        for (who, (file, words)) in clips.into_iter().enumerate() {
            let store = folder.0.join(NUMBERS[who]);
            let play = store.join("words.wav");
            let heard = out.unwrap_or(&store).join(format!("heard-by-{}.wav", NUMBERS[who]));
            fs::create_dir(&store)
                .and_then(|()| fs::write(&play, file))
                .map_err(|error| Failure::Failed(format!("{}: {error}", store.display())))?;
            let (crossing, crossed) = mpsc::channel();
            let capture = args.capture.clone().filter(|_| who == 0);
            let capture = capture.map(|path| CaptureTo { path, secrets: false });
            let handle = Arc::new(phone(who, play, heard.clone(), crossing, (trusts.clone(), capture))?);
            let told = tell.clone();
            pull_events(&handle, move |event| told.send(Told::Event(who, event)).is_ok())?;
            handle.command(Command::AddAccount(AccountId(1), account(who, exchange, args)?));
            parties.push(Party { handle, words, heard, crossed });
        }
        let parties =
            <[Party; 2]>::try_from(parties).map_err(|_| Failure::Failed("a phone is missing".into()))?;
        Ok(Self { exchange, parties, inbox, interrupted: false, _server: server, _folder: folder })
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
        let verdict = if report.ok() { "both heard what was said" } else { "not everything was heard" };
        ladder.outcome(verdict);
        ladder
    }
}

fn password(number: &str) -> String {
    format!("secret-{number}")
}

fn phone(
    who: usize,
    play: PathBuf,
    heard: PathBuf,
    crossed: Sender<Crossed>,
    (trusts, capture): (Trusts, Option<CaptureTo>),
) -> Result<Handle, Failure> {
    Handle::start(Config {
        bind: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        audio: Audio::Files { play: Some(play), record: Some(heard) },
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
