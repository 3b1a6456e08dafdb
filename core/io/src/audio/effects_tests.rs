//! Effects in a simulated room: two people's real speech, one through a loudspeaker and a wall into the other's microphone.

use std::io::Cursor;

use media::wav::Looped;

use super::*;
use crate::audio::FRAME;
use crate::counting::allocations;

/// The far end's words, and the near end's.
const FAR: &[u8] = include_bytes!("../../../../tests/vectors/speech/lib0870.wav");
const NEAR: &[u8] = include_bytes!("../../../../tests/vectors/speech/lib0920.wav");
const ECHO: Effects = Effects { echo_cancellation: true, ..Effects::NONE };
/// In a second.
const FRAMES: usize = 50;

fn words(file: &'static [u8], seconds: usize) -> Vec<i16> {
    let mut samples = vec![0; seconds * RATE as usize];
    Looped::new(Cursor::new(file), RATE).unwrap().fill(&mut samples).unwrap();
    samples
}

/// What the microphone hears of the loudspeaker: after 70 ms of rings and air, half as loud, dulled by its box, and then
/// forty reflections, which die away by 60 dB in 200 ms.
fn echo_of(far: &[i16]) -> Vec<f32> {
    let mut rng = base::Rng::from_number(7);
    let mut room = vec![(70 * PER_MS, 0.5)];
    for n in 1..=40 {
        let after_ms = n as f32 * 150.0 / 40.0 + rng.fraction() as f32;
        let loud = 0.15 * 10_f32.powf(-3.0 * after_ms / 200.0) * (rng.fraction() as f32 - 0.5);
        room.push((70 * PER_MS + (after_ms * PER_MS as f32) as usize, loud));
    }
    let mut low = 0.0;
    let dulled = |sample: &i16| {
        low += 0.5 * (f32::from(*sample) - low);
        low
    };
    let dull: Vec<f32> = far.iter().map(dulled).collect();
    let heard =
        |n: usize, (delay, loud): &(usize, f32)| n.checked_sub(*delay).map_or(0.0, |n| dull[n] * loud);
    (0..far.len()).map(|n| room.iter().map(|path| heard(n, path)).sum()).collect()
}

/// What is said, when the microphone hears these.
fn said(effects: Effects, far: &[i16], microphone: &[f32]) -> Vec<i16> {
    let mut processor = Processor::new(effects).unwrap();
    let mut out = Vec::with_capacity(far.len());
    for (far, microphone) in far.as_chunks::<FRAME>().0.iter().zip(microphone.as_chunks::<FRAME>().0) {
        let mut frame = microphone.map(|sample| sample as i16);
        processor.said(&mut frame);
        processor.heard(far);
        out.extend(frame);
    }
    out
}

fn power_db<T: Copy + Into<f32>>(samples: &[T]) -> f32 {
    let sum: f32 = samples.iter().map(|s| Into::<f32>::into(*s).powi(2)).sum();
    10.0 * (sum / samples.len() as f32).max(1e-3).log10()
}

/// How much of `wanted` is in `said`: the best correlation over the delays that processing may bring. The lows count little:
/// the high-pass turns their phase.
fn likeness(said: &[i16], wanted: &[i16]) -> f32 {
    let most = 20 * PER_MS;
    let bright = |samples: &[i16]| -> Vec<f32> {
        samples.windows(3).map(|w| f32::from(w[2]) - 2.0 * f32::from(w[1]) + f32::from(w[0])).collect()
    };
    let (said, wanted) = (bright(said), bright(wanted));
    let said = &said[most..];
    let own: f32 = said.iter().map(|s| s * s).sum();
    (0..most)
        .map(|delay| {
            let wanted = &wanted[most - delay..wanted.len() - delay];
            let (both, power) = said
                .iter()
                .zip(wanted)
                .fold((0.0, 0.0), |(both, power), (s, w)| (both + s * w, power + w * w));
            both / (own * power).sqrt()
        })
        .fold(0.0, f32::max)
}

fn second(n: usize) -> usize {
    n * RATE as usize
}

#[test]
fn an_echo_loses_twenty_decibels_in_some_seconds_and_a_near_voice_survives() {
    let far = words(FAR, 16);
    let near = words(NEAR, 16);
    let echo = echo_of(&far);
    let alone = said(ECHO, &far, &echo);
    let lost = |from: usize, to: usize| {
        power_db(&echo[second(from)..second(to)]) - power_db(&alone[second(from)..second(to)])
    };
    assert!(lost(4, 16) >= 20.0, "{} dB", lost(4, 16));

    // From the eighth second on somebody talks here, first into the echo, then without.
    let far_until_12: Vec<i16> =
        far.iter().enumerate().map(|(n, s)| if n < second(12) { *s } else { 0 }).collect();
    let echo = echo_of(&far_until_12);
    let near_from_8 = |n: usize| if n < second(8) { 0 } else { near[n] };
    let microphone: Vec<f32> =
        echo.iter().enumerate().map(|(n, echo)| echo + f32::from(near_from_8(n))).collect();
    let both = said(ECHO, &far_until_12, &microphone);
    let [double, single] = [(8, 12), (13, 16)].map(|(from, to)| (second(from), second(to)));
    let double = likeness(&both[double.0..double.1], &near[double.0..double.1]);
    let loss = power_db(&near[single.0..single.1]) - power_db(&both[single.0..single.1]);
    let single = likeness(&both[single.0..single.1], &near[single.0..single.1]);
    assert!(double > 0.6, "in double talk {double}");
    assert!(single > 0.9 && loss.abs() < 2.0, "alone {single}, {loss} dB lost");
}

#[test]
fn steady_noise_sinks_and_speech_stays() {
    let near = words(NEAR, 8);
    let mut rng = base::Rng::from_number(3);
    let noise: Vec<f32> = (0..near.len()).map(|_| (rng.fraction() as f32 - 0.5) * 600.0).collect();
    let silence = vec![0; near.len()];
    let effects = Effects { noise_suppression: true, ..Effects::NONE };
    let quiet = said(effects, &silence, &noise);
    let sunk = power_db(&noise[second(4)..]) - power_db(&quiet[second(4)..]);
    let mixed: Vec<f32> = noise.iter().zip(&near).map(|(noise, near)| noise + f32::from(*near)).collect();
    let before: Vec<i16> = mixed.iter().map(|sample| *sample as i16).collect();
    let after = said(effects, &silence, &mixed);
    let [before, after] = [before, after].map(|said| likeness(&said[second(4)..], &near[second(4)..]));
    assert!(sunk > 10.0, "{sunk} dB");
    assert!(after > before, "{before} before, {after} after");
}

#[test]
fn a_faint_voice_is_brought_up() {
    let faint: Vec<f32> = words(NEAR, 12).iter().map(|sample| f32::from(*sample) * 0.05).collect();
    let effects = Effects { gain_control: true, ..Effects::NONE };
    let out = said(effects, &vec![0; faint.len()], &faint);
    let gain = power_db(&out[second(6)..]) - power_db(&faint[second(6)..]);
    assert!(gain > 6.0, "{gain} dB");
}

#[test]
fn switched_off_there_is_nothing_to_do() {
    assert!(Processor::new(Effects::NONE).is_none());
}

/// Not ours to mend: the crate takes and gives back a little memory in each piece. This holds it to as little.
#[test]
fn a_tick_of_all_effects_allocates_a_hundred_times_at_most() {
    let (far, near) = (words(FAR, 6), words(NEAR, 6));
    let mut processor = Processor::new(Effects::all(true)).unwrap();
    let mut most = 0;
    for (n, (far, near)) in far.as_chunks().0.iter().zip(near.as_chunks().0).enumerate() {
        let (before, mut frame) = (allocations(), *near);
        processor.said(&mut frame);
        processor.heard(far);
        if n > 2 * FRAMES {
            most = most.max(allocations() - before);
        }
    }
    assert!(most <= 100, "{most}");
}

#[test]
fn half_of_the_media_threads_stack_is_enough() {
    let thread = std::thread::Builder::new().stack_size(crate::media_thread::STACK / 2);
    let work = || {
        let mut processor = Processor::new(Effects::all(true)).unwrap();
        (0..FRAMES).for_each(|_| {
            processor.heard(&[1000; FRAME]);
            processor.said(&mut [1000; FRAME]);
        });
    };
    thread.spawn(work).unwrap().join().unwrap();
}
