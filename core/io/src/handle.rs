//! A running phone, as the app holds it: commands in, events out.
//!
//! Commands queue and return at once. One thread of the app pulls events. Knows nothing of terminals or screens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use base::Redacted;
use offhook_net::tls::Trusts;
use offhook_net::{Bind, NameServers};
use phone::{AccountId, AccountView, CallId, CallIds, CallView, Command, NetworkNews, SeenAs};
use tokio::sync::mpsc::{UnboundedSender, channel, unbounded_channel};

use crate::audio::{
    self, Audio, AudioRoute, AudioStats, Counters, Effects, Gains, LocalTones, Settings, Side,
};
use crate::capture::Capture;
use crate::clock;
use crate::events::{Event, Events};
use crate::media_thread::{self, ToMedia};
use crate::memory::Memory;
use crate::recording::RecordOptions;
use crate::signalling::{self, Signalling, StartError, ToSignalling};
use crate::wire::{Crossed, Wire};

/// News of media that may wait for the signalling thread.
const MEDIA_NEWS: usize = 512;
/// How long a reader of the call log waits for its writer.
#[cfg(feature = "store")]
const SETTLING: Duration = Duration::from_secs(2);
/// Debug builds of message handling need the half of it; the other is a JVM's, where TLS asks one whom it trusts.
const STACK: usize = 1024 * 1024;

/// What a phone is started with.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The phone's own settings.
    pub phone: phone::Config,
    /// Where to listen, at most one address of each family; media is bound to the same addresses.
    /// Empty: any port on all addresses of the families that this machine has.
    pub bind: Vec<SocketAddr>,
    /// Whom to ask for names.
    pub name_servers: NameServers,
    /// Which servers' certificates are accepted, where it is not for the platform to say.
    pub trusts: Trusts,
    /// What calls say and hear.
    pub audio: Audio,
    /// What sounds beside calls, where that is a device.
    pub tones: LocalTones,
    /// What is done to what a device's microphone hears.
    pub effects: Effects,
    /// How much louder calls say what the microphone, or a file, gives: in dB, -40.0..=20.0; what is beyond is brought within.
    pub microphone_gain_db: f32,
    /// How much louder all that is heard is: as well.
    pub loudspeaker_gain_db: f32,
    /// A pcapng file of what crosses the wire.
    pub capture: Option<CaptureTo>,
    /// Shown every socket before it is used: binds it to one of the machine's networks.
    pub binder: Option<Arc<dyn Bind>>,
    /// Where calls are logged: a file that this phone alone writes. None: nowhere.
    #[cfg(feature = "store")]
    pub store: Option<PathBuf>,
    /// Told of all signalling that crosses the wire.
    pub crossed: Option<mpsc::Sender<Crossed>>,
}

/// Where and how to capture.
#[derive(Clone, Debug)]
pub struct CaptureTo {
    /// The file; an old one is overwritten.
    pub path: PathBuf,
    /// Leave in what passwords could be guessed from.
    pub secrets: bool,
}

/// A running phone. Dropped without [`Handle::shutdown`], it goes without a word to the registrar.
#[derive(Debug)]
pub struct Handle {
    to_signalling: UnboundedSender<ToSignalling>,
    events: Arc<Events>,
    call_ids: CallIds,
    audio_counters: Arc<Counters>,
    bound: Vec<SocketAddr>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    #[cfg(feature = "store")]
    contacts: Option<Arc<crate::contacts::Contacts>>,
}

impl Handle {
    /// Starts a phone without accounts.
    ///
    /// # Errors
    /// - [`StartError`]: show its sentence and start again when its cause is mended.
    pub fn start(config: Config) -> Result<Self, StartError> {
        if let Audio::Files { play: Some(path), .. } = &config.audio {
            let opened = audio::open_wav(path);
            opened.map_err(|error| StartError::Play { path: path.clone(), error })?;
        }
        let capture = match &config.capture {
            Some(to) => Some(Capture::create(&to.path, to.secrets).map_err(|error| {
                let path = to.path.clone();
                StartError::Capture { path, error }
            })?),
            None => None,
        };
        let bind = binds(&config.bind);
        let mut rng = clock::seeded()?;
        let events = Arc::new(Events::default());
        let (news, from_media) = channel(MEDIA_NEWS);
        let audio_counters = Arc::<Counters>::default();
        let (to_signalling, from_app) = unbounded_channel();
        #[cfg(feature = "store")]
        let contacts = config.store.as_ref().map(|path| crate::contacts::Contacts::new(path, &events));
        #[cfg(feature = "store")]
        if let Some(path) = &config.store {
            let heard = match &config.audio {
                Audio::Files { record, .. } => record.clone(),
                _ => None,
            };
            remember(path, heard, &events, contacts.as_ref(), to_signalling.clone());
        }
        let gains = Gains::of(config.microphone_gain_db, config.loudspeaker_gain_db);
        let settings = Settings { tones: config.tones, effects: config.effects, gains };
        let mut phone = config.phone;
        phone.tls = cfg!(feature = "tls");
        let media = media_thread::Config {
            bind: bind.iter().map(|bind| bind.addr.ip()).collect(),
            sound: audio::sound(config.audio, settings, &audio_counters)?,
            tap: capture.as_ref().map(Capture::tap),
            binder: config.binder.clone(),
            trusts: config.trusts.clone(),
            rng: rng.split(),
        };
        let (to_media, media) = media_thread::spawn(media, Arc::clone(&events), news)?;
        let call_ids = CallIds::new();
        let signalling = Signalling {
            phone,
            trusts: config.trusts,
            call_ids: call_ids.clone(),
            bind,
            name_servers: config.name_servers,
            rng,
            events: Arc::clone(&events),
            from_app,
            to_media,
            from_media,
            wire: Wire::new(capture.as_ref().map(Capture::tap), config.crossed),
            certificates: crate::certificates::Certificates::default(),
            memory: Memory::default(),
            networks: std::collections::BTreeMap::new(),
            binder: config.binder,
        };
        let (started, starting) = mpsc::channel();
        let thread = Builder::new().name("offhook-signal".into()).stack_size(STACK);
        let signalling = thread.spawn(move || signalling.run(&started))?;
        let bound = starting.recv().unwrap_or_else(|_| {
            Err(StartError::System(std::io::Error::other("the signalling thread ended as it began")))
        })?;
        let threads = Mutex::new(vec![signalling, media]);
        Ok(Self {
            to_signalling,
            events,
            call_ids,
            audio_counters,
            bound,
            threads,
            #[cfg(feature = "store")]
            contacts,
        })
    }

    /// Gives a command; what comes of it follows as events.
    pub fn command(&self, command: Command) {
        let command = dated(command);
        #[cfg(feature = "store")]
        self.events.with_journal(|journal| journal.wanted(&command));
        self.tell(ToSignalling::Command(command));
    }

    /// Starts a call and returns its name at once; ringing, answer and failure follow as events.
    pub fn call(&self, account: Option<AccountId>, to: impl Into<String>) -> CallId {
        self.call_as(account, to, SeenAs::default())
    }

    /// The same, and it says of who calls what `seen_as` has.
    pub fn call_as(&self, account: Option<AccountId>, to: impl Into<String>, seen_as: SeenAs) -> CallId {
        let call = self.draw();
        self.command(Command::Call { call, account, to: Redacted::new(to.into()), seen_as });
        call
    }

    /// Expects a call that a push has announced and returns its name at once. `call_id` is the one of its INVITE, if the
    /// push says so.
    pub fn announce(
        &self,
        account: AccountId,
        remote: String,
        name: Option<String>,
        call_id: Option<String>,
    ) -> CallId {
        let call = self.draw();
        let (remote, name) = (Redacted::new(remote), name.map(Redacted::new));
        self.command(Command::Announce { call, account, remote, name, call_id });
        call
    }

    /// Whether a call of that name was begun and is not over, as far as is known here.
    pub fn is_call(&self, call: CallId) -> bool {
        self.events.is_call(call)
    }

    /// All calls that are not over, by name.
    pub fn calls(&self) -> Vec<CallView> {
        self.events.calls()
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Vec<AccountView> {
        self.events.accounts()
    }

    /// Tells what the platform knows of the network.
    pub fn network(&self, news: NetworkNews) {
        self.tell(ToSignalling::Network(news));
    }

    /// Asks these name servers from now on.
    pub fn set_name_servers(&self, servers: NameServers) {
        self.tell(ToSignalling::NameServers(servers));
    }

    /// Uses these sound devices from now on, in a call that is up as well.
    pub fn set_audio_route(&self, route: AudioRoute) {
        self.tell(ToSignalling::Media(ToMedia::Route(route)));
    }

    /// Says it so much louder from now on: [`Config::microphone_gain_db`].
    pub fn set_microphone_gain(&self, db: f32) {
        self.tell(ToSignalling::Media(ToMedia::Gain(Side::Microphone, db)));
    }

    /// Hears it so much louder from now on: [`Config::loudspeaker_gain_db`].
    pub fn set_loudspeaker_gain(&self, db: f32) {
        self.tell(ToSignalling::Media(ToMedia::Gain(Side::Loudspeaker, db)));
    }

    /// Tries again to open sound devices: after [`Event::AudioFailed`], when its cause is mended or a device has come.
    pub fn audio_restart(&self) {
        self.tell(ToSignalling::Media(ToMedia::RestartAudio));
    }

    /// Keeps a call in a WAV file from now on, until it ends or [`Self::stop_recording`]: 16-bit stereo, on the left
    /// what is said to the other side, on the right what it says; time on hold is silence. An old file is overwritten.
    /// One that cannot be written, and a call that has no sound or is being recorded, are told by
    /// [`Event::RecordingEnded`].
    pub fn record(&self, call: CallId, path: impl Into<PathBuf>, options: RecordOptions) {
        let path = path.into();
        #[cfg(feature = "store")]
        self.events.with_journal(|journal| journal.recording(call, &path));
        self.tell(ToSignalling::Media(ToMedia::Record { call, path, options }));
    }

    /// Changes the call log as the person wants; [`Event::History`] follows.
    #[cfg(feature = "store")]
    pub fn change_history(&self, change: offhook_store::Change) {
        self.events.with_journal(|journal| journal.change(change));
    }

    /// Lets callers of a number, or an address, no longer ring (true), or again: it is remembered. What they write is not
    /// shown either.
    #[cfg(feature = "store")]
    pub fn block(&self, number: &str, on: bool) {
        self.events.with_journal(|journal| journal.block(number, on));
    }

    /// Does `work` on what the phone remembers, behind all that was told so far, and waits for a disk. What is another by it
    /// is told as an event. It is done again where the file had to be mended.
    ///
    /// # Errors
    /// - [`StoreError`](offhook_store::StoreError): what `work` says, or nothing is remembered.
    #[cfg(feature = "store")]
    pub fn on_store<T: Send + 'static>(
        &self,
        about: offhook_store::About,
        work: impl FnMut(&offhook_store::Store) -> Result<T, offhook_store::StoreError> + Send + 'static,
    ) -> Result<T, offhook_store::StoreError> {
        self.events.on_store(about, work)
    }

    /// Adds a backup to what is here, on the thread that stores, and waits: seconds, where it is a long one. The log, messages, who
    /// does not ring and the phone book are then told as changed; of accounts, settings and drafts the caller knows.
    ///
    /// # Errors
    /// - [`BackupError`](offhook_store::BackupError): show its sentence; nothing was taken.
    #[cfg(feature = "store")]
    pub fn restore(
        &self,
        backup: Vec<u8>,
        passphrase: Option<base::Secret<String>>,
    ) -> Result<offhook_store::Restored, offhook_store::BackupError> {
        let work = move |store: &offhook_store::Store| store.restore(&backup, passphrase.as_ref());
        let restored = self.on_store(offhook_store::About::All, mendable(work))??;
        if let Some(contacts) = &self.contacts {
            contacts.anew();
        }
        Ok(restored)
    }

    /// What [`Self::restore`] would add; nothing is added.
    ///
    /// # Errors
    /// As for that.
    #[cfg(feature = "store")]
    pub fn preview_restore(
        &self,
        backup: Vec<u8>,
        passphrase: Option<base::Secret<String>>,
    ) -> Result<offhook_store::Restored, offhook_store::BackupError> {
        let work = move |store: &offhook_store::Store| store.preview_restore(&backup, passphrase.as_ref());
        self.on_store(offhook_store::About::Rest, mendable(work))?
    }

    /// The phone book; none: nothing is remembered ([`Config::store`]).
    #[cfg(feature = "store")]
    pub fn contacts(&self) -> Option<&Arc<crate::contacts::Contacts>> {
        self.contacts.as_ref()
    }

    /// Waits until the call log holds all that was told so far, for two seconds at most; false: it does not yet. For who is
    /// about to read it.
    #[cfg(feature = "store")]
    pub fn history_settled(&self) -> bool {
        let mut settled = None;
        self.events.with_journal(|journal| settled = Some(journal.settled()));
        // Not under the lock: the media thread tells of its calls by it.
        settled.is_none_or(|settled| settled.recv_timeout(SETTLING).is_ok())
    }

    /// Ends the recording of a call, if there is one. Its file is whole within a moment.
    pub fn stop_recording(&self, call: CallId) {
        self.tell(ToSignalling::Media(ToMedia::StopRecording(call)));
    }

    /// How the sound devices did so far.
    pub fn audio_stats(&self) -> AudioStats {
        self.audio_counters.read()
    }

    /// The next event; `None` when none came in time. For one thread of the app.
    pub fn wait_event(&self, timeout: Duration) -> Option<Event> {
        self.events.wait(timeout)
    }

    /// Lets whoever waits for an event go, with none: there is something else for them.
    pub fn nudge(&self) {
        self.events.nudge();
    }

    /// Text messages and digits that were dropped because nobody pulled events while strangers sent them by the thousand.
    pub fn dropped(&self) -> u64 {
        self.events.dropped()
    }

    /// Where it listens, with the real ports.
    pub fn bound(&self) -> &[SocketAddr] {
        &self.bound
    }

    /// Whether it has ended, and all its events were pulled.
    pub fn is_over(&self) -> bool {
        self.events.is_over()
    }

    /// Hangs up, unregisters, and ends: within 2.5 s. Events that came on the way can still be pulled.
    pub fn shutdown(&self) {
        self.command(Command::Shutdown);
        self.join();
    }

    /// Makes the signalling thread panic.
    #[cfg(any(test, feature = "testing"))]
    pub fn panic(&self) {
        self.tell(ToSignalling::Panic);
    }

    /// Puts events in, as if the phone had told them.
    #[cfg(feature = "testing")]
    pub fn injector(&self) -> impl Fn(Event) + Send + use<> {
        let events = Arc::clone(&self.events);
        move |event| events.push(event)
    }

    fn draw(&self) -> CallId {
        let call = self.call_ids.draw();
        self.events.begun(call);
        call
    }

    fn tell(&self, told: ToSignalling) {
        // After a shutdown nobody listens, and nobody needs to.
        let _ = self.to_signalling.send(told);
    }

    fn join(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // Neither thread lets a panic out.
            let _ = thread.join();
        }
        #[cfg(feature = "store")]
        self.events.set_journal(None);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.tell(ToSignalling::Leave);
        self.join();
    }
}

/// Begins to log calls; one that cannot is told, and the phone goes on without. Who does not ring goes `to` the phone.
#[cfg(feature = "store")]
fn remember(
    path: &std::path::Path,
    heard: Option<PathBuf>,
    events: &Arc<Events>,
    contacts: Option<&Arc<crate::contacts::Contacts>>,
    to: UnboundedSender<ToSignalling>,
) {
    use offhook_store::Notice;
    let contacts = contacts.map(Arc::downgrade);
    let told = Arc::downgrade(events);
    let phone = to.clone();
    let hand = move |command| drop(phone.send(ToSignalling::Command(command)));
    let journal = crate::journal::Journal::open(path, heard, hand, move |notice| {
        let Some(events) = told.upgrade() else { return };
        if let Notice::Salvaged(_) | Notice::Restored(_) = &notice {
            contacts.iter().filter_map(std::sync::Weak::upgrade).for_each(|contacts| contacts.anew());
        }
        events.push(match notice {
            Notice::Blocked(numbers) => {
                // After a shutdown nobody listens, and nobody needs to.
                let _ = to.send(ToSignalling::Command(Command::Block(numbers)));
                return;
            }
            Notice::Calls { unseen } => Event::History { unseen },
            // Whoever changes these is above, and knows.
            Notice::Added(..)
            | Notice::Accounts
            | Notice::Settings
            | Notice::Drafts
            | Notice::Restored(_) => return,
            Notice::Messages { unseen } => Event::Messages { unseen },
            Notice::Salvaged(salvaged) => {
                let (rows, aside) = (salvaged.rows, salvaged.aside.display());
                let reason = format!(
                    "the phone's database was damaged: {rows} rows were saved, the rest is in {aside}"
                );
                Event::Memory { reason }
            }
            Notice::Trouble(error) => Event::Memory { reason: error.to_string() },
        });
    });
    match journal {
        Ok(journal) => events.set_journal(Some(journal)),
        Err(error) => events.push(Event::Memory { reason: format!("calls are not logged: {error}") }),
    }
}

/// A damaged file is mended, and the work done again; anything else is its outcome.
#[cfg(feature = "store")]
fn mendable<T>(
    mut work: impl FnMut(&offhook_store::Store) -> Result<T, offhook_store::BackupError>,
) -> impl FnMut(&offhook_store::Store) -> Result<Result<T, offhook_store::BackupError>, offhook_store::StoreError>
{
    use offhook_store::{BackupError, StoreError};
    move |store| match work(store) {
        Err(BackupError::Store(damaged @ StoreError::Damaged(_))) => Err(damaged),
        outcome => Ok(outcome),
    }
}

/// A message has the time at which it was written, to the millisecond that is kept of it: by that it is known again.
fn dated(mut command: Command) -> Command {
    if let Command::Message { written, .. } = &mut command {
        let millis = written.unwrap_or_else(clock::wall).as_millis();
        *written = u64::try_from(millis).ok().map(Duration::from_millis);
    }
    command
}

fn binds(asked: &[SocketAddr]) -> Vec<signalling::Bind> {
    if asked.is_empty() {
        let unspecified = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let any = |ip| signalling::Bind { addr: SocketAddr::new(ip, 0), wanted: false, exact: false };
        return unspecified.into_iter().map(any).collect();
    }
    asked.iter().map(|addr| signalling::Bind { addr: *addr, wanted: true, exact: addr.port() != 0 }).collect()
}
