//! The phone's door: news in, orders out. Dispatch only; commands are followed in `commands`, the agent's news heard in
//! `news`, and both act on calls and accounts, which know nothing of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use base::{FlowId, Instant, Redacted, Rng, Wake};
use sip::codec::FlowCodec;
use sip::ua::{Agent, AgentConfig, FlowUp};

use crate::addresses::Addresses;
use crate::blocked::Blocked;
use crate::call::{Call, Declined};
use crate::desk::{Desk, Timer};
use crate::identity::improve::Unjudged;
use crate::network::Networks;
use crate::presence::Presences;
use crate::registration::Registration;
use crate::servers::Servers;
use crate::texts::Texts;
use crate::tones::Tones;
use crate::{AccountId, CallId, CallIds, Config, Event, Gateway, Input, Outputs};

/// A whole phone without sockets, clock or sound.
pub struct Phone {
    pub(crate) config: Config,
    pub(crate) call_ids: CallIds,
    pub(crate) desk: Desk,
    pub(crate) accounts: BTreeMap<AccountId, Registration>,
    pub(crate) default_account: Option<AccountId>,
    pub(crate) calls: BTreeMap<CallId, Call>,
    pub(crate) texts: Texts,
    /// Accounts that messages could not go by when they were last looked at.
    pub(crate) waylaid: BTreeSet<AccountId>,
    /// Announced calls that were declined before they came.
    pub(crate) declined: Vec<Declined>,
    pub(crate) do_not_disturb: bool,
    pub(crate) forward_to: Option<Redacted<String>>,
    pub(crate) blocked: Blocked,
    pub(crate) networks: Networks,
    pub(crate) presence: Presences,
    pub(crate) roaming_allowed: bool,
    pub(crate) goodbye: Goodbye,
    pub(crate) unjudged: Unjudged,
    tones: Tones,
    gateway: Gateway,
    unopened: u64,
}

/// How far the phone is with leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// It is not.
    NotSaid,
    /// Calls end and accounts unregister.
    Saying,
    /// Told.
    Said,
}

impl Phone {
    /// A phone without accounts. `call_ids` is shared with whoever starts calls; everything random comes from `rng`.
    pub fn new(config: Config, call_ids: CallIds, mut rng: Rng) -> Self {
        // A call that replaces another lives beside it for a moment.
        let limits =
            AgentConfig { max_sessions: config.max_calls * 2, tls: config.tls, ..AgentConfig::default() };
        let agent = Agent::new(limits, rng.split());
        let mut desk = Desk::new(agent, rng);
        desk.tls = config.tls;
        Self {
            config,
            call_ids,
            desk,
            accounts: BTreeMap::new(),
            default_account: None,
            calls: BTreeMap::new(),
            texts: Texts::default(),
            waylaid: BTreeSet::new(),
            declined: Vec::new(),
            do_not_disturb: false,
            forward_to: None,
            blocked: Blocked::default(),
            networks: Networks::new(),
            presence: Presences::default(),
            roaming_allowed: false,
            goodbye: Goodbye::NotSaid,
            unjudged: Unjudged::new(),
            tones: Tones::default(),
            gateway: Gateway::default(),
            unopened: 0,
        }
    }

    /// Takes one piece of news. What is to be done about it is drained from the returned value, which borrows the phone:
    /// nothing else can be handled until it is dropped.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) -> Outputs<'_> {
        self.desk.now = now;
        if let Input::Bytes { flow, from, .. } = &input {
            self.desk.heard(*flow, *from);
        }
        if let Input::Bytes { flow, from, bytes } = input
            && self.is_stun(flow, from, bytes)
        {
            self.desk.flush();
            return Outputs(&mut self.desk.queue);
        }
        let mut room = Vec::new();
        let opened = match &input {
            Input::Bytes { flow, bytes, .. } => self.open(*flow, bytes, &mut room),
            _ => None,
        };
        if let Input::FlowUp { network, flow, .. } = input
            && let Some(lane) = network.lane()
            && !self.lane_up(flow, AccountId(lane))
        {
            self.desk.flush();
            return Outputs(&mut self.desk.queue);
        }
        let Desk { agent, orders, codecs, lanes, alg, .. } = &mut self.desk;
        match input {
            Input::Bytes { flow, from, .. } => {
                if let Some(clear) = opened {
                    alg.receives(flow, from, clear, now);
                    agent.received(flow, from, clear, now, orders);
                }
            }
            Input::FlowUp { network, flow, transport, local, remote } => {
                if network.lane().is_none() {
                    alg.flow_up(network, flow, transport);
                }
                agent.flow_came(FlowUp { network, flow, transport, local, remote }, now, orders);
            }
            Input::FlowDown { flow } => {
                codecs.remove(&flow);
                lanes.remove(&flow);
                alg.flow_down(flow);
                let Self { calls, desk, .. } = self;
                for call in calls.values_mut() {
                    call.flow_lost(flow, desk);
                }
                let Desk { agent, orders, .. } = desk;
                agent.flow_down(flow, now, orders);
            }
            Input::FlowFailed { network, transport, remote } => {
                agent.flow_failed(network, transport, remote, now, orders);
            }
            Input::Resolved { query, answer } if Addresses::asked(query) => {
                if let Some(network) = self.desk.addresses.found(query, &answer) {
                    self.reach_changed(network);
                }
            }
            Input::Untrusted { name, why, certificate } => {
                self.accounts.values_mut().for_each(|account| account.untrusted(name, why, certificate));
            }
            Input::Resolved { query, answer } if Servers::asked(query) => {
                self.desk.servers.found(query, &answer);
            }
            Input::Resolved { query, answer } => {
                agent.resolved(query, answer, now, orders);
                self.accounts.values_mut().for_each(|account| account.found(&mut self.desk));
            }
            Input::Fetched { fetch, answer } => self.fetched(fetch, answer),
            Input::Network(news) => self.network(&news),
            Input::Media { media, news } => {
                if let Some(call) = self.calls.values_mut().find(|call| call.owns(media)) {
                    call.media(media, news, &mut self.desk);
                }
            }
            Input::Command(command) => self.command(command),
            Input::Due => self.due(),
        }
        while let Some(news) = self.desk.agent.poll_news() {
            self.hear(news);
        }
        while let Some(account) = self.desk.suspects.pop() {
            self.path_suspect(account);
        }
        self.hear_of_networks();
        self.look_at_gateway();
        self.tones.look(self.calls.values(), &mut self.desk);
        self.look_at_presence();
        self.sweep();
        self.look_at_texts();
        self.desk.flush();
        Outputs(&mut self.desk.queue)
    }

    /// What bytes mean; `None`: they are dropped, and counted.
    fn open<'a>(&mut self, flow: FlowId, bytes: &'a [u8], room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let opened = self.desk.open(flow, bytes, room);
        let whose = self.desk.lanes.get(&flow).copied();
        if let Some(account) = whose.and_then(|account| self.accounts.get_mut(&account)) {
            match opened {
                Ok(_) => account.opened(),
                Err(why) => account.unopened(why, &mut self.desk),
            }
        }
        self.unopened += u64::from(opened.is_err());
        opened.ok()
    }

    /// A flow of an account's own is there. False: the account has no use for it any more.
    fn lane_up(&mut self, flow: FlowId, account: AccountId) -> bool {
        let seal = self.accounts.get(&account).and_then(|it| it.account().seal().ok().flatten());
        self.desk.lane_up(flow, account, seal)
    }

    /// Puts a codec between the reader and a flow, until the flow is down. Without one the wire carries clear bytes.
    pub fn set_codec(&mut self, flow: FlowId, codec: Box<dyn FlowCodec + Send>) {
        self.desk.codecs.insert(flow, codec);
    }

    /// Datagrams dropped because their flow's codec could not open them: not for us, or another key.
    pub fn unopened(&self) -> u64 {
        self.unopened
    }

    /// Tells what the wall clock shows, since 1970: at the start, and again when it may have been set. Nothing is timed by it;
    /// it is written on messages, and read on what others have signed.
    pub fn set_wall_clock(&mut self, wall: Duration, now: Instant) {
        self.desk.wall = Some((wall, now));
    }

    /// When the phone wants to hear [`Input::Due`] if nothing happens, and why.
    pub fn next_wake(&self) -> Option<Wake> {
        let own = self.desk.timers.next().map(|(at, timer)| Wake { at, why: timer.why() });
        Wake::earlier(own, self.desk.agent.next_wake())
    }

    /// Whether nothing of any call, message or request is kept any more, in any machine; registrations may stand. A phone
    /// that never gets there leaks.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty()
            && self.unjudged.is_empty()
            && self.texts.is_empty()
            && self.desk.agent.is_quiet()
    }

    /// Whether a datagram answers the question of an account what its registrar sees it as. RFC 5626 section 8.
    fn is_stun(&mut self, flow: FlowId, from: SocketAddr, bytes: &[u8]) -> bool {
        if !nat::stun::is_stun(bytes) || self.desk.codecs.contains_key(&flow) {
            return false;
        }
        let Ok(message) = nat::stun::Message::read(bytes) else { return false };
        let Self { accounts, desk, .. } = self;
        accounts.values_mut().any(|account| account.answered_stun(flow, from, &message, desk))
    }

    fn due(&mut self) {
        let Self { desk, accounts, calls, tones, .. } = self;
        let (mut look, mut awake, mut certificates) = (false, false, false);
        // After a sleep everything is overdue at once, and being reachable goes first.
        while let Some(timer) = desk.timers.pop_due(desk.now) {
            match timer {
                Timer::Networks => look = true,
                Timer::Register(id) => {
                    awake = true;
                    desk.addresses.refresh(desk.now, &mut desk.orders);
                    with(accounts, id, |account| account.due(desk));
                }
                Timer::Ladder(id) => with(accounts, id, |account| account.climb(desk)),
                Timer::Ping(id) => {
                    awake = true;
                    with(accounts, id, |account| account.ping(desk));
                }
                // All accounts are looked at after each piece of news.
                Timer::Publish(_) => {}
                Timer::Unanswered(id) => with(calls, id, |call| call.unanswered(desk)),
                Timer::Keypad(id) => with(calls, id, |call| call.keypad_due(desk)),
                Timer::Path(media) => {
                    if let Some(call) = calls.values_mut().find(|call| call.owns(media)) {
                        call.path_due(media, desk);
                    }
                }
                Timer::Keying(media) => {
                    if let Some(call) = calls.values_mut().find(|call| call.owns(media)) {
                        call.keys_due(media, desk);
                    }
                }
                Timer::Renew(id) => with(calls, id, |call| call.renew(desk)),
                Timer::Follow(id) => with(calls, id, |call| call.follow(desk)),
                Timer::Left(id) => with(calls, id, |call| call.left(desk)),
                Timer::Certificates => certificates = true,
                Timer::Texts => {} // looked at behind all news
                Timer::Tone => tones.over(),
                Timer::Stop => stopped(&mut self.goodbye, desk),
            }
        }
        if awake {
            for account in accounts.values_mut() {
                account.along(desk);
            }
        }
        desk.agent.due(desk.now, &mut desk.orders);
        if look {
            self.look_at_networks(&[]);
        }
        if certificates {
            self.certificates_due();
        }
    }

    /// Something on the way spoils messages: accounts go round it, and the person is told.
    fn look_at_gateway(&mut self) {
        let Self { desk, accounts, .. } = self;
        if desk.alg.has_news() {
            for account in accounts.values_mut() {
                account.go_round(desk);
            }
        }
        let found = desk.alg.found();
        desk.known.router_does(desk.alg.here(), found);
        let around =
            if found.is_empty() { None } else { accounts.values().find_map(Registration::goes_round_by) };
        let leant_on = around.is_none() && accounts.values().any(|it| it.leans_on_gateway(desk));
        let gateway = Gateway { found: found.clone(), around, leant_on };
        if self.gateway != gateway {
            self.gateway = gateway;
            desk.event(Event::Gateway(self.gateway.clone()));
        }
    }

    /// Forgets what is over, and says goodbye when nothing is left.
    fn sweep(&mut self) {
        self.succeed();
        self.calls.retain(|_, call| !call.is_over());
        self.unjudged.retain(|id, _| self.calls.contains_key(id));
        self.dissolve();
        self.close_left();
        let Self { desk, accounts, calls, networks, .. } = self;
        accounts.retain(|id, account| {
            let forget = account.forget(desk);
            if forget {
                networks.forget(*id);
            }
            !forget
        });
        let quiet = calls.is_empty() && accounts.values().all(Registration::is_off) && desk.agent.is_idle();
        if self.goodbye == Goodbye::Saying && quiet {
            stopped(&mut self.goodbye, desk);
        }
    }
}

/// Only counts: what is inside is personal.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (accounts, calls) = (self.accounts.len(), self.calls.len());
        f.debug_struct("Phone").field("accounts", &accounts).field("calls", &calls).finish_non_exhaustive()
    }
}

fn with<K: Ord, V>(those: &mut BTreeMap<K, V>, id: K, act: impl FnOnce(&mut V)) {
    if let Some(it) = those.get_mut(&id) {
        act(it);
    }
}

fn stopped(goodbye: &mut Goodbye, desk: &mut Desk) {
    *goodbye = Goodbye::Said;
    desk.timers.cancel(&Timer::Stop);
    desk.event(Event::Stopped);
}

#[cfg(test)]
mod tests {
    use base::Transport;
    use sip::codec::Unopened;
    use sip::order::Order;

    use super::*;
    use crate::Output;

    /// Turns every bit around, behind a mark that says so.
    struct Inverted;

    impl FlowCodec for Inverted {
        fn seal(&mut self, clear: &[u8], out: &mut Vec<u8>) {
            out.push(b'!');
            out.extend(clear.iter().map(|b| !b));
        }

        fn open<'a>(&mut self, wire: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], Unopened> {
            room.extend(wire.strip_prefix(b"!").ok_or(Unopened::Plain)?.iter().map(|b| !b));
            Ok(room)
        }
    }

    const OPTIONS: &[u8] =
        b"OPTIONS sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
        Max-Forwards: 70\r\nFrom: <sip:ann@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: 1\r\n\
        CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_flow_with_a_codec_hears_and_says_nothing_in_clear() {
        let mut phone = Phone::new(Config::default(), CallIds::default(), Rng::from_number(1));
        let (flow, now) = (FlowId(1), Instant::ZERO);
        let from = ([192, 0, 2, 1], 5060).into();
        let local = ([192, 0, 2, 2], 5060).into();
        let network = base::NetworkId::SYSTEM;
        let up = Input::FlowUp { network, flow, transport: Transport::Udp, local, remote: None };
        assert_eq!(phone.handle(up, now).count(), 0);
        phone.set_codec(flow, Box::new(Inverted));

        assert_eq!(phone.handle(Input::Bytes { flow, from, bytes: OPTIONS }, now).count(), 0);
        assert_eq!(phone.unopened(), 1);

        let mut wire = Vec::new();
        Inverted.seal(OPTIONS, &mut wire);
        let sent: Vec<Output> = phone.handle(Input::Bytes { flow, from, bytes: &wire }, now).collect();
        let [Output::Sip(Order::Send { bytes, .. })] = &sent[..] else { panic!("one answer: {sent:?}") };
        let mut room = Vec::new();
        let clear = Inverted.open(bytes, &mut room).unwrap();
        assert!(clear.starts_with(b"SIP/2.0 200"), "{}", String::from_utf8_lossy(clear));
    }
}
