//! G.722 word for word: the ITU's sequences, which go past the filters into the bands' coders.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use media::g722::bands::{Decoder, Encoder, Mode};
use offhook_vectors::elsewhere;

/// The lowest bit of a word: both coders are held in their initial state, and what goes in means nothing.
const RESET: u16 = 1;

/// Words of a file, the upper octet first.
fn words(folder: &Path, name: &str) -> Vec<u16> {
    let bytes = fs::read(folder.join(name)).expect("the set is complete");
    bytes.as_chunks().0.iter().map(|b| u16::from_be_bytes(*b)).collect()
}

fn report(what: &str, got: &[u16], expected: &[u16]) -> usize {
    let differ = got.iter().zip(expected).filter(|(a, b)| a != b).count();
    let mismatches = differ + got.len().abs_diff(expected.len());
    let _ = writeln!(std::io::stdout(), "{what}: {} words compared, {mismatches} mismatches", got.len());
    mismatches
}

#[test]
fn every_sample_of_a_band_encodes_to_the_same_code() {
    let Some(set) = elsewhere("g722") else { return };
    let mut mismatches = 0;
    for (samples, codes) in [("bt1c1.xmt", "bt2r1.cod"), ("bt1c2.xmt", "bt2r2.cod")] {
        let mut encoder = Encoder::default();
        let encoded = words(&set, samples).into_iter().map(|word| {
            if word & RESET != 0 {
                encoder = Encoder::default();
                return RESET;
            }
            // The same sample goes to both bands.
            let sample = word as i16 >> 1;
            u16::from(encoder.encode(sample, sample)) << 8
        });
        let encoded: Vec<u16> = encoded.collect();
        mismatches += report(&format!("encode {samples}"), &encoded, &words(&set, codes));
    }
    assert_eq!(mismatches, 0);
}

#[test]
fn every_code_decodes_to_the_same_samples_of_both_bands_in_each_mode() {
    let Some(set) = elsewhere("g722") else { return };
    let mut mismatches = 0;
    for (codes, number) in [("bt2r1.cod", 1), ("bt2r2.cod", 2), ("bt1d3.cod", 3)] {
        for (mode, ending) in [(Mode::One, "rc1"), (Mode::Two, "rc2"), (Mode::Three, "rc3")] {
            let mut decoder = Decoder::default();
            let decoded = words(&set, codes).into_iter().map(|word| {
                if word & RESET != 0 {
                    decoder = Decoder::default();
                    return (RESET, RESET);
                }
                let (low, high) = decoder.decode((word >> 8) as u8, mode);
                ((low << 1) as u16, (high << 1) as u16)
            });
            let (low, high): (Vec<u16>, Vec<u16>) = decoded.unzip();
            for (got, name) in [(low, format!("bt3l{number}.{ending}")), (high, format!("bt3h{number}.rc0"))]
            {
                mismatches += report(&format!("decode {codes} {mode:?} {name}"), &got, &words(&set, &name));
            }
        }
    }
    assert_eq!(mismatches, 0);
}
