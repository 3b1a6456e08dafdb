//! Did what was said arrive? Finds a recording's place in the looped clip that was played, and compares.
//!
//! Normalised correlation, second by second: G.711 leaves it above 0.99, another voice or noise near 0. A lost
//! packet costs its second a little, a jump in the playout costs one second and is found again.

/// Samples a second.
const RATE: usize = 8000;
/// For the first, coarse search: every so many samples averaged to one.
const COARSE: usize = 4;
/// Two signals that correlate at least so well are the same speech.
const SAME: f64 = 0.9;
/// The mean magnitude below which a second says nothing.
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

/// Compares a recording with the clip that was played round and round.
pub(crate) fn compare(recording: &[i16], clip: &[i16]) -> Heard {
    let first = recording.iter().position(|s| s.unsigned_abs() > QUIET as u16).unwrap_or(recording.len());
    let mut heard = Heard { seconds: 0, matching: 0 };
    if clip.len() < RATE {
        return heard;
    }
    // Once round and a second more, so that a second may begin anywhere.
    let looped: Vec<i16> = clip.iter().chain(&clip[..RATE]).copied().collect();
    let coarse_clip = thinned(&looped);
    // Where in the clip the next second should begin.
    let mut expected = None;
    for second in recording[first..].chunks_exact(RATE) {
        if second.iter().map(|s| i64::from(s.unsigned_abs())).sum::<i64>() < QUIET * RATE as i64 {
            continue;
        }
        heard.seconds += 1;
        let straight = expected.filter(|at: &usize| correlation(second, &looped[*at..]) >= SAME);
        let at = straight.or_else(|| find(second, &looped, &coarse_clip));
        heard.matching += usize::from(at.is_some());
        expected = at.map(|at| (at + RATE) % clip.len());
    }
    heard
}

/// Where in the clip this second begins.
fn find(second: &[i16], looped: &[i16], coarse_clip: &[i16]) -> Option<usize> {
    let coarse = thinned(second);
    let places = 0..=coarse_clip.len() - coarse.len();
    let best = places
        .map(|at| (at, correlation(&coarse, &coarse_clip[at..])))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(at, _)| at * COARSE)?;
    let near = best.saturating_sub(COARSE)..=(best + COARSE).min(looped.len() - second.len());
    near.map(|at| (at, correlation(second, &looped[at..])))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .filter(|(_, correlation)| *correlation >= SAME)
        .map(|(at, _)| at)
}

fn thinned(samples: &[i16]) -> Vec<i16> {
    samples
        .chunks_exact(COARSE)
        .map(|c| (c.iter().map(|s| i32::from(*s)).sum::<i32>() / COARSE as i32) as i16)
        .collect()
}

/// -1.0..=1.0, over the length of `a`; 0 when either is silent.
fn correlation(a: &[i16], b: &[i16]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0i64, 0i64, 0i64);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (i64::from(*x), i64::from(*y));
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let power = (aa as f64 * bb as f64).sqrt();
    if power == 0.0 { 0.0 } else { ab as f64 / power }
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
            let heard = compare(&recording(&clip, from, 6), &clip);
            assert!(heard.matching == heard.seconds && heard.is_clip(6), "{heard:?}");
        }
    }

    #[test]
    fn another_voice_silence_and_noise_are_not_the_clip() {
        let (ann, bob) = (speech::ann(), speech::bob());
        assert_eq!(compare(&recording(&bob, 0, 6), &ann).matching, 0);
        assert!(!compare(&vec![0; 48_000], &ann).is_clip(6));
        let mut rng = base::Rng::from_number(1);
        let noise: Vec<i16> = (0..48_000).map(|_| rng.bits() as i16 / 8).collect();
        assert!(!compare(&noise, &ann).is_clip(6));
    }

    #[test]
    fn half_the_talk_is_not_all_of_it() {
        let clip = speech::ann();
        assert!(!compare(&recording(&clip, 0, 3), &clip).is_clip(8));
    }

    #[test]
    fn a_jump_in_the_playout_is_found_again() {
        let clip = speech::ann();
        let mut jumping = recording(&clip, 0, 10);
        jumping.drain(40_000..44_000);
        let heard = compare(&jumping, &clip);
        assert!(heard.is_clip(10) && heard.matching < heard.seconds, "{heard:?}");
    }
}
