//! G.722: wide-band speech, 16 kHz in two bands, 64 kbit/s.
//!
//! ITU-T G.722, mode 1: six bits of every octet are the lower band's, two the upper band's. A pair of quadrature mirror
//! filters (`qmf`) parts and joins what [`bands`] codes. RFC 3551 section 4.5.2: the RTP clock runs at 8 kHz
//! although the samples do not. Knows no packets.

pub mod bands;
mod predictor;
mod qmf;

use std::ops::Range;

use bands::Mode;
use qmf::{Join, Split};

/// Sample pairs that go through a filter at once: 10 ms.
const BLOCK: usize = 80;
/// Samples by which both filters together delay.
const DELAY: usize = 22;

/// Samples to octets.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    split: Split,
    bands: bands::Encoder,
}

impl Encoder {
    /// Appends the code of `samples` at 16 kHz, an octet for every two. An odd one at the end is left out.
    pub fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) {
        let (pairs, _) = samples.as_chunks::<2>();
        let mut both = [(0, 0); BLOCK];
        for pairs in pairs.chunks(BLOCK) {
            let both = &mut both[..pairs.len()];
            self.split.run(pairs, both);
            out.extend(both.iter().map(|(low, high)| self.bands.encode(*low, *high)));
        }
    }
}

/// Octets to samples.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    join: Join,
    bands: bands::Decoder,
}

impl Decoder {
    /// Decodes into the front of `out`, two samples at 16 kHz an octet, as many octets as fit; returns how many
    /// samples.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let (pairs, _) = out.as_chunks_mut::<2>();
        let count = payload.len().min(pairs.len());
        let mut both = [(0, 0); BLOCK];
        for (payload, pairs) in payload[..count].chunks(BLOCK).zip(pairs[..count].chunks_mut(BLOCK)) {
            let both = &mut both[..payload.len()];
            for (both, code) in both.iter_mut().zip(payload) {
                *both = self.bands.decode(*code, Mode::One);
            }
            self.join.run(both, pairs);
        }
        count * 2
    }

    /// Takes note of what was heard where packets are missing, `heard[gap]`: as if it had been sent. The filters on
    /// both sides delay by 22 samples together: so much more of `heard` is looked at behind the gap, and as
    /// much before it.
    pub fn follow(&mut self, heard: &[i16], gap: Range<usize>) {
        // What is heard at the gap's beginning was coded as many samples earlier.
        let (begin, end) = (gap.start + DELAY, gap.end + DELAY);
        let Some(before) = heard.get(begin.saturating_sub(2 * DELAY)..begin) else { return };
        let Some(missing) = heard.get(begin..end) else { return };
        let mut split = Split::default();
        let mut both = [(0, 0); BLOCK];
        split.run(before.as_chunks::<2>().0, &mut both[..before.len() / 2]);
        for pairs in missing.as_chunks::<2>().0.chunks(BLOCK) {
            let both = &mut both[..pairs.len()];
            split.run(pairs, both);
            for (low, high) in both.iter_mut() {
                (*low, *high) = self.bands.follow(*low, *high);
            }
            self.join.run(both, &mut [[0; 2]; BLOCK][..pairs.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f32, amplitude: f32, count: usize) -> Vec<i16> {
        let step = hz * std::f32::consts::TAU / 16_000.0;
        (0..count).map(|n| ((n as f32 * step).sin() * amplitude) as i16).collect()
    }

    fn there_and_back(samples: &[i16]) -> Vec<i16> {
        let (mut payload, mut back) = (Vec::new(), vec![0; samples.len()]);
        Encoder::default().encode(samples, &mut payload);
        assert_eq!(payload.len() * 2, samples.len());
        assert_eq!(Decoder::default().decode(&payload, &mut back), samples.len());
        back
    }

    /// Signal to noise in dB, after the filters' delay of 22 samples.
    fn fidelity(samples: &[i16], back: &[i16]) -> f32 {
        let (mut signal, mut noise) = (0.0, 0.0);
        for (a, b) in samples.iter().zip(&back[22..]).skip(1000) {
            signal += f32::from(*a).powi(2);
            noise += (f32::from(*a) - f32::from(*b)).powi(2);
        }
        10.0 * (signal / noise).log10()
    }

    #[test]
    fn tones_of_either_band_come_back_at_their_level_and_time() {
        for (hz, least) in [(300.0, 35.0), (1000.0, 35.0), (3000.0, 30.0), (5000.0, 15.0), (6500.0, 15.0)] {
            let samples = sine(hz, 10_000.0, 8000);
            let got = fidelity(&samples, &there_and_back(&samples));
            assert!(got > least, "{hz} Hz: {got} dB");
        }
    }

    #[test]
    fn how_a_stream_is_cut_does_not_change_it() {
        let samples: Vec<i16> =
            sine(440.0, 9000.0, 2000).iter().zip(sine(5300.0, 9000.0, 2000)).map(|(a, b)| a + b).collect();
        let whole = there_and_back(&samples);
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        let (mut pieces, mut rest, mut size) = (Vec::new(), samples.as_slice(), 2);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(size.min(rest.len()));
            let mut payload = Vec::new();
            encoder.encode(now, &mut payload);
            let mut out = vec![0; now.len()];
            decoder.decode(&payload, &mut out);
            pieces.extend(out);
            (rest, size) = (later, size + 14);
        }
        assert!(pieces == whole);
    }

    #[test]
    fn who_is_told_what_was_heard_goes_on_as_if_nothing_had_been_lost() {
        let samples: Vec<i16> =
            sine(440.0, 9000.0, 3200).iter().zip(sine(5300.0, 3000.0, 3200)).map(|(a, b)| a + b).collect();
        let right = there_and_back(&samples);
        let mut payload = Vec::new();
        Encoder::default().encode(&samples, &mut payload);
        let off = |told: bool| {
            let (mut decoder, mut out) = (Decoder::default(), [0; 1600]);
            decoder.decode(&payload[..640], &mut out);
            if told {
                decoder.follow(&right, 1280..1920);
            }
            decoder.decode(&payload[960..1040], &mut out);
            out.iter().zip(&right[1920..2080]).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
        };
        assert!(off(true) * 20.0 < off(false), "{} beside {}", off(true), off(false));
        Decoder::default().follow(&right, 3190..3200);
        Decoder::default().follow(&[], 0..10);
    }

    #[test]
    fn overload_is_clipped_and_not_wrapped() {
        let square: Vec<i16> = (0..3200).map(|n| if n / 40 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let back = there_and_back(&square);
        let flips = square.iter().zip(&back[22..]).enumerate().skip(400);
        let wrapped =
            flips.filter(|(n, (a, b))| (8..32).contains(&(n % 40)) && (**a < 0) != (**b < 0)).count();
        assert_eq!(wrapped, 0);
    }

    #[test]
    fn a_payload_longer_than_the_room_is_cut() {
        assert_eq!(Decoder::default().decode(&[0x55; 9], &mut [0; 5]), 4);
        assert_eq!(Decoder::default().decode(&[], &mut [0; 5]), 0);
    }
}
