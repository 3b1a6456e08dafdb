//! What is sent in silence, and when: a descriptor at first and whenever the noise has changed, else nothing.
//!
//! G.729 Annex B section B.4.1 and B.4.2. Knows nothing of speech frames.

use super::bits::SidFields;
use super::decoder::sid_gain_index;
use super::lpc::{Correlation, Levinson, PRESENT, Prediction, WINDOW, to_lsp};
use super::lsf::History;
use super::lsf_search::quantise_noise;
use super::math::{FRAME, Lpc, Lsp, ORDER, Seed};
use super::noise;
use super::ops::*;
use super::tables::{MARG, SID_FACT, TAB_SIDGAIN};
use super::vad::VoiceDetector;

/// Autocorrelations with their shift.
#[derive(Clone, Copy, Debug)]
struct Shifted {
    r: [i16; ORDER + 1],
    shift: i16,
}

const NOTHING: Shifted = Shifted { r: [0; ORDER + 1], shift: 40 };

/// What a frame without voice sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sent {
    Sid(SidFields),
    Nothing,
}

/// The transmission's memory.
#[derive(Clone, Debug)]
pub(super) struct Dtx {
    detector: VoiceDetector,
    pub(super) seed: Seed,
    /// The last two frames, newest first.
    recent: [Shifted; 2],
    /// Sums over pairs of frames, newest first.
    sums: [Shifted; 3],
    /// Residual energies with their shifts, newest first.
    energies: [(i16, i16); 2],
    odd: bool,
    gain: i16,
    sid_gain: i16,
    lsp: Lsp,
    /// Autocorrelation of the filter last described.
    described: Shifted,
    described_level: i16,
    changed: bool,
    since: i16,
    averaged: usize,
}

impl Default for Dtx {
    fn default() -> Self {
        Self {
            detector: VoiceDetector::default(),
            seed: noise::SEED,
            recent: [NOTHING; 2],
            sums: [NOTHING; 3],
            energies: [(0, 40); 2],
            odd: false,
            gain: 0,
            sid_gain: 0,
            lsp: [0; ORDER],
            described: Shifted { r: [0; ORDER + 1], shift: 0 },
            described_level: 0,
            changed: false,
            since: 0,
            averaged: 0,
        }
    }
}

impl Dtx {
    pub(super) fn is_voice(
        &mut self,
        correlation: &Correlation,
        prediction: &Prediction,
        lsp: &Lsp,
        speech: &[i16; WINDOW],
    ) -> bool {
        let voice = self.detector.is_voice(correlation, prediction, lsp, &speech[PRESENT..=PRESENT + FRAME]);
        self.recent =
            [Shifted { r: correlation.plain, shift: negate(add(16, correlation.exponent)) }, self.recent[0]];
        self.odd = !self.odd;
        if !self.odd && voice {
            self.push_sum();
        }
        voice
    }

    pub(super) fn end_of_frame(&mut self, voice: bool) {
        if voice {
            self.seed = noise::SEED;
        }
        self.detector.remember(voice);
    }

    /// Decides on a frame without voice; what is sent, the gain and the pairs to make comfort noise with.
    pub(super) fn decide(
        &mut self,
        levinson: &mut Levinson,
        history: &mut History,
        fallback: &Lsp,
    ) -> (Sent, i16, Lsp) {
        let first = self.detector.last();
        let now = sum(&self.recent);
        self.energies[1] = self.energies[0];
        self.energies[0].1 = now.shift;
        let filter = if now.r[0] == 0 {
            self.energies[0].0 = 0;
            unit()
        } else {
            let p = levinson.solve(&now.r.map(|hi| HiLo { hi, lo: 0 }));
            self.energies[0].0 = p.error.unwrap_or(self.energies[0].0);
            p.a
        };

        let describe;
        let level;
        if first {
            self.since = 0;
            self.averaged = 1;
            level = self.level();
            describe = true;
        } else {
            self.averaged = (self.averaged + 1).min(2);
            level = self.level();
            let energy = self.energies[0].0;
            self.changed |=
                far(&self.described, &now, energy, 4855) || abs_s(sub(self.described_level, level.1)) > 2;
            self.since += 1;
            if self.since < 3 {
                describe = false;
            } else {
                describe = self.changed;
                self.since = 3;
            }
        }
        let sent = if describe {
            Sent::Sid(self.describe(&now, &filter, level, levinson, history, fallback))
        } else {
            Sent::Nothing
        };
        self.gain = noise::smoothed(self.gain, self.sid_gain, first);
        if !self.odd {
            self.push_sum();
        }
        (sent, self.gain, self.lsp)
    }

    fn describe(
        &mut self,
        now: &Shifted,
        filter: &Lpc,
        (index, level): (usize, i16),
        levinson: &mut Levinson,
        history: &mut History,
        fallback: &Lsp,
    ) -> SidFields {
        self.since = 0;
        self.changed = false;
        let past = sum(&self.sums);
        let average =
            if past.r[0] == 0 { unit() } else { levinson.solve(&past.r.map(|hi| HiLo { hi, lo: 0 })).a };
        self.described = autocorrelation(&average);
        let chosen = if far(&self.described, now, self.energies[0].0, 3161) {
            self.described = autocorrelation(filter);
            filter
        } else {
            &average
        };
        let q = quantise_noise(&to_lsp(chosen, fallback), history);
        self.lsp = q.lsp;
        self.described_level = level;
        self.sid_gain = TAB_SIDGAIN[index];
        SidFields { mode: q.mode, first: q.first, second: q.second, gain: index as u8 }
    }

    /// Gain index and level of the energies averaged.
    fn level(&self) -> (usize, i16) {
        let energies = &self.energies[..self.averaged];
        let s = energies.iter().map(|e| e.1).min().unwrap_or(0);
        let s = i32::from(s) + 16 - i32::from(MARG[self.averaged]);
        let t =
            energies.iter().fold(0, |t, (e, shift)| l_add(t, l_shl(i32::from(*e), s - i32::from(*shift))));
        sid_gain_index(mpy32_16(split(t), SID_FACT[self.averaged]), s as i16)
    }

    fn push_sum(&mut self) {
        self.sums.rotate_right(1);
        self.sums[0] = sum(&self.recent);
    }
}

fn unit() -> Lpc {
    let mut a = [0; ORDER + 1];
    a[0] = 4096;
    a
}

fn sum(vectors: &[Shifted]) -> Shifted {
    let s0 = vectors.iter().map(|v| i32::from(v.shift)).min().unwrap_or(0) + 14;
    let t: [i32; ORDER + 1] = std::array::from_fn(|j| {
        vectors.iter().fold(0, |t, v| l_add(t, l_shl(i32::from(v.r[j]), s0 - i32::from(v.shift))))
    });
    let v = norm_l(t[0]);
    Shifted { r: t.map(|t| high(l_shl(t, v))), shift: (s0 + v - 16) as i16 }
}

/// A filter's own autocorrelation.
fn autocorrelation(a: &Lpc) -> Shifted {
    let t = mac_all(0, a, a);
    let shift = norm_l(t);
    let mut r = [0; ORDER + 1];
    r[0] = round(l_shl(t, shift));
    for i in 1..=ORDER {
        r[i] = round(l_shl(mac_all(0, &a[..=ORDER - i], &a[i..]), shift));
    }
    Shifted { r, shift: shift as i16 }
}

/// Whether the filter of `described` would leave much more energy of `now` than `energy`.
fn far(described: &Shifted, now: &Shifted, energy: i16, threshold: i16) -> bool {
    let mut shifts = [0, 0];
    let mut turn = 1;
    let t = loop {
        let [sa, sb] = shifts;
        let first = l_shr(l_mult(shr(described.r[0], sa), shr(now.r[0], sb)), 1);
        let mut t = Acc::new(first);
        for i in 1..=ORDER {
            t.mac(shr(described.r[i], sa), shr(now.r[i], sb));
        }
        if !t.clamped {
            break t.value;
        }
        shifts[turn] += 1;
        turn = 1 - turn;
    };
    let bound = l_add(i32::from(mult_r(energy, threshold)), i32::from(energy));
    let bound = l_shl(bound, i32::from(described.shift) + 9 - (shifts[0] + shifts[1]));
    l_sub(t, bound) > 0
}
