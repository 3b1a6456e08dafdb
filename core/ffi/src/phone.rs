//! A running phone, as the app holds it: its beginning, its events and its end. Its commands are in `commands`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use offhook_io::balance::Occasion;
use offhook_io::{Ask, Handle, KeptRelays, Trusts};
use phone::{Command, Regions};

use crate::error::{PhoneError, StartError};
use crate::log::Log;
use crate::money::Till;
use crate::network::Binder;
use crate::presence::WatchList;
use crate::push::Tokens;
use crate::reach::Reach;
use crate::store::Store;
use crate::{CardNumber, Event, LogLine, SecretStore, SocketBinder};

/// Longest wait for an event; an app that asks for more waits again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What a phone is started with.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PhoneConfig {
    /// A folder of the phone's own, made if need be. No two phones share one.
    pub folder: String,
    /// Where sound comes from and goes to.
    pub audio: Audio,
    /// The app's name and version, for the `User-Agent`; empty: the core's own.
    #[uniffi(default = "")]
    pub user_agent: String,
}

/// Where sound comes from and goes to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Audio {
    /// The device's microphone and speaker.
    Device,
    /// Nowhere: silence is sent.
    Silent,
    /// Files, for trials: mono WAV of 16 bits.
    Files {
        /// To say, round and round; empty: silence.
        play: String,
        /// To write what is heard to; empty: nowhere.
        record: String,
    },
}

/// A phone. All its methods may be called from any thread, the one that waits for events included.
#[derive(uniffi::Object)]
pub struct Phone {
    pub(crate) handle: Handle,
    pub(crate) store: Mutex<Store>,
    pub(crate) log: Log,
    pub(crate) binder: Option<Arc<Binder>>,
    pub(crate) messages: AtomicU32,
    /// The file of what is remembered of calls, messages and contacts.
    pub(crate) memory: PathBuf,
    /// Accounts' dealings with their providers.
    pub(crate) tills: Mutex<BTreeMap<u32, Till>>,
    /// By whose certificates servers are believed.
    pub(crate) trusts: Trusts,
    /// Who asks for accounts' relays.
    pub(crate) relays: Mutex<BTreeMap<u32, KeptRelays>>,
    /// Itself, for threads that tell it something and must not keep it.
    pub(crate) this: Weak<Self>,
    /// Where the phone is.
    regions: Mutex<Regions>,
    /// What the platform says are the person's own numbers.
    cards: Mutex<Vec<CardNumber>>,
    watch_list: Mutex<WatchList>,
    tokens: Mutex<Tokens>,
    /// Moments of the door itself, told before the phone's.
    own: Mutex<Vec<Event>>,
    /// The handles of the networks that there are.
    networks: Mutex<BTreeSet<i64>>,
    closing: AtomicBool,
    listening: AtomicBool,
    /// Last: the folder is free once the threads have ended.
    _folder: Claim,
}

#[uniffi::export]
impl Phone {
    /// Starts a phone with the accounts of its folder; those that want to be registered begin so at once.
    ///
    /// # Errors
    /// [`StartError`]: show its sentence.
    #[uniffi::constructor]
    pub fn start(
        config: PhoneConfig,
        secrets: Arc<dyn SecretStore>,
        binder: Option<Arc<dyn SocketBinder>>,
    ) -> Result<Arc<Self>, StartError> {
        if config.folder.is_empty() || config.folder.contains('\0') {
            return Err(StartError::BadArgument { sentence: "a phone needs a folder".into() });
        }
        if config.user_agent.len() > 200 || config.user_agent.chars().any(|c| !(' '..='~').contains(&c)) {
            return Err(StartError::BadArgument { sentence: "that is no name of an app".into() });
        }
        let unusable = |e: std::io::Error| StartError::Folder { sentence: e.to_string() };
        let folder = PathBuf::from(&config.folder);
        let claim = Claim::of(&folder).map_err(unusable)?;
        let binder = binder.map(|platform| Arc::new(Binder::new(platform)));
        let memory = folder.join(offhook_io::store::FILE);
        let mut io = offhook_io::Config {
            store: Some(memory.clone()),
            // The app plays the platform's own.
            tones: offhook_io::LocalTones::Off,
            binder: binder.clone().map(|binder| binder as Arc<dyn offhook_net::Bind>),
            ..offhook_io::Config::default()
        };
        // Clones share what accounts say later.
        let trusts = io.trusts.clone();
        io.phone.instance = offhook_io::instance(&folder).ok();
        if !config.user_agent.is_empty() {
            io.phone.user_agent.clone_from(&config.user_agent);
        }
        config.audio.set(&mut io);
        let system = |sentence: String| StartError::System { sentence };
        let handle = Handle::start(io).map_err(|e| system(e.to_string()))?;
        // By the handle: its thread opens the database first, and mends it where that is needed.
        let (store, trouble) = Store::open(&folder, secrets, &handle).map_err(|e| system(e.to_string()))?;
        let phone = Arc::new_cyclic(|this| Self {
            this: this.clone(),
            tills: Mutex::default(),
            trusts,
            relays: Mutex::default(),
            handle,
            store: Mutex::new(store),
            log: Log::default(),
            binder,
            networks: Mutex::default(),
            messages: AtomicU32::new(0),
            memory,
            regions: Mutex::default(),
            cards: Mutex::default(),
            watch_list: Mutex::default(),
            tokens: Mutex::default(),
            own: Mutex::default(),
            closing: AtomicBool::new(false),
            listening: AtomicBool::new(false),
            _folder: claim,
        });
        phone.log.note("started");
        if let Some(sentence) = trouble {
            phone.tell(Event::Memory { sentence });
        }
        phone.take_in();
        phone.open_tills();
        #[cfg(feature = "testing")]
        crate::testing::started(folder, Arc::downgrade(&phone));
        Ok(phone)
    }

    /// The next event, waited for at most so long; none came in time: none. For one thread of the app, which calls it in
    /// a loop until it fails.
    ///
    /// # Errors
    /// - `ShutDown`: the last event was pulled; end the thread.
    /// - `TwoListeners`: another thread waits already; end this one.
    pub fn wait_event(&self, timeout_ms: u64) -> Result<Option<Event>, PhoneError> {
        if self.listening.swap(true, Ordering::Acquire) {
            return Err(PhoneError::TwoListeners);
        }
        let event = self.next_event(Duration::from_millis(timeout_ms).min(LONGEST_WAIT));
        self.listening.store(false, Ordering::Release);
        event
    }

    /// Hangs up, unregisters, and ends within 2.5 s; returns at once. [`Event::Stopped`] follows.
    pub fn shutdown(&self) {
        if !self.closing.swap(true, Ordering::AcqRel) {
            self.log.note("shutting down");
            self.handle.command(Command::Shutdown);
        }
    }

    /// What happened lately, for a report to the makers. Nothing personal is in it.
    pub fn log(&self) -> Vec<LogLine> {
        self.log.lines()
    }
}

impl Phone {
    fn next_event(&self, timeout: Duration) -> Result<Option<Event>, PhoneError> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let event = match own {
            Some(event) => event,
            None => match self.handle.wait_event(timeout) {
                Some(event) => {
                    if let offhook_io::Event::Phone(phone::Event::Learnt(learnt)) = &event {
                        // What cannot be kept is found out anew.
                        let _ = self.store().networks.learn(learnt);
                    }
                    if let offhook_io::Event::Phone(phone::Event::Trusted { account, fingerprint }) = &event {
                        // What cannot be kept is asked about again.
                        let _ = self.keep_trust(account.0, *fingerprint);
                    }
                    if let offhook_io::Event::Phone(phone::Event::Call(view)) = &event
                        && view.state == phone::CallState::Ended
                        && view.answered.is_some()
                    {
                        self.ask(view.account.0, Ask::Balance(Occasion::CallEnded));
                    }
                    match Event::of(event) {
                        Some(event) => event,
                        None => return Ok(None),
                    }
                }
                None if self.handle.is_over() => return Err(PhoneError::ShutDown),
                None => return Ok(None),
            },
        };
        self.log.event(&event);
        Ok(Some(event))
    }

    /// Gives the phone what is kept.
    fn take_in(&self) {
        let store = self.store();
        for learnt in store.networks.all() {
            self.handle.command(Command::Remember(learnt));
        }
        self.tell_reach(&store, &Reach::default());
        self.give_all(&store);
    }

    pub(crate) fn tell(&self, event: Event) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        // State that waits is not told twice.
        if event != Event::Accounts || !own.contains(&event) {
            own.insert(0, event);
        }
        drop(own);
        self.handle.nudge();
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn regions(&self) -> MutexGuard<'_, Regions> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cards(&self) -> MutexGuard<'_, Vec<CardNumber>> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watch_list(&self) -> MutexGuard<'_, WatchList> {
        self.watch_list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held until the news of a change is on its way, so that it goes in order.
    pub(crate) fn networks(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn require_open(&self) -> Result<(), PhoneError> {
        if self.closing.load(Ordering::Acquire) { Err(PhoneError::ShutDown) } else { Ok(()) }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Audio {
    fn set(self, io: &mut offhook_io::Config) {
        let path = |text: String| (!text.is_empty()).then(|| PathBuf::from(text));
        io.audio = match self {
            Self::Device => offhook_io::Audio::Device,
            Self::Silent => offhook_io::Audio::Silent,
            Self::Files { play, record } => {
                offhook_io::Audio::Files { play: path(play), record: path(record) }
            }
        };
    }
}

/// The folders of the phones of this process.
static CLAIMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The right to one folder.
#[derive(Debug)]
struct Claim(PathBuf);

impl Claim {
    fn of(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        if !claimed.insert(folder.clone()) {
            return Err(std::io::Error::other("another phone uses it"));
        }
        Ok(Self(folder))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}
