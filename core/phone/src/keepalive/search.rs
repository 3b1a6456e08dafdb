//! The search for the longest silence that a mapping outlives.
//!
//! ```text
//!   28 s --held--> x 1.5 --held--> x 1.5 ... --broke--> between what held and what broke ... --near--> settled:
//!                                                                                              a margin below what held
//! ```
//! The last steps are small (a thirty-second of the time, at least a second), and so is the margin: each is that much of every
//! wake for as long as the network is used, while a step more is one break, and a short one, once. What holds so narrowly is
//! proven by [`PROVEN`] more silences before it is relied on: a router that counts in tens of seconds breaks one of them.
//!
//! A break may have been an accident (a router that restarted), and a router may be another one tomorrow: after
//! [`TRUSTED`] silences that held, what broke is tried once more; and a silence that breaks though it once held halves what is
//! believed. Knows no clock and no packets.

use std::time::Duration;

use super::Lifetime;

/// No network that works keeps less.
const SHORTEST: Duration = Duration::from_secs(10);
/// What held and what broke are near enough, and what held is far enough from what breaks: a part of the time, or this. Wider
/// than what a timer and a round trip add to a silence.
const NEAR: Duration = Duration::from_secs(1);
const PARTS: u32 = 32;
/// Silences in a row that must hold before one is relied on.
const PROVEN: u32 = 8;
/// Silences in a row after which an old break is doubted.
const TRUSTED: u32 = 500;

/// One network's datagrams or connections.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    known: Lifetime,
    /// The first silence tried.
    first: Duration,
    /// Silences that held in a row, since it is settled.
    in_a_row: u32,
    /// What broke is tried once more.
    doubts: bool,
}

impl Search {
    pub(crate) const fn new(first: Duration, known: Lifetime) -> Self {
        Self { known, first, in_a_row: 0, doubts: false }
    }

    pub(crate) const fn known(&self) -> Lifetime {
        self.known
    }

    /// Something was found out before: it stands where nothing else is known.
    pub(crate) fn told(&mut self, lifetime: Lifetime) {
        if self.known == Lifetime::default() {
            self.known = lifetime;
        }
    }

    /// How long to be silent now; `most` is when something is sent anyway.
    pub(crate) fn silence(&self, most: Duration) -> Duration {
        let Lifetime { held, broke } = self.known;
        if held >= most {
            return most;
        }
        if let (true, Some(broke)) = (self.doubts, broke) {
            return broke.min(most);
        }
        if self.is_settled(most) {
            return held.saturating_sub(margin(held)).max(SHORTEST).min(most);
        }
        let further = (held * 3 / 2).max(if broke.is_none() { self.first } else { SHORTEST });
        let between = broke.map_or(further, |broke| (held + broke) / 2);
        further.min(between).max(SHORTEST).min(most)
    }

    /// Whether there is nothing more to find out below `most`.
    pub(crate) fn is_settled(&self, most: Duration) -> bool {
        let Lifetime { held, broke } = self.known;
        let near = |broke: Duration| broke <= SHORTEST || broke.saturating_sub(held) <= margin(held);
        held >= most || !self.doubts && broke.is_some_and(near)
    }

    /// Whether one that may last so long can be relied on, without looking what became of it.
    pub(crate) fn is_reliable(&self, most: Duration) -> bool {
        self.is_settled(most) && (self.known.held >= most || self.in_a_row >= PROVEN)
    }

    /// A silence was outlived. Says whether that is news.
    pub(crate) fn held(&mut self, silence: Duration) -> bool {
        let before = self.known;
        self.known.held = self.known.held.max(silence);
        if self.known.broke.is_some_and(|broke| broke <= silence) {
            self.known.broke = None;
            self.doubts = false;
        }
        self.in_a_row += 1;
        if self.in_a_row >= TRUSTED {
            self.doubts = self.known.broke.is_some();
            self.in_a_row = 0;
        }
        self.known != before
    }

    /// A silence was not outlived. Says whether that is news.
    pub(crate) fn broke(&mut self, silence: Duration) -> bool {
        let before = self.known;
        self.in_a_row = 0;
        self.doubts = false;
        if silence <= self.known.held {
            self.known.held = silence / 2;
        }
        self.known.broke = Some(self.known.broke.map_or(silence, |broke| broke.min(silence)));
        self.known != before
    }
}

fn margin(held: Duration) -> Duration {
    NEAR.max(held / PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(28);
    const MOST: Duration = Duration::from_secs(900);

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Searches against a router that keeps mappings for `lifetime`. Says what it came to, after how many silences, and
    /// how many of them broke.
    fn search(lifetime: Duration) -> (Duration, u32, u32) {
        let mut search = Search::new(FIRST, Lifetime::default());
        let (mut tries, mut breaks) = (0, 0);
        while !search.is_settled(MOST) {
            let silence = search.silence(MOST);
            tries += 1;
            if silence < lifetime {
                search.held(silence);
            } else {
                breaks += 1;
                search.broke(silence);
            }
            assert!(tries < 50, "no end: {search:?}");
        }
        (search.silence(MOST), tries, breaks)
    }

    #[test]
    fn every_routers_time_is_found_with_a_margin_and_few_breaks() {
        for lifetime in [20, 29, 30, 45, 60, 100, 120, 180, 300, 600, 899] {
            let lifetime = secs(lifetime);
            let (found, tries, breaks) = search(lifetime);
            assert!(
                found < lifetime && (found >= lifetime * 14 / 15 || found == SHORTEST),
                "{lifetime:?}: {found:?}"
            );
            assert!(tries <= 16 && breaks <= 7, "{lifetime:?}: {tries} tries, {breaks} breaks");
        }
        assert_eq!(search(secs(7200)).0, MOST, "what never breaks is not sought beyond use");
    }

    #[test]
    fn a_break_of_what_held_halves_what_is_believed_and_the_search_goes_on() {
        let mut search = Search::new(FIRST, Lifetime { held: secs(100), broke: Some(secs(103)) });
        let settled = search.silence(MOST);
        assert!(settled < secs(97) && settled > secs(96), "{settled:?}");
        assert!(search.broke(settled));
        assert!(search.silence(MOST) < settled && !search.is_settled(MOST));
    }

    #[test]
    fn an_old_break_is_doubted_after_long() {
        let mut search = Search::new(FIRST, Lifetime { held: secs(32), broke: Some(secs(33)) });
        let known = search.known();
        for _ in 0..TRUSTED {
            assert!(search.is_settled(MOST));
            search.held(secs(31));
            assert!(search.is_reliable(MOST) || search.in_a_row < PROVEN);
        }
        assert_eq!((search.silence(MOST), search.is_settled(MOST)), (secs(33), false));
        let mut rightly = search.clone();
        rightly.broke(secs(33));
        assert_eq!((rightly.known(), rightly.is_settled(MOST)), (known, true));
        search.held(secs(33));
        assert!(search.silence(MOST) > secs(33));
    }

    #[test]
    fn nothing_makes_it_silent_for_less_than_ten_seconds() {
        let mut search = Search::new(FIRST, Lifetime::default());
        for _ in 0..20 {
            search.broke(secs(1));
        }
        assert_eq!(search.silence(MOST), SHORTEST);
        assert!(search.is_settled(MOST));
    }
}
