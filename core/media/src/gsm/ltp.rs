//! The long-term part: what of the residual repeats after a pitch period.
//!
//! GSM 06.10 sections 5.2.11, 5.2.12 and 5.3.2. Both directions keep the last 120 samples of the decoded residual.

use super::math::{dot, mult, mult_r, norm16, norm32, peak};
use super::{SAMPLES, SUBFRAME};

/// Lags in samples.
const LEAST: usize = 40;
const MOST: usize = 120;

/// Where one gain ends and the next begins, and the gains, in Q15. Tables 5.3a and 5.3b.
const LEVELS: [i16; 3] = [6554, 16_384, 26_214];
const GAINS: [i16; 4] = [3277, 11_469, 21_299, 32_767];

/// A frame of the decoded residual behind what came before it.
#[derive(Clone, Debug)]
pub(super) struct History {
    row: [i16; MOST + SAMPLES],
    /// The last valid lag.
    lag: usize,
}

impl Default for History {
    fn default() -> Self {
        Self { row: [0; MOST + SAMPLES], lag: LEAST }
    }
}

impl History {
    /// The codes of lag and gain that predict sub-segment `n` best, whose residual is given.
    pub(super) fn search(&self, n: usize, residual: &[i16; SUBFRAME]) -> (u8, u8) {
        let past: &[i16; MOST] =
            self.row[n * SUBFRAME..].first_chunk().expect("a frame lies behind the past");
        let most = peak(residual);
        let shift = if most == 0 { 0 } else { 6_u32.saturating_sub(norm16(most)) };
        let scaled = residual.map(|d| d >> shift);

        let (mut lag, mut best) = (LEAST, 0);
        // From the shortest lag on: of equals the first wins.
        for (i, window) in past.array_windows::<SUBFRAME>().rev().enumerate() {
            let correlation = dot(&scaled, window);
            if correlation > best {
                (lag, best) = (LEAST + i, correlation);
            }
        }
        if best == 0 {
            return (lag as u8, 0);
        }
        let correlation = (best << 1) >> (6 - shift);
        let start = MOST - lag;
        let quiet: [i16; SUBFRAME] = std::array::from_fn(|k| past[start + k] >> 3);
        let power = dot(&quiet, &quiet) << 1;
        if correlation <= 0 {
            return (lag as u8, 0);
        }
        if correlation >= power {
            return (lag as u8, 3);
        }
        let shift = norm32(power);
        let (r, s) = (((correlation << shift) >> 16) as i16, ((power << shift) >> 16) as i16);
        let gain = LEVELS.iter().filter(|level| r > mult(s, **level)).count();
        (lag as u8, gain as u8)
    }

    /// The prediction of sub-segment `n` from codes. An invalid lag stands for the last valid one.
    pub(super) fn predict(&mut self, n: usize, lag: u8, gain: u8) -> [i16; SUBFRAME] {
        if (LEAST..=MOST).contains(&usize::from(lag)) {
            self.lag = usize::from(lag);
        }
        let start = MOST + n * SUBFRAME - self.lag;
        let gain = GAINS[usize::from(gain) % GAINS.len()];
        std::array::from_fn(|k| mult_r(gain, self.row[start + k]))
    }

    /// Takes the decoded residual of sub-segment `n`.
    pub(super) fn put(&mut self, n: usize, decoded: &[i16; SUBFRAME]) {
        self.row[MOST + n * SUBFRAME..][..SUBFRAME].copy_from_slice(decoded);
    }

    /// The decoded residual of the whole frame.
    pub(super) fn frame(&self) -> &[i16; SAMPLES] {
        self.row.last_chunk().expect("a frame lies behind the past")
    }

    /// The frame is over.
    pub(super) fn shift(&mut self) {
        self.row.copy_within(SAMPLES.., 0);
    }
}
