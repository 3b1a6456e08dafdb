//! Any bytes where media packets come in: the two readers, and a whole session behind them.

use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng};
use media::dtmf::Events;
use media::rtcp::{Block, Compound, Piece, Writer};
use media::rtp::{HEADER, Header, Packet, is_rtcp};
use media::{Codec, Direction, Extended, Plan, Session};

/// Reads an RTP packet. What is left for the codec lies within it, and its header reads again as it was.
///
/// # Panics
/// It breaks a promise.
pub fn rtp(bytes: &[u8]) {
    let _ = is_rtcp(bytes);
    let Ok(packet) = Packet::read(bytes) else { return };
    let extension = packet.extension.map_or(0, |(_, words)| words.len() + 4);
    assert!(HEADER + packet.csrcs.len() + extension + packet.payload.len() <= bytes.len());
    assert!(packet.csrcs.len() <= 60 && packet.csrcs.len().is_multiple_of(4));
    let mut again = packet.header.write().to_vec();
    again.extend_from_slice(packet.payload);
    let read = Packet::read(&again).expect("what we write reads");
    assert_eq!((read.header, read.payload), (packet.header, packet.payload));
}

/// Reads an RTCP datagram and asks it everything. It has no more of anything than fits, and what it says is written again as
/// it was.
///
/// # Panics
/// It breaks a promise.
pub fn rtcp(bytes: &[u8]) {
    let Ok(compound) = Compound::read(bytes) else { return };
    let mut out = Vec::new();
    let mut pieces = 0;
    for piece in compound {
        pieces += 1;
        match piece {
            Piece::SenderReport { ssrc, info, reports } => {
                let block = reports.clone().last();
                Writer::new(&mut out).report(ssrc, Some(info), block);
                let Some(Piece::SenderReport { info: again, reports, .. }) = first(&out) else { panic!() };
                assert_eq!((again, reports.last()), (info, block));
            }
            Piece::ReceiverReport { ssrc, reports } => {
                let block = reports.clone().last();
                Writer::new(&mut out).report(ssrc, None, block);
                let Some(Piece::ReceiverReport { reports, .. }) = first(&out) else { panic!() };
                assert_eq!(reports.last(), block);
            }
            Piece::Extended { ssrc, blocks } => {
                for block in blocks {
                    written_again(ssrc, &block);
                }
            }
            Piece::Goodbye { sources, reason } => {
                assert!(sources.count() <= 31 && reason.len() <= 255);
            }
            Piece::SourceDescription(chunks) => assert!(chunks.len() <= bytes.len()),
            Piece::Other { .. } => {}
        }
    }
    assert!(pieces >= 1 && pieces * 4 <= bytes.len());
}

fn first(bytes: &[u8]) -> Option<Piece<'_>> {
    Compound::read(bytes).expect("what we write reads").next()
}

fn written_again(ssrc: u32, block: &Block<'_>) {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    match block {
        Block::ReferenceTime { ntp } => writer.extended(ssrc, Some(*ntp), None, None),
        Block::Delays(delays) => writer.extended(ssrc, None, delays.clone().last(), None),
        Block::VoipMetrics(metrics) => writer.extended(ssrc, None, None, Some(metrics)),
        Block::Other { .. } => return,
    }
    if out.is_empty() {
        return;
    }
    let Some(Piece::Extended { mut blocks, .. }) = first(&out) else { panic!("an extended report") };
    match (block, blocks.next()) {
        (Block::Delays(delays), Some(Block::Delays(again))) => {
            assert_eq!(again.last(), delays.clone().last());
        }
        (block, again) => assert_eq!(again.as_ref(), Some(block)),
    }
}

const US: u16 = 4000;

/// A call whose other side sends anything. The first byte picks codecs, direction and packet length; then six bytes before
/// every packet say how it goes astray:
/// * which kind: as it is, or behind an RTP header of the stream; to which port, from where;
/// * how long it is, how far its sequence number and its timestamp jump, and what time passes until it comes.
///
/// Whatever comes is counted at most once, changes no more than the counts allow, and every frame is filled.
///
/// # Panics
/// It breaks a promise.
pub fn media_session(bytes: &[u8]) {
    let Some((pick, mut rest)) = bytes.split_first() else { return };
    let mut now = Instant::from_millis(1000);
    let mut session = Session::new(plan(*pick), 8000, Rng::from_number(1), now);
    let mut header = Header { marker: false, payload_type: 0, sequence: 65_530, timestamp: 0, ssrc: 9 };
    let (mut given, mut frames) = (0, 0);
    while let Some(([kind, from, length, sequence, timestamp, wait], after)) = rest.split_first_chunk::<6>() {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        header.payload_type = [0, 8, 18, 111, 13, 101, 77, 9][usize::from(kind >> 1 & 7)];
        header.marker = kind & 16 != 0;
        header.sequence = header.sequence.wrapping_add(jump(*sequence) as u16);
        header.timestamp = header.timestamp.wrapping_add(jump(*timestamp).wrapping_mul(160));
        header.ssrc = if kind & 32 == 0 { 9 } else { u32::from(*from) };
        let mut packet = if kind & 1 == 0 { header.write().to_vec() } else { Vec::new() };
        packet.extend_from_slice(payload);
        if kind & 64 != 0
            && let Some(first) = packet.first_mut()
        {
            // Padding, an extension, sources: lies unless the payload happens to fit.
            *first ^= from & 0x3f;
        }
        let address = SocketAddr::from(([192, 0, 2, 7], 5000 + u16::from(from & 3)));
        session.packet(&packet, address, kind & 128 != 0, now, now.as_nanos());
        given += 1;
        let steps = if *wait < 200 { u64::from(wait & 7) } else { 60 };
        for _ in 0..steps {
            frames += 1;
            now += Duration::from_millis(20);
            beat(&mut session, now);
        }
        if *wait == 255 {
            session.replan(plan(wait ^ from), now);
        }
        while session.poll_digit().is_some() {}
    }
    let stats = session.stats();
    let counted = stats.malformed + stats.strangers;
    assert!(stats.received <= given && counted <= given && stats.unknown_payload <= given);
    assert!(stats.late <= given && stats.duplicates <= given);
    assert!((1.0..=4.5).contains(&stats.mos), "{}", stats.mos);
    assert!(stats.sent <= frames * 2 + 1);
    let _ = session.bye(now, now.as_nanos());
}

/// Mostly the next one, now and then far off.
fn jump(byte: u8) -> u32 {
    match byte {
        0..=199 => 1,
        200..=239 => u32::from(byte & 7).wrapping_sub(3),
        240..=247 => 150 << (byte & 7),
        _ => 0x7fff_fff0_u32.wrapping_mul(u32::from(byte)),
    }
}

/// 20 ms pass: all that a session is asked to do meanwhile.
fn beat(session: &mut Session, now: Instant) {
    let mut frame = [1; 160];
    session.playout(&mut frame, now);
    let mut sent = session.captured(&[900; 160], now).is_some();
    while sent {
        sent = session.next_packet().is_some();
    }
    if let Some(report) = session.rtcp(now, now.as_nanos()) {
        assert!(report.bytes.len() <= 256 && Compound::read(report.bytes).is_ok());
    }
}

fn plan(pick: u8) -> Plan {
    let out = [(0, Codec::Pcmu), (18, Codec::G729), (111, Codec::Opus), (9, Codec::G722)];
    let directions = [
        Direction::SendRecv,
        Direction::SendRecv,
        Direction::RecvOnly,
        Direction::SendOnly,
        Direction::Inactive,
    ];
    Plan {
        codecs_in: vec![(0, Codec::Pcmu), (8, Codec::Pcma), (18, Codec::G729), (111, Codec::Opus)],
        codec_out: out[usize::from(pick & 3)],
        events_in: vec![(101, 8000)],
        events_out: Some((101, Events::TONES)),
        noise_in: Some(13),
        ptime: Duration::from_millis([20, 1, 200, 60][usize::from(pick >> 2 & 3)]),
        direction: directions[usize::from(pick >> 4) % 5],
        remote: Some(SocketAddr::from(([192, 0, 2, 7], US))),
        rtcp_mux: pick & 128 != 0,
        extended: Extended { metrics: pick & 64 != 0, round_trip: pick & 64 != 0 },
        ..Plan::of(0, Codec::Pcmu)
    }
}
