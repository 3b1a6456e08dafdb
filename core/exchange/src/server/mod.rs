//! The exchange as a server: sockets, clock, database, one thread.
//!
//! Runs beside other threads of a process (the demo, tests) or as the process (`offhook exchange`). Decides nothing: the
//! machines do, [`offhook_net`] carries, and the store remembers.

mod config;
mod http;
mod kept;
mod store;
mod stun;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Clock, SystemTime};

use base::{Instant, Rng, Secret, Transport};
use offhook_net::tls::{Identity, Unusable};
use offhook_net::{ListenError, NameServers, Net, NetEvent};
use sip::order::Orders;
use stir::Seal;
use tokio::sync::{mpsc as wishes, oneshot};

pub use config::{DomainRule, Listen, RedirectRule, ServerConfig, StirFiles, TlsFiles, User};
pub use store::StoreError;

use crate::bindings::{Bindings as _, InMemory};
use crate::stun::StunCounters;
use crate::{Counters, DoorCounters, Exchange, VosCounters};
use kept::Kept;
use store::Store;

/// How long a change waits for others before it is written.
const WRITE_BEHIND: Duration = Duration::from_millis(200);
/// News handled before the timers are looked at again.
const AT_ONCE: usize = 64;

/// Why the exchange cannot start; each is a sentence for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listening address cannot be had. Names the port.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database cannot be used. Names the file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration contradicts itself.
    #[error("{0}")]
    Config(String),
    /// The system gives no thread, randomness or event loop.
    #[error("cannot start the exchange: {0}")]
    System(String),
}

/// Where the exchange listens, with the real ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// For datagrams.
    pub udp: Option<SocketAddr>,
    /// For streams.
    pub tcp: Option<SocketAddr>,
    /// For streams under TLS.
    pub tls: Option<SocketAddr>,
    /// For WebSocket.
    pub ws: Option<SocketAddr>,
    /// For WebSocket under TLS.
    pub wss: Option<SocketAddr>,
    /// For datagrams under VOS encryption.
    pub vos: Option<SocketAddr>,
    /// For STUN over either.
    pub stun: Option<SocketAddr>,
    /// For the web.
    pub http: Option<SocketAddr>,
    /// STUN's second host and port. RFC 5780 section 6.
    pub stun_other: Option<SocketAddr>,
}

/// What the exchange is about just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Bindings kept.
    pub bindings: usize,
    /// Requests being proxied.
    pub in_hand: usize,
    /// What was seen.
    pub counters: Counters,
    /// What was seen at the door.
    pub door: DoorCounters,
    /// What the STUN server saw.
    pub stun: StunCounters,
    /// What was seen under VOS encryption.
    pub vos: VosCounters,
}

/// A running exchange. Dropped, it ends.
pub struct Server {
    addresses: Addresses,
    wishes: wishes::UnboundedSender<Wish>,
    thread: Option<JoinHandle<()>>,
}

enum Wish {
    Stop,
    Status(mpsc::Sender<Status>),
    Web(http::Question, oneshot::Sender<http::Told>),
}

impl Server {
    /// Starts an exchange on a thread of its own and returns once it listens.
    ///
    /// # Errors
    /// [`StartError`]: print it; nothing has been left behind.
    pub fn start(config: ServerConfig) -> Result<Self, StartError> {
        let (wishes, wished) = wishes::unbounded_channel();
        let asker = wishes.clone();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("exchange".into())
            .spawn(move || match Running::begin(&config, asker) {
                Ok((mut running, runtime)) => {
                    // Nobody may be left to hear it; then nobody wants the exchange either.
                    if tell.send(Ok(running.addresses)).is_ok() {
                        runtime.block_on(running.run(wished));
                    }
                }
                Err(error) => drop(tell.send(Err(error))),
            })
            .map_err(|error| StartError::System(error.to_string()))?;
        let addresses = told.recv().map_err(|_| StartError::System("its thread ended".into()))??;
        Ok(Self { addresses, wishes, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What it is about; `None` once it has ended.
    pub fn status(&self) -> Option<Status> {
        let (tell, told) = mpsc::channel();
        self.wishes.send(Wish::Status(tell)).ok()?;
        told.recv().ok()
    }

    /// Ends it: what has changed is written first.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // A failed send means that it has ended already.
        let _ = self.wishes.send(Wish::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|e| StartError::Config(format!("{}: cannot be read: {e}", path.display())))
}

fn seal(files: &StirFiles) -> Result<Seal, StartError> {
    if !files.x5u.starts_with("https://") || !files.x5u.bytes().all(|it| it.is_ascii_graphic() && it != b'>')
    {
        return Err(StartError::Config("[stir] x5u: it must be https://HOST/PATH".into()));
    }
    let key = Secret::new(read(&files.key)?);
    let made = Seal::read(key.expose(), &files.x5u);
    made.map_err(|why| StartError::Config(format!("{}: {why}", files.key.display())))
}

fn identity(files: &TlsFiles) -> Result<Identity, StartError> {
    let (certificate, key) = (read(&files.certificate)?, read(&files.key)?);
    Identity::from_pem(&certificate, &key).map_err(|why| {
        let path = if why == Unusable::Certificate { &files.certificate } else { &files.key };
        StartError::Config(format!("{}: {why}", path.display()))
    })
}

struct Running {
    net: Net,
    exchange: Exchange<Kept>,
    stun: Option<stun::Stun>,
    addresses: Addresses,
    began: Clock,
    /// When the wall clock was last looked at.
    wall_at: Instant,
}

impl Running {
    fn begin(
        config: &ServerConfig,
        asker: wishes::UnboundedSender<Wish>,
    ) -> Result<(Self, tokio::runtime::Runtime), StartError> {
        let system = |error: &dyn std::fmt::Display| StartError::System(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| system(&error))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| system(&error))?;
        let mut rng = Rng::from_entropy(seed);
        let (now, wall) = (Instant::ZERO, wall());

        let mut users = std::collections::BTreeMap::new();
        for user in &config.user {
            if users.insert(user.number.clone(), user.password.clone()).is_some() {
                return Err(StartError::Config(format!("user {} is there twice", user.number)));
            }
        }
        let mut key = [0; 16];
        rng.fill(&mut key);
        let mut key = base::Secret::new(key);
        let mut memory = InMemory::default();
        let store = match &config.database {
            None => None,
            Some(path) => {
                let mut store = Store::open(path)?;
                store.set_users(&config.user)?;
                key = store.key(*key.expose())?;
                for (user, bindings) in store.bindings(wall)? {
                    // Memory keeps everything.
                    let _ = memory.put(&user, bindings);
                }
                Some(store)
            }
        };

        let _inside = runtime.enter();
        let mut net = Net::new(offhook_net::Limits::default(), NameServers::System);
        let mut bind =
            |transport, addr: Option<SocketAddr>| addr.map(|a| net.listen(transport, a)).transpose();
        let udp = bind(Transport::Udp, config.listen.udp)?;
        // Where both may have any port they get the same one, if it is free: one address is easier to tell.
        let alike = udp.filter(|u| config.listen.tcp.is_some_and(|t| t.port() == 0 && t.ip() == u.ip()));
        let tcp = match bind(Transport::Tcp, alike) {
            Ok(Some(tcp)) => Some(tcp),
            Ok(None) | Err(_) => bind(Transport::Tcp, config.listen.tcp)?,
        };
        let ws = bind(Transport::Ws, config.listen.ws)?;
        let mut secure = |transport: Transport, addr: Option<SocketAddr>| match (addr, &config.tls) {
            (None, _) => Ok(None),
            (Some(at), None) => Err(StartError::Config(format!(
                "{transport} on {at} needs a certificate: [tls] certificate, key"
            ))),
            (Some(at), Some(files)) => {
                net.set_identity(identity(files)?);
                Ok(Some(net.listen(transport, at)?))
            }
        };
        let tls = secure(Transport::Tls, config.listen.tls)?;
        let wss = secure(Transport::Wss, config.listen.wss)?;
        let vos = config.listen.vos.map(|at| net.listen(Transport::Udp, at)).transpose()?;
        let began = Clock::now();
        let stun = stun::Stun::begin(&config.listen, began)?;
        let http = config.listen.http.map(|at| http::begin(at, asker)).transpose()?;
        let addresses = Addresses {
            http,
            udp,
            tcp,
            tls,
            ws,
            wss,
            vos,
            stun: stun.as_ref().and_then(stun::Stun::address),
            stun_other: stun.as_ref().and_then(stun::Stun::other_address),
        };

        let kept = Kept::new(memory, store).map_err(|error| system(&error))?;
        let seal = config.stir.as_ref().map(seal).transpose()?;
        let mut exchange = Exchange::new(config.machines(users, key, seal), kept, rng, now, wall);
        exchange.set_ledger(config.ledger());
        for (transport, addr) in [
            (Transport::Udp, addresses.udp),
            (Transport::Tcp, addresses.tcp),
            (Transport::Tls, addresses.tls),
            (Transport::Ws, addresses.ws),
            (Transport::Wss, addresses.wss),
        ] {
            if let Some(addr) = addr {
                exchange.listening(transport, addr);
            }
        }
        if let Some(vos) = vos {
            exchange.seal_at(offhook_net::concrete(vos));
        }
        Ok((Self { net, exchange, stun, addresses, began, wall_at: now }, runtime))
    }

    async fn run(&mut self, mut wished: wishes::UnboundedReceiver<Wish>) {
        let mut orders = Orders::new();
        let mut write_at: Option<Instant> = None;
        loop {
            let wake = self.exchange.next_wake().map(|wake| wake.at);
            let wake = [wake, write_at].into_iter().flatten().min();
            let sleep = wake.map(|at| at.since(self.now()));
            tokio::select! {
                event = self.net.next() => {
                    let now = now(self.began);
                    tell(&mut self.exchange, event, now, &mut orders);
                }
                () = tokio::time::sleep(sleep.unwrap_or(Duration::MAX)), if sleep.is_some() => {}
                wish = wished.recv() => match wish {
                    Some(Wish::Status(tell)) => drop(tell.send(self.status())),
                    Some(Wish::Web(question, tell)) => {
                        // Who asked may have hung up.
                        let _ = tell.send(self.told(question));
                    }
                    Some(Wish::Stop) | None => break,
                },
            }
            self.carry_out(&mut orders);
            for _ in 0..AT_ONCE {
                let now = now(self.began);
                let Some(event) = self.net.try_next() else { break };
                tell(&mut self.exchange, event, now, &mut orders);
                self.carry_out(&mut orders);
            }
            let now = self.now();
            self.keep_wall(now);
            if self.exchange.next_wake().is_some_and(|wake| wake.at <= now) {
                self.exchange.due(now, &mut orders);
                self.carry_out(&mut orders);
            }
            let kept = self.exchange.bindings_mut();
            if write_at.is_some_and(|at| at <= now) {
                kept.flush();
                write_at = None;
            }
            if kept.is_changed() && write_at.is_none() {
                write_at = Some(now + WRITE_BEHIND);
            }
        }
        self.exchange.bindings_mut().close();
    }

    fn carry_out(&mut self, orders: &mut Orders) {
        for order in orders.drain(..) {
            self.net.execute(order);
        }
    }

    /// The wall clock may be set at any time; a second's delay in noticing does no harm.
    fn keep_wall(&mut self, now: Instant) {
        if now.since(self.wall_at) >= Duration::from_secs(1) {
            self.wall_at = now;
            self.exchange.wall_is(wall(), now);
        }
    }

    fn now(&self) -> Instant {
        now(self.began)
    }

    fn told(&mut self, question: http::Question) -> http::Told {
        use http::{Question, Told};
        let now = self.now();
        match question {
            Question::Funds { user, password } => {
                let right = password.is_none_or(|password| self.exchange.is_password(&user, &password));
                let ledger = self.exchange.ledger();
                match ledger.funds(&user, now).filter(|_| right) {
                    Some(funds) => Told::Funds {
                        balance: funds.balance,
                        currency: funds.currency,
                        seconds: ledger.seconds_left(&user, now),
                    },
                    None => Told::Nobody,
                }
            }
            Question::TopUp { user, amount } => {
                if self.exchange.ledger_mut().top_up(&user, amount) {
                    Told::Done
                } else {
                    Told::Nobody
                }
            }
            Question::Status => {
                let Status { bindings, in_hand, counters, .. } = self.status();
                Told::Status(vec![
                    "offhook exchange".into(),
                    format!("{bindings} bindings, {in_hand} requests in hand"),
                    format!("{} forwarded, {} registered", counters.forwarded, counters.registered),
                ])
            }
        }
    }

    fn status(&self) -> Status {
        Status {
            bindings: self.exchange.bindings().len(),
            in_hand: self.exchange.in_hand(),
            counters: *self.exchange.counters(),
            door: *self.exchange.door_counters(),
            stun: self.stun.as_ref().map(stun::Stun::counters).unwrap_or_default(),
            vos: *self.exchange.vos_counters(),
        }
    }
}

fn tell(exchange: &mut Exchange<Kept>, event: NetEvent<'_>, now: Instant, orders: &mut Orders) {
    match event {
        NetEvent::Bytes { flow, from, bytes } => exchange.received(flow, from, bytes, now, orders),
        NetEvent::FlowUp { flow, transport, local, remote, .. } => {
            exchange.flow_up(flow, transport, local, remote, now, orders);
        }
        NetEvent::FlowDown { flow } => exchange.flow_down(flow, now, orders),
        NetEvent::FlowFailed { transport, remote, .. } => {
            exchange.flow_failed(transport, remote, now, orders);
        }
        // It connects to nobody under TLS.
        NetEvent::Untrusted { .. } => {}
        NetEvent::Resolved { query, answer } => exchange.resolved(query, answer, now, orders),
    }
}

fn now(began: Clock) -> Instant {
    Instant::from_nanos(began.elapsed().as_nanos() as u64)
}

/// Seconds since 1970.
fn wall() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
