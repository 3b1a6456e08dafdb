//! By what carrier a registrar is reached, where the account leaves that open: datagrams, else a stream, else one under TLS.
//!
//! ```text
//!   usual ---1 s---> TCP ---1 s---> TLS, its port ---1 s---> TLS, 443        silence climbs, a failure climbs at once
//!     '------------- all stay open: whichever is answered first carries the account -------------'
//! ```
//! A REGISTER that was heard at all (a challenge, a 100) is waited for a little longer. What worked on a network is tried first there the next
//! time, and every [`PROBE`] the usual way has its chance again. The account's other requests follow the registration: its
//! profile names the carrier and the first hop. An account that names its carrier, or whose first hop does, stays with it.
//! A better network is tried by the same ways, while the account stands where it stood. What spoils datagrams ([`super::dodge`]) takes the lower ways away. Knows nothing of how a carrier is had.

use std::time::Duration;

use base::{Instant, NetworkId, Transport};
use sip::message::Uri;
use sip::ua::{Outcome, RequestId, TransportPolicy, Way};

use super::{Registration, State, profile_id};
use crate::desk::{Desk, Timer};
use crate::view::Step;
use crate::{Account, AccountId};

/// How long the way before is waited for. RFC 3261's first repetition of a datagram has had its answer by then.
const STEP: Duration = Duration::from_secs(1);
/// The same where the account is registered: a lost refresh is no reason to move.
const CALM_STEP: Duration = Duration::from_secs(5);
/// How much longer one that was heard is waited for: what answers the challenge is longer, and may not pass.
const HEARD_STEP: Duration = Duration::from_millis(1500);
/// How seldom the usual way is tried while another works.
const PROBE: Duration = Duration::from_secs(900);
/// Ways remembered, of all accounts on all networks.
const MOST: usize = 64;
/// Requests that were overtaken and may still be answered.
const MOST_LATE: usize = 8;

/// One way to reach the registrar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rung {
    /// As URI and DNS say, or the account: UDP, most often.
    #[default]
    Usual,
    /// A stream to the same place.
    Tcp,
    /// A stream under TLS, to its own port.
    Tls,
    /// The same to the port that is open wherever the web is.
    Tls443,
}

impl Rung {
    const fn transport(self) -> Option<Transport> {
        match self {
            Self::Usual => None,
            Self::Tcp => Some(Transport::Tcp),
            Self::Tls | Self::Tls443 => Some(Transport::Tls),
        }
    }
}

/// What worked where.
#[derive(Debug, Default)]
pub(crate) struct Worked(Vec<(AccountId, u64, Rung)>);

impl Worked {
    fn on(&self, account: AccountId, network: u64) -> Rung {
        let mut known = self.0.iter().filter(|(id, at, _)| *id == account && *at == network);
        known.next().map_or(Rung::Usual, |(.., rung)| *rung)
    }

    fn note(&mut self, account: AccountId, network: u64, rung: Rung) {
        self.0.retain(|(id, at, _)| *id != account || *at != network);
        if rung != Rung::Usual {
            self.0.truncate(MOST - 1);
            self.0.insert(0, (account, network, rung));
        }
    }
}

/// What a registration knows of its ways.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    /// The way of the request that the state names, and of what is registered.
    at: Rung,
    /// The way of what is registered, while another network is tried.
    stands: Option<Rung>,
    /// The next ways, the last first.
    next: Vec<Rung>,
    /// Requests by other ways that are not answered yet.
    open: Vec<(RequestId, Rung)>,
    /// Requests that another was faster than.
    late: Vec<RequestId>,
    /// The request was heard (a challenge, a 100) and has had more time for that.
    waited: bool,
    /// When the usual way was last tried.
    probed: Instant,
}

impl Registration {
    /// Chooses the first way, and what comes after it.
    pub(super) fn first_rung(&mut self, desk: &mut Desk) {
        self.overtaken();
        let mut rungs = rungs(&self.account, desk.tls);
        rungs.retain(|rung| *rung >= self.dodge.floor());
        let known = desk.worked.on(self.id, self.network_key(desk));
        let registered = matches!(self.state, State::Registered { .. }) && self.path.is_some();
        let usual = rungs[0] == Rung::Usual;
        let probe =
            registered && usual && known != Rung::Usual && desk.now.since(self.ladder.probed) >= PROBE;
        // Where it stands it stays, as long as that works.
        if let Some(at) = rungs.iter().position(|rung| *rung == known) {
            rungs.remove(at);
            rungs.insert(usize::from(probe), known);
        }
        if rungs[0] == Rung::Usual {
            self.ladder.probed = desk.now;
        }
        self.begin_at(rungs);
        self.set_step(if registered && !probe { CALM_STEP } else { STEP }, desk);
    }

    /// The same for a network that the account may move to.
    pub(super) fn first_rung_there(&mut self, network: NetworkId, desk: &mut Desk) {
        self.overtaken();
        let mut rungs = rungs(&self.account, desk.tls);
        let known = desk.worked.on(self.id, desk.alg.known_as(network));
        rungs.sort_by_key(|rung| *rung != known);
        let stands = self.ladder.at;
        self.begin_at(rungs);
        self.ladder.stands = Some(stands);
        self.set_step(STEP, desk);
    }

    /// The first of these, and the others after it.
    fn begin_at(&mut self, mut rungs: Vec<Rung>) {
        self.ladder.waited = false;
        self.ladder.stands = None;
        self.ladder.at = rungs.remove(0);
        rungs.reverse();
        self.ladder.next = rungs;
    }

    /// The other network is none: it stands where it stood.
    pub(super) fn climb_down(&mut self, desk: &mut Desk) {
        self.overtaken();
        self.ladder.next.clear();
        if let Some(stands) = self.ladder.stands.take() {
            self.ladder.at = stands;
        }
        desk.timers.cancel(&Timer::Ladder(self.id));
    }

    /// The account goes by a network that it was asking by already: what was begun there goes on, or has been answered.
    pub(super) fn went_on(&mut self, network: NetworkId, desk: &mut Desk) {
        let begun = std::mem::take(&mut self.ladder);
        self.went(network, desk);
        self.ladder = Ladder { stands: None, ..begun };
    }

    fn set_step(&self, step: Duration, desk: &mut Desk) {
        if self.ladder.next.is_empty() {
            desk.timers.cancel(&Timer::Ladder(self.id));
        } else {
            desk.timers.set(Timer::Ladder(self.id), desk.now + step);
        }
    }

    /// How a request goes that is sent now.
    pub(super) fn by_rung(&self, way: Way) -> Way {
        let (transport, first_hop) = match self.ladder.at {
            // As it would go without a ladder, unless what is registered now goes another way.
            Rung::Usual if self.profile.transport == self.account.transport => return way,
            Rung::Usual => (self.account.transport, self.first_hop()),
            rung => (only(rung), hop(&self.account, rung)),
        };
        Way { transport: Some(transport), first_hop, ..way }
    }

    pub(super) fn first_hop(&self) -> Option<Uri> {
        self.account.proxy.clone().or_else(|| Some(self.account.uri.clone()))
    }

    /// `Timer::Ladder` is due.
    pub(crate) fn climb(&mut self, desk: &mut Desk) {
        let Some((request, there)) = self.asked().filter(|_| self.wanted) else { return };
        if desk.agent.is_heard(request) && !std::mem::replace(&mut self.ladder.waited, true) {
            return self.set_step(HEARD_STEP, desk);
        }
        let Some(rung) = self.ladder.next.pop() else { return };
        // While the name servers take their time nothing has been sent.
        if self.ladder.at == Rung::Usual && self.view.step != Step::Find && there.is_none() {
            self.dodge.datagrams_are_silent();
        }
        self.ladder.open.push((request, std::mem::replace(&mut self.ladder.at, rung)));
        self.ask_once_more(desk);
    }

    /// The request that the state names, and the network that it tries.
    const fn asked(&self) -> Option<(RequestId, Option<NetworkId>)> {
        match self.state {
            State::Asking { request } => Some((request, None)),
            State::Moving { request, to, .. } => Some((request, Some(to))),
            State::Off | State::Registered { .. } | State::Waiting | State::Leaving { .. } => None,
        }
    }

    /// The state names this request from now on.
    const fn asks(&mut self, by: RequestId) {
        if let State::Asking { request } | State::Moving { request, .. } = &mut self.state {
            *request = by;
        }
    }

    fn ask_once_more(&mut self, desk: &mut Desk) {
        let Some((_, network)) = self.asked() else { return };
        let request = self.register(self.ask, Way { network, ..Way::default() }, desk);
        self.asks(request);
        self.set_step(STEP, desk);
    }

    /// The request that the state names came to this. False: another way is tried, or waited for.
    pub(super) fn is_settled(&mut self, outcome: &Outcome, desk: &mut Desk) -> bool {
        if is_answer(outcome) {
            self.overtaken();
            desk.timers.cancel(&Timer::Ladder(self.id));
            return true;
        }
        if let Some(rung) = self.ladder.next.pop().filter(|_| self.wanted && !self.stale) {
            self.ladder.at = rung;
            self.ask_once_more(desk);
            return false;
        }
        if let Some((request, rung)) = self.ladder.open.pop() {
            self.ladder.at = rung;
            self.asks(request);
            return false;
        }
        true
    }

    /// A request by another way than the state's came to this. True: it was the first to be answered, and is the state's now.
    pub(super) fn is_first(&mut self, done: RequestId, outcome: &Outcome, desk: &mut Desk) -> bool {
        if let Some(at) = self.ladder.late.iter().position(|late| *late == done) {
            self.ladder.late.remove(at);
            let bound = matches!(outcome, Outcome::Final(m) if m.status().is_some_and(|s| s / 100 == 2));
            if let (true, State::Registered { .. }) = (bound, &self.state) {
                // The registrar has another way of ours now: this one is to be the last word.
                self.send(desk);
            }
            return false;
        }
        let Some(at) = self.ladder.open.iter().position(|(open, _)| *open == done) else { return false };
        let (_, rung) = self.ladder.open.remove(at);
        let Some((request, _)) = self.asked() else { return false };
        if is_answer(outcome) {
            self.ladder.open.push((request, std::mem::replace(&mut self.ladder.at, rung)));
            self.asks(done);
            return true;
        }
        false
    }

    /// Answers to what is still open come too late.
    fn overtaken(&mut self) {
        let Ladder { open, late, .. } = &mut self.ladder;
        late.extend(open.drain(..).map(|(request, _)| request));
        let most = late.len().saturating_sub(MOST_LATE);
        late.drain(..most);
    }

    /// The registrar answered this way: all else goes the same.
    pub(super) fn reached(&mut self, desk: &mut Desk) {
        let network = self.network_key(desk);
        desk.worked.note(self.id, network, self.ladder.at);
        self.follow(desk);
    }

    /// Another network: what is known of it counts from now on.
    pub(super) fn other_rung(&mut self, desk: &mut Desk) {
        self.overtaken();
        self.ladder.next.clear();
        self.ladder.stands = None;
        self.ladder.at = desk.worked.on(self.id, self.network_key(desk)).max(self.dodge.floor());
        self.follow(desk);
    }

    /// The account's requests take the way that it stands on.
    fn follow(&mut self, desk: &mut Desk) {
        let rung = self.ladder.at;
        let (transport, proxy) = match rung {
            Rung::Usual => (self.account.transport, self.account.proxy.clone()),
            rung => (only(rung), hop(&self.account, rung).or_else(|| self.account.proxy.clone())),
        };
        if self.profile.transport != transport || self.profile.proxy != proxy {
            (self.profile.transport, self.profile.proxy) = (transport, proxy);
            desk.agent.set_profile(profile_id(self.id), self.profile.clone());
        }
    }

    fn network_key(&self, desk: &Desk) -> u64 {
        self.network().map(|network| desk.alg.known_as(network)).unwrap_or_default()
    }
}

fn is_answer(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Final(_) | Outcome::CannotAuthorize(_) => true,
        Outcome::NoAnswer | Outcome::Unreachable | Outcome::NotFound => false,
    }
}

fn only(rung: Rung) -> TransportPolicy {
    rung.transport().map_or(TransportPolicy::Auto, TransportPolicy::Only)
}

/// The ways that are open to an account, the usual one first.
pub(super) fn rungs(account: &Account, tls: bool) -> Vec<Rung> {
    let first_hop = account.proxy.as_ref().unwrap_or(&account.uri).view();
    let open = account.transport == TransportPolicy::Auto
        && first_hop.param("transport").is_none()
        && first_hop.scheme == sip::message::Scheme::Sip;
    match (open, tls) {
        (false, _) => vec![Rung::Usual],
        (true, false) => vec![Rung::Usual, Rung::Tcp],
        (true, true) => vec![Rung::Usual, Rung::Tcp, Rung::Tls, Rung::Tls443],
    }
}

/// The first hop by that way, where it is another than the usual.
fn hop(account: &Account, rung: Rung) -> Option<Uri> {
    let usual = account.proxy.as_ref().unwrap_or(&account.uri).view();
    let port = match (rung, usual.port) {
        (Rung::Usual | Rung::Tcp, _) => return None,
        // The usual port is not TLS's; without one the name servers are asked for TLS's.
        (Rung::Tls, Some(_)) => ":5061",
        (Rung::Tls, None) => "",
        (Rung::Tls443, _) => ":443",
    };
    let lr = if usual.is_loose() { ";lr" } else { "" };
    format!("sip:{}{port};transport=tls{lr}", usual.host).parse().ok()
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::*;

    const HOME: u64 = 1001;
    const WORK: u64 = 1002;

    fn account(uri: &str) -> Account {
        Account::new(uri.parse().unwrap(), Secret::new(String::new()))
    }

    #[test]
    fn tls_has_its_own_ports_and_a_first_hop_that_is_a_route_stays_one() {
        let hops = |account: &Account| {
            [Rung::Tcp, Rung::Tls, Rung::Tls443].map(|rung| hop(account, rung).map(|hop| hop.to_string()))
        };
        let tls = |text: &str| Some(text.to_owned());
        let mut named = account("sip:ann@offhook.test");
        assert_eq!(
            hops(&named),
            [None, tls("sip:offhook.test;transport=tls"), tls("sip:offhook.test:443;transport=tls")]
        );
        named.proxy = Some("sip:[2001:db8::1]:5070;lr".parse().unwrap());
        assert_eq!(
            hops(&named),
            [
                None,
                tls("sip:[2001:db8::1]:5061;transport=tls;lr"),
                tls("sip:[2001:db8::1]:443;transport=tls;lr")
            ]
        );
    }

    #[test]
    fn who_names_a_carrier_has_no_other() {
        assert_eq!(rungs(&account("sip:ann@offhook.test"), true).len(), 4);
        assert_eq!(rungs(&account("sip:ann@offhook.test"), false), [Rung::Usual, Rung::Tcp]);
        assert_eq!(rungs(&account("sip:ann@offhook.test;transport=udp"), true), [Rung::Usual]);
        let mut udp = account("sip:ann@offhook.test");
        udp.transport = TransportPolicy::Only(Transport::Udp);
        assert_eq!(rungs(&udp, true), [Rung::Usual]);
    }

    #[test]
    fn what_worked_is_kept_by_account_and_network_and_does_not_pile_up() {
        let mut worked = Worked::default();
        let ann = AccountId(1);
        worked.note(ann, HOME, Rung::Tls);
        assert_eq!(worked.on(ann, HOME), Rung::Tls);
        assert_eq!((worked.on(ann, WORK), worked.on(AccountId(2), HOME)), (Rung::Usual, Rung::Usual));
        worked.note(ann, HOME, Rung::Usual);
        assert_eq!(worked.on(ann, HOME), Rung::Usual);
        for network in 0..1000 {
            worked.note(ann, network, Rung::Tcp);
        }
        assert_eq!((worked.0.len(), worked.on(ann, 999)), (MOST, Rung::Tcp));
    }
}
