//! Which numbers came already, and which number a packet has whose upper bits are not in it.
//!
//! RFC 3711 sections 3.3.1 and 3.3.2.

/// How far back a packet may come late: RFC 3711's least, which is 1.3 s of a voice.
const BACK: u64 = 64;

/// The numbers that were taken from one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    top: u64,
    /// Bit n: the number n below the top came.
    seen: u64,
}

impl Window {
    /// The first was this.
    pub(super) const fn new(first: u64) -> Self {
        Self { top: first, seen: 1 }
    }

    /// The highest that was taken.
    pub(super) const fn top(self) -> u64 {
        self.top
    }

    /// Whether it came already, or is too old to say.
    pub(super) const fn has(self, number: u64) -> bool {
        match self.top.checked_sub(number) {
            None => false,
            Some(back) => back >= BACK || self.seen >> back & 1 == 1,
        }
    }

    /// It came, and is authentic.
    pub(super) fn take(&mut self, number: u64) {
        match self.top.checked_sub(number) {
            None => {
                let ahead = number - self.top;
                self.seen = if ahead < BACK { self.seen << ahead | 1 } else { 1 };
                self.top = number;
            }
            Some(back) if back < BACK => self.seen |= 1 << back,
            Some(_) => {}
        }
    }
}

/// The number of 48 bits of a packet, by the highest that came before it: that nearest to it. `None`: before the first.
pub(super) fn nearest(top: u64, sequence: u16) -> Option<u64> {
    let (round, last) = (top >> 16, top as u16);
    let round = match i32::from(sequence) - i32::from(last) {
        32_769.. => round.checked_sub(1)?,
        ..=-32_769 => round + 1,
        _ => round,
    };
    u32::try_from(round).is_ok().then_some(round << 16 | u64::from(sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_once_and_in_any_near_order() {
        let mut window = Window::new(100);
        for number in [101, 99, 103, 164, 102] {
            assert!(!window.has(number), "{number}");
            window.take(number);
            assert!(window.has(number), "{number}");
        }
        assert!(!window.has(104));
    }

    #[test]
    fn what_is_older_than_the_window_is_refused_and_a_leap_forgets_it() {
        let mut window = Window::new(1000);
        assert!(!window.has(1000 - 63) && window.has(1000 - 64));
        window.take(10_000);
        assert!(window.has(1000) && !window.has(9999) && window.has(10_000));
        window.take(10_063);
        assert!(window.has(10_000) && window.top() == 10_063);
    }

    #[test]
    fn the_rollover_is_guessed_across_its_edge_both_ways() {
        assert_eq!(nearest(0xffff, 0), Some(0x1_0000));
        assert_eq!(nearest(0x1_0000, 0xffff), Some(0xffff));
        assert_eq!(nearest(5, 0xffff), None);
        assert_eq!(nearest(0x2_8000, 0x7fff), Some(0x2_7fff));
        assert_eq!(nearest(0xffff_ffff_ffff, 3), None, "the key is spent");
    }
}
