//! What every machine of the phone works with: the agent below, the app above, the time.
//!
//! Knows no policy.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::nat64::Prefix64;
use base::{FlowId, Instant, NetworkId, Rng, Timers};
use bytes::Bytes;
use dtls::Certificate;
use sip::codec::FlowCodec;
use sip::order::{Order, Orders};
use sip::transaction::Source;
use sip::ua::Agent;

use crate::addresses::Addresses;
use crate::alg::Watch;
use crate::call::Info;
use crate::identity::shelf::Shelf;
use crate::network::Known;
use crate::servers::Servers;
use crate::vos::Lanes;
use crate::{AccountId, CallId, Event, MediaId, MediaOrder, Output};

/// A phone has a handful of accounts; what is not watched is taken for used just now.
const MOST_WATCHED: usize = 64;

/// Deadlines of the phone itself; the agent keeps its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Register, refresh or try again.
    Register(AccountId),
    /// Look again at which network is the best.
    Networks,
    /// Try another way to the registrar.
    Ladder(AccountId),
    /// Keep the way to the registrar open.
    Ping(AccountId),
    /// Say how the user is, again or otherwise.
    Publish(AccountId),
    /// Nobody picked up here.
    Unanswered(CallId),
    /// The next key of a call's keypad.
    Keypad(CallId),
    /// The way of a media stream.
    Path(MediaId),
    /// The keys of a media stream.
    Keying(MediaId),
    /// A call's ways are to be found anew.
    Renew(CallId),
    /// A call tells once more where it is.
    Follow(CallId),
    /// The sockets that a call has left are closed.
    Left(CallId),
    /// Certificates of who signs for callers have been waited for long enough.
    Certificates,
    /// A text message has its turn, or has waited too long.
    Texts,
    /// The tone after a call that came to nothing has sounded long enough.
    Tone,
    /// The goodbye has taken long enough.
    Stop,
}

impl Timer {
    /// The reason that diagnostics show.
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Register(_) | Self::Ladder(_) => "register",
            Self::Networks => "networks",
            Self::Ping(_) => "keepalive",
            Self::Publish(_) => "presence",
            Self::Unanswered(_) => "unanswered call",
            Self::Keypad(_) => "keypad",
            Self::Path(_) | Self::Renew(_) | Self::Follow(_) | Self::Left(_) => "path",
            Self::Keying(_) => "keys",
            Self::Certificates => "certificates",
            Self::Texts => "messages",
            Self::Tone => "tone",
            Self::Stop => "shutdown",
        }
    }
}

/// The shared part of the phone, lent to one machine at a time.
pub(crate) struct Desk {
    pub(crate) agent: Agent,
    pub(crate) now: Instant,
    /// What the wall clock showed since 1970, and when.
    pub(crate) wall: Option<(Duration, Instant)>,
    pub(crate) rng: Rng,
    pub(crate) timers: Timers<Timer>,
    /// What the agent wants done; goes out behind the media orders of the same news, so that a stream is open before
    /// the other side is told of it.
    pub(crate) orders: Orders,
    pub(crate) queue: VecDeque<Output>,
    /// What lies between the reader and a flow, where it is more than nothing.
    pub(crate) codecs: BTreeMap<FlowId, Box<dyn FlowCodec + Send>>,
    /// The flows that are one account's own.
    pub(crate) lanes: Lanes,
    /// What accounts' exchanges were found to make of INFO.
    pub(crate) info: BTreeMap<AccountId, Info>,
    /// Accounts whose calls have lost their way, or hear nothing.
    pub(crate) suspects: Vec<AccountId>,
    /// Where accounts' servers are.
    pub(crate) servers: Servers,
    /// What is known of networks.
    pub(crate) known: Known,
    /// Networks whose datagrams leave from a further port.
    further: BTreeSet<NetworkId>,
    /// Whether TLS can be had.
    pub(crate) tls: bool,
    /// When the ways to registrars were last used, in either direction.
    used: BTreeMap<(FlowId, SocketAddr), Instant>,
    /// Accounts that go by another network now: their calls follow.
    pub(crate) moved: Vec<AccountId>,
    /// Accounts that their registrar has answered by another way than before.
    pub(crate) landed: Vec<AccountId>,
    /// Accounts that their registrar sees under another address now: those they talk to are told.
    pub(crate) seen_elsewhere: Vec<AccountId>,
    /// By which networks accounts have reached their registrars, or have not.
    pub(crate) tried: Vec<(AccountId, NetworkId, bool)>,
    /// Which IP families networks give.
    pub(crate) addresses: Addresses,
    /// What routers do to messages.
    pub(crate) alg: Watch,
    /// What accounts are known by on the media path: made when first needed, kept while the phone runs.
    certificates: BTreeMap<AccountId, Certificate>,
    media_ids: u32,
    /// Certificates of who signs for callers.
    pub(crate) shelf: Shelf,
    /// Documents about watched people that could not be read.
    pub(crate) unread: u64,
}

impl Desk {
    pub(crate) fn new(agent: Agent, rng: Rng) -> Self {
        Self {
            agent,
            now: Instant::ZERO,
            wall: None,
            rng,
            timers: Timers::default(),
            orders: Orders::new(),
            queue: VecDeque::new(),
            codecs: BTreeMap::new(),
            lanes: Lanes::new(),
            info: BTreeMap::new(),
            suspects: Vec::new(),
            servers: Servers::default(),
            known: Known::default(),
            further: BTreeSet::new(),
            tls: false,
            used: BTreeMap::new(),
            moved: Vec::new(),
            landed: Vec::new(),
            seen_elsewhere: Vec::new(),
            tried: Vec::new(),
            addresses: Addresses::default(),
            alg: Watch::default(),
            certificates: BTreeMap::new(),
            media_ids: 0,
            shelf: Shelf::default(),
            unread: 0,
        }
    }

    /// A network gives us these addresses; `nat64`: its translator's prefix, where the platform knows it.
    pub(crate) fn addresses_are(&mut self, network: NetworkId, addrs: &[IpAddr], nat64: Option<Prefix64>) {
        self.addresses.network(network, addrs, nat64, self.now, &mut self.orders);
        self.tell_reach(network);
    }

    /// Tells the agent how IPv4 is reached by a network.
    pub(crate) fn tell_reach(&mut self, network: NetworkId) {
        let (ipv4, nat64) = self.addresses.on(network).direct();
        self.agent.set_reach(network, ipv4, nat64);
    }

    /// Whether datagrams by that network leave from a further port of ours.
    pub(crate) fn is_on_further_port(&self, network: NetworkId) -> bool {
        self.further.contains(&network)
    }

    /// They do from now on, or no longer.
    pub(crate) fn switch_port(&mut self, network: NetworkId, further: bool) {
        let changes = if further { self.further.insert(network) } else { self.further.remove(&network) };
        if changes {
            self.agent.switch_port(network, further, &mut self.orders);
        }
    }

    /// What the wall clock shows since 1970, where that was told.
    pub(crate) fn wall(&self) -> Option<Duration> {
        self.wall.map(|(wall, at)| wall + self.now.since(at))
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.queue.push_back(Output::Event(event));
    }

    pub(crate) fn media(&mut self, media: MediaId, order: MediaOrder) {
        self.queue.push_back(Output::Media { media, order });
    }

    /// An account's own. One for all its calls: RFC 8842 section 4 lets them share it.
    pub(crate) fn certificate(&mut self, account: AccountId) -> Certificate {
        let Self { certificates, rng, .. } = self;
        certificates.entry(account).or_insert_with(|| Certificate::generate(rng)).clone()
    }

    pub(crate) fn next_media(&mut self) -> MediaId {
        self.media_ids += 1;
        MediaId(self.media_ids)
    }

    /// A way to a registrar: its uses are noted from now on.
    pub(crate) fn watch(&mut self, path: &Source) {
        if self.used.len() >= MOST_WATCHED {
            self.used.clear();
        }
        self.used.insert((path.flow, path.remote), self.now);
    }

    /// Something came that way.
    pub(crate) fn heard(&mut self, flow: FlowId, from: SocketAddr) {
        if let Some(at) = self.used.get_mut(&(flow, from)) {
            *at = self.now;
        }
    }

    /// For how long nothing has gone or come that way.
    pub(crate) fn silent_for(&self, path: &Source) -> Duration {
        self.used.get(&(path.flow, path.remote)).map_or(Duration::ZERO, |at| self.now.since(*at))
    }

    /// Moves the agent's orders to the queue, each datagram as its flow's codec writes it; tells what was learnt.
    pub(crate) fn flush(&mut self) {
        while let Some(learnt) = self.known.poll_news() {
            self.event(Event::Learnt(learnt));
        }
        let Self { orders, queue, codecs, lanes, used, alg, now, .. } = self;
        for order in &*orders {
            if let Order::Send { flow, to, bytes } = order {
                // Nobody rewrites what he cannot read.
                if !codecs.contains_key(flow) {
                    alg.sends(*to, bytes);
                }
                if let Some(at) = used.get_mut(&(*flow, *to)) {
                    *at = *now;
                }
            }
        }
        queue.extend(orders.drain(..).filter_map(|order| seal(order, codecs, lanes)).map(Output::Sip));
    }
}

/// The order as the wire is to have it. `None`: its bytes cannot be sealed, and go nowhere.
fn seal(
    order: Order,
    codecs: &mut BTreeMap<FlowId, Box<dyn FlowCodec + Send>>,
    lanes: &Lanes,
) -> Option<Order> {
    match order {
        Order::Send { flow, to, bytes } => {
            let bytes = match codecs.get_mut(&flow) {
                Some(codec) => {
                    let mut wire = Vec::with_capacity(bytes.len() + 64);
                    codec.seal(&bytes, &mut wire);
                    Some(Bytes::from(wire)).filter(|wire| !wire.is_empty())
                }
                None => Some(bytes).filter(|_| !lanes.contains_key(&flow)),
            };
            Some(Order::Send { flow, to, bytes: bytes? })
        }
        Order::OpenFlow { .. }
        | Order::SwitchPort { .. }
        | Order::CloseFlow { .. }
        | Order::Resolve { .. } => Some(order),
    }
}
