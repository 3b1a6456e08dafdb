//! Noise as long as nobody says anything else.
//!
//! White noise through the all-pole lattice that the payload describes. Level and spectrum glide, as a jump is heard.

use base::Rng;

use super::{FULL, MAX_ORDER, Noise};

/// How far level and spectrum move toward what was told in a millisecond: most of the way in 100 ms.
const GLIDE: f32 = 1.0 / 40.0;
/// Below this a filter's memory is no sound but slow arithmetic.
const NEGLIGIBLE: f32 = 1e-15;

/// A source of noise.
#[derive(Clone, Debug)]
pub struct Generator {
    rng: Rng,
    /// Samples of a millisecond.
    step: usize,
    /// Samples until the filter moves again.
    until_step: usize,
    /// What was told last; `None` before.
    target: Option<Filter>,
    now: Filter,
    /// Amplitude of the white noise at which [`Self::now`] has its level.
    gain: f32,
    delayed: [f32; MAX_ORDER],
}

#[derive(Clone, Copy, Debug, Default)]
struct Filter {
    /// Root of the mean square of what comes out.
    amplitude: f32,
    reflections: [f32; MAX_ORDER],
}

impl Filter {
    /// What white noise must have for the output to have its amplitude: each stage of the lattice resonates by
    /// `1 / (1 - k^2)`.
    fn gain(&self) -> f32 {
        self.amplitude * self.reflections.iter().map(|k| (1.0 - k * k).max(0.0)).product::<f32>().sqrt()
    }
}

impl Generator {
    /// A silent one at a sampling rate in Hz, which is the payload's clock rate.
    pub fn new(sample_rate: u32, rng: Rng) -> Self {
        Self {
            rng,
            step: (sample_rate as usize / 1000).max(1),
            until_step: 0,
            target: None,
            now: Filter::default(),
            gain: 0.0,
            delayed: [0.0; MAX_ORDER],
        }
    }

    /// From now on toward this. The first time at once.
    pub fn set(&mut self, noise: &Noise) {
        let amplitude = (FULL * 10_f32.powf(noise.level_dbov() / 10.0)).sqrt();
        let target = Filter { amplitude, reflections: noise.reflections() };
        if self.target.replace(target).is_none() {
            self.now = target;
            self.gain = target.gain();
        }
    }

    /// Speech came between: what is told next is played at once.
    pub fn pause(&mut self) {
        self.target = None;
    }

    /// Fills `out`; with silence before anything was told.
    pub fn fill(&mut self, out: &mut [i16]) {
        if self.target.is_none() {
            out.fill(0);
            return;
        }
        for out in out {
            if self.until_step == 0 {
                self.glide();
                self.until_step = self.step;
            }
            self.until_step -= 1;
            *out = self.next().round() as i16;
        }
    }

    fn glide(&mut self) {
        let Some(target) = self.target else { return };
        let now = &mut self.now;
        now.amplitude += (target.amplitude - now.amplitude) * GLIDE;
        // Between two stable lattices every one is stable.
        for (now, target) in now.reflections.iter_mut().zip(target.reflections) {
            *now += (target - *now) * GLIDE;
        }
        self.gain = now.gain();
        for delayed in self.delayed.iter_mut().filter(|d| d.abs() < NEGLIGIBLE) {
            *delayed = 0.0;
        }
    }

    fn next(&mut self) -> f32 {
        let mut forward = self.white() * self.gain;
        for i in (0..MAX_ORDER).rev() {
            let k = self.now.reflections[i];
            forward -= k * self.delayed[i];
            if i + 1 < MAX_ORDER {
                self.delayed[i + 1] = self.delayed[i] + k * forward;
            }
        }
        self.delayed[0] = forward;
        forward
    }

    /// Nearly Gaussian, of power 1: four uniform numbers from one draw.
    fn white(&mut self) -> f32 {
        let sum: i32 = self
            .rng
            .bits()
            .to_le_bytes()
            .as_chunks()
            .0
            .iter()
            .map(|b| i32::from(i16::from_le_bytes(*b)))
            .sum();
        (sum + 2) as f32 * (3.0_f32.sqrt() / 65_536.0)
    }
}
