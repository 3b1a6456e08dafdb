//! What those in a conference hear of each other: in each tick all have been heard before any is answered.
//!
//! The mixer of RFC 4353 section 4.3. Each hears the sum without its own voice, cut to what a sample can hold. Knows no
//! streams.

use crate::audio::{FRAME, Frame};

/// The voices of one tick.
#[derive(Debug)]
pub(super) struct Mix {
    /// Wider than a sample: it is cut only once it is known who hears it.
    sum: [i32; FRAME],
}

impl Mix {
    pub(super) const fn new() -> Self {
        Self { sum: [0; FRAME] }
    }

    /// Another tick.
    pub(super) fn clear(&mut self) {
        self.sum.fill(0);
    }

    /// One more voice.
    pub(super) fn add(&mut self, voice: &Frame) {
        for (sum, sample) in self.sum.iter_mut().zip(voice) {
            *sum += i32::from(*sample);
        }
    }

    /// Lays all voices but `own`, which was added, over what is said.
    pub(super) fn lay_over(&self, said: &mut Frame, own: &Frame) {
        for ((said, sum), own) in said.iter_mut().zip(&self.sum).zip(own) {
            let all = i32::from(*said) + sum - i32::from(*own);
            *said = all.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hears_the_others_and_never_itself_and_loud_voices_do_not_wrap() {
        let voices = [[1000; FRAME], [-30_000; FRAME], [-20_000; FRAME]];
        let mut mix = Mix::new();
        for voice in &voices {
            mix.add(voice);
        }
        let heard = voices.map(|own| {
            let mut said = [7; FRAME];
            mix.lay_over(&mut said, &own);
            said
        });
        assert_eq!(heard, [[i16::MIN; FRAME], [-18_993; FRAME], [-28_993; FRAME]]);
        mix.clear();
        let mut said = [7; FRAME];
        mix.lay_over(&mut said, &[0; FRAME]);
        assert_eq!(said, [7; FRAME]);
    }
}
