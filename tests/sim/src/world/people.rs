//! What people and strangers do in the world, how long they wait for it, and what they see.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::Instant;
use bytes::Bytes;
use exchange::Exchange;
use exchange::bindings::InMemory;
use phone::{CallId, CallState, CallView, Command, SeenAs, Side};
use sip::ladder::Ladder;
use sip::order::Order;

use crate::node::{Machine, News};
use crate::phone::Handset;
use crate::stranger::Heard;
use crate::wire::NodeId;
use crate::{picture, sound};

use super::World;

/// How long anything is waited for: longer than a transaction or a ring that nobody answers.
const WAIT: Duration = Duration::from_secs(200);

impl World {
    /// The address of a node.
    pub fn ip(&self, node: NodeId) -> IpAddr {
        self.nodes[node.0].ips[0]
    }

    /// Where a node's signalling listens.
    pub fn addr(&self, node: NodeId) -> SocketAddr {
        SocketAddr::new(self.ip(node), 5060)
    }

    /// A phone, as its owner sees it.
    pub fn at(&self, node: NodeId) -> &Handset {
        match &self.nodes[node.0].machine {
            Machine::Phone(handset) => handset,
            Machine::Exchange(_) | Machine::Stranger(_) | Machine::Servers(_) | Machine::Ended(_) => {
                panic!("{} is no phone that runs", self.nodes[node.0].name)
            }
        }
    }

    /// An exchange.
    pub fn exchange_at(&self, node: NodeId) -> &Exchange<InMemory> {
        match &self.nodes[node.0].machine {
            Machine::Exchange(office) => &office.machine,
            Machine::Phone(_) | Machine::Stranger(_) | Machine::Servers(_) | Machine::Ended(_) => {
                panic!("{} is no exchange that runs", self.nodes[node.0].name)
            }
        }
    }

    // What people do

    /// A phone's user wants something.
    pub fn command(&mut self, node: NodeId, command: Command) {
        self.agenda.push_back((node, News::Command(command)));
        self.work();
    }

    /// A phone's user dials.
    pub fn call(&mut self, node: NodeId, to: &str) -> CallId {
        let call = self.at(node).draw();
        let to = base::Redacted::new(to.to_owned());
        self.command(node, Command::Call { call, account: None, to, seen_as: SeenAs::default() });
        call
    }

    /// The id of the latest call on a phone that has not ended.
    pub fn live(&self, node: NodeId) -> CallId {
        match self.at(node).live() {
            Some(view) => view.call,
            None => panic!("{} has no call", self.nodes[node.0].name),
        }
    }

    /// The state of the latest call on a phone that has not ended.
    pub fn state(&self, node: NodeId) -> Option<CallState> {
        self.at(node).live().map(|view| view.state)
    }

    /// The latest ringing call of a phone is answered.
    pub fn answer(&mut self, node: NodeId) {
        let call = self.live(node);
        self.command(node, Command::Answer(call));
    }

    /// The latest call of a phone is hung up.
    pub fn hang_up(&mut self, node: NodeId) {
        let call = self.live(node);
        self.command(node, Command::HangUp(call));
    }

    // What strangers do

    /// Runs until a stranger hears a message that begins so (`INVITE`, `200`); those before it are passed over.
    pub fn hears(&mut self, node: NodeId, start: &str) -> Heard {
        let deadline = self.now + WAIT;
        loop {
            if let Machine::Stranger(stranger) = &mut self.nodes[node.0].machine
                && let Some(heard) = stranger.take(start)
            {
                return heard;
            }
            assert!(self.step(deadline), "{} never heard {start}", self.nodes[node.0].name);
        }
    }

    /// A stranger says something on the way by which it once heard something.
    pub fn says(&mut self, node: NodeId, heard: &Heard, text: String) {
        self.execute(node, Order::Send { flow: heard.flow, to: heard.from, bytes: Bytes::from(text) });
        self.work();
    }

    /// A stranger speaks first, by datagram. Lines end as the test file's do; Content-Length is added.
    pub fn opens(&mut self, node: NodeId, to: NodeId, head: &str, body: &str) {
        let bytes = Bytes::from(crate::stranger::finish(format!("{}\n", head.trim_end()), "", body));
        let to = self.addr(to);
        let Some((flow, _)) = self.wire.signalling(node, to.ip()) else { return };
        self.execute(node, Order::Send { flow, to, bytes });
        self.work();
    }

    // What they wait for

    /// Lets time pass until something is so; panics when it does not come about within 200 s.
    pub fn run_until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let deadline = self.now + WAIT;
        while !so(self) {
            assert!(self.step(deadline), "not within {WAIT:?}: {what}; left: {:?}", self.leftovers());
        }
    }

    /// Lets time pass until a phone's latest call is in this state.
    pub fn run_until_state(&mut self, node: NodeId, state: CallState) {
        let name = self.nodes[node.0].name.clone();
        self.run_until(&format!("{name} {state:?}"), |w| w.state(node) == Some(state));
    }

    /// Lets time pass until no phone has a call, and then a moment for the last words.
    pub fn run_until_quiet(&mut self) {
        self.run_until("all calls ended", |w| {
            w.nodes.iter().all(|n| match &n.machine {
                Machine::Phone(handset) => handset.live().is_none(),
                Machine::Exchange(_) | Machine::Stranger(_) | Machine::Servers(_) | Machine::Ended(_) => true,
            })
        });
        self.run_for(Duration::from_millis(100));
    }

    /// Lets time pass until these phones are registered, and begins the ladder there.
    pub fn run_until_registered(&mut self, phones: &[NodeId]) {
        self.run_until("registered", |w| phones.iter().all(|p| w.at(*p).is_registered()));
        self.run_for(Duration::from_millis(100));
        self.begin();
    }

    /// Forgets the ladder so far; its time is zero now.
    pub fn begin(&mut self) {
        let names: Vec<&str> = self.nodes.iter().map(|n| n.name.as_str()).collect();
        self.ladder = Ladder::new(&self.heading.0, &self.heading.1, &names).about(&self.about);
        self.seen.clear();
        self.began = self.now;
        let notes: Vec<String> = self.picture.all().map(str::to_owned).collect();
        for note in &notes {
            self.note(note);
        }
    }

    /// What was heard of `talker` by `listener` in the last fifth of a second.
    pub fn hears_tone(&self, listener: NodeId, talker: NodeId) -> bool {
        self.at(listener).streams.values().any(|s| s.hears(sound::tone(talker.0)))
    }

    /// Sound that a phone has made up in its calls that are up.
    pub fn concealed(&self, node: NodeId) -> Duration {
        self.at(node).streams.values().filter_map(|stream| Some(stream.stats()?.concealed)).sum()
    }

    /// The longest INVITE that a phone has sent, in bytes.
    pub fn longest_invite(&self) -> usize {
        self.longest_invite
    }

    /// When a phone took the first packet of the sound that it hears now.
    pub fn first_sound(&self, listener: NodeId) -> Option<Instant> {
        self.at(listener).streams.values().find_map(|stream| stream.first)
    }

    // What there is to see

    /// The ladder, with how each call stands in the end.
    pub fn ladder(&self) -> String {
        let mut ladder = self.ladder.clone();
        let phones = self.nodes.iter().filter_map(|n| match &n.machine {
            Machine::Phone(handset) => Some((n.name.as_str(), handset.as_ref())),
            Machine::Exchange(_) | Machine::Stranger(_) | Machine::Servers(_) | Machine::Ended(_) => None,
        });
        ladder.outcome(&picture::outcome(phones));
        let calls = self.call_ids.iter().zip(1..);
        calls.fold(ladder.to_string(), |text, (id, n)| {
            let local = id.split('@').next().unwrap_or(id);
            text.replace(&format!("replaces {local}"), &format!("replaces call {n}"))
        })
    }

    /// How many messages of a kind (`REGISTER`, `200`) a node has sent so far.
    pub fn said(&self, node: NodeId, word: &str) -> u64 {
        self.said.get(&(node, word.to_owned())).copied().unwrap_or(0)
    }

    /// What calls have left behind: a call, transaction, stream of media or request under way, each with its node.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (i, node) in self.nodes.iter().enumerate() {
            match &node.machine {
                Machine::Phone(handset) => {
                    if !handset.phone().is_quiet() {
                        left.push(format!("{}: not quiet, next {:?}", node.name, node.next_wake()));
                    }
                    if !handset.streams.is_empty() || self.wire.held(NodeId(i)).1 > 0 {
                        left.push(format!("{}: media", node.name));
                    }
                }
                Machine::Exchange(office) if office.machine.in_hand() > 0 => {
                    left.push(format!("{}: {} requests", node.name, office.machine.in_hand()));
                }
                Machine::Exchange(_) | Machine::Stranger(_) | Machine::Servers(_) | Machine::Ended(_) => {}
            }
        }
        left
    }

    /// Each call that reached somebody: the caller's view of it, and that of each whom it reached. Only over UDP, and not
    /// of phones whose process ended.
    pub fn both_ends(&self) -> Vec<(&CallView, Vec<&CallView>)> {
        let phones = self.nodes.iter().filter_map(|n| match &n.machine {
            Machine::Phone(handset) => Some(handset),
            Machine::Exchange(_) | Machine::Stranger(_) | Machine::Servers(_) | Machine::Ended(_) => None,
        });
        let mut ends: BTreeMap<&str, (Option<&CallView>, Vec<&CallView>)> = BTreeMap::new();
        for (handset, view) in phones.flat_map(|handset| handset.calls().map(move |view| (handset, view))) {
            let Some(id) = handset.sip_id(view.call) else { continue };
            let (caller, callees) = ends.entry(id).or_default();
            match view.side {
                Side::Out => *caller = Some(view),
                Side::In => callees.push(view),
            }
        }
        let known = ends.into_values().filter(|(_, callees)| !callees.is_empty());
        known.filter_map(|(caller, callees)| Some((caller?, callees))).collect()
    }

    /// How often a node was woken by its own wish, by reason.
    pub fn wakes(&self, node: NodeId) -> &BTreeMap<&'static str, u32> {
        &self.nodes[node.0].wakes
    }

    /// Open streams and media sockets of a node.
    pub fn held(&self, node: NodeId) -> (usize, usize) {
        self.wire.held(node)
    }

    /// One draw for the test's own choices.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sdp, users};

    #[test]
    fn a_stranger_hears_what_an_exchange_answers_and_the_ladder_shows_it() {
        let mut w = World::new("a_stranger", "");
        let stranger = w.stranger("stranger");
        let proxy = w.exchange("proxy", users(&[]));
        let body = sdp(w.addr(stranger), &["PCMU"], "sendrecv");
        w.opens(
            stranger,
            proxy,
            "INVITE sip:x@elsewhere.test SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\nMax-Forwards: 70\n\
             From: <sip:a@a.test>;tag=a\nTo: <sip:x@elsewhere.test>\nCall-ID: c\nCSeq: 1 INVITE\n\
             Contact: <sip:10.0.0.1>",
            &body,
        );
        let refusal = w.hears(stranger, "403");
        assert_eq!(refusal.header("CSeq"), "1 INVITE");
        let want = [" 0.000    INVITE x (PCMU) ->", " 0.005                             <- 403"];
        assert!(want.iter().all(|line| w.ladder().contains(line)), "{}", w.ladder());
    }
}
