//! The fast loops beside the plain ones, on streams that nobody would send.

use base::Rng;

use super::decoder::Decoding;
use super::encoder::Encoding;
use super::kernels::{Fast, Plain};
use super::math::FRAME;
use super::{Coded, Frame};

/// Frames of each stream.
const FRAMES: usize = 200;

/// Signals that reach the ends: noise of any level, square waves, pulse trains, sweeps, silence, changed every so often.
struct Signal {
    rng: Rng,
    kind: u64,
    level: i32,
    period: u64,
    phase: u64,
}

impl Signal {
    fn new(seed: u64) -> Self {
        Self { rng: Rng::from_number(seed), kind: 0, level: 0, period: 1, phase: 0 }
    }

    fn frame(&mut self) -> [i16; FRAME] {
        if self.rng.below(8) == 0 {
            self.kind = self.rng.below(6);
            self.level = 1 << self.rng.below(16);
            self.period = 2 + self.rng.below(160);
        }
        std::array::from_fn(|_| {
            self.phase += 1;
            let high = self.phase % self.period < self.period / 2;
            let x = match self.kind {
                0 => 0,
                1 => self.rng.below(2 * self.level as u64) as i32 - self.level,
                2 => {
                    if high {
                        self.level
                    } else {
                        -self.level
                    }
                }
                3 => {
                    if self.phase.is_multiple_of(self.period) {
                        self.level
                    } else {
                        0
                    }
                }
                4 => ((self.phase * self.phase / 64 % 512) as i32 - 256) * self.level / 256,
                _ => {
                    if self.rng.below(2) == 0 {
                        32767
                    } else {
                        -32768
                    }
                }
            };
            x.clamp(-32768, 32767) as i16
        })
    }
}

#[test]
fn the_fast_encoder_writes_the_plain_one_s_bits() {
    for seed in 0..12 {
        let mut signal = Signal::new(seed);
        let mut plain = Encoding::<Plain>::new(seed % 2 == 0);
        let mut fast = Encoding::<Fast>::new(seed % 2 == 0);
        for n in 0..FRAMES {
            let frame = signal.frame();
            assert_eq!(fast.encode(&frame), plain.encode(&frame), "seed {seed}, frame {n}");
        }
    }
}

#[test]
fn the_fast_decoder_makes_the_plain_one_s_samples_of_anything() {
    for seed in 0..12 {
        let mut rng = Rng::from_number(seed);
        let mut signal = Signal::new(seed + 100);
        let mut encoder = Encoding::<Fast>::new(true);
        let mut plain = Decoding::<Plain>::default();
        let mut fast = Decoding::<Fast>::default();
        for n in 0..FRAMES {
            let coded = encoder.encode(&signal.frame());
            let mut random = [0; 10];
            rng.fill(&mut random);
            let frame = match (rng.below(5), &coded) {
                (0, _) => Frame::Erased,
                (1, _) => Frame::Speech(&random),
                (2, _) => Frame::Sid([random[0], random[1]]),
                (_, Coded::Speech(bytes)) => Frame::Speech(bytes),
                (_, Coded::Sid(bytes)) => Frame::Sid(*bytes),
                (_, Coded::Nothing) => Frame::Untransmitted,
            };
            assert_eq!(fast.decode(frame), plain.decode(frame), "seed {seed}, frame {n}");
        }
    }
}

#[test]
fn silence_is_described_once_and_then_not_sent() {
    let mut encoder = super::Encoder::new(true);
    let coded: Vec<Coded> = (0..50).map(|_| encoder.encode(&[0; FRAME])).collect();
    assert!(matches!(coded[0], Coded::Sid(_)), "{:?}", coded[0]);
    assert!(coded[1..].iter().filter(|c| **c == Coded::Nothing).count() > 40);
}
