//! The signalling thread: one task around `phone::Phone`, with news in and orders out.
//!
//! Boot time is read at every wake. After a panic the phone begins anew on the same ports with its accounts; its calls are
//! told as ended. Knows no call policy.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use base::{Instant, NetworkId, Rng, Transport};
use offhook_net::tls::Trusts;
use offhook_net::{Limits, ListenError, NameServers, Net, NetEvent};
use phone::{CallIds, Command, Input, Network, NetworkNews, Output, Outputs, Phone};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};

use crate::alarm::Alarm;
use crate::certificates::Certificates;
use crate::clock;
use crate::events::{Event, Events};
use crate::fence::fenced;
use crate::media_thread::{News, Sender as ToMediaThread, ToMedia};
use crate::memory::Memory;
use crate::wire::Wire;

/// Pieces of news taken from the wire before timers and commands have their turn.
const BATCH: usize = 64;
/// After `Shutdown`, the phone itself says goodbye within 2 s; this is for one that does not.
const GOODBYE: Duration = Duration::from_millis(2500);
/// After a panic the next start waits this long, and twice as long each time, up to the second figure.
const RESTART_AFTER: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(30)];
/// A phone that ran this long without a panic starts at once the next time.
const STEADY: Duration = Duration::from_mins(1);
/// A phone has a handful of connections, and strangers may have a few.
const CONNECTIONS: usize = 256;

/// What the thread is told by the app.
#[derive(Debug)]
pub(crate) enum ToSignalling {
    Command(Command),
    Network(NetworkNews),
    NameServers(NameServers),
    /// To be handed on.
    Media(ToMedia),
    /// Ends the thread without saying goodbye.
    Leave,
    #[cfg(any(test, feature = "testing"))]
    Panic,
}

/// What the thread is made of.
pub(crate) struct Signalling {
    pub(crate) phone: phone::Config,
    pub(crate) call_ids: CallIds,
    pub(crate) bind: Vec<Bind>,
    pub(crate) name_servers: NameServers,
    pub(crate) trusts: Trusts,
    pub(crate) rng: Rng,
    pub(crate) events: Arc<Events>,
    pub(crate) from_app: UnboundedReceiver<ToSignalling>,
    pub(crate) to_media: ToMediaThread,
    pub(crate) from_media: Receiver<News>,
    pub(crate) wire: Wire,
    pub(crate) certificates: Certificates,
    pub(crate) memory: Memory,
    /// Shown every socket before it is used.
    pub(crate) binder: Option<Arc<dyn offhook_net::Bind>>,
    /// The networks that we were told of by name.
    pub(crate) networks: BTreeMap<NetworkId, Network>,
}

/// Where to listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bind {
    /// With the real port, once it is bound.
    pub(crate) addr: SocketAddr,
    /// Asked for by name: without it there is no start.
    pub(crate) wanted: bool,
    /// The port was asked for by name: TCP must have it too.
    pub(crate) exact: bool,
}

/// Why a phone cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port cannot be had: the sentence names it.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The file to play cannot be: show the sentence, it says what is accepted.
    #[error("{} {error}", path.display())]
    Play {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: media::wav::WavError,
    },
    /// The capture file cannot be begun.
    #[error("{} cannot be written: {error}", path.display())]
    Capture {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The system gives no thread, timer or randomness.
    #[error("the system refuses what a phone needs: {0}")]
    System(#[from] io::Error),
}

/// Bound addresses, or why there are none.
pub(crate) type Started = Result<Vec<SocketAddr>, StartError>;

impl Signalling {
    /// The thread's whole life. Tells once, as soon as it is known, how the start went.
    pub(crate) fn run(mut self, started: &Sender<Started>) {
        let mut told = false;
        let mut wait = RESTART_AFTER[0];
        loop {
            let began = clock::now();
            let ended = fenced(|| self.live(began, &mut told, started));
            match ended {
                Ok(Ok(())) => {
                    self.events.end();
                    return;
                }
                Ok(Err(error)) if !told => {
                    let _ = started.send(Err(error));
                    return;
                }
                // The same ports, a moment later: nobody else should have taken them.
                Ok(Err(error)) => self.restarting(error.to_string()),
                Err(story) => self.restarting(story),
            }
            if clock::now().since(began) > STEADY {
                wait = RESTART_AFTER[0];
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(RESTART_AFTER[1]);
        }
    }

    fn restarting(&mut self, story: String) {
        // A full channel means that the media thread is gone as well.
        let _ = self.to_media.try_send(ToMedia::CloseAll);
        while self.from_media.try_recv().is_ok() {}
        for view in self.memory.lost(clock::now()) {
            self.events.push(Event::Phone(phone::Event::Call(view)));
        }
        self.events.push(Event::Restarted { thread: "signalling", story });
    }

    /// One phone, from its sockets to its goodbye.
    fn live(&mut self, now: Instant, told: &mut bool, started: &Sender<Started>) -> Result<(), StartError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        self.certificates = Certificates::default(); // answers to another phone are not this one's
        runtime.block_on(async {
            let limits = Limits { connections: CONNECTIONS, ..Limits::default() };
            let mut net = Net::new(limits, self.name_servers.clone());
            net.set_binder(self.binder.clone());
            net.set_trusts(self.trusts.clone());
            self.listen(&mut net)?;
            if !*told {
                *told = true;
                let _ = started.send(Ok(self.bind.iter().map(|bind| bind.addr).collect()));
            }
            let mut phone = Phone::new(self.phone.clone(), self.call_ids.clone(), self.rng.split());
            phone.set_wall_clock(clock::wall(), now);
            let mut life = Life { net, phone, alarm: Alarm::new()?, leave_at: None, left: false };
            for network in self.networks.clone().into_values() {
                join(&network, &mut life.net);
                let news = Input::Network(NetworkNews::Appeared(network));
                let outputs = life.phone.handle(news, now);
                life.left |= self.carry_out(outputs, &mut life.net);
            }
            for command in self.memory.replay() {
                let outputs = life.phone.handle(Input::Command(command), now);
                life.left |= self.carry_out(outputs, &mut life.net);
            }
            while !life.left {
                self.turn(&mut life).await;
            }
            Ok(())
        })
    }

    /// Binds UDP, and TCP on the same port (RFC 3261 section 18.2.1); remembers what was bound.
    fn listen(&mut self, net: &mut Net) -> Result<(), StartError> {
        let mut bound = Vec::new();
        let mut failure = None;
        for bind in &self.bind {
            match net.listen(Transport::Udp, bind.addr) {
                Ok(addr) => bound.push(Bind { addr, ..*bind }),
                Err(e) if bind.wanted => return Err(e.into()),
                Err(e) => failure = Some(e),
            }
        }
        match failure {
            Some(e) if bound.is_empty() => return Err(e.into()),
            Some(_) | None => {}
        }
        for bind in &bound {
            match net.listen(Transport::Tcp, bind.addr) {
                Err(e) if bind.exact => return Err(e.into()),
                // Somebody else has that port for TCP: connections that we make still work.
                Ok(_) | Err(_) => {}
            }
        }
        self.bind = bound;
        Ok(())
    }

    /// Sleeps until there is news, and hears it.
    async fn turn(&mut self, life: &mut Life) {
        let due = [life.phone.next_wake().map(|wake| wake.at), life.leave_at];
        life.alarm.set(due.into_iter().flatten().min());
        // The wire comes last: a flood from it must not keep the app or a timer waiting.
        tokio::select! {
            biased;
            told = self.from_app.recv() => self.told(told.unwrap_or(ToSignalling::Leave), life),
            Some((media, news)) = self.from_media.recv() => {
                let outputs = life.phone.handle(Input::Media { media, news }, clock::now());
                life.left |= self.carry_out(outputs, &mut life.net);
            }
            () = life.alarm.rung() => {
                let now = clock::now();
                life.left |= life.leave_at.is_some_and(|at| at <= now);
                let outputs = life.phone.handle(Input::Due, now);
                life.left |= self.carry_out(outputs, &mut life.net);
            }
            (fetch, answer) = self.certificates.came() => {
                let outputs = life.phone.handle(Input::Fetched { fetch, answer }, clock::now());
                life.left |= self.carry_out(outputs, &mut life.net);
            }
            event = life.net.next() => {
                self.wire.came(&event);
                let outputs = life.phone.handle(input(&event), clock::now());
                life.left |= self.carry_out(outputs, &mut life.net);
            }
        }
        self.hear_the_rest(life);
        life.phone.set_wall_clock(clock::wall(), clock::now()); // it may have been set
        #[cfg(feature = "store")]
        self.events.with_journal(|journal| {
            let kind = |id| self.networks.get(&id).map(|network| network.kind);
            journal.networks(|account| life.phone.network_of(account).and_then(kind));
        });
        self.wire.flush(&self.events);
        self.events.wake(life.phone.next_wake());
    }

    /// What else is there already.
    fn hear_the_rest(&mut self, life: &mut Life) {
        for _ in 0..BATCH {
            let Some(event) = life.net.try_next() else { break };
            self.wire.came(&event);
            let outputs = life.phone.handle(input(&event), clock::now());
            life.left |= self.carry_out(outputs, &mut life.net);
        }
    }

    fn told(&mut self, told: ToSignalling, life: &mut Life) {
        let now = clock::now();
        let input = match told {
            ToSignalling::Command(command) => {
                self.memory.commanded(&command);
                self.wire.commanded(&command);
                if matches!(command, Command::Shutdown) {
                    life.leave_at = Some(now + GOODBYE);
                }
                Input::Command(command)
            }
            ToSignalling::Network(news) => return self.network(news, now, life),
            ToSignalling::NameServers(servers) => {
                self.name_servers = servers.clone();
                return life.net.set_name_servers(servers);
            }
            ToSignalling::Media(told) => {
                let _ = self.to_media.try_send(told);
                return;
            }
            ToSignalling::Leave => {
                life.left = true;
                return;
            }
            #[cfg(any(test, feature = "testing"))]
            ToSignalling::Panic => panic!("as ordered"),
        };
        let outputs = life.phone.handle(input, now);
        life.left |= self.carry_out(outputs, &mut life.net);
    }

    /// Sockets of a network are there before the phone hears of it, and go after.
    fn network(&mut self, news: NetworkNews, now: Instant, life: &mut Life) {
        let mut gone = Vec::new();
        match &news {
            NetworkNews::Appeared(network) | NetworkNews::Changed(network) => {
                self.networks.insert(network.id, network.clone());
                join(network, &mut life.net);
            }
            NetworkNews::Vanished(id) => gone.extend(self.networks.remove(id).map(|network| network.id)),
            NetworkNews::Up { addrs } => {
                gone.extend(std::mem::take(&mut self.networks).into_keys());
                self.move_to(addrs, &mut life.net);
            }
            NetworkNews::Down => gone.extend(std::mem::take(&mut self.networks).into_keys()),
            NetworkNews::Suspect(_) => {}
        }
        // Media sockets follow the same addresses; where a binder knows better, any will do.
        if let NetworkNews::Appeared(network) | NetworkNews::Changed(network) = &news
            && self.binder.is_none()
        {
            let addrs = network.addrs.clone();
            let _ = self.to_media.try_send(ToMedia::BindTo(network.id, addrs));
        }
        self.hear_the_rest(life); // of the new sockets, before the news that sends through them
        let outputs = life.phone.handle(Input::Network(news), now);
        life.left |= self.carry_out(outputs, &mut life.net);
        for id in gone {
            life.net.leave(id);
        }
        self.hear_the_rest(life);
    }

    /// Another network: sockets bound to an address that is no more are bound anew.
    fn move_to(&mut self, addrs: &[IpAddr], net: &mut Net) {
        net.network_changed();
        for bind in &mut self.bind {
            let old = bind.addr;
            let ip = match addrs.iter().find(|ip| ip.is_ipv4() == old.is_ipv4()) {
                // It hears on all addresses; but a socket that was bound to the old network stays there.
                _ if old.ip().is_unspecified() && self.binder.is_some() => old.ip(),
                Some(ip) if !old.ip().is_unspecified() && !addrs.contains(&old.ip()) => *ip,
                Some(_) | None => continue,
            };
            // Where it fails the old one stays; registration will tell.
            if let Ok(addr) = net.listen(Transport::Udp, SocketAddr::new(ip, 0)) {
                let _ = net.listen(Transport::Tcp, addr);
                net.unlisten(old);
                *bind = Bind { addr, wanted: bind.wanted, exact: false };
            }
        }
        let ips = self.bind.iter().map(|bind| bind.addr.ip()).collect();
        let _ = self.to_media.try_send(ToMedia::BindTo(NetworkId::SYSTEM, ips));
    }

    /// Does what the phone wants done; says whether it said goodbye.
    fn carry_out(&mut self, outputs: Outputs<'_>, net: &mut Net) -> bool {
        let mut left = false;
        for output in outputs {
            match output {
                Output::Sip(order) => {
                    self.wire.goes(&order);
                    net.execute(order);
                }
                Output::Server { name, connection } => {
                    net.set_path(&name, &connection.path);
                    // What cannot be shown was refused where it was set; a server that insists on it says no.
                    let _ = net.know(&name, connection.pin, connection.certificate.as_ref());
                }
                Output::Media { media, order } => {
                    // Never full while the media thread lives: it takes them all at each tick.
                    let _ = self.to_media.try_send(ToMedia::Order { media, order });
                }
                Output::Tone(tone) => {
                    let _ = self.to_media.try_send(ToMedia::Tone(tone));
                }
                Output::Fetch(what) => self.certificates.fetch(what, &self.trusts),
                Output::Event(event) => {
                    self.memory.told(&event);
                    left |= matches!(event, phone::Event::Stopped);
                    self.events.push(Event::Phone(event));
                }
            }
        }
        left
    }
}

/// What a panic takes with it.
struct Life {
    net: Net,
    phone: Phone,
    alarm: Alarm,
    /// When to go although the phone has not said goodbye.
    leave_at: Option<Instant>,
    left: bool,
}

fn join(network: &Network, net: &mut Net) {
    let servers = match &network.name_servers[..] {
        [] => NameServers::System,
        servers => NameServers::These(servers.to_vec()),
    };
    net.join(network.id, &network.addrs, servers);
}

fn input<'a>(event: &'a NetEvent<'_>) -> Input<'a> {
    match *event {
        NetEvent::Bytes { flow, from, bytes } => Input::Bytes { flow, from, bytes },
        NetEvent::FlowUp { network, flow, transport, local, remote } => {
            Input::FlowUp { network, flow, transport, local, remote }
        }
        NetEvent::FlowDown { flow } => Input::FlowDown { flow },
        NetEvent::FlowFailed { network, transport, remote } => {
            Input::FlowFailed { network, transport, remote }
        }
        NetEvent::Untrusted { ref name, why, ref certificate } => {
            Input::Untrusted { name, why, certificate: certificate.as_deref() }
        }
        NetEvent::Resolved { query, ref answer } => Input::Resolved { query, answer: answer.clone() },
    }
}
