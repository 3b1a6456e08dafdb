//! What a call makes of its media's ways: it waits for its own addresses, and shows how the other side is reached.
//!
//! RFC 8839. Knows nothing of how a way is found: see [`nat::path`].

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::{Instant, NetworkId};
use bytes::Bytes;
use dtls::Reason;
use media::Overdue;
use nat::path::{Event, Rung, Settings, Turn, Way};

use crate::desk::{Desk, Timer};
use crate::{Account, AccountId, MediaId, Relay, RelayWay, Side, Why};

use super::keying::Keying;
use super::{Call, Ending, Phase};

/// What an account's outside addresses are found and its ways checked with, wherever it is.
#[derive(Clone, Debug)]
pub(super) struct Checks {
    account: AccountId,
    settings: Settings,
}

impl Checks {
    /// `None`: neither is done.
    pub(super) fn of(id: AccountId, account: &Account, desk: &Desk) -> Option<Self> {
        let nat = &account.nat;
        let settings = || Settings {
            ice: nat.ice,
            stun: nat.stun.iter().flat_map(|server| desk.servers.of(server)).collect(),
            turn: nat.turn.iter().flat_map(|relay| ways(relay, &desk.servers.of(&relay.server))).collect(),
            udp: nat.udp,
            tcp: nat.tcp_punch,
            rung: Rung::default(),
        };
        (nat.ice || !nat.stun.is_empty()).then(|| Self { account: id, settings: settings() })
    }

    /// As the servers are reached by this network.
    pub(super) fn on(&self, network: NetworkId, desk: &Desk) -> Settings {
        let Self { account, settings } = self;
        let reach = desk.addresses.on(network);
        let stun = settings.stun.iter().map(|at| reach.endpoint(*at)).collect();
        let mut turn = settings.turn.clone();
        for turn in &mut turn {
            turn.server = reach.endpoint(turn.server);
        }
        turn.retain(|turn| reach.has_family_of(turn.server.ip()));
        Settings { stun, turn, rung: desk.known.relay(*account, network), ..settings.clone() }
    }
}

/// Each way to a relay, at each of its addresses.
fn ways(relay: &Relay, addresses: &[SocketAddr]) -> Vec<Turn> {
    let account = nat::turn::Account { user: relay.user.clone(), password: relay.password.clone() };
    let of = |way: &RelayWay| match way {
        RelayWay::Udp => Way::Udp,
        RelayWay::Tcp => Way::Tcp,
        RelayWay::Tls => Way::Tls(relay.server.host.clone()),
    };
    let ways = relay.ways.iter().map(of);
    let at = |way: Way| addresses.iter().map(move |address| (*address, way.clone()));
    ways.flat_map(at).map(|(address, way)| Turn::new(address, way, Some(account.clone()))).collect()
}

/// Between two offers that begin the ways anew; doubled with each in a row that led to nothing.
const RENEW_EVERY: Duration = Duration::from_secs(2);
const RENEW_MOST: u32 = 4;

/// Both sides find out at about the same time, and two offers at once undo each other (491): the caller goes first. It waits
/// for its own server to say whether it is seen under another address now; then the offer tells that, too.
const CALLER_WAITS: Duration = Duration::from_millis(300);
const CALLEE_WAITS: Duration = Duration::from_millis(1200);

/// How long sockets are read that were left: for what was on its way, and until another way carries.
const LEFT_FOR: Duration = Duration::from_secs(5);

/// Ways that are found anew in mid-call.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// An offer is to begin them.
    wanted: bool,
    /// It is on its way.
    told: bool,
    last: Option<Instant>,
    /// In a row, without anybody having been reached.
    vain: u32,
    /// An offer of theirs that is answered when our own addresses are known again.
    waiting: Option<Bytes>,
}

impl Ways {
    /// Whether the next offer is due for this alone.
    pub(super) const fn wanted(&self) -> bool {
        self.wanted
    }

    /// An offer of theirs has to wait for a moment.
    pub(super) fn wait(&mut self, offer: Bytes) {
        self.waiting = Some(offer);
    }

    /// An offer went out.
    pub(super) fn asked(&mut self) {
        self.told |= std::mem::take(&mut self.wanted);
    }

    /// An offer is to tell of it.
    pub(super) const fn want(&mut self) {
        self.wanted = true;
    }

    /// An offer that told of it was refused.
    pub(super) const fn refused(&mut self) {
        self.told = false;
    }

    /// Whether the description that was agreed on just now is the first to tell of it. An answer of ours to an offer of theirs,
    /// which crossed, will do as well.
    pub(super) fn told(&mut self, ours: bool) -> bool {
        let asked = std::mem::take(&mut self.told);
        asked || !ours && std::mem::take(&mut self.wanted)
    }
}

impl Call {
    /// The account goes by another network: so does the media. `toward`: the address that is reached there.
    pub(super) fn move_media(&mut self, network: NetworkId, toward: Option<IpAddr>, desk: &mut Desk) {
        if self.is_up() {
            self.streams.change_network(network, toward, desk);
        }
    }

    /// A socket on another network is there: the other side is told, as soon as all are.
    pub(super) fn may_move(&mut self, desk: &mut Desk) {
        if self.streams.can_move() {
            self.ways.wanted = true;
            desk.timers.cancel(&Timer::Renew(self.id));
            self.described(desk);
        }
    }

    /// The other side knows where it is now.
    pub(super) fn moved_media(&mut self, desk: &mut Desk) {
        if self.streams.moved(desk) {
            desk.timers.set(Timer::Left(self.id), desk.now + LEFT_FOR);
        }
    }

    /// `Timer::Left` is due.
    pub(crate) fn left(&mut self, desk: &mut Desk) {
        self.streams.settle_down(desk);
        self.hear_paths(desk);
    }

    /// Sound is overdue: a way that can be asked is asked at once. Of one that cannot, only the account's own server may know,
    /// and only silence for long is worth that.
    pub(super) fn overdue(&mut self, media: MediaId, overdue: Overdue, desk: &mut Desk) {
        if self.is_talking() && !self.remote_hold {
            let asks = self.streams.suspect(media, desk);
            if !asks && overdue == Overdue::Long {
                desk.suspects.push(self.account);
            }
        }
        self.hear_paths(desk);
    }

    /// Nothing carries: another way is looked for, and whoever knows of other networks is told.
    fn way_lost(&mut self, desk: &mut Desk) {
        self.streams.dead(desk);
        desk.suspects.push(self.account);
        if !self.is_up() {
            return;
        }
        let wait = RENEW_EVERY * 2_u32.pow(self.ways.vain.min(RENEW_MOST)) / 2;
        let at = self.ways.last.map_or(desk.now, |last| last + wait).max(desk.now + self.waits());
        desk.timers.set(Timer::Renew(self.id), at);
    }

    /// Before an offer of ours that theirs may cross.
    pub(super) const fn waits(&self) -> Duration {
        match self.side {
            Side::Out => CALLER_WAITS,
            Side::In => CALLEE_WAITS,
        }
    }

    /// `Timer::Renew` is due.
    pub(crate) fn renew(&mut self, desk: &mut Desk) {
        if !self.is_up() || self.offered.is_some() {
            // The answer on its way may settle it; if not, its path says so.
            return;
        }
        if self.late.found() && self.streams.reached().is_none() {
            // Nothing begins anew: the same description, and more in it. Who knows no ICE makes nothing of it.
            self.ways.wanted = self.streams.checks();
            return self.settle(desk);
        }
        self.ways.last = Some(desk.now);
        self.ways.vain += 1;
        self.ways.wanted = true;
        self.streams.renew(desk);
        self.settle(desk);
    }

    /// `Timer::Path` is due.
    pub(crate) fn path_due(&mut self, media: MediaId, desk: &mut Desk) {
        self.streams.due(media, desk);
        self.hear_paths(desk);
        self.hear_keys(desk);
    }

    /// `Timer::Keying` is due.
    pub(crate) fn keys_due(&mut self, media: MediaId, desk: &mut Desk) {
        self.streams.keys_due(media, desk);
        self.hear_keys(desk);
    }

    /// Acts on what came of agreeing on keys. Who has agreed to it does not go without: RFC 8643 section 3.1.
    pub(super) fn hear_keys(&mut self, desk: &mut Desk) {
        while let Some(news) = self.streams.poll_keys(desk) {
            let why = match news {
                Keying::Done => {
                    self.show(desk);
                    continue;
                }
                Keying::Failed(Reason::WrongCertificate) => Why::WrongCertificate,
                Keying::Failed(_) => Why::KeysNotAgreed,
            };
            self.fail(Ending::new(488, why), desk);
        }
    }

    /// Acts on what happened to the ways.
    pub(super) fn hear_paths(&mut self, desk: &mut Desk) {
        while let Some(event) = self.streams.poll_path() {
            match event {
                Event::Gathered => self.described(desk),
                Event::Reached(_) => {
                    self.ways.vain = 0;
                    self.late.settle();
                    desk.timers.cancel(&Timer::Renew(self.id));
                    self.show(desk);
                    self.tell_way(desk);
                }
                Event::Unreachable => {
                    self.show(desk);
                    self.tell_way(desk);
                }
                Event::Lost => {
                    self.tell_way(desk);
                    self.way_lost(desk);
                }
                Event::More => self.found_late(desk),
                Event::Relay(rung) => self.streams.relay_reached(rung, desk),
            }
        }
    }

    /// Tells by which way its media goes, and why.
    fn tell_way(&self, desk: &mut Desk) {
        if let Some(report) = self.streams.report() {
            desk.event(crate::Event::Way { call: self.id, report: Box::new(report) });
        }
    }

    /// The streams' addresses are known, perhaps: what waited for them goes on.
    pub(super) fn described(&mut self, desk: &mut Desk) {
        match self.phase {
            Phase::Dialling(_) => self.invite(desk),
            Phase::Incoming(_) => self.proceed(desk),
            Phase::Up => match self.ways.waiting.take() {
                Some(offer) => self.reoffered(Some(offer), desk),
                None => self.settle(desk),
            },
            Phase::Outgoing(_) => self.settle(desk),
            Phase::Announced(_) | Phase::Over => {}
        }
    }
}
