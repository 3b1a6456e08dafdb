//! What befalls nodes: bad links, sleep, dead processes and networks.

use std::net::IpAddr;

use phone::NetworkNews;
use sip::locate::{Answer, Question, Record};

use crate::Link;
use crate::node::{Machine, News};
use crate::stranger::Stranger;
use crate::wire::NodeId;

use super::World;

impl World {
    /// Makes every link that has none of its own like this.
    pub fn set_links(&mut self, link: Link) {
        self.wire.set_default(link);
    }

    /// Makes one way like this.
    pub fn set_link(&mut self, from: NodeId, to: NodeId, link: Link) {
        self.wire.set_link(from, to, link);
    }

    /// Cuts or mends one way.
    pub fn cut(&mut self, from: NodeId, to: NodeId, cut: bool) {
        let link = Link { cut, ..self.wire.link(from, to) };
        self.wire.set_link(from, to, link);
    }

    /// What the name servers know; all other names are not found.
    pub fn name(&mut self, question: Question, records: Vec<Record>) {
        self.dns.insert(question, Answer::Records(records));
    }

    /// A phone's processor stops: datagrams are lost on it, streams wait.
    pub fn sleep(&mut self, node: NodeId) {
        self.nodes[node.0].awake = false;
    }

    /// It goes on.
    pub fn wake(&mut self, node: NodeId) {
        self.nodes[node.0].awake = true;
        let missed = std::mem::take(&mut self.nodes[node.0].missed);
        self.agenda.extend(missed.into_iter().map(|news| (node, news)));
        self.agenda.push_back((node, News::Due));
        self.work();
    }

    /// A node's process ends without a word.
    pub fn kill(&mut self, node: NodeId) {
        self.wire.kill(node, self.now);
        self.later.retain(|_, (n, _)| *n != node);
        let n = &mut self.nodes[node.0];
        let machine = std::mem::replace(&mut n.machine, Machine::Stranger(Stranger::default()));
        n.machine = Machine::Ended(Box::new(machine));
        n.missed.clear();
    }

    /// It begins again: a phone with its settings, an exchange with its users and bindings.
    pub fn start(&mut self, node: NodeId) {
        let rng = self.rng.split();
        let n = &mut self.nodes[node.0];
        let machine = std::mem::replace(&mut n.machine, Machine::Stranger(Stranger::default()));
        n.machine = match machine {
            Machine::Ended(machine) => match *machine {
                Machine::Phone(handset) => Machine::Phone(Box::new(handset.restarted(rng))),
                Machine::Exchange(office) => Machine::Exchange(Box::new(office.restarted(rng, self.now))),
                other => other,
            },
            running => running,
        };
        n.awake = true;
        self.boot(node);
    }

    /// It begins again as on its first day: an exchange has forgotten who is where.
    pub fn start_anew(&mut self, node: NodeId) {
        if let Machine::Ended(machine) = &mut self.nodes[node.0].machine
            && let Machine::Exchange(office) = machine.as_mut()
        {
            office.forget();
        }
        self.start(node);
    }

    /// Every stream of a node breaks, as by a box on the way that resets them: both ends hear of it.
    pub fn break_streams(&mut self, node: NodeId) {
        self.wire.reset(node, self.now);
    }

    /// A node loses its network: its streams and sockets are gone, and nobody is told but itself.
    pub fn offline(&mut self, node: NodeId) {
        for flow in self.wire.unplug(node) {
            self.agenda.push_back((node, News::FlowDown { flow }));
        }
        self.agenda.push_back((node, News::Network(NetworkNews::Down)));
        self.work();
    }

    /// It has one again, perhaps with another address.
    pub fn online(&mut self, node: NodeId, ip: IpAddr) {
        self.wire.add_host(node, ip);
        self.nodes[node.0].ips = vec![ip];
        self.nodes[node.0].networks.clear();
        self.open_sockets(node, ip);
        self.agenda.push_back((node, News::Network(NetworkNews::Up { addrs: vec![ip] })));
        self.work();
    }
}
