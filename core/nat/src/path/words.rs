//! What a path says about itself to a person.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::Route;
use crate::ice::{Counts, Pair};
use crate::{Candidate, Carrier, Kind};

/// By which kind of way the other side is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// On addresses of their own.
    Host,
    /// Through routers, by an address that a server told of.
    ServerReflexive,
    /// Through routers, by an address that only the checks showed.
    PeerReflexive,
    /// Through routers, by a stream that both opened at once.
    TcpPunched,
    /// Through a relay.
    Relayed,
}

impl Reached {
    /// Of a pair that carries.
    pub fn of(pair: &Pair) -> Self {
        if pair.is_relayed() {
            Self::Relayed
        } else if pair.tcp {
            Self::TcpPunched
        } else if pair.remote_kind == Kind::PeerReflexive {
            Self::PeerReflexive
        } else if pair.remote_kind == Kind::ServerReflexive || pair.mapped != pair.local {
            Self::ServerReflexive
        } else {
            Self::Host
        }
    }

    /// The console's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::TcpPunched => "tcp-punched",
            Self::Relayed => "relay",
        }
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "directly",
            Self::ServerReflexive => "through routers, by the address that a server saw",
            Self::PeerReflexive => "through routers, by an address that the checks showed",
            Self::TcpPunched => "through routers, by a TCP stream that both sides opened at once",
            Self::Relayed => "through a relay",
        })
    }
}

/// A path as it stands, for diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Ours, as far as they are known; the best first.
    pub ours: Vec<Candidate>,
    /// Theirs, as they were described.
    pub theirs: Vec<Candidate>,
    /// The pair in use.
    pub pair: Option<Pair>,
    /// Whether both sides have settled on it.
    pub settled: bool,
    /// How media goes.
    pub route: Route,
    /// The round trip by the last check of consent.
    pub round_trip: Option<Duration>,
    /// What was dropped.
    pub counts: Counts,
    /// Servers that did not answer.
    pub mute: Vec<SocketAddr>,
}

impl Report {
    /// Why it is this way and no straighter one.
    pub fn why(&self) -> &'static str {
        match self.pair.as_ref().map(Reached::of) {
            None if self.route == Route::Plain => {
                "the other side makes no checks, or nothing that it described was reached: sound goes to where it says, and \
                 then to where its own comes from"
            }
            None => "nothing has answered yet",
            Some(Reached::Host) => "the addresses of both sides reach each other as they are",
            Some(Reached::ServerReflexive | Reached::PeerReflexive) => {
                "the addresses of both sides do not reach each other as they are; their routers were opened from inside"
            }
            Some(Reached::TcpPunched) => {
                "no datagrams get through; both sides opened a stream to each other at once"
            }
            Some(Reached::Relayed) => "neither datagrams nor streams got through both routers",
        }
    }
}

/// The picture of ARCHITECTURE.md with this path's addresses in it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, whose: &str, c: &Candidate| {
            let stream = if c.carrier == Carrier::Udp { "" } else { " (TCP)" };
            writeln!(f, "{whose:<8}{:<6}{}{stream}", c.kind.word(), c.address)
        };
        for candidate in &self.ours {
            line(f, "ours", candidate)?;
        }
        for candidate in &self.theirs {
            line(f, "theirs", candidate)?;
        }
        for server in &self.mute {
            writeln!(f, "no answer from {server}")?;
        }
        if let Some(pair) = &self.pair {
            let reached = Reached::of(pair);
            let settled = if self.settled { "chosen" } else { "for the moment" };
            write!(f, "way     {:<6}{} -> {}, {settled}", reached.word(), pair.local, pair.remote)?;
            if pair.mapped != pair.local {
                write!(f, ", seen there as {}", pair.mapped)?;
            }
            if let Some(round_trip) = self.round_trip {
                write!(f, ", round trip {} ms", round_trip.as_millis())?;
            }
            writeln!(f)?;
        }
        write!(f, "because {}", self.why())
    }
}
