//! Noise that is heard as it was, and speech that is never taken for it. RFC 3389.

use base::Rng;

use super::*;

/// White noise of a level through one pole: `k` below 0 leaves low frequencies.
fn hiss(rng: &mut Rng, level_dbov: f32, k: f32, count: usize) -> Vec<i16> {
    let amplitude = (FULL * 10_f32.powf(level_dbov / 10.0) * 3.0 * (1.0 - k * k)).sqrt();
    let mut last = 0.0;
    (0..count)
        .map(|_| {
            last = (2.0 * rng.fraction() as f32 - 1.0) * amplitude - k * last;
            last as i16
        })
        .collect()
}

/// Syllables at 4 Hz: a buzz that swells and fades, of this level where it is loudest.
fn syllables(level_dbov: f32, rate: usize, count: usize) -> Vec<i16> {
    let amplitude = (FULL * 10_f32.powf(level_dbov / 10.0) * 3.0).sqrt();
    (0..count)
        .map(|n| {
            let buzz = (n % (rate / 125)) as f32 / (rate / 125) as f32 * 2.0 - 1.0;
            let swell = (n as f32 * std::f32::consts::PI * 4.0 / rate as f32).sin().powi(2);
            (buzz * swell * amplitude) as i16
        })
        .collect()
}

fn measured(samples: &[i16]) -> f32 {
    level_dbov(samples.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / samples.len() as f32)
}

/// The first normalised autocorrelation, of which the first reflection coefficient is the negative.
fn neighbours(samples: &[i16]) -> f32 {
    let product = |lag: usize| -> f32 {
        samples[lag..].iter().zip(samples).map(|(a, b)| f32::from(*a) * f32::from(*b)).sum()
    };
    product(1) / product(0)
}

fn generated(noise: &Noise, rate: u32, count: usize) -> Vec<i16> {
    let mut generator = Generator::new(rate, Rng::from_number(7));
    let mut out = vec![0; count];
    generator.set(noise);
    out.chunks_mut(rate as usize / 50).for_each(|frame| generator.fill(frame));
    out
}

#[test]
fn a_payload_of_any_length_reads_and_an_empty_one_is_bad() {
    assert_eq!(Noise::read(&[]), Err(BadPayload));
    let level_only = Noise::read(&[60 + 128]).unwrap();
    assert!((level_only.level_dbov() + 60.0).abs() < 1e-6, "the highest bit means nothing");
    assert_eq!(level_only, Noise::white(-60.0));

    let long = [[40; 1].as_slice(), &[100; 200]].concat();
    let mut written = Vec::new();
    Noise::read(&long).unwrap().write(&mut written);
    assert_eq!(written, long[..=MAX_ORDER]);

    written.clear();
    Noise::read(&[40, 1, 2, 255, 4]).unwrap().write(&mut written);
    assert_eq!(written, [40, 1, 2], "a reserved code ends the model");
}

#[test]
fn coefficients_are_quantised_as_the_rfc_says() {
    // RFC 3389 section 3.2: 258 (N - 127) / 32768.
    let k = Noise::read(&[40, 0, 127, 254, 200]).unwrap().reflections();
    assert_eq!(k[..4], [-32_766.0, 0.0, 32_766.0, 18_834.0].map(|k| k / 32_768.0));
    let noise = Noise::with_spectrum(-40.0, &[-1.0, 0.001, 1.0, 0.575]);
    assert_eq!(noise, Noise::read(&[40, 0, 127, 254, 200]).unwrap());
}

#[test]
fn noise_has_the_level_and_the_tilt_that_were_told() {
    for rate in [8000, 16_000] {
        for level in [-20.0, -45.0, -60.0] {
            for k in [-0.9, 0.0, 0.6] {
                let samples = generated(&Noise::with_spectrum(level, &[k]), rate, rate as usize * 4);
                let got = (measured(&samples), neighbours(&samples));
                assert!((got.0 - level).abs() < 0.5 && (got.1 + k).abs() < 0.05, "{level} {k}: {got:?}");
            }
        }
    }
}

#[test]
fn levels_glide_and_do_not_jump() {
    let mut generator = Generator::new(8000, Rng::from_number(1));
    let mut frame = [1; 80];
    generator.fill(&mut frame);
    assert_eq!(frame, [0; 80], "nothing was told");
    generator.set(&Noise::white(-30.0));
    generator.fill(&mut frame);
    assert!((measured(&frame) + 30.0).abs() < 2.0, "the first at once");
    generator.set(&Noise::white(-60.0));
    let mut levels = Vec::new();
    for _ in 0..40 {
        generator.fill(&mut frame);
        levels.push(measured(&frame));
    }
    assert!(levels[0] > -36.0 && levels[3] > -48.0 && levels[39] < -57.0, "{levels:?}");
    generator.pause();
    generator.set(&Noise::white(-30.0));
    generator.fill(&mut frame);
    assert!((measured(&frame) + 30.0).abs() < 2.0, "after speech at once again");
}

#[test]
fn the_steepest_models_and_changes_between_them_stay_within_reach() {
    let mut generator = Generator::new(8000, Rng::from_number(2));
    let mut rng = Rng::from_number(3);
    let mut out = vec![0; 160];
    for _ in 0..3000 {
        let mut payload = [60; 1 + MAX_ORDER];
        for code in &mut payload[1..] {
            *code = if rng.below(2) == 0 { 0 } else { 254 };
        }
        generator.set(&Noise::read(&payload).unwrap());
        generator.fill(&mut out);
        assert!(measured(&out) < -30.0, "{}", measured(&out));
    }
}

#[test]
fn an_analysed_background_is_generated_alike() {
    let mut rng = Rng::from_number(4);
    for (level, k) in [(-45.0, -0.8), (-55.0, 0.0), (-50.0, 0.5)] {
        let background = hiss(&mut rng, level, k, 160 * 50);
        let mut analyser = Analyser::default();
        background.chunks(160).for_each(|frame| analyser.feed(frame));
        let noise = analyser.noise();
        let again = generated(&noise, 8000, 32_000);
        let (there, here) = (measured(&background), measured(&again));
        assert!((there - here).abs() < 1.5, "{there} {here}");
        assert!((neighbours(&background) - neighbours(&again)).abs() < 0.1);
        analyser.forget();
        assert_eq!(analyser.noise(), Noise::white(-127.0));
    }
}

#[test]
fn digital_silence_and_a_constant_are_background_without_a_spectrum() {
    for value in [0, 5000, i16::MIN] {
        let mut analyser = Analyser::default();
        let mut vad = Vad::new(8000);
        let mut speech = true;
        for _ in 0..100 {
            analyser.feed(&[value; 160]);
            speech = vad.is_speech(&[value; 160]);
        }
        assert_eq!(analyser.noise(), Noise::white(-127.0), "{value}");
        assert!(!speech, "{value}");
    }
}

/// Which frames of 20 ms are speech.
fn decided(samples: &[i16], rate: u32) -> Vec<bool> {
    let mut vad = Vad::new(rate);
    samples.chunks_exact(rate as usize / 50).map(|frame| vad.is_speech(frame)).collect()
}

#[test]
fn steady_background_is_told_from_speech_at_any_level_and_colour() {
    let mut rng = Rng::from_number(5);
    for rate in [8000, 16_000] {
        for level in [-45.0, -55.0, -65.0, -90.0] {
            for k in [-0.9, 0.0] {
                let noise = hiss(&mut rng, level, k, rate as usize * 10);
                let speech = decided(&noise, rate);
                let wrong = speech[100..].iter().filter(|s| **s).count();
                assert!(
                    wrong * 10 < speech.len(),
                    "{rate} Hz, {level} dBov, {k}: {wrong} of {}",
                    speech.len()
                );
            }
        }
    }
}

#[test]
fn not_a_syllable_is_lost_in_noise_twelve_decibels_below() {
    let mut rng = Rng::from_number(6);
    for (level, noise) in [(-26.0, -45.0), (-38.0, -50.0), (-45.0, -57.0)] {
        let talk = syllables(level, 8000, 8000 * 3);
        let silence = vec![0; 8000 * 3];
        let near = [silence.as_slice(), &talk, &silence, &talk].concat();
        let mixed: Vec<i16> = near
            .iter()
            .zip(hiss(&mut rng, noise, -0.5, near.len()))
            .map(|(a, b)| a.saturating_add(b))
            .collect();
        let speech = decided(&mixed, 8000);
        for (n, frame) in near.chunks_exact(160).enumerate() {
            assert!(speech[n] || measured(frame) < level - 6.0, "{level}: frame {n} was cut");
        }
        let pause = &speech[6 * 50 + 25..9 * 50];
        let sent = pause.iter().filter(|s| **s).count();
        assert!(sent * 3 < pause.len(), "{level}: {sent} of {} frames of a pause were sent", pause.len());
    }
}

#[test]
fn what_is_loud_is_sent_however_steady_it_is() {
    let tone: Vec<i16> = (0..80_000).map(|n| ((n as f32 * 0.345).sin() * 1000.0) as i16).collect();
    assert!(decided(&tone, 8000).iter().all(|speech| *speech));
}

#[test]
fn a_background_is_told_when_it_begins_when_it_changes_and_once_a_second() {
    let mut rng = Rng::from_number(8);
    let (louder, quiet) = (hiss(&mut rng, -55.0, -0.5, 8000 * 4), hiss(&mut rng, -60.0, -0.5, 8000 * 4));
    let talk: Vec<i16> = syllables(-26.0, 8000, 8000).iter().zip(&louder).map(|(a, b)| a + b).collect();
    let all = [louder.as_slice(), &talk, &louder, &quiet].concat();
    let mut dtx = Dtx::new(8000);
    let due: Vec<Due> = all.chunks_exact(160).map(|frame| dtx.frame(frame)).collect();
    assert!(due[202..250].iter().all(|due| *due == Due::Speech), "while one speaks");
    assert!(due[265..].iter().all(|due| *due != Due::Speech), "nobody speaks any more");
    let told = due.iter().enumerate().skip(250).filter_map(|(n, due)| match due {
        Due::Noise(noise) => Some((n, noise.level_dbov())),
        Due::Speech | Due::Nothing => None,
    });
    let told: Vec<(usize, f32)> = told.collect();
    assert!(told[0].0 < 265 && (told[0].1 + 55.0).abs() < 2.0, "{told:?}");
    assert!(told.iter().any(|(n, level)| (450..500).contains(n) && *level < -58.0), "{told:?}");
    assert!((told.last().unwrap().1 + 60.0).abs() < 2.0, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 50) && told.len() < 12, "{told:?}");
}
