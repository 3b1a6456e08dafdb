//! What a path says about itself to a person.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::Route;
use crate::ice::{Counts, Pair};
use crate::{Candidate, Kind};

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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for candidate in &self.ours {
            writeln!(f, "ours: {} ({})", candidate.address, candidate.kind.word())?;
        }
        for server in &self.mute {
            writeln!(f, "no answer from {server}")?;
        }
        match &self.pair {
            None => f.write_str("no way is known yet"),
            Some(pair) => {
                write!(f, "{} -> {}: {}", pair.local, pair.remote, Reached::of(pair))?;
                if let Some(round_trip) = self.round_trip {
                    write!(f, ", round trip {} ms", round_trip.as_millis())?;
                }
                Ok(())
            }
        }
    }
}
