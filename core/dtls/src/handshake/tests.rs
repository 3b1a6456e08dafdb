//! Two associations over a link that loses, delays and spoils, in virtual time.

#![allow(clippy::print_stderr)] // measured times

use base::Rng;

use super::*;
use crate::Fingerprint;

/// What happens to datagrams between the two.
#[derive(Clone, Copy)]
struct Weather {
    /// Lost each way, of 1.
    loss: f64,
    /// One bit flipped, of 1.
    spoilt: f64,
    /// Said twice, of 1.
    twice: f64,
    /// One way.
    delay: Duration,
    /// More than that, at most: what overtakes.
    jitter: Duration,
}

const CALM: Weather =
    Weather { loss: 0.0, spoilt: 0.0, twice: 0.0, delay: Duration::from_millis(25), jitter: Duration::ZERO };

/// One end of the link.
struct End {
    handshake: Handshake,
    keys: Option<Keys>,
    failed: Option<Reason>,
    closed: bool,
    done: Option<Instant>,
}

struct Pair {
    ends: [End; 2],
    /// When, in which order, to whom, what.
    wire: Vec<(Instant, u64, usize, Vec<u8>)>,
    sent: u64,
    weather: Weather,
    rng: Rng,
    now: Instant,
    steps: u32,
}

fn certificate(seed: u64) -> Certificate {
    Certificate::generate(&mut Rng::from_number(seed))
}

fn known(certificate: &Certificate) -> Fingerprints {
    Fingerprints::new([certificate.fingerprint()]).expect("one is enough")
}

impl Pair {
    fn new(seed: u64, weather: Weather) -> Self {
        let certificates = [certificate(seed * 2), certificate(seed * 2 + 1)];
        let peers = [known(&certificates[1]), known(&certificates[0])];
        Self::of(seed, weather, certificates, peers)
    }

    /// The first is active.
    fn of(seed: u64, weather: Weather, certificates: [Certificate; 2], peers: [Fingerprints; 2]) -> Self {
        let mut rng = Rng::from_number(seed);
        let [peer_a, peer_b] = peers;
        let mut first = Vec::new();
        let mut end = |role, at: usize, peer, out: &mut Vec<Output>| {
            let handshake =
                Handshake::begin(role, &certificates[at], peer, Some(rng.bits()), Instant::ZERO, out);
            End { handshake, keys: None, failed: None, closed: false, done: None }
        };
        let ends = [end(Role::Active, 0, peer_a, &mut first), end(Role::Passive, 1, peer_b, &mut Vec::new())];
        let mut pair = Self { ends, wire: Vec::new(), sent: 0, weather, rng, now: Instant::ZERO, steps: 0 };
        pair.take(0, first);
        pair
    }

    fn take(&mut self, from: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(bytes) => self.post(1 - from, &bytes),
                Output::Keyed(keys) => {
                    assert!(self.ends[from].keys.replace(keys).is_none(), "keyed twice");
                    self.ends[from].done = Some(self.now);
                }
                Output::Failed(reason) => {
                    assert!(self.ends[from].failed.replace(reason).is_none(), "failed twice");
                    self.ends[from].done = Some(self.now);
                }
                Output::Closed => self.ends[from].closed = true,
            }
        }
    }

    fn post(&mut self, to: usize, bytes: &[u8]) {
        let copies = if self.rng.fraction() < self.weather.twice { 2 } else { 1 };
        for _ in 0..copies {
            if self.rng.fraction() < self.weather.loss {
                continue;
            }
            let mut bytes = bytes.to_vec();
            if self.rng.fraction() < self.weather.spoilt {
                let bit = self.rng.below(bytes.len() as u64 * 8) as usize;
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            let at = self.now + self.weather.delay + self.weather.jitter.mul_f64(self.rng.fraction());
            self.sent += 1;
            self.wire.push((at, self.sent, to, bytes));
        }
    }

    /// Runs until both are done, or until nothing happens before `until`.
    fn run(&mut self, until: Duration) {
        let until = Instant::ZERO + until;
        while self.ends.iter().any(|e| e.done.is_none()) && self.step(until) {}
    }

    fn step(&mut self, until: Instant) -> bool {
        let arrival = self.wire.iter().map(|w| (w.0, w.1)).min();
        let wake = (0..2).filter_map(|i| Some((self.ends[i].handshake.next_wake()?.at, i))).min();
        let at = [arrival.map(|a| a.0), wake.map(|w| w.0)].into_iter().flatten().min();
        let Some(at) = at.filter(|at| *at < until) else { return false };
        self.now = self.now.max(at);
        self.steps += 1;
        let mut out = Vec::new();
        if let Some(i) = self.wire.iter().position(|w| Some((w.0, w.1)) == arrival && w.0 == at) {
            let (_, _, to, bytes) = self.wire.remove(i);
            self.ends[to].handshake.handle(&bytes, self.now, &mut out);
            self.take(to, out);
        } else {
            let (_, i) = wake.expect("no arrival is due, so a wake is");
            self.ends[i].handshake.tick(self.now, &mut out);
            self.take(i, out);
        }
        true
    }

    fn agreed(&self) -> bool {
        match (&self.ends[0].keys, &self.ends[1].keys) {
            (Some(a), Some(b)) => {
                a.profile == b.profile && a.send == b.receive && a.receive == b.send && a.send != a.receive
            }
            _ => false,
        }
    }

    fn took(&self) -> Duration {
        self.ends.iter().map(|e| e.done.expect("both are done").since(Instant::ZERO)).max().expect("two ends")
    }
}

#[test]
fn both_sides_come_to_the_same_keys_and_take_the_strongest_profile() {
    let mut pair = Pair::new(1, CALM);

    pair.run(Duration::from_secs(5));

    assert!(pair.agreed());
    assert_eq!(pair.ends[0].keys.as_ref().map(|k| k.profile), Some(Profile::AeadAes256Gcm));
    assert!(pair.took() < Duration::from_millis(200), "{:?}", pair.took());
}

#[test]
fn a_hundred_of_a_hundred_handshakes_end_well_where_a_third_is_lost_each_way() {
    let weather = Weather { loss: 0.3, ..CALM };
    let mut took: Vec<Duration> = (0..100)
        .map(|seed| {
            let mut pair = Pair::new(seed, weather);
            pair.run(Duration::from_secs(30));
            assert!(pair.agreed(), "seed {seed}: {:?} {:?}", pair.ends[0].failed, pair.ends[1].failed);
            pair.took()
        })
        .collect();
    took.sort();
    eprintln!(
        "30 % lost each way, 50 ms there and back: p50 {:?}, p95 {:?}, most {:?}",
        took[50], took[95], took[99]
    );
    assert!(took[95] <= Duration::from_secs(4), "{:?}", took[95]);
}

#[test]
fn reordered_and_repeated_datagrams_do_no_harm() {
    let weather = Weather { twice: 0.3, jitter: Duration::from_millis(80), loss: 0.1, ..CALM };
    for seed in 0..20 {
        let mut pair = Pair::new(seed, weather);
        pair.run(Duration::from_secs(30));
        assert!(pair.agreed(), "seed {seed}: {:?} {:?}", pair.ends[0].failed, pair.ends[1].failed);
    }
}

#[test]
fn spoilt_datagrams_never_make_two_sides_think_differently() {
    let weather = Weather { spoilt: 0.1, ..CALM };
    let mut ended_well = 0;
    let mut longest = 0;
    for seed in 0..60 {
        let mut pair = Pair::new(seed, weather);
        pair.run(Duration::from_secs(40));
        let both = pair.ends.iter().all(|e| e.keys.is_some());
        assert_eq!(both, pair.agreed(), "seed {seed}");
        assert!(pair.ends.iter().all(|e| e.done.is_some()), "seed {seed}: neither keys nor a reason");
        longest = longest.max(pair.steps);
        ended_well += usize::from(both);
    }
    eprintln!("a bit flipped in each tenth datagram: {ended_well} of 60 end well");
    assert!(longest < 2000, "{longest} steps: somebody talks without an end");
    assert!(ended_well >= 30, "{ended_well}");
}

#[test]
fn a_certificate_that_the_description_does_not_name_gives_no_keys() {
    let [a, b, other] = [1, 2, 3].map(certificate);
    let peers = [known(&other), known(&a)];
    let mut pair = Pair::of(1, CALM, [a, b], peers);

    pair.run(Duration::from_secs(40));

    assert_eq!(pair.ends[0].failed, Some(Reason::WrongCertificate));
    assert_eq!((&pair.ends[0].keys, &pair.ends[1].keys), (&None, &None));
}

#[test]
fn the_passive_side_looks_at_the_certificate_as_well() {
    let [a, b, other] = [1, 2, 3].map(certificate);
    let peers = [known(&b), known(&other)];
    let mut pair = Pair::of(1, CALM, [a, b], peers);

    pair.run(Duration::from_secs(40));

    assert_eq!(pair.ends[1].failed, Some(Reason::WrongCertificate));
    assert_eq!(pair.ends[1].keys, None);
}

#[test]
fn a_fingerprint_by_a_stronger_hash_is_enough() {
    let [a, b] = [1, 2].map(certificate);
    let strong = |c: &Certificate| {
        Fingerprints::new([Fingerprint::of(crate::Hash::Sha512, c.der())]).expect("one is enough")
    };
    let peers = [strong(&b), strong(&a)];
    let mut pair = Pair::of(1, CALM, [a, b], peers);
    pair.run(Duration::from_secs(5));
    assert!(pair.agreed());
}

#[test]
fn silence_ends_after_half_a_minute_whoever_waits() {
    let mut pair = Pair::new(1, Weather { loss: 1.0, ..CALM });
    pair.run(Duration::from_secs(60));
    for end in &pair.ends {
        assert_eq!(end.failed, Some(Reason::TooLate));
    }
    assert_eq!(pair.took(), PATIENCE);
}

#[test]
fn strangers_bytes_before_the_handshake_do_not_spoil_it() {
    let mut pair = Pair::new(1, CALM);
    let mut rng = Rng::from_number(9);
    for i in 0..300 {
        let mut noise = vec![0; 1 + rng.below(200) as usize];
        rng.fill(&mut noise);
        noise[0] = 20 + noise[0] % 44;
        let end = &mut pair.ends[i % 2];
        let mut out = Vec::new();
        end.handshake.handle(&noise, Instant::ZERO, &mut out);
        assert_eq!(out, [], "{noise:?}");
    }
    pair.run(Duration::from_secs(30));
    assert!(pair.agreed(), "{:?} {:?}", pair.ends[0].failed, pair.ends[1].failed);
}

/// A plaintext record.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9];
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

#[test]
fn a_forged_alert_does_not_end_a_handshake_that_goes_on() {
    let mut pair = Pair::new(1, CALM);
    let alert = record(21, &[2, 40]);
    for end in &mut pair.ends {
        end.handshake.handle(&alert, Instant::ZERO, &mut Vec::new());
    }
    pair.run(Duration::from_secs(5));
    assert!(pair.agreed());
}

#[test]
fn an_alert_that_nothing_follows_is_the_reason_after_three_seconds() {
    let mut pair = Pair::new(1, Weather { loss: 1.0, ..CALM });
    pair.ends[0].handshake.handle(&record(21, &[2, 40]), Instant::ZERO, &mut Vec::new());
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.ends[0].failed, Some(Reason::Refused(40)));
    assert_eq!(pair.ends[0].done, Some(Instant::ZERO + ALERT_GRACE));
}

#[test]
fn a_bomb_of_fragments_ends_a_handshake_and_takes_no_memory() {
    let mut pair = Pair::new(1, CALM);
    let passive = &mut pair.ends[1].handshake;
    let mut out = Vec::new();
    for i in 0..20_000_u32 {
        // A ClientHello of which each second byte is shown.
        let at = (i % 3000 * 2 + 1).to_be_bytes();
        let body = [1, 0, 0x1f, 0, 0, 0, at[1], at[2], at[3], 0, 0, 1, 7];
        passive.handle(&record(22, &body), Instant::ZERO, &mut out);
    }
    assert!(passive.dropped() > 18_000, "{}", passive.dropped());
    assert!(matches!(out.as_slice(), [] | [Output::Failed(Reason::Broken(_))]), "{out:?}");
}

#[test]
fn a_hello_of_a_strangers_that_spoils_the_wait_is_forgotten() {
    let mut pair = Pair::new(1, CALM);
    let mut out = Vec::new();
    for i in 0..100_u8 {
        let body = [1, 0, 1, 0, 0, 0, 0, 0, i, 0, 0, 1, 7];
        pair.ends[1].handshake.handle(&record(22, &body), Instant::ZERO, &mut out);
    }
    pair.take(1, out);
    pair.run(Duration::from_secs(30));
    assert!(pair.agreed(), "{:?} {:?}", pair.ends[0].failed, pair.ends[1].failed);
}

#[test]
fn a_hello_after_the_keys_begins_nothing() {
    let mut pair = Pair::new(1, CALM);
    let mut hello = Vec::new();
    let stranger = Pair::new(7, CALM);
    hello.extend(stranger.wire.iter().map(|w| w.3.clone()));
    pair.run(Duration::from_secs(5));
    assert!(pair.agreed());

    let mut out = Vec::new();
    for end in &mut pair.ends {
        for datagram in &hello {
            end.handshake.handle(datagram, pair.now, &mut out);
        }
    }

    assert!(out.iter().all(|o| matches!(o, Output::Send(_))), "{out:?}");
    assert!(out.len() <= 4, "a stranger makes us talk: {}", out.len());
}

#[test]
fn what_is_no_dtls_or_too_long_is_counted() {
    let mut pair = Pair::new(1, CALM);
    let passive = &mut pair.ends[1].handshake;
    let mut long = record(22, &[]);
    long.resize(LONGEST + 1, 0);
    for datagram in [&b"\x80rtp"[..], b"", b"\x01stun", &long] {
        passive.handle(datagram, Instant::ZERO, &mut Vec::new());
    }
    assert_eq!(passive.dropped(), 4);
}

#[test]
fn time_that_goes_back_is_no_harm() {
    let mut out = Vec::new();
    let a = certificate(1);
    let peer = known(&a);
    let later = Instant::from_millis(5000);
    let mut handshake = Handshake::begin(Role::Active, &a, peer, Some(1), later, &mut out);
    handshake.tick(Instant::from_millis(1), &mut out);
    assert!(handshake.next_wake().is_some_and(|w| w.at > later));
}
