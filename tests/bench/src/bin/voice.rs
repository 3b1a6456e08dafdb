//! What whole calls cost: `voice SPEECH`, in processor time of one core.
//!
//! A call as the phone has it: captured speech to packets, packets through the jitter buffer to the ear, reports. And many
//! G.711 calls mixed with each other, as far as one core goes.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base::{Instant, Rng};
use media::{Codec, Plan, Session, g711, rtp, wav};
use nix::time::{ClockId, clock_gettime};
use offhook_bench::line;

const TICK: Duration = Duration::from_millis(20);
/// Measurements of each figure; the median counts.
const ROUNDS: usize = 5;
/// Ticks in one: ten seconds of the call.
const TICKS: u64 = 500;
/// Parties that are mixed.
const PARTIES: u16 = 400;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("voice SPEECH: which folder?")?;
    for codec in Codec::ALL {
        let shares = rounds(|| share_of_a_core(codec, &folder))?;
        let goal = if codec == Codec::G729 { ", goal 1 %" } else { "" };
        let name = codec.name();
        line(format_args!(
            "a call in {name:<5} both ways, buffer and reports: {:.2} % of a core{goal}",
            shares * 100.0
        ))?;
    }
    let share = rounds(|| mix(&folder))?;
    line(format_args!("{PARTIES} calls in G.711 mixed: {:.0} % of a core, goal 100", share * 100.0))?;
    Ok(())
}

fn rounds(mut measure: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut shares = (0..ROUNDS).map(|_| measure()).collect::<Result<Vec<_>>>()?;
    shares.sort_by(f64::total_cmp);
    Ok(shares[ROUNDS / 2])
}

/// Of the process, so that a busy machine counts less.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn speech(folder: &str, rate: u32) -> Result<Vec<i16>> {
    let clip = File::open(Path::new(folder).join("lib0870.wav")).context("the repository's speech")?;
    let mut looped = wav::Looped::new(clip, rate)?;
    let mut samples = vec![0; rate as usize * 10];
    looped.fill(&mut samples)?;
    Ok(samples)
}

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn wall(now: Instant) -> u64 {
    ((u128::from(now.as_nanos()) << 32) / 1_000_000_000) as u64
}

/// Two phones talk; one of them is what a call costs.
fn share_of_a_core(codec: Codec, folder: &str) -> Result<f64> {
    let rate = 16_000;
    let speech = speech(folder, rate)?;
    let plan = |to| Plan { remote: Some(address(to)), ..Plan::of(96, codec) };
    let mut ends = [(1, 2), (2, 1)]
        .map(|(at, to)| (at, Session::new(plan(to), rate, Rng::from_number(at.into()), Instant::ZERO)));
    let mut frame = vec![0; rate as usize / 50];
    let mut wire: [Vec<Vec<u8>>; 2] = Default::default();
    let began = cpu();
    for tick in 0..TICKS {
        let now = Instant::ZERO + TICK * tick as u32;
        let said = &speech[(tick as usize * frame.len()) % (speech.len() - frame.len())..][..frame.len()];
        for (end, (at, session)) in ends.iter_mut().enumerate() {
            for bytes in wire[1 - end].drain(..) {
                session.packet(&bytes, address(3 - *at), false, now, wall(now));
            }
            session.playout(&mut frame, now);
            let mut next = session.captured(said, now);
            while let Some(out) = next {
                wire[end].push(out.bytes.to_vec());
                next = session.next_packet();
            }
            if let Some(report) = session.rtcp(now, wall(now)) {
                wire[end].push(report.bytes.to_vec());
            }
        }
    }
    let spent = cpu().saturating_sub(began);
    ensure!(ends.iter().all(|(_, session)| session.stats().received >= TICKS - 2), "they heard each other");
    Ok(spent.as_secs_f64() / 2.0 / (TICK * TICKS as u32).as_secs_f64())
}

/// Everybody hears all others and not himself.
fn mix(folder: &str) -> Result<f64> {
    let speech: Vec<u8> = speech(folder, 8000)?.into_iter().map(g711::mu_law).collect();
    let mut parties: Vec<Session> = (0..PARTIES)
        .map(|n| {
            let plan = Plan { remote: Some(address(n + 1)), ..Plan::of(0, Codec::Pcmu) };
            Session::new(plan, 8000, Rng::from_number(n.into()), Instant::ZERO)
        })
        .collect();
    let mut heard = vec![[0_i16; 160]; parties.len()];
    let mut sum = [0_i32; 160];
    let began = cpu();
    for tick in 0..TICKS {
        let now = Instant::ZERO + TICK * tick as u32;
        sum.fill(0);
        for (n, (session, heard)) in parties.iter_mut().zip(&mut heard).enumerate() {
            let header = rtp::Header {
                marker: false,
                payload_type: 0,
                sequence: tick as u16,
                timestamp: tick as u32 * 160,
                ssrc: n as u32 + 1,
            };
            let mut packet = [0; rtp::HEADER + 160];
            packet[..rtp::HEADER].copy_from_slice(&header.write());
            let at = (tick as usize * 160 + n * 997) % (speech.len() - 160);
            packet[rtp::HEADER..].copy_from_slice(&speech[at..at + 160]);
            session.packet(&packet, address(n as u16 + 1), false, now, wall(now));
            session.playout(heard, now);
            for (sum, sample) in sum.iter_mut().zip(heard) {
                *sum += i32::from(*sample);
            }
        }
        for (session, heard) in parties.iter_mut().zip(&heard) {
            let others: [i16; 160] = std::array::from_fn(|i| {
                (sum[i] - i32::from(heard[i])).clamp(i16::MIN.into(), i16::MAX.into()) as i16
            });
            ensure!(session.captured(&others, now).is_some(), "a packet each tick");
            session.rtcp(now, wall(now));
        }
    }
    let spent = cpu().saturating_sub(began);
    ensure!(parties.iter().all(|session| session.stats().late == 0), "all was played");
    Ok(spent.as_secs_f64() / (TICK * TICKS as u32).as_secs_f64())
}
