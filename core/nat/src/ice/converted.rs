//! Candidates as the crate below wants them.

use rtc_ice::candidate::CandidateConfig;
use rtc_ice::candidate::candidate_host::CandidateHostConfig;
use rtc_ice::candidate::candidate_relay::CandidateRelayConfig;
use rtc_ice::tcp_type::TcpType as InnerTcpType;

use crate::{Candidate, Carrier, Kind};

type Inner = rtc_ice::candidate::Candidate;

/// One of ours; `None`: it needs no pair of its own. An address that a server saw is checked from the socket that it stands for.
pub(super) fn ours(candidate: &Candidate) -> Option<Inner> {
    match (candidate.kind, candidate.carrier) {
        (Kind::Host, _) => host(candidate),
        (Kind::Relayed, Carrier::Udp) => relayed(candidate),
        _ => None,
    }
}

/// One of theirs. The constructors of reflexive candidates know no streams; what kind it is decides only what we call it.
pub(super) fn theirs(candidate: &Candidate) -> Option<Inner> {
    match (candidate.kind, candidate.carrier) {
        (Kind::Relayed, Carrier::Udp) => relayed(candidate),
        _ => host(candidate),
    }
}

fn host(candidate: &Candidate) -> Option<Inner> {
    CandidateHostConfig { base_config: config(candidate), tcp_type: tcp_type(candidate) }
        .new_candidate_host()
        .ok()
}

fn relayed(candidate: &Candidate) -> Option<Inner> {
    CandidateRelayConfig { base_config: config(candidate), ..CandidateRelayConfig::default() }
        .new_candidate_relay()
        .ok()
}

fn config(candidate: &Candidate) -> CandidateConfig {
    let network = if candidate.carrier == Carrier::Udp { "udp" } else { "tcp" };
    CandidateConfig {
        candidate_id: candidate.address.to_string(),
        network: network.into(),
        address: candidate.address.ip().to_string(),
        port: candidate.address.port(),
        component: candidate.component,
        priority: candidate.priority,
        foundation: candidate.foundation.clone(),
    }
}

/// A stream that is open has no direction any more.
fn tcp_type(candidate: &Candidate) -> InnerTcpType {
    match candidate.carrier {
        Carrier::Udp => InnerTcpType::Unspecified,
        Carrier::Tcp(_) => InnerTcpType::SimultaneousOpen,
    }
}
