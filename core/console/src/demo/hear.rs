//! Did what was said arrive? Finds a recording's place in the looped clip that was played, and compares.
//!
//! Not samples, which no codec but G.711 keeps, but how loud it is in a few bands from moment to moment: the same words in
//! the same voice leave the correlation above 0.9 through any codec, another voice or noise near 0. A lost packet or a
//! stretched pause costs its second a little, a jump in the playout costs one second and is found again.

/// Samples a second: of a wider band only what the clip holds is compared.
pub(crate) const RATE: usize = 8000;
/// Samples from one look at the loudness to the next: 5 ms.
const HOP: usize = 40;
/// Samples that a look takes in: 20 ms.
const LOOK: usize = 160;
/// Looks from the beginning of one second to that of the next.
const SECOND: usize = RATE / HOP;
/// Upper edges of the bands below the last, Hz.
const EDGES: [f32; 3] = [500.0, 1200.0, 2200.0];
const BANDS: usize = EDGES.len() + 1;
/// Two seconds that correlate at least so well are the same speech.
const SAME: f32 = 0.85;
/// The mean magnitude below which a second says nothing; as quiet, a band says nothing either.
const QUIET: i64 = 20;

/// What was found in a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heard {
    /// Whole seconds of sound.
    pub(crate) seconds: usize,
    /// How many of them are the clip.
    pub(crate) matching: usize,
}

impl Heard {
    /// Whether somebody who listened would say that it was the clip: nearly all of `talk` seconds, nearly all of it.
    pub(crate) fn is_clip(self, talk: u64) -> bool {
        // The first packets wait for the answer, the last for the hang-up.
        let expected = (talk as usize).saturating_sub(1).max(1);
        self.seconds * 10 >= expected * 8 && self.matching * 10 >= self.seconds * 8
    }
}

/// Compares the first so many seconds of a recording with the clip that was played round and round.
pub(crate) fn compare(recording: &[i16], clip: &[i16], seconds: u64) -> Heard {
    let first = recording.iter().position(|s| s.unsigned_abs() > QUIET as u16).unwrap_or(recording.len());
    let mut heard = Heard { seconds: 0, matching: 0 };
    if clip.len() < RATE {
        return heard;
    }
    // Once round and a second more, so that a second may begin anywhere.
    let looped: Vec<i16> = clip.iter().chain(&clip[..RATE]).copied().collect();
    let clip_looks = looks(&looped);
    let once_round = clip_looks.len() - SECOND;
    // Where in the clip the next second should begin.
    let mut expected = None;
    for second in recording[first..].chunks_exact(RATE).take(seconds as usize) {
        if second.iter().map(|s| i64::from(s.unsigned_abs())).sum::<i64>() < QUIET * RATE as i64 {
            continue;
        }
        heard.seconds += 1;
        let said = looks(second);
        let same = |at: usize| correlation(&said, &clip_looks[at..]);
        let straight = expected.filter(|at| same(*at) >= SAME);
        let best = || (0..once_round).map(|at| (at, same(at))).max_by(|(_, a), (_, b)| a.total_cmp(b));
        let at = straight.or_else(|| best().filter(|(_, best)| *best >= SAME).map(|(at, _)| at));
        heard.matching += usize::from(at.is_some());
        expected = at.map(|at| (at + SECOND) % once_round);
    }
    heard
}

/// How loud it is in each band, look by look, as the ear counts: in logarithms.
fn looks(samples: &[i16]) -> Vec<[f32; BANDS]> {
    let mut lows = [0.0_f32; EDGES.len()];
    let weights = EDGES.map(|edge| 1.0 - (-std::f32::consts::TAU * edge / RATE as f32).exp());
    let powers: Vec<[f32; BANDS]> = samples
        .iter()
        .map(|sample| {
            let sample = f32::from(*sample);
            for (low, weight) in lows.iter_mut().zip(weights) {
                *low += weight * (sample - *low);
            }
            let [a, b, c] = lows;
            [a, b - a, c - b, sample - c].map(|band| band * band)
        })
        .collect();
    let floor = (QUIET * QUIET) as f32;
    powers
        .windows(LOOK)
        .step_by(HOP)
        .map(|look| {
            std::array::from_fn(|band| (look.iter().map(|p| p[band]).sum::<f32>() / LOOK as f32 + floor).ln())
        })
        .collect()
}

/// -1.0..=1.0, over the length of `a`, each band about its own mean; 0 when either does not change.
fn correlation(a: &[[f32; BANDS]], b: &[[f32; BANDS]]) -> f32 {
    let b = &b[..a.len()];
    let mean = |of: &[[f32; BANDS]], band: usize| of.iter().map(|l| l[band]).sum::<f32>() / of.len() as f32;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for band in 0..BANDS {
        let (a_mean, b_mean) = (mean(a, band), mean(b, band));
        for (x, y) in a.iter().zip(b) {
            let (x, y) = (x[band] - a_mean, y[band] - b_mean);
            ab += x * y;
            aa += x * x;
            bb += y * y;
        }
    }
    let power = (aa * bb).sqrt();
    if power == 0.0 { 0.0 } else { ab / power }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::speech;

    /// What a listener's file holds: waiting, then the clip from somewhere, through G.711.
    fn recording(clip: &[i16], from: usize, seconds: usize) -> Vec<i16> {
        let played = clip.iter().cycle().skip(from).take(seconds * RATE);
        let coded = played.map(|s| media::g711::from_mu_law(media::g711::mu_law(*s)));
        std::iter::repeat_n(0, 3333).chain(coded).collect()
    }

    #[test]
    fn the_clip_is_found_wherever_it_begins() {
        let clip = speech::ann();
        for from in [0, 4321, 29_999] {
            let heard = compare(&recording(&clip, from, 6), &clip, 60);
            assert!(heard.matching == heard.seconds && heard.is_clip(6), "{heard:?}");
        }
    }

    #[test]
    fn words_that_went_through_a_model_of_the_voice_are_the_same_words() {
        for clip in [speech::ann(), speech::bob()] {
            let (mut encoder, mut decoder) =
                (media::Codec::G729.encoder(false), media::Codec::G729.decoder());
            let (mut coded, mut payload) = (Vec::new(), Vec::new());
            for piece in recording(&clip, 777, 6).chunks_exact(160) {
                let mut room = [0; 160];
                payload.clear();
                encoder.encode(piece, &mut payload);
                decoder.decode(&payload, &mut room);
                coded.extend(room);
            }
            let heard = compare(&coded, &clip, 60);
            assert!(heard.matching == heard.seconds && heard.is_clip(6), "{heard:?}");
        }
    }

    #[test]
    fn another_voice_silence_and_noise_are_not_the_clip() {
        let (ann, bob) = (speech::ann(), speech::bob());
        assert_eq!(compare(&recording(&bob, 0, 6), &ann, 60).matching, 0);
        assert!(!compare(&vec![0; 48_000], &ann, 60).is_clip(6));
        let mut rng = base::Rng::from_number(1);
        let noise: Vec<i16> = (0..48_000).map(|_| rng.bits() as i16 / 8).collect();
        assert!(!compare(&noise, &ann, 60).is_clip(6));
    }

    #[test]
    fn half_the_talk_is_not_all_of_it() {
        let clip = speech::ann();
        assert!(!compare(&recording(&clip, 0, 3), &clip, 60).is_clip(8));
    }

    #[test]
    fn a_jump_in_the_playout_is_found_again() {
        let clip = speech::ann();
        let mut jumping = recording(&clip, 0, 10);
        jumping.drain(40_000..44_000);
        let heard = compare(&jumping, &clip, 60);
        assert!(heard.is_clip(10) && heard.matching < heard.seconds, "{heard:?}");
    }
}
