//! How a call sounds, estimated: the E-model in its common reduced form.
//!
//! ITU-T G.107 with everything but delay, codec and loss at its default. Knows no packets: it is given figures.

use std::time::Duration;

/// What a codec costs by itself and under loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// Equipment impairment without loss (Ie).
    pub ie: f32,
    /// Robustness against packet loss (Bpl): larger suffers less.
    pub bpl: f32,
}

impl Impairment {
    /// G.711, nothing done about loss.
    pub const G711_BARE: Self = Self { ie: 0.0, bpl: 4.3 };
    /// G.711 with concealment of the class of its Appendix I.
    pub const G711_CONCEALED: Self = Self { ie: 0.0, bpl: 25.1 };
    /// G.729 Annex A, with or without Annex B.
    pub const G729A: Self = Self { ie: 11.0, bpl: 19.0 };
    /// GSM full rate; its robustness is that of the enhanced full rate, assumed.
    pub const GSM: Self = Self { ie: 20.0, bpl: 10.0 };
    /// G.722 at 64 kbit/s on the narrow-band scale, assumed.
    pub const G722: Self = Self { ie: 0.0, bpl: 10.0 };
    /// Opus at 24 kbit/s with its redundancy, on the narrow-band scale: estimated.
    pub const OPUS: Self = Self { ie: 0.0, bpl: 30.0 };
}

/// What the way from mouth to ear did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// One way, mouth to ear: packetization, network and playout together.
    pub delay: Duration,
    /// Percent of packets that were not played: lost or too late.
    pub loss_percent: f32,
    /// Mean burst length over that of random loss; 1 is random.
    pub burst_ratio: f32,
}

/// The transmission rating R, roughly 0..=93.2.
pub fn r_factor(codec: Impairment, path: Path) -> f32 {
    let d = path.delay.as_secs_f32() * 1000.0;
    let delay_impairment = 0.024 * d + 0.11 * (d - 177.3).max(0.0);
    let loss = path.loss_percent.clamp(0.0, 100.0);
    let loss_impairment =
        codec.ie + (95.0 - codec.ie) * loss / (loss / path.burst_ratio.max(1.0) + codec.bpl);
    93.2 - delay_impairment - loss_impairment
}

/// The mean opinion score that an R stands for: 1.0 (bad) to 4.5.
pub fn mos(r: f32) -> f32 {
    if r <= 0.0 {
        1.0
    } else if r >= 100.0 {
        4.5
    } else {
        // The cubic dips below 1 for small R; the scale does not.
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In hundredths, as the table of known points gives them.
    fn at_150_ms(codec: Impairment) -> [u32; 5] {
        [0.0, 1.0, 3.0, 5.0, 10.0].map(|loss_percent| {
            let path = Path { delay: Duration::from_millis(150), loss_percent, burst_ratio: 1.0 };
            (mos(r_factor(codec, path)) * 100.0).round() as u32
        })
    }

    #[test]
    fn known_points_of_the_reduced_e_model_are_met() {
        assert_eq!(at_150_ms(Impairment::G711_CONCEALED), [433, 423, 400, 377, 323]);
        assert_eq!(at_150_ms(Impairment::G711_BARE), [433, 367, 260, 199, 135]);
        assert_eq!(at_150_ms(Impairment::G729A), [397, 380, 346, 316, 256]);
    }

    #[test]
    fn delay_beyond_177_ms_costs_more_for_each_millisecond() {
        let r = |ms| {
            let path = Path { delay: Duration::from_millis(ms), loss_percent: 0.0, burst_ratio: 1.0 };
            r_factor(Impairment::G711_BARE, path)
        };
        assert!((r(100) - r(101) - 0.024).abs() < 1e-3);
        assert!((r(300) - r(301) - 0.134).abs() < 1e-3);
    }

    #[test]
    fn the_scale_has_ends() {
        assert_eq!([-5.0, 2.0, 120.0].map(|r| mos(r).to_string()), ["1", "1", "4.5"]);
    }
}
