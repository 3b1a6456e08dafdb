use super::*;
use crate::plan::Protection;
use crate::srtp::{Keys, Suite};

const US: u16 = 1;
const THEM: u16 = 2;

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn keys(number: u64) -> Keys {
    Keys::random(Suite::AesCm128Sha1_80, &mut Rng::from_number(number))
}

/// Ours (`true`) or theirs: each sends by the key that the other receives by.
fn plan(ours: bool, of_us: u64, of_them: u64) -> Plan {
    let (send, receive) = if ours { (of_us, of_them) } else { (of_them, of_us) };
    Plan {
        remote: Some(address(if ours { THEM } else { US })),
        protection: Protection::Keyed { send: keys(send), receive: keys(receive) },
        ..Plan::of(0, Codec::Pcmu)
    }
}

fn session(plan: Plan) -> Session {
    let number = u64::from(plan.remote.map_or(0, |to| to.port()));
    Session::new(plan, 8000, Rng::from_number(number), Instant::ZERO)
}

struct Two {
    us: Session,
    them: Session,
    now: Instant,
    wire: Vec<Vec<u8>>,
}

impl Two {
    fn new(us: Plan, them: Plan) -> Self {
        Self { us: session(us), them: session(them), now: Instant::ZERO, wire: Vec::new() }
    }

    /// 20 ms: both say something loud, and hear.
    fn beat(&mut self) {
        self.now += Duration::from_millis(20);
        let wall = self.now.as_nanos();
        let Self { us, them, now, wire } = self;
        for ours in [true, false] {
            let (from, to, port) =
                if ours { (&mut *us, &mut *them, US) } else { (&mut *them, &mut *us, THEM) };
            if let Some(out) = from.captured(&[9000; 160], *now) {
                wire.push(out.bytes.to_vec());
                to.packet(out.bytes, address(port), false, *now, wall);
            }
            if let Some(out) = from.rtcp(*now, wall) {
                wire.push(out.bytes.to_vec());
                to.packet(out.bytes, address(port), out.rtcp_port, *now, wall);
            }
        }
        us.playout(&mut [0; 160], *now);
        them.playout(&mut [0; 160], *now);
    }

    fn beats(&mut self, count: u32) {
        (0..count).for_each(|_| self.beat());
    }

    /// Whether a payload that can be read ever went by.
    fn leaked(&self) -> bool {
        self.wire.iter().any(|packet| packet.windows(20).any(|bytes| bytes == [bytes[0]; 20]))
    }
}

#[test]
fn two_sides_with_each_others_keys_hear_each_other_and_nobody_else_does() {
    let mut two = Two::new(plan(true, 1, 2), plan(false, 1, 2));
    two.beats(200);
    let (us, them) = (two.us.stats(), two.them.stats());
    assert!(us.received >= 199 && them.received >= 199, "{us:?}");
    assert_eq!((us.refused, them.refused, us.malformed), (0, 0, 0));
    assert!(us.round_trip.is_some(), "their reports are read");
    assert!(us.level_in_dbov > -20.0);
    assert!(!two.leaked());
}

#[test]
fn without_keys_the_same_voice_can_be_read_on_its_way() {
    let clear = |ours| Plan { protection: Protection::Clear, ..plan(ours, 1, 2) };
    let mut two = Two::new(clear(true), clear(false));
    two.beats(20);
    assert!(two.leaked());
}

#[test]
fn clear_and_foreign_packets_are_counted_and_not_heard() {
    let mut clear = session(Plan { protection: Protection::Clear, ..plan(false, 1, 2) });
    let mut foreign = session(plan(false, 1, 3));
    let mut us = session(plan(true, 1, 2));
    for beat in 1..=50 {
        let now = Instant::from_millis(beat * 20);
        for them in [&mut clear, &mut foreign] {
            if let Some(out) = them.captured(&[9000; 160], now) {
                us.packet(out.bytes, address(THEM), false, now, 0);
            }
        }
        let mut frame = [0; 160];
        us.playout(&mut frame, now);
        assert_eq!(frame, [0; 160]);
    }
    assert_eq!((us.stats().received, us.stats().refused), (0, 100));
}

#[test]
fn while_keys_are_awaited_nothing_is_sent_and_what_came_is_heard_behind_them() {
    let mut us = session(Plan { protection: Protection::Awaited, ..plan(true, 1, 2) });
    let mut them = session(plan(false, 1, 2));
    for beat in 1..=80 {
        let now = Instant::from_millis(beat * 20);
        let out = them.captured(&[9000; 160], now).expect("they have theirs");
        us.packet(out.bytes, address(THEM), false, now, 0);
        assert_eq!(us.captured(&[9000; 160], now), None);
        assert_eq!(us.rtcp(now, 0), None);
        us.playout(&mut [0; 160], now);
    }
    assert_eq!(us.bye(Instant::from_millis(1600), 0), None);
    us.replan(plan(true, 1, 2), Instant::from_millis(1600));
    assert_eq!(us.stats().received, 50, "the newest second");
    assert!(us.captured(&[9000; 160], Instant::from_millis(1620)).is_some());
}

#[test]
fn new_keys_in_mid_call_lose_nothing_and_the_same_keys_change_nothing() {
    let mut two = Two::new(plan(true, 1, 2), plan(false, 1, 2));
    two.beats(50);
    // They are told first; what we send meanwhile is under the old key.
    two.them.replan(plan(false, 11, 2), two.now);
    two.beats(3);
    two.us.replan(plan(true, 11, 2), two.now);
    two.beats(50);
    two.us.replan(plan(true, 11, 2), two.now);
    two.them.replan(plan(false, 11, 2), two.now);
    two.beats(50);
    let (us, them) = (two.us.stats(), two.them.stats());
    assert_eq!((us.refused, them.refused, us.lost, them.lost), (0, 0, 0, 0));
    assert!(us.received >= 152 && them.received >= 152);
    assert!(!two.leaked());
}

#[test]
fn keys_that_are_gone_back_to_go_on_counting() {
    let mut two = Two::new(plan(true, 1, 2), plan(false, 1, 2));
    two.beats(10);
    let mut reports = Vec::new();
    for ours in [11, 1, 11, 1] {
        two.us.replan(plan(true, ours, 2), two.now);
        two.them.replan(plan(false, ours, 2), two.now);
        two.now += Duration::from_secs(10);
        let report = two.us.rtcp(two.now, 0).expect("it is due").bytes;
        reports.push((ours, report[report.len() - 14..report.len() - 10].to_vec()));
    }
    let number = |at: usize| u32::from_be_bytes(reports[at].1[..].try_into().unwrap()) & 0x7fff_ffff;
    assert_eq!([number(0), number(2)], [0, 1]);
    assert_eq!(number(3), number(1) + 1);
}

#[test]
fn a_replayed_packet_is_heard_once() {
    let mut us = session(plan(true, 1, 2));
    let mut them = session(plan(false, 1, 2));
    let out = them.captured(&[9000; 160], Instant::from_millis(20)).unwrap();
    for _ in 0..3 {
        us.packet(out.bytes, address(THEM), false, Instant::from_millis(30), 0);
    }
    assert_eq!((us.stats().received, us.stats().duplicates, us.stats().refused), (1, 0, 2));
}
