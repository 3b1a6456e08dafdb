//! Samples to frames. GSM 06.10 section 5.2.

use super::bits::{BYTES, Frame};
use super::lattice::Analysis;
use super::lpc::{Ratios, analyse};
use super::ltp::History;
use super::math::mult_r;
use super::rpe::{quantise, reconstruct};
use super::{SAMPLES, SUBFRAME};

/// Samples to frames of GSM full rate.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    input: Input,
    ratios: Ratios,
    lattice: Analysis,
    history: History,
}

impl Encoder {
    /// Encodes one frame. Samples count by their upper 13 bits.
    pub fn encode(&mut self, samples: &[i16; SAMPLES]) -> [u8; BYTES] {
        let mut frame = Frame::default();
        let mut residual = self.input.run(samples);
        frame.ratios = analyse(&mut residual);
        let pieces = self.ratios.follow(frame.ratios);
        self.lattice.run(&pieces, &mut residual);

        for (n, codes) in frame.subframes.iter_mut().enumerate() {
            let residual: &[i16; SUBFRAME] =
                residual[n * SUBFRAME..].first_chunk().expect("four sub-segments are a frame");
            (codes.lag, codes.gain) = self.history.search(n, residual);
            let predicted = self.history.predict(n, codes.lag, codes.gain);
            let rest = std::array::from_fn(|k| residual[k].saturating_sub(predicted[k]));
            quantise(&rest, codes);
            let pulses = reconstruct(codes);
            self.history.put(n, &std::array::from_fn(|k| pulses[k].saturating_add(predicted[k])));
        }
        self.history.shift();
        frame.pack()
    }
}

/// What is done to samples before they are looked at: the mean is taken out, high frequencies are raised.
#[derive(Clone, Debug, Default)]
struct Input {
    last: i16,
    /// The filtered sample with 15 fractional bits.
    mean: i32,
    /// The last sample without its mean.
    centred: i16,
}

/// The pole of the mean's filter, and the weight of the pre-emphasis; in Q15.
const MEAN_POLE: i64 = 32_735;
const EMPHASIS: i16 = -28_180;

impl Input {
    /// Sections 5.2.1 to 5.2.3.
    fn run(&mut self, samples: &[i16; SAMPLES]) -> [i16; SAMPLES] {
        let mut centred = [0; SAMPLES];
        for (out, sample) in centred.iter_mut().zip(samples) {
            let sample = sample >> 3 << 2;
            let step = i32::from(sample) - i32::from(self.last);
            self.last = sample;
            // The standard multiplies the upper and lower half apart and rounds the lower: in one product it is the
            // same. Nothing clamps: twice the largest sample is the most that comes out.
            self.mean = ((i64::from(self.mean) * MEAN_POLE + 0x4000) >> 15) as i32 + (step << 15);
            *out = ((self.mean + 0x4000) >> 15).min(32_767) as i16;
        }
        let mut before = self.centred;
        self.centred = centred[SAMPLES - 1];
        centred.map(|sample| {
            let emphasised = sample.saturating_add(mult_r(before, EMPHASIS));
            before = sample;
            emphasised
        })
    }
}
