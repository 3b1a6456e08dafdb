//! Digits that are heard in the other side's voice, whatever rate their codec has.
//!
//! For who tells of no telephone events (RFC 4733 section 2.1 leaves tones to the audio then). Knows no packets.

use std::collections::VecDeque;

use crate::dtmf::{Detector, Digit};
use crate::resample::Decimator;

/// Digits that may wait: more than anybody presses before they are fetched.
const MOST: usize = 64;

#[derive(Debug)]
pub(super) struct Listener {
    detector: Detector,
    from_wide: Decimator,
    waiting: VecDeque<Digit>,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            detector: Detector::default(),
            from_wide: Decimator::new(16_000, 8_000).expect("two whole factors of one rate"),
            waiting: VecDeque::with_capacity(MOST),
        }
    }
}

impl Listener {
    /// Takes samples at 8 or 16 kHz.
    pub(super) fn hear(&mut self, samples: &[i16], rate: u32) {
        let Self { detector, from_wide, waiting } = self;
        let mut found = |digit| {
            if waiting.len() < MOST {
                waiting.push_back(digit);
            }
        };
        if rate == 8_000 {
            detector.feed(samples, &mut found);
        } else {
            for sample in samples.iter().filter_map(|sample| from_wide.feed(*sample)) {
                detector.feed(&[sample], &mut found);
            }
        }
    }

    pub(super) fn poll(&mut self) -> Option<Digit> {
        self.waiting.pop_front()
    }
}
