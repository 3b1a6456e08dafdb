//! What a description tells of one stream's way. RFC 8839 sections 4 and 5, without its syntax.

use std::net::SocketAddr;

use crate::ice::Credentials;
use crate::{Candidate, Carrier, Kind, TcpType};

/// One side's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What its checks are known by.
    pub credentials: Credentials,
    /// Where it may be reached; the best first.
    pub candidates: Vec<Candidate>,
    /// It answers checks and makes none. RFC 8445 section 2.5.
    pub lite: bool,
    /// It takes candidates that come later. RFC 8838.
    pub trickle: bool,
}

impl Description {
    /// How long it is when written as attribute lines.
    pub fn octets(&self) -> usize {
        let lines = self.candidates.iter().map(|candidate| candidate.to_string().len() + LINE);
        let credentials = self.credentials.fragment.len() + self.credentials.password.expose().len();
        let trickle = if self.trickle { TRICKLE } else { 0 };
        lines.sum::<usize>() + credentials + CREDENTIALS + trickle
    }

    /// Leaves out the worst candidates until it fits: what keeps a request in one datagram. Of each kind the first stays before
    /// a second, and that at `default` in any case: a description whose default is no candidate is not believed (RFC 8839
    /// section 4.2.5). A stream is for those whose datagrams do not pass, and goes before other ways, one that opens from both
    /// sides behind those of one side; a relay, which is reached when nothing else is, goes last though it is liked least.
    pub fn fit(&mut self, octets: usize, default: SocketAddr) {
        while self.octets() > octets {
            let spare = |it: &Candidate| it.address != default;
            let twice = self.candidates.iter().rposition(|it| {
                let like = |other: &&Candidate| (other.kind, other.carrier) == (it.kind, it.carrier);
                spare(it) && self.candidates.iter().filter(like).count() > 1
            });
            let last =
                |goes: fn(&Candidate) -> bool| self.candidates.iter().rposition(|it| spare(it) && goes(it));
            let worst = last(|it| it.carrier == Carrier::Tcp(TcpType::Active))
                .or_else(|| last(|it| it.carrier == Carrier::Tcp(TcpType::Passive)))
                .or(twice)
                .or_else(|| last(|it| it.carrier != Carrier::Udp && it.kind == Kind::Host))
                .or_else(|| last(|it| it.carrier != Carrier::Udp))
                .or_else(|| last(|it| it.kind != Kind::Relayed))
                .or_else(|| last(|_| true));
            let Some(worst) = worst else { break };
            self.candidates.remove(worst);
        }
    }
}

/// `a=candidate:` and the line's end.
const LINE: usize = 14;
/// `a=ice-ufrag:`, `a=ice-pwd:` and their ends.
const CREDENTIALS: usize = 26;
/// `a=ice-options:trickle`, `a=mid:0` and their ends.
const TRICKLE: usize = 32;

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_worst_first_but_each_kind_once_before_any_twice() {
        let base: SocketAddr = "192.168.1.2:4000".parse().unwrap();
        let candidate = |kind: Kind, local: u16| {
            let address = SocketAddr::new([192, 0, 2, kind as u8].into(), local);
            Candidate::ours(kind, Carrier::Udp, 1, address, base, local)
        };
        let all = [
            candidate(Kind::Host, 9),
            candidate(Kind::Host, 8),
            candidate(Kind::ServerReflexive, 9),
            candidate(Kind::Relayed, 9),
        ];
        let credentials = Credentials::draw(&mut Rng::from_number(1));
        let mut description =
            Description { credentials, candidates: all.to_vec(), lite: false, trickle: false };
        let default = all[2].address;
        description.fit(description.octets(), default);
        assert_eq!(description.candidates, all);
        description.fit(description.octets() - 1, default);
        assert_eq!(description.candidates, [all[0].clone(), all[2].clone(), all[3].clone()]);
        description.fit(10, default);
        assert_eq!(description.candidates, [all[2].clone()]);
    }

    #[test]
    fn streams_are_left_out_before_datagrams_and_the_relay_last() {
        let candidate = |kind: Kind, carrier| {
            let address =
                SocketAddr::new([192, 0, 2, kind as u8].into(), if carrier == Carrier::Udp { 1 } else { 2 });
            Candidate::ours(kind, carrier, 1, address, address, 1)
        };
        let tcp = Carrier::Tcp(TcpType::SimultaneousOpen);
        let all = [
            candidate(Kind::Host, Carrier::Udp),
            candidate(Kind::ServerReflexive, Carrier::Udp),
            candidate(Kind::Host, tcp),
            candidate(Kind::ServerReflexive, tcp),
            candidate(Kind::Relayed, Carrier::Udp),
        ];
        let credentials = Credentials::draw(&mut Rng::from_number(1));
        let mut description =
            Description { credentials, candidates: all.to_vec(), lite: false, trickle: false };
        let default = all[1].address;
        for stays in [&[0, 1, 3, 4][..], &[0, 1, 4], &[1, 4], &[1]] {
            description.fit(description.octets() - 1, default);
            let stays: Vec<Candidate> = stays.iter().map(|it: &usize| all[*it].clone()).collect();
            assert_eq!(description.candidates, stays);
        }
    }
}
