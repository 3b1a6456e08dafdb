//! Call progress tones, as the caller's own country plays them: ringback, busy, congestion, call waiting, dial.
//!
//! ITU-T E.180: one or two frequencies, a cadence, here and there a modulation. Each frequency is at -13 dBm0, within
//! E.180's -10 +-5. Which tone is due, and whether the other side plays one itself, is not known here.

mod table;

use std::fmt;

use crate::oscillator::{Oscillator, TICKS_PER_MS, amplitude, swell, ticks_per_sample};
use table::{GENERAL, ZONES, Zone};

/// The level of each frequency, in dBm0.
const LEVEL_DBM0: f32 = -13.0;
/// How deep a modulation goes, as a share of the tone; E.180 gives frequencies only, so this is assumed.
const DEPTH: f32 = 0.9;
/// The length of what does not end.
const FOREVER: u32 = u32::MAX;

/// One step of a cadence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    /// Sounding together; 0 is none.
    hz: [u16; 2],
    /// Or 0.
    modulated_by_hz: u16,
    ms: u32,
    /// Not repeated with the rest.
    once: bool,
}

/// Whose exchanges.
#[derive(Clone, Copy)]
pub struct Country(&'static Zone);

impl Country {
    /// By its ISO 3166 code of two letters, in any case. A country that is not known sounds like most of the world.
    pub fn of(iso: &str) -> Self {
        let known = <[u8; 2]>::try_from(iso.as_bytes()).ok().and_then(|iso| {
            let at = ZONES.binary_search_by(|zone| zone.iso.cmp(&iso.map(|c| c.to_ascii_uppercase())));
            Some(&ZONES[at.ok()?])
        });
        Self(known.unwrap_or(&GENERAL))
    }

    /// Its ISO 3166 code; `ZZ` when it is not known.
    pub fn iso(self) -> &'static str {
        std::str::from_utf8(&self.0.iso).unwrap_or_default()
    }

    fn cadence(self, kind: Kind) -> &'static [Segment] {
        match kind {
            Kind::Ringback => self.0.ringback,
            Kind::Busy => self.0.busy,
            Kind::Congestion => self.0.congestion,
            Kind::CallWaiting => self.0.waiting,
            Kind::Dial => self.0.dial,
        }
    }
}

/// One that is not known.
impl Default for Country {
    fn default() -> Self {
        Self(&GENERAL)
    }
}

impl PartialEq for Country {
    fn eq(&self, other: &Self) -> bool {
        self.0.iso == other.0.iso
    }
}

impl Eq for Country {}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.iso())
    }
}

/// What a tone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It rings over there.
    Ringback,
    /// They are on the phone.
    Busy,
    /// The call could not be put through.
    Congestion,
    /// Somebody else calls meanwhile.
    CallWaiting,
    /// Ready for a number.
    Dial,
}

/// One tone, from its beginning on.
#[derive(Debug)]
pub struct Tones {
    cadence: &'static [Segment],
    /// The segment that sounds, and how many ticks of it have.
    segment: usize,
    at: u32,
    sines: [Oscillator; 2],
    modulation: Oscillator,
    amplitude: f32,
}

impl Tones {
    /// A country's tone.
    pub fn new(country: Country, kind: Kind) -> Self {
        Self {
            cadence: country.cadence(kind),
            segment: 0,
            at: 0,
            sines: [Oscillator::default(); 2],
            modulation: Oscillator::default(),
            amplitude: amplitude(LEVEL_DBM0),
        }
    }

    /// Fills any number of samples, at 8, 16 or 48 kHz. `false` when there was nothing and will be nothing: a tone that
    /// plays once is over, and the samples are silence.
    pub fn fill(&mut self, frame: &mut [i16], rate: u32) -> bool {
        let ticks = ticks_per_sample(rate);
        let is_over = self.is_over();
        frame.fill_with(|| self.next(ticks, rate));
        !is_over
    }

    fn is_over(&self) -> bool {
        self.cadence.get(self.segment).is_none_or(|segment| segment.ms == FOREVER && segment.hz == [0; 2])
    }

    fn next(&mut self, ticks: u32, rate: u32) -> i16 {
        let Some(segment) = self.cadence.get(self.segment) else { return 0 };
        let lasts = if segment.ms == FOREVER { FOREVER } else { segment.ms * TICKS_PER_MS };
        let mut sum = 0.0;
        for (sine, hz) in self.sines.iter_mut().zip(segment.hz).filter(|(_, hz)| *hz > 0) {
            sum += sine.next(hz.into(), rate);
        }
        if segment.modulated_by_hz > 0 {
            let swing = DEPTH * self.modulation.next(segment.modulated_by_hz.into(), rate);
            // The power stays what it is without.
            sum *= (1.0 + swing) / (1.0 + DEPTH * DEPTH / 2.0).sqrt();
        }
        let sample = sum * self.amplitude * swell(self.at, lasts);
        // A tone without end has no place to count to: once it has swelled, it stays there.
        if lasts != FOREVER || self.at < 1000 * TICKS_PER_MS {
            self.at += ticks;
        }
        if self.at >= lasts {
            (self.segment, self.at) = (self.after(), 0);
        }
        sample.round() as i16
    }

    /// The segment after this one: at the end, the first that is repeated; beyond the end if none is.
    fn after(&self) -> usize {
        let next = self.segment + 1;
        if next < self.cadence.len() {
            return next;
        }
        self.cadence.iter().position(|segment| !segment.once).unwrap_or(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oscillator::tests::level_dbm0;

    const KINDS: [Kind; 5] = [Kind::Ringback, Kind::Busy, Kind::Congestion, Kind::CallWaiting, Kind::Dial];

    fn samples(iso: &str, kind: Kind, rate: u32, ms: u32) -> Vec<i16> {
        let mut tones = Tones::new(Country::of(iso), kind);
        let mut all = vec![0; (ms * rate / 1000) as usize];
        all.chunks_mut(160).for_each(|frame| {
            tones.fill(frame, rate);
        });
        all
    }

    /// When it sounds and when not, in ms, each in turn: told by 5 ms pieces.
    fn cadence(samples: &[i16], rate: u32) -> Vec<(bool, usize)> {
        let mut runs: Vec<(bool, usize)> = Vec::new();
        for piece in samples.chunks(rate as usize / 200) {
            let on = piece.iter().any(|s| s.unsigned_abs() > 100);
            match runs.last_mut() {
                Some((was, ms)) if *was == on => *ms += 5,
                _ => runs.push((on, 5)),
            }
        }
        runs
    }

    #[test]
    fn a_country_is_found_in_any_case_and_an_unknown_one_sounds_like_most_of_the_world() {
        for iso in ["de", "DE", "De"] {
            assert_eq!(Country::of(iso).iso(), "DE");
        }
        for iso in ["", "D", "DEU", "xx", "ß", "日"] {
            assert_eq!(Country::of(iso), Country::default(), "{iso}");
        }
        assert!(ZONES.iter().all(|zone| Country::of(&Country(zone).iso().to_lowercase()).0.iso == zone.iso));
        assert_eq!(cadence(&samples("xx", Kind::Busy, 8000, 1000), 8000), [(true, 500), (false, 500)]);
    }

    #[test]
    fn every_tone_of_every_country_can_be_played() {
        assert!(ZONES.is_sorted_by(|a, b| a.iso < b.iso), "it is searched by halves");
        for zone in ZONES.iter().chain([&GENERAL]) {
            for kind in KINDS {
                let cadence = Country(zone).cadence(kind);
                let label = format!("{:?} {kind:?}", Country(zone));
                assert!(cadence.iter().any(|segment| segment.hz[0] > 0), "{label}");
                let repeats = cadence.iter().position(|s| !s.once).unwrap_or(cadence.len());
                assert!(cadence[repeats..].iter().all(|s| !s.once), "{label}");
                let endless = cadence.iter().position(|s| s.ms == FOREVER).unwrap_or(cadence.len() - 1);
                assert_eq!(endless, cadence.len() - 1, "{label}");
                for Segment { hz, modulated_by_hz, ms, .. } in cadence {
                    let possible = hz.iter().all(|hz| *hz == 0 || (300..=2000).contains(hz));
                    assert!(possible && *modulated_by_hz <= 50, "{label}");
                    assert!(*ms == FOREVER || (20..=15_000).contains(ms), "{label}");
                    assert!(hz[0] > 0 || hz[1] == 0 && *modulated_by_hz == 0, "{label}");
                }
            }
        }
    }

    #[test]
    fn each_frequency_is_at_its_level_at_either_rate() {
        for rate in [8000, 16_000, 48_000] {
            let us = samples("US", Kind::Ringback, rate, 1000);
            let full = &us[rate as usize / 10..];
            for hz in [440.0, 480.0] {
                let level = level_dbm0(full, hz, rate);
                assert!((level + 13.0).abs() < 0.1, "{hz} Hz at {rate}: {level}");
            }
            let de = samples("DE", Kind::Dial, rate, 1200);
            let level = level_dbm0(&de[rate as usize / 5..], 425.0, rate);
            assert!((level + 13.0).abs() < 0.05, "{level}");
        }
    }

    #[test]
    fn cadences_are_kept_and_repeated() {
        let on_off = |iso, kind, ms| cadence(&samples(iso, kind, 8000, ms), 8000);
        assert_eq!(
            on_off("DE", Kind::Ringback, 10_000),
            [(true, 1000), (false, 4000), (true, 1000), (false, 4000)]
        );
        let british = [(true, 400), (false, 200), (true, 400), (false, 2000)];
        assert_eq!(on_off("GB", Kind::Ringback, 6000), british.repeat(2));
        assert_eq!(on_off("US", Kind::Busy, 2000), [(true, 500), (false, 500)].repeat(2));
        assert_eq!(on_off("US", Kind::Dial, 60_000), [(true, 60_000)]);
        assert_eq!(cadence(&samples("GB", Kind::Ringback, 16_000, 6000), 16_000), british.repeat(2));
    }

    #[test]
    fn what_plays_once_is_not_repeated_and_then_it_is_over() {
        let twice = [(true, 200), (false, 200), (true, 200), (false, 5000)];
        let played = cadence(&samples("DE", Kind::CallWaiting, 8000, 60_000), 8000);
        assert_eq!(played[..16], twice.repeat(4));
        assert_eq!(played[16..19], twice[..3]);
        assert_eq!((played.len(), played[19].0), (20, false), "silence from then on");

        let mut tones = Tones::new(Country::of("NZ"), Kind::CallWaiting);
        let lasts = (0..2000).take_while(|_| tones.fill(&mut [0; 160], 8000)).count();
        assert_eq!(lasts, (4 * 200 + 3 * 3000) / 20);
        let mut frame = [1; 160];
        assert!(!tones.fill(&mut frame, 8000) && frame == [0; 160]);

        // Once, and then what is repeated.
        static ONCE: [Segment; 3] = [
            Segment { hz: [400, 0], modulated_by_hz: 0, ms: 100, once: true },
            Segment { hz: [0, 0], modulated_by_hz: 0, ms: 50, once: false },
            Segment { hz: [400, 0], modulated_by_hz: 0, ms: 20, once: false },
        ];
        let mut tones = Tones { cadence: &ONCE, ..Tones::new(Country::default(), Kind::Dial) };
        let mut all = [0; 8 * 240];
        assert!(tones.fill(&mut all, 8000));
        assert_eq!(cadence(&all, 8000), [(true, 100), (false, 50), (true, 20), (false, 50), (true, 20)]);
    }

    #[test]
    fn a_modulated_tone_swings_at_its_rate_and_is_as_loud_as_others() {
        let all = samples("IN", Kind::Dial, 8000, 1100);
        let full = &all[800..];
        let mean = full.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / full.len() as f64;
        let level = 10.0 * (mean * 2.0 / f64::from(amplitude(0.0)).powi(2)).log10();
        assert!((level + 13.0).abs() < 0.1, "{level}");
        let [below, at, above] = [375.0, 400.0, 425.0].map(|hz| level_dbm0(full, hz, 8000));
        assert!((below - above).abs() < 0.1 && (at - below - 6.9).abs() < 0.2, "{below} {at} {above}");
    }

    #[test]
    fn no_tone_begins_or_ends_with_a_click() {
        for kind in KINDS {
            for zone in &ZONES {
                let all = samples(Country(zone).iso(), kind, 48_000, 2000);
                let highest = Country(zone).cadence(kind).iter().flat_map(|s| s.hz).max().unwrap_or(0);
                let steepest = std::f32::consts::TAU * f32::from(highest) / 48_000.0 * amplitude(LEVEL_DBM0);
                let jump =
                    all.windows(2).map(|w| (f32::from(w[1]) - f32::from(w[0])).abs()).fold(0.0, f32::max);
                assert!(jump < 2.2 * steepest, "{:?} {kind:?}: {jump} of {steepest}", Country(zone));
            }
        }
    }
}
