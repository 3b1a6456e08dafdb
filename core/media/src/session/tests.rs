//! Tests of a session: two of them talk, or one is told lies.

use super::*;
use crate::dtmf::Events;
use crate::plan::{Direction, Extended, Protection};
use crate::rtcp::{self, Block, Delay, Piece, SenderInfo};
use crate::srtp::{self, Suite};

/// Samples a second, and in 20 ms.
const RATE: u32 = 8000;
const FRAME: usize = 160;
const WALL: u64 = 0xe000_0001 << 32;

fn address(port: u16) -> SocketAddr {
    ([192, 0, 2, 7], port).into()
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn wall(ms: u64) -> u64 {
    WALL + ((ms << 32) / 1000)
}

fn plan(remote: u16) -> Plan {
    Plan {
        codecs_in: vec![(0, Codec::Pcmu), (8, Codec::Pcma)],
        remote: Some(address(remote)),
        rtcp_mux: false,
        ..Plan::of(8, Codec::Pcma)
    }
}

fn session(plan: Plan) -> Session {
    Session::new(plan, RATE, Rng::from_number(5), at(0))
}

/// Packets of their stream, as they would send them.
struct Them {
    header: rtp::Header,
}

impl Them {
    fn new(ssrc: u32) -> Self {
        Self { header: rtp::Header { marker: false, payload_type: 0, sequence: 100, timestamp: 8000, ssrc } }
    }

    fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.header.write().to_vec();
        bytes.resize(bytes.len() + FRAME, 0x20);
        self.header.sequence += 1;
        self.header.timestamp += FRAME as u32;
        bytes
    }
}

fn hear(session: &mut Session, bytes: &[u8], from: u16, ms: u64) {
    session.packet(bytes, address(from), false, at(ms), wall(ms));
}

fn loudest(session: &mut Session, ms: u64) -> i16 {
    let mut frame = [0; FRAME];
    session.playout(&mut frame, at(ms));
    frame.iter().map(|s| s.saturating_abs()).max().unwrap()
}

fn sent(session: &mut Session, samples: &[i16], ms: u64) -> Option<(SocketAddr, Vec<u8>)> {
    session.captured(samples, at(ms)).map(|out| (out.to, out.bytes.to_vec()))
}

/// Runs two sessions against each other, each packet `delay` ms under way; returns both.
fn talk(seconds: u64, delay: u64, keep: impl Fn(u64) -> bool) -> (Session, Session) {
    let (mut a, mut b) = (session(plan(2)), Session::new(plan(1), RATE, Rng::from_number(6), at(0)));
    let mut wire: Vec<(u64, u16, bool, Vec<u8>)> = Vec::new();
    for ms in (0..seconds * 1000).step_by(20) {
        for (me, session) in [(1, &mut a), (2, &mut b)] {
            for (_, _, rtcp, bytes) in wire.iter().filter(|(due, to, ..)| *to == me && *due == ms) {
                let from = 3 - me + u16::from(*rtcp);
                session.packet(bytes, address(from), *rtcp, at(ms), wall(ms));
            }
            if let Some(out) = session.captured(&[500; FRAME], at(ms))
                && keep(ms / 20)
            {
                wire.push((ms + delay, 3 - me, false, out.bytes.to_vec()));
            }
            if let Some(out) = session.rtcp(at(ms), wall(ms)) {
                assert!(out.rtcp_port && out.to == address(3 - me + 1));
                wire.push((ms + delay, 3 - me, true, out.bytes.to_vec()));
            }
            loudest(session, ms);
        }
    }
    (a, b)
}

#[test]
fn two_sessions_hear_each_other_and_measure_the_way() {
    let (a, b) = talk(12, 40, |_| true);
    for stats in [a.stats(), b.stats()] {
        assert_eq!((stats.sent, stats.received, stats.lost, stats.late), (600, 598, 0, 0));
        assert_eq!((stats.malformed, stats.strangers, stats.unknown_payload), (0, 0, 0));
        let round_trip = stats.round_trip.unwrap().as_secs_f64();
        assert!((round_trip - 0.080).abs() < 0.001, "{round_trip}");
        assert_eq!((stats.jitter, stats.their_loss), (Duration::ZERO, Some(0.0)));
        assert!((stats.level_in_dbov - stats.level_out_dbov).abs() < 0.2, "{stats:?}");
        assert!(stats.mos > 4.3, "{}", stats.mos);
    }
}

#[test]
fn loss_is_counted_reported_and_lowers_the_score() {
    let (a, _) = talk(12, 40, |n| n % 10 != 9);
    let stats = a.stats();
    assert_eq!((stats.received, stats.lost), (539, 59));
    assert!((stats.their_loss.unwrap() - 0.1).abs() < 0.03, "{stats:?}");
    assert!(stats.mos < 3.5, "{}", stats.mos);
}

#[test]
fn the_score_is_that_of_the_last_seconds_and_the_timeline_keeps_the_others() {
    // Ten seconds, of which the fourth to the sixth lose every second packet.
    let (a, _) = talk(12, 40, |n| !(150..300).contains(&n) || n % 2 == 0);
    assert!(a.stats().mos > 4.3, "{}", a.stats().mos);
    let points = a.timeline().points();
    assert_eq!(points.len(), 11);
    assert!(points.iter().zip(1..).all(|(point, n)| point.at == Duration::from_millis(n * 1000)));
    let lost: Vec<u32> = points.iter().map(|point| point.lost).collect();
    assert_eq!(lost.iter().sum::<u32>(), 75);
    assert!(lost[3..6].iter().all(|lost| (20..=27).contains(lost)), "{lost:?}");
    assert!(points[5].mos < 2.0 && points[1].mos > 4.3, "{points:?}");
    assert!(points[4].concealed > Duration::from_millis(300) && points[9].concealed == Duration::ZERO);
    let round_trip = points[10].round_trip.unwrap();
    assert!(points[10].delay > Duration::from_millis(60) + round_trip / 2, "{:?}", points[10]);
    assert_eq!(points[10].codec, Some(Codec::Pcma));
}

#[test]
fn loss_in_bursts_sounds_worse_than_as_much_that_is_spread() {
    let worst = |keep: fn(u64) -> bool| {
        let (a, _) = talk(8, 40, keep);
        a.stats().mos
    };
    let (spread, burst) = (worst(|n| n % 10 != 0), worst(|n| n % 50 > 4));
    assert!(burst < spread - 0.1, "{burst} is not below {spread}");
}

#[test]
fn the_round_trip_is_known_within_four_seconds() {
    let (a, b) = talk(4, 20, |_| true);
    assert!(a.stats().round_trip.is_some() && b.stats().round_trip.is_some());
}

#[test]
fn packets_hold_what_ptime_says_whatever_is_captured() {
    for (ptime, octets) in [(10, 80), (20, 160), (30, 240), (60, 480), (200, 480), (1, 80)] {
        let mut session = session(Plan { ptime: Duration::from_millis(ptime), ..plan(2) });
        let mut packets = Vec::new();
        for n in 0..12 {
            packets.extend(sent(&mut session, &[n; FRAME], 0));
            while let Some(out) = session.next_packet() {
                packets.push((out.to, out.bytes.to_vec()));
            }
        }
        assert_eq!(packets.len(), 12 * FRAME / octets, "{ptime} ms");
        let heads: Vec<_> = packets.iter().map(|(_, b)| rtp::Packet::read(b).unwrap()).collect();
        assert!(heads.iter().all(|p| p.payload.len() == octets && p.header.payload_type == 8));
        assert!(heads.windows(2).all(|w| {
            let (a, b) = (w[0].header, w[1].header);
            b.sequence == a.sequence.wrapping_add(1) && b.timestamp == a.timestamp.wrapping_add(octets as u32)
        }));
    }
}

#[test]
fn hold_sends_nothing_while_its_clock_runs_on() {
    let mut s = session(plan(2));
    let (_, first) = sent(&mut s, &[1; FRAME], 0).unwrap();
    s.replan(Plan { direction: Direction::Inactive, ..plan(2) }, at(20));
    for n in 1..50 {
        assert_eq!(sent(&mut s, &[1; FRAME], n * 20), None);
    }
    s.replan(plan(2), at(1000));
    let (_, second) = sent(&mut s, &[1; FRAME], 1000).unwrap();
    let (first, second) = (rtp::Packet::read(&first).unwrap(), rtp::Packet::read(&second).unwrap());
    assert_eq!(second.header.sequence, first.header.sequence.wrapping_add(1));
    assert_eq!(second.header.timestamp, first.header.timestamp.wrapping_add(50 * FRAME as u32));
    assert!(second.header.marker);
}

#[test]
fn whom_we_hold_is_not_heard() {
    let mut s = session(Plan { direction: Direction::SendOnly, ..plan(2) });
    let mut them = Them::new(9);
    for n in 0..10 {
        hear(&mut s, &them.next(), 2, n * 20);
        assert_eq!(loudest(&mut s, n * 20), 0);
    }
    assert_eq!(s.stats().received, 10);
    assert!(sent(&mut s, &[1; FRAME], 0).is_some());
}

#[test]
fn packets_go_where_packets_come_from() {
    let mut s = session(plan(2));
    assert_eq!(sent(&mut s, &[1; FRAME], 0).unwrap().0, address(2));
    let mut them = Them::new(9);
    hear(&mut s, &them.next(), 40, 10);
    assert_eq!(sent(&mut s, &[1; FRAME], 20).unwrap().0, address(40));
    let mut intruder = Them::new(10);
    hear(&mut s, &intruder.next(), 66, 30);
    assert_eq!((s.stats().remote, s.stats().strangers), (Some(address(40)), 1));
    // They roamed: silent at the old place, there again at a new one.
    hear(&mut s, &them.next(), 41, 1500);
    assert_eq!((s.stats().remote, s.stats().moves), (Some(address(41)), 1));
}

#[test]
fn a_plan_without_their_address_waits_to_be_shown_it() {
    let mut s = session(Plan { remote: None, ..plan(2) });
    assert_eq!(sent(&mut s, &[1; FRAME], 0), None);
    assert_eq!(s.rtcp(at(0), WALL), None);
    hear(&mut s, &Them::new(9).next(), 40, 10);
    assert_eq!(sent(&mut s, &[1; FRAME], 20).unwrap().0, address(40));
}

#[test]
fn another_source_is_believed_with_its_second_packet() {
    let mut s = session(plan(2));
    let (mut old, mut new) = (Them::new(9), Them::new(10));
    for n in 0..5 {
        hear(&mut s, &old.next(), 2, n * 20);
    }
    for n in 5..10 {
        hear(&mut s, &new.next(), 2, n * 20);
    }
    let stats = s.stats();
    assert_eq!((stats.received, stats.lost, stats.strangers), (9, 0, 1));
    for n in 10..14 {
        hear(&mut s, &new.next(), 2, n * 20);
        assert!(n < 13 || loudest(&mut s, n * 20) > 0);
    }
}

#[test]
fn after_bye_a_new_source_is_believed_at_once() {
    let mut s = session(plan(2));
    hear(&mut s, &Them::new(9).next(), 2, 0);
    let mut bye = Vec::new();
    let mut writer = rtcp::Writer::new(&mut bye);
    writer.report(9, None, None);
    writer.goodbye(9);
    s.packet(&bye, address(3), true, at(10), WALL);
    hear(&mut s, &Them::new(10).next(), 2, 20);
    assert_eq!((s.stats().received, s.stats().strangers), (2, 0));
}

#[test]
fn what_is_bad_is_counted_and_changes_nothing() {
    let mut s = session(plan(2));
    let mut them = Them::new(9);
    hear(&mut s, b"", 2, 0);
    hear(&mut s, b"\x80", 2, 0);
    hear(&mut s, &[0; 40], 2, 0);
    hear(&mut s, b"\x81\xc9\0\x07\0\0\0\x07", 2, 0);
    assert_eq!((s.stats().malformed, s.stats().received), (4, 0));
    let mut odd = them.next();
    odd[1] = 96;
    hear(&mut s, &odd, 66, 0);
    assert_eq!((s.stats().unknown_payload, s.stats().remote), (1, Some(address(2))));
    let mut empty = them.next();
    empty.truncate(rtp::HEADER);
    hear(&mut s, &empty, 2, 0);
    assert_eq!(s.stats().malformed, 5);
    let report = b"\x80\xc9\0\x01\0\0\0\x09";
    s.packet(report, ([198, 51, 100, 1], 3).into(), true, at(0), WALL);
    assert_eq!(s.stats().strangers, 1);
}

#[test]
fn an_unknown_payload_type_within_the_stream_is_not_a_loss() {
    let mut s = session(plan(2));
    let mut them = Them::new(9);
    for n in 0..10 {
        let mut bytes = them.next();
        if n % 2 == 1 {
            bytes[1] = 13;
        }
        hear(&mut s, &bytes, 2, n * 20);
    }
    let stats = s.stats();
    assert_eq!((stats.received, stats.lost, stats.unknown_payload), (10, 0, 5));
}

#[test]
fn whose_number_is_ours_makes_us_draw_another() {
    let mut s = session(plan(2));
    let ours = |bytes: &[u8]| rtp::Packet::read(bytes).unwrap().header.ssrc;
    let first = ours(&sent(&mut s, &[1; FRAME], 0).unwrap().1);
    hear(&mut s, &Them::new(first).next(), 2, 10);
    assert_ne!(ours(&sent(&mut s, &[1; FRAME], 20).unwrap().1), first);
    assert_eq!(s.stats().received, 1);
}

#[test]
fn reports_go_to_the_next_port_the_told_one_or_the_shared_one() {
    let target = |plan: Plan| {
        let mut s = session(plan);
        sent(&mut s, &[1; FRAME], 0);
        let out = s.rtcp(at(0), WALL).unwrap();
        (out.to, out.rtcp_port)
    };
    assert_eq!(target(plan(2)), (address(3), true));
    assert_eq!(target(Plan { remote_rtcp: Some(address(77)), ..plan(2) }), (address(77), true));
    assert_eq!(target(Plan { rtcp_mux: true, ..plan(2) }), (address(2), false));
}

/// RFC 3711 section 3.4 for told keys; RFC 5764 section 4.1.2 for agreed ones, which are one port's.
#[test]
fn reports_at_a_port_of_their_own_are_sealed_or_not_sent() {
    let keys = |number| srtp::Keys::random(Suite::AesCm128Sha1_80, &mut Rng::from_number(number));
    let keyed = Plan { protection: Protection::Keyed { send: keys(1), receive: keys(2) }, ..plan(2) };
    let mut s = session(keyed.clone());
    sent(&mut s, &[1; FRAME], 0);
    let report = s.rtcp(at(0), WALL).expect("a report");
    assert!(report.rtcp_port && rtcp::Compound::read(report.bytes).is_err(), "{:02x?}", report.bytes);
    let mut s = session(Plan { reports: false, ..keyed });
    sent(&mut s, &[1; FRAME], 0);
    assert!(s.rtcp(at(0), WALL).is_none() && s.bye(at(20), WALL).is_none());
}

#[test]
fn reports_on_the_shared_port_are_told_from_speech() {
    let mut s = session(Plan { rtcp_mux: true, ..plan(2) });
    hear(&mut s, &Them::new(9).next(), 2, 0);
    let mut report = Vec::new();
    let info = SenderInfo { ntp: WALL, rtp_timestamp: 0, packets: 1, octets: 160 };
    rtcp::Writer::new(&mut report).report(9, Some(info), None);
    hear(&mut s, &report, 2, 10);
    sent(&mut s, &[1; FRAME], 10);
    let out = s.rtcp(at(510), wall(510)).unwrap();
    let Some(Piece::SenderReport { mut reports, .. }) = rtcp::Compound::read(out.bytes).unwrap().next()
    else {
        panic!("no sender report")
    };
    let block = reports.next().unwrap();
    assert_eq!((block.ssrc, block.last_sr, block.delay_since_last_sr), (9, (WALL >> 16) as u32, 32_768));
}

#[test]
fn reports_keep_their_interval_and_its_randomness() {
    // Early: nobody is missed.
    let mut s = session(Plan { early: true, ..plan(2) });
    let mut times = Vec::new();
    for ms in (0..300_000).step_by(20) {
        sent(&mut s, &[1; FRAME], ms);
        times.extend(s.rtcp(at(ms), wall(ms)).map(|_| ms));
    }
    assert_eq!(times[0], 0);
    let gaps: Vec<u64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(
        (1250..=3770).contains(&gaps[0]) && gaps[1..].iter().all(|g| (2500..=7520).contains(g)),
        "{gaps:?}"
    );
    let mean = gaps.iter().sum::<u64>() / gaps.len() as u64;
    assert!((4000..=6000).contains(&mean) && gaps.iter().any(|g| *g != gaps[1]));
}

#[test]
fn a_listener_reports_as_a_receiver_and_bye_needs_a_word_before() {
    let mut s = session(Plan { direction: Direction::RecvOnly, ..plan(2) });
    assert_eq!(s.bye(at(0), WALL), None);
    hear(&mut s, &Them::new(9).next(), 2, 0);
    let first = |bytes: &[u8]| format!("{:?}", rtcp::Compound::read(bytes).unwrap().next().unwrap());
    assert!(first(s.rtcp(at(20), WALL).unwrap().bytes).starts_with("ReceiverReport"));
    let bye = s.bye(at(40), WALL).unwrap().bytes.to_vec();
    let last = rtcp::Compound::read(&bye).unwrap().last().unwrap();
    assert!(matches!(last, Piece::Goodbye { .. }), "{last:?}");
}

/// Both ask for extended reports, but only one of them sends audio.
fn one_way(seconds: u64, delay: u64, keep: impl Fn(u64) -> bool) -> (Session, Session) {
    let extended = Extended { metrics: true, round_trip: true };
    let mut talker = session(Plan { extended, direction: Direction::SendOnly, ..plan(2) });
    let plan = Plan { extended, direction: Direction::RecvOnly, ..plan(1) };
    let mut listener = Session::new(plan, RATE, Rng::from_number(6), at(0));
    let mut wire: Vec<(u64, u16, bool, Vec<u8>)> = Vec::new();
    for ms in (0..seconds * 1000).step_by(20) {
        for (me, session) in [(1, &mut talker), (2, &mut listener)] {
            for (_, _, rtcp, bytes) in wire.iter().filter(|(due, to, ..)| *to == me && *due == ms) {
                session.packet(bytes, address(3 - me + u16::from(*rtcp)), *rtcp, at(ms), wall(ms));
            }
            if let Some(out) = session.captured(&[500; FRAME], at(ms))
                && keep(ms / 20)
            {
                wire.push((ms + delay, 3 - me, false, out.bytes.to_vec()));
            }
            if let Some(out) = session.rtcp(at(ms), wall(ms)) {
                wire.push((ms + delay, 3 - me, true, out.bytes.to_vec()));
            }
            loudest(session, ms);
        }
    }
    (talker, listener)
}

#[test]
fn who_only_listens_knows_the_round_trip_by_extended_reports() {
    let (talker, listener) = one_way(16, 40, |_| true);
    for stats in [talker.stats(), listener.stats()] {
        let round_trip = stats.round_trip.expect("measured").as_secs_f64();
        assert!((round_trip - 0.080).abs() < 0.001, "{round_trip}");
    }
}

#[test]
fn the_talker_is_told_how_it_sounds_in_bursts_and_gaps() {
    let (mut talker, mut listener) = one_way(30, 40, |n| !matches!(n % 100, 40 | 42));
    let score = talker.stats().their_mos.expect("told");
    assert!((3.9..=4.3).contains(&score), "{score}");
    let bytes = listener.bye(at(30_000), wall(30_000)).unwrap().bytes;
    let metrics = rtcp::Compound::read(bytes).unwrap().find_map(|piece| match piece {
        Piece::Extended { mut blocks, .. } => blocks.find_map(|block| match block {
            Block::VoipMetrics(metrics) => Some(metrics),
            _ => None,
        }),
        _ => None,
    });
    let metrics = metrics.expect("in each report");
    assert_eq!((metrics.gmin, metrics.loss_rate, metrics.discard_rate), (16, 5, 0));
    // Of three packets two; 20 ms each; 15 of them, and 16 gaps around.
    assert_eq!((metrics.burst_density, metrics.burst_duration, metrics.gap_density), (170, 60, 0));
    assert!((1750..=1950).contains(&metrics.gap_duration), "{}", metrics.gap_duration);
    // 20 ms to collect, and what the playout waits.
    let waits = metrics.end_system_delay - 20;
    assert_eq!((metrics.round_trip, metrics.adaptive, metrics.buffer_limit), (80, Some(true), 400));
    assert!((20..=80).contains(&waits) && (20..=80).contains(&metrics.buffer_nominal), "{metrics:?}");
    // A level of 500 is -36.3 dBov.
    assert!(matches!(metrics.signal_dbm0, None | Some(-31..=-29)), "{:?}", metrics.signal_dbm0);
    assert!(metrics.mos_lq >= metrics.mos_cq && metrics.r_factor.is_some_and(|r| r > 80));
    let _ = talker.bye(at(30_000), wall(30_000));
}

#[test]
fn who_asked_for_no_extended_reports_is_sent_none() {
    let mut s = session(plan(2));
    hear(&mut s, &Them::new(9).next(), 2, 0);
    sent(&mut s, &[1; FRAME], 0);
    let report = s.rtcp(at(0), WALL).unwrap().bytes;
    let extended = |piece: Piece<'_>| matches!(piece, Piece::Extended { .. });
    assert!(!rtcp::Compound::read(report).unwrap().any(extended));
}

#[test]
fn a_reference_time_is_said_back_once() {
    let extended = Extended { metrics: false, round_trip: true };
    let mut s = session(Plan { extended, ..plan(2) });
    hear(&mut s, &Them::new(9).next(), 2, 0);
    let mut bytes = Vec::new();
    rtcp::Writer::new(&mut bytes).extended(9, Some(WALL), None, None);
    s.packet(&bytes, address(3), true, at(0), WALL);
    sent(&mut s, &[1; FRAME], 0);
    let said_back = |bytes: &[u8]| {
        rtcp::Compound::read(bytes).unwrap().find_map(|piece| match piece {
            Piece::Extended { mut blocks, .. } => match blocks.next()? {
                Block::Delays(mut delays) => delays.next(),
                _ => None,
            },
            _ => None,
        })
    };
    let first = said_back(s.rtcp(at(250), wall(250)).unwrap().bytes);
    let expected = Delay { ssrc: 9, last_rr: (WALL >> 16) as u32, delay_since_last_rr: 16_384 };
    assert_eq!(first, Some(expected));
    assert_eq!(said_back(s.bye(at(500), wall(500)).unwrap().bytes), None);
}

/// The plan with digits: they take them under 101, we under 96.
fn with_keypad(remote: u16) -> Plan {
    Plan { events_in: vec![(96, 8000)], events_out: Some((101, Events::TONES)), ..plan(remote) }
}

/// The RTP packets of so many frames.
fn frames(session: &mut Session, count: u64) -> Vec<Vec<u8>> {
    (0..count).filter_map(|n| sent(session, &[500; FRAME], n * 20)).map(|(_, bytes)| bytes).collect()
}

#[test]
fn a_digit_takes_the_place_of_the_audio_and_the_stream_goes_on_after_it() {
    let mut s = session(with_keypad(2));
    sent(&mut s, &[1; FRAME], 0);
    s.press(&Keys::read("5").unwrap());
    let packets = frames(&mut s, 14);
    let headers: Vec<rtp::Header> = packets.iter().map(|b| rtp::Packet::read(b).unwrap().header).collect();
    let types: Vec<u8> = headers.iter().map(|h| h.payload_type).collect();
    assert_eq!(types, [vec![101; 10], vec![8; 4]].concat());
    assert!(headers[0].marker && headers[1..].iter().all(|h| !h.marker));
    assert!(headers.windows(2).all(|w| w[1].sequence == w[0].sequence.wrapping_add(1)));
    assert!(headers[..10].iter().all(|h| h.timestamp == headers[0].timestamp));
    assert_eq!(headers[10].timestamp, headers[0].timestamp.wrapping_add(10 * FRAME as u32));
    assert_eq!(packets[0].len(), rtp::HEADER + 4);
}

#[test]
fn digits_are_heard_once_and_what_comes_with_them_is_no_loss() {
    let (mut a, mut b) =
        (session(Plan { events_out: Some((96, Events::TONES)), ..plan(2) }), session(with_keypad(1)));
    a.press(&Keys::read("42#").unwrap());
    let mut digits = String::new();
    for (n, bytes) in frames(&mut a, 50).iter().enumerate() {
        hear(&mut b, bytes, 2, n as u64 * 20);
        digits.extend(std::iter::from_fn(|| b.poll_digit()).map(|(digit, _)| digit.as_char()));
        loudest(&mut b, n as u64 * 20);
    }
    let stats = b.stats();
    assert_eq!((digits.as_str(), stats.received, stats.lost, stats.late), ("42#", 50, 0, 0));
    assert_eq!((stats.malformed, stats.unknown_payload, stats.ignored_events), (0, 0, 0));
}

#[test]
fn digits_wait_while_nothing_can_be_sent_and_are_forgotten_when_nobody_takes_them() {
    let mut s = session(with_keypad(2));
    let events = |packets: &[Vec<u8>]| packets.iter().filter(|b| b[1] & 0x7f == 101).count();
    s.press(&Keys::read("12").unwrap());
    assert_eq!(events(&frames(&mut s, 3)), 3);
    s.replan(Plan { direction: Direction::Inactive, ..with_keypad(2) }, at(60));
    assert_eq!(frames(&mut s, 10).len(), 0);
    s.replan(with_keypad(2), at(300));
    assert_eq!(events(&frames(&mut s, 30)), 10, "the second digit, not the first again");
    s.press(&Keys::read("3").unwrap());
    s.replan(plan(2), at(900));
    s.press(&Keys::read("4").unwrap());
    s.replan(with_keypad(2), at(900));
    assert_eq!(events(&frames(&mut s, 30)), 0);
}

#[test]
fn bad_events_are_counted_and_those_of_whom_we_hold_are_not_heard() {
    let mut s = session(with_keypad(2));
    let mut them = Them::new(9);
    let mut event = |s: &mut Session, payload: &[u8]| {
        let mut bytes = them.next();
        bytes[1] = 96;
        bytes.truncate(rtp::HEADER);
        bytes.extend_from_slice(payload);
        hear(s, &bytes, 2, 0);
        s.poll_digit().map(|(digit, _)| digit.as_char())
    };
    assert_eq!(event(&mut s, b"\x01\x0a\x01\x40"), Some('1'), "the first packet of a stream may be one");
    assert_eq!(event(&mut s, b"\x01\x0a\x01"), None);
    assert_eq!(event(&mut s, b"\x40\x0a\x01\x40"), None);
    assert_eq!((s.stats().malformed, s.stats().ignored_events, s.stats().received), (1, 1, 3));
    s.replan(Plan { direction: Direction::SendOnly, ..with_keypad(2) }, at(0));
    assert_eq!(event(&mut s, b"\x02\x0a\x01\x40"), None);
    assert_eq!(s.stats().strangers, 0);
}
