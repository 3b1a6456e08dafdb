//! Voice or not: energies, zero crossings and spectrum against a slowly learnt background.
//!
//! G.729 Annex B section B.3. Knows nothing of what is sent in silence.

use super::lpc::{Correlation, Prediction};
use super::math::{FRAME, Lsp, ORDER, log2};
use super::ops::*;
use super::tables::*;

/// Frames of start-up, in which energy alone decides.
const START_UP: i16 = 32;
/// Frames over which the first minimum is found.
const FIRST_MINIMUM: i16 = 128;
/// Energy below which nothing is voice, Q11 decibels over ten.
const SILENCE: i16 = 3072;

/// The detector and what it has learnt.
#[derive(Clone, Debug)]
pub(super) struct VoiceDetector {
    frames: i16,
    /// The last two decisions, newest first.
    before: [bool; 2],
    mean_energy: i16,
    mean_full: i16,
    mean_low: i16,
    mean_crossings: i16,
    mean_lsf: Lsp,
    minima: [i16; 16],
    minimum: i16,
    next_minimum: i16,
    current_minimum: i16,
    last_energy: i16,
    silences: i16,
    updates: i16,
    extensions: i16,
    quiet: i16,
    may_extend: bool,
}

impl Default for VoiceDetector {
    fn default() -> Self {
        Self {
            frames: 0,
            before: [true; 2],
            mean_energy: 0,
            mean_full: 0,
            mean_low: 0,
            mean_crossings: 0,
            mean_lsf: [0; ORDER],
            minima: [0; 16],
            minimum: 0,
            next_minimum: 0,
            current_minimum: 32767,
            last_energy: 0,
            silences: 0,
            updates: 0,
            extensions: 0,
            quiet: 0,
            may_extend: true,
        }
    }
}

/// One frame's measures.
struct Measures {
    full: i16,
    low: i16,
    /// Distance of the spectrum from the background's, Q15.
    spectrum: i16,
    crossings: i16,
    lsf: Lsp,
    /// Second reflection coefficient.
    reflection: i16,
}

impl VoiceDetector {
    /// Whether the last frame was voice.
    pub(super) fn last(&self) -> bool {
        self.before[0]
    }

    /// To be called when the frame is done with.
    pub(super) fn remember(&mut self, voice: bool) {
        self.before = [voice, self.before[0]];
    }

    /// Decides on a frame; `present` are its samples with the one before.
    pub(super) fn is_voice(
        &mut self,
        correlation: &Correlation,
        prediction: &Prediction,
        lsp: &Lsp,
        present: &[i16],
    ) -> bool {
        self.frames = if self.frames == 32767 { 256 } else { self.frames + 1 };
        let m = self.measure(correlation, prediction, lsp, present);
        self.track_minimum(m.full);
        let mut voice = true;
        if self.frames <= START_UP {
            voice = self.start_up(&m);
        }
        if self.frames >= START_UP {
            voice = self.decide(&m);
            voice = self.smooth(voice, &m);
            self.learn(&m);
        }
        self.last_energy = m.full;
        voice
    }

    fn measure(&self, c: &Correlation, prediction: &Prediction, lsp: &Lsp, present: &[i16]) -> Measures {
        let lsf = normalised_lsf(lsp);
        let low_band = {
            let t = c.r.iter().zip(&LBF_CORR).skip(1).fold(0, |t, (r, w)| l_mac(t, r.hi, *w));
            l_mac(l_shl(t, 1), c.r[0].hi, LBF_CORR[0])
        };
        let spectrum = (0..ORDER).fold(0, |t, i| {
            let d = sub(lsf[i], self.mean_lsf[i]);
            l_mac(t, d, d)
        });
        let crossings = present
            .windows(2)
            .take(FRAME)
            .filter(|w| i32::from(w[0]) * i32::from(w[1]) < 0)
            .fold(0, |z, _| add(z, 410));
        Measures {
            full: energy(join(c.r[0]), c.exponent),
            low: energy(low_band, c.exponent),
            spectrum: high(spectrum),
            crossings,
            lsf,
            reflection: prediction.reflection[1],
        }
    }

    fn track_minimum(&mut self, full: i16) {
        let phase = self.frames % 8;
        if self.frames <= FIRST_MINIMUM {
            if full < self.current_minimum {
                self.current_minimum = full;
                self.minimum = full;
            }
            if phase == 0 {
                self.minima[self.frames as usize / 8 - 1] = self.current_minimum;
                self.current_minimum = 32767;
            }
        }
        if phase == 0 {
            self.minimum = self.minima.into_iter().min().unwrap_or(0);
        }
        if self.frames > FIRST_MINIMUM {
            if phase == 1 {
                self.current_minimum = self.minimum;
                self.next_minimum = 32767;
            }
            self.current_minimum = self.current_minimum.min(full);
            self.next_minimum = self.next_minimum.min(full);
            if phase == 0 {
                self.minima.rotate_left(1);
                self.minima[15] = self.next_minimum;
                self.minimum = self.minima.into_iter().min().unwrap_or(0);
            }
        }
    }

    fn start_up(&mut self, m: &Measures) -> bool {
        let voice = m.full >= SILENCE;
        if voice {
            let follow = |mean: i16, x: i16| high(l_mac(deposit_h(mean), x, 1024));
            self.mean_energy = follow(self.mean_energy, m.full);
            self.mean_crossings = follow(self.mean_crossings, m.crossings);
            self.mean_lsf = std::array::from_fn(|i| follow(self.mean_lsf[i], m.lsf[i]));
        } else {
            self.quiet += 1;
        }
        if self.frames == START_UP {
            let n = self.quiet as usize;
            let scale = |mean: i16| high(l_shl(l_mult(mean, FACTOR_FX[n]), i32::from(SHIFT_FX[n])));
            self.mean_energy = scale(self.mean_energy);
            self.mean_crossings = scale(self.mean_crossings);
            self.mean_lsf = self.mean_lsf.map(scale);
            self.mean_full = sub(self.mean_energy, 2048);
            self.mean_low = sub(self.mean_energy, 2458);
        }
        voice
    }

    /// Fourteen planes in the space of differences; voice lies beyond any of them.
    fn decide(&self, m: &Measures) -> bool {
        if m.full < SILENCE {
            return false;
        }
        let (ds, dl) = (sub(self.mean_full, m.full), sub(self.mean_low, m.low));
        let (dz, sd) = (sub(self.mean_crossings, m.crossings), m.spectrum);
        let plane = |terms: &[(i16, i16)]| {
            terms[1..].iter().fold(l_mult(terms[0].0, terms[0].1), |t, (a, b)| l_mac(t, *a, *b))
        };
        let over = |t: i32, by: i32, h: i16| l_add(l_shr(t, by), deposit_h(h));
        over(plane(&[(dz, -14680), (8192, -28521)]), 8, sd) > 0
            || over(plane(&[(dz, 19065), (8192, -19446)]), 7, sd) > 0
            || over(plane(&[(dz, 20480), (8192, 16384)]), 2, ds) < 0
            || over(plane(&[(dz, -16384), (8192, 19660)]), 2, ds) < 0
            || plane(&[(ds, 32767), (1024, 30802)]) < 0
            || plane(&[(sd, -28160), (64, 19988), (ds, 512)]) < 0
            || plane(&[(sd, 32767), (32, -30199)]) > 0
            || over(plane(&[(dz, -20480), (8192, 22938)]), 2, ds) < 0
            || over(plane(&[(dz, 23831), (4096, 31576)]), 2, ds) < 0
            || plane(&[(ds, 32767), (2048, 17367)]) < 0
            || plane(&[(sd, -22400), (32, 25395), (dl, 256)]) < 0
            || over(plane(&[(ds, -30427), (256, -29959)]), 0, dl) > 0
            || over(plane(&[(ds, -23406), (512, 28087)]), 0, dl) < 0
            || plane(&[(ds, 24576), (1024, 29491), (dl, 16384)]) < 0
    }

    fn smooth(&mut self, mut voice: bool, m: &Measures) -> bool {
        let mut forced = false;
        let [last, before] = self.before;
        if last && !voice && add(sub(self.mean_full, m.full), 410) < 0 && m.full > SILENCE {
            voice = true;
            forced = true;
        }
        if self.may_extend {
            if before && last && !voice && abs_s(sub(self.last_energy, m.full)) <= 614 {
                self.extensions += 1;
                voice = true;
                forced = true;
                if self.extensions > 4 {
                    self.extensions = 0;
                    self.may_extend = false;
                }
            }
        } else {
            self.may_extend = true;
        }
        if !voice {
            self.silences = self.silences.wrapping_add(1);
        }
        if voice && self.silences > 10 && sub(m.full, self.last_energy) <= 614 {
            voice = false;
            self.silences = 0;
        }
        if voice {
            self.silences = 0;
        }
        if sub(m.full, 614) < self.mean_full && self.frames > FIRST_MINIMUM && !forced && m.reflection < 19661
        {
            voice = false;
        }
        voice
    }

    fn learn(&mut self, m: &Measures) {
        if sub(m.full, 614) < self.mean_full && m.reflection < 24576 && m.spectrum < 83 {
            self.updates = self.updates.wrapping_add(1);
            let [a, a1, z, z1, l, l1] = match self.updates {
                i16::MIN..20 => [24576, 8192, 26214, 6554, 19661, 13017],
                20..30 => [31130, 1638, 30147, 2621, 21299, 11469],
                30..40 => [31785, 983, 30802, 1966, 22938, 9830],
                40..50 => [32440, 328, 31457, 1311, 24576, 8192],
                50..60 => [32604, 164, 32440, 328, 24576, 8192],
                _ => [32604, 164, 32702, 66, 24576, 8192],
            };
            let blend = |k: i16, mean: i16, k1: i16, x: i16| high(l_mac(l_mult(k, mean), k1, x));
            self.mean_full = blend(a, self.mean_full, a1, m.full);
            self.mean_low = blend(a, self.mean_low, a1, m.low);
            self.mean_crossings = blend(z, self.mean_crossings, z1, m.crossings);
            self.mean_lsf = std::array::from_fn(|i| blend(l, self.mean_lsf[i], l1, m.lsf[i]));
        }
        let above = sub(self.mean_full, self.current_minimum);
        if self.frames > FIRST_MINIMUM && ((above < 0 && m.spectrum < 83) || above > 2048) {
            self.mean_full = self.current_minimum;
            self.updates = 0;
        }
    }
}

/// Decibels over ten in Q11, less an offset.
fn energy(q: i32, exponent: i16) -> i16 {
    let (e, f) = log2(q);
    let t = mpy32_16(HiLo { hi: e, lo: f }, 9864);
    let t = l_mac(t, 9864, sub(exponent, 2));
    sub(high(l_shl(t, 11)), 4875)
}

/// Line spectral frequencies in Q15 of the sampling rate.
fn normalised_lsf(lsp: &Lsp) -> Lsp {
    let mut lsf = [0; ORDER];
    let mut n = 63;
    for i in (0..ORDER).rev() {
        while n > 0 && COS65[n] < lsp[i] {
            n -= 1;
        }
        let t = l_mult(sub(lsp[i], COS65[n]), SLOPE65[n]);
        lsf[i] = add(round(l_shl(t, 3)), shl(n as i16, 8));
    }
    lsf
}
