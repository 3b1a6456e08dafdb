//! What the standard's sequences do not say: the fast ways are the plain ways, and strangers' frames do no harm.

use base::Rng;

use super::bits::{Frame, Subframe};
use super::lattice::{Analysis, Synthesis};
use super::lpc::PIECES;
use super::math::mult_r;
use super::*;

/// Words of at most `amplitude`.
fn words<const N: usize>(rng: &mut Rng, amplitude: i16) -> [i16; N] {
    std::array::from_fn(|_| (rng.below(2 * amplitude as u64 + 1) as i32 - i32::from(amplitude)) as i16)
}

fn pieces(rng: &mut Rng) -> [[i16; ORDER]; 4] {
    std::array::from_fn(|_| words(rng, i16::MAX))
}

#[test]
fn the_analysis_lattice_is_the_one_written_down_stage_by_stage() {
    let mut rng = Rng::from_number(1);
    let (mut fast, mut plain) = (Analysis::default(), [0_i16; ORDER]);
    for n in 0..200 {
        let (pieces, mut samples) = (pieces(&mut rng), words(&mut rng, 40 << (n % 10)));
        let mut expected = samples;
        for (piece, range) in pieces.iter().zip(PIECES) {
            for sample in &mut expected[range] {
                let (mut forward, mut backward) = (*sample, *sample);
                for (delayed, r) in plain.iter_mut().zip(piece) {
                    let next = delayed.saturating_add(mult_r(*r, forward));
                    forward = forward.saturating_add(mult_r(*r, *delayed));
                    (*delayed, backward) = (backward, next);
                }
                *sample = forward;
            }
        }
        fast.run(&pieces, &mut samples);
        assert_eq!(samples, expected, "frame {n}");
    }
}

#[test]
fn the_synthesis_lattice_clamps_as_the_one_written_down_stage_by_stage() {
    let mut rng = Rng::from_number(2);
    let (mut fast, mut plain, mut last) = (Synthesis::default(), [0_i16; ORDER + 1], 0_i16);
    let mut clamped = 0;
    for n in 0..400 {
        let mut samples = words(&mut rng, i16::MAX >> (n % 14));
        let strength = if n % 3 == 0 { i16::MAX } else { 8000 };
        let pieces: [[i16; ORDER]; 4] = std::array::from_fn(|_| words(&mut rng, strength));
        let mut expected = samples;
        for (piece, range) in pieces.iter().zip(PIECES) {
            for sample in &mut expected[range] {
                let mut forward = *sample;
                for i in (0..ORDER).rev() {
                    forward = forward.saturating_sub(mult_r(piece[i], plain[i]));
                    plain[i + 1] = plain[i].saturating_add(mult_r(piece[i], forward));
                    clamped += usize::from(forward == i16::MAX || forward == i16::MIN);
                }
                plain[0] = forward;
                last = forward.saturating_add(mult_r(last, 28_180));
                *sample = last.saturating_add(last) & !7;
            }
        }
        fast.run(&pieces, &mut samples);
        assert_eq!(samples, expected, "frame {n}");
    }
    assert!(clamped > 1000, "{clamped}");
}

#[test]
fn fields_stand_where_rfc_3551_puts_them() {
    let subframes = std::array::from_fn(|n| Subframe {
        lag: 40 + n as u8,
        gain: n as u8,
        grid: 3 - n as u8,
        peak: 60 + n as u8,
        pulses: std::array::from_fn(|i| (i + n) as u8 % 8),
    });
    let frame = Frame { ratios: [0x2a, 0x15, 0x0a, 0x15, 0x9, 0x6, 0x5, 0x2], subframes };
    let bytes = frame.pack();
    // Table 3: signature, six bits of the first ratio, six of the second, ..; then the first lag.
    assert_eq!(bytes[..6], [0xda, 0x95, 0x55, 0x65, 0xaa, 40 << 1]);
    assert_eq!(Frame::unpack(&bytes), Ok(frame));
}

#[test]
fn a_frame_without_its_signature_is_refused_and_changes_nothing() {
    let mut rng = Rng::from_number(3);
    let good: Vec<[u8; BYTES]> = {
        let mut encoder = Encoder::default();
        (0..20).map(|_| encoder.encode(&words(&mut rng, 9000))).collect()
    };
    let (mut left, mut right) = (Decoder::default(), Decoder::default());
    for frame in &good {
        let (mut a, mut b) = ([0; SAMPLES], [7; SAMPLES]);
        let mut bad = *frame;
        bad[0] ^= 0x10;
        assert_eq!(right.decode(&bad, &mut b), Err(BadFrame));
        assert_eq!(b, [7; SAMPLES]);
        left.decode(frame, &mut a).unwrap();
        right.decode(frame, &mut b).unwrap();
        assert_eq!(a, b);
    }
}

#[test]
fn a_voice_like_sound_comes_back_recognisable() {
    // Pulses at 100 Hz through a resonance: what the codec is made for.
    let (mut one, mut two) = (0.0_f32, 0.0);
    let samples: Vec<i16> = (0..SAMPLES * 50)
        .map(|n| {
            let next = 1.6 * one - 0.81 * two + if n % 80 == 0 { 3000.0 } else { 0.0 };
            (one, two) = (next, one);
            next as i16
        })
        .collect();
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    let (mut signal, mut noise) = (0.0, 0.0);
    for (n, frame) in samples.as_chunks::<SAMPLES>().0.iter().enumerate() {
        let mut out = [0; SAMPLES];
        decoder.decode(&encoder.encode(frame), &mut out).unwrap();
        for (a, b) in frame.iter().zip(out).filter(|_| n > 10) {
            signal += f32::from(*a).powi(2);
            noise += (f32::from(*a) - f32::from(b)).powi(2);
        }
    }
    let fidelity = 10.0 * (signal / noise).log10();
    assert!(fidelity > 8.0, "{fidelity} dB");
}

#[test]
fn an_invalid_lag_stands_for_the_last_valid_one() {
    let mut rng = Rng::from_number(4);
    let (mut told, mut guessing) = (Decoder::default(), Decoder::default());
    for n in 0..30_u8 {
        let mut frame = Frame::default();
        for s in &mut frame.subframes {
            *s = Subframe { lag: 40 + n, gain: 2, grid: n % 4, peak: 40, pulses: [n % 8; PULSES] };
            s.pulses[rng.below(13) as usize] = 7;
        }
        let mut broken = frame;
        for (s, lag) in broken.subframes[1..].iter_mut().zip([0, 39, 121]) {
            s.lag = lag;
        }
        let (mut a, mut b) = ([0; SAMPLES], [0; SAMPLES]);
        told.decode(&frame.pack(), &mut a).unwrap();
        guessing.decode(&broken.pack(), &mut b).unwrap();
        assert_eq!(a, b);
    }
}
