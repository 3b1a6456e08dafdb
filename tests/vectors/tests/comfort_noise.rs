//! Silence compression on people's speech: nothing of it may be lost, and what is left should be less than all.

use std::io::Write as _;
use std::path::Path;

use base::Rng;
use media::comfort_noise::{Dtx, Due};
use media::wav::Reader;

const FRAME: usize = 160;

fn speech(name: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("speech").join(name);
    let mut reader = Reader::new(std::fs::File::open(path).expect("the file is there")).expect("it is a WAV");
    let mut samples = vec![0; reader.samples() as usize];
    reader.read(&mut samples).expect("it is whole");
    samples
}

fn level_dbov(frame: &[i16]) -> f64 {
    let power = frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / frame.len() as f64;
    10.0 * (power / 32_768.0_f64.powi(2)).log10()
}

/// Adds white noise of a level.
fn with_noise(samples: &[i16], level_dbov: f64) -> Vec<i16> {
    let mut rng = Rng::from_number(1);
    let amplitude = 32_768.0 * 10_f64.powf(level_dbov / 20.0) * 3.0_f64.sqrt();
    samples.iter().map(|s| s.saturating_add(((2.0 * rng.fraction() - 1.0) * amplitude) as i16)).collect()
}

#[test]
fn speech_passes_silence_compression_and_pauses_do_not() {
    for name in ["lib0870.wav", "lib0920.wav"] {
        let spoken = speech(name);
        let pause = vec![0; FRAME * 400];
        let near = [pause.as_slice(), &spoken, &pause].concat();
        for noise in [-65.0, -55.0, -48.0] {
            let mut dtx = Dtx::new(8000);
            let (mut loud, mut cut, mut sent, mut told) = (0, 0, 0, 0);
            let heard = with_noise(&near, noise);
            let frames = near.chunks_exact(FRAME).zip(heard.chunks_exact(FRAME));
            let count = frames.len();
            for (clean, frame) in frames {
                let due = dtx.frame(frame);
                sent += usize::from(due == Due::Speech);
                told += usize::from(matches!(due, Due::Noise(_)));
                // What stands out of the noise is heard.
                if level_dbov(clean) > noise + 6.0 {
                    loud += 1;
                    cut += usize::from(due != Due::Speech);
                }
            }
            let _ = writeln!(
                std::io::stdout(),
                "{name} in noise at {noise} dBov: {cut} of {loud} frames of speech cut; of {count} frames {sent} sent \
                 as speech, {told} as noise"
            );
            assert_eq!(cut, 0, "{name}, {noise} dBov");
            assert!(sent < loud + 300, "{name}, {noise} dBov: {sent} of {count} frames sent");
        }
    }
}
