//! The sockets, connections and channels of one simulated media stream, as `io` keeps them for a real one.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base::FlowId;
use media::Lead;
use nat::framing::{Framing, Splitter};
use nat::path::{Leg, Route, Target};

/// One TCP connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// `None`: on its way.
    pub(crate) flow: Option<FlowId>,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) framing: Framing,
    pub(crate) splitter: Splitter,
}

impl Connection {
    pub(crate) fn new(flow: Option<FlowId>, local: SocketAddr, remote: SocketAddr, framing: Framing) -> Self {
        Self { flow, local, remote, framing, splitter: Splitter::new(framing) }
    }
}

/// All of one stream's.
#[derive(Debug)]
pub(crate) struct Legs {
    /// RTP's addresses; RTCP's are one port above.
    pub(crate) sockets: Vec<(Leg, SocketAddr)>,
    pub(crate) connections: BTreeMap<Leg, Connection>,
    pub(crate) listeners: Vec<SocketAddr>,
    pub(crate) channels: Vec<(Leg, SocketAddr, u16, SocketAddr)>,
    pub(crate) listens: bool,
    pub(crate) route: Route,
    /// Of RTCP that has a port of its own.
    pub(crate) control: Route,
    /// The socket of a plain route.
    pub(crate) plain: Leg,
    pub(crate) taken: u32,
}

impl Legs {
    pub(crate) fn new(local: SocketAddr) -> Self {
        Self {
            sockets: vec![(Leg::FIRST, local)],
            connections: BTreeMap::new(),
            listeners: Vec::new(),
            channels: Vec::new(),
            listens: false,
            route: Route::Plain,
            control: Route::Plain,
            plain: Leg::FIRST,
            taken: Leg::TAKEN,
        }
    }

    /// The routes in the session's words.
    pub(crate) fn leads(&self) -> [Lead; 2] {
        [&self.route, &self.control].map(|route| match route {
            Route::Plain => Lead::Plain,
            Route::Checked { target, admitted } => {
                Lead::Checked { target: target.map(|target| target.to), admitted: admitted.clone() }
            }
        })
    }

    pub(crate) fn target(&self, control: bool) -> Option<Target> {
        match if control { &self.control } else { &self.route } {
            Route::Plain => None,
            Route::Checked { target, .. } => *target,
        }
    }

    /// RTP's or RTCP's address of a pair.
    pub(crate) fn socket(&self, leg: Leg) -> Option<SocketAddr> {
        self.sockets.iter().find_map(|(known, rtp)| {
            let control = SocketAddr::new(rtp.ip(), rtp.port() + 1);
            if *known == leg { Some(*rtp) } else { (known.control() == leg).then_some(control) }
        })
    }

    pub(crate) fn leg_of(&self, flow: FlowId) -> Option<Leg> {
        self.connections.iter().find(|(_, it)| it.flow == Some(flow)).map(|(leg, _)| *leg)
    }
}
