//! One node of the world: what runs on it, and what it has been through.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use base::{FlowId, NetworkId, QueryId, Transport, Wake};
use bytes::Bytes;
use phone::{Command, MediaId, MediaNews, NetworkNews};
use sip::locate::Answer;

use crate::exchange::Office;
use crate::phone::Handset;
use crate::servers::Servers;
use crate::stranger::Stranger;

/// What a node is told.
#[derive(Debug)]
pub(crate) enum News {
    Bytes {
        flow: FlowId,
        from: SocketAddr,
        bytes: Bytes,
    },
    FlowUp {
        network: NetworkId,
        flow: FlowId,
        transport: Transport,
        local: SocketAddr,
        remote: Option<SocketAddr>,
    },
    FlowDown {
        flow: FlowId,
    },
    FlowFailed {
        network: NetworkId,
        transport: Transport,
        remote: SocketAddr,
    },
    Listening {
        transport: Transport,
        local: SocketAddr,
    },
    Resolved {
        query: QueryId,
        answer: Answer,
    },
    Network(NetworkNews),
    Media {
        media: MediaId,
        news: MediaNews,
    },
    Command(Command),
    Due,
}

/// What runs on a node.
pub(crate) enum Machine {
    Phone(Box<Handset>),
    Exchange(Box<Office>),
    Stranger(Stranger),
    Servers(Box<Servers>),
    /// Its process has ended; what it would begin with again.
    Ended(Box<Machine>),
}

pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) ips: Vec<IpAddr>,
    /// Which of its networks each address is on, where it is told of several.
    pub(crate) networks: BTreeMap<IpAddr, NetworkId>,
    pub(crate) machine: Machine,
    pub(crate) awake: bool,
    /// What reached it on streams while it slept.
    pub(crate) missed: VecDeque<News>,
    /// How often it was woken by its own wish, by reason.
    pub(crate) wakes: BTreeMap<&'static str, u32>,
}

impl Node {
    pub(crate) fn next_wake(&self) -> Option<Wake> {
        match &self.machine {
            Machine::Phone(handset) if self.awake => handset.next_wake(),
            Machine::Exchange(office) if self.awake => office.machine.next_wake(),
            Machine::Phone(_)
            | Machine::Exchange(_)
            | Machine::Stranger(_)
            | Machine::Servers(_)
            | Machine::Ended(_) => None,
        }
    }
}
