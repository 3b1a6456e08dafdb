//! What happens to a packet on its way.
//!
//! Knows nothing of what is in it, nor of who sends it.

use std::time::Duration;

use base::{Instant, Rng};

/// How long a stream's sender waits before it repeats a segment, at first. RFC 6298 section 2.4 says 1 s, kernels 200 ms.
const RTO: Duration = Duration::from_millis(200);

/// One direction between two nodes. Fractions are within 0.0..=1.0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The shortest time on the way.
    pub delay: Duration,
    /// Up to this much is added to each packet's, evenly. More than the packets are apart reorders them.
    pub jitter: Duration,
    /// How many packets are lost.
    pub loss: f64,
    /// How many arrive twice, each on a way of its own.
    pub duplicate: f64,
    /// How many are overtaken: they take three times as long, and 20 ms.
    pub reorder: f64,
    /// Nothing gets through; a stream's bytes wait.
    pub cut: bool,
}

impl Default for Link {
    /// 5 ms and nothing bad.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(5),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            cut: false,
        }
    }
}

impl Link {
    /// A link that loses this fraction, with 20 ms of delay and as much jitter.
    pub fn lossy(loss: f64) -> Self {
        Self { delay: Duration::from_millis(20), jitter: Duration::from_millis(20), loss, ..Self::default() }
    }

    /// A link that does all of it: loses a twentieth, doubles a tenth, reorders a fifth.
    pub fn wild() -> Self {
        Self { duplicate: 0.1, reorder: 0.2, ..Self::lossy(0.05) }
    }

    /// When a datagram sent now arrives: never, once, or twice.
    pub(crate) fn datagram(&self, now: Instant, rng: &mut Rng) -> Vec<Instant> {
        if self.cut || rng.fraction() < self.loss {
            return Vec::new();
        }
        let copies = if rng.fraction() < self.duplicate { 2 } else { 1 };
        (0..copies).map(|_| now + self.time_on_the_way(rng)).collect()
    }

    /// When a stream's segment sent now arrives: loss is only delay, each repetition waiting twice as long as the last.
    pub(crate) fn segment(&self, now: Instant, rng: &mut Rng) -> Instant {
        let mut at = now;
        let mut wait = RTO;
        while rng.fraction() < self.loss.min(0.9) {
            at += wait;
            wait *= 2;
        }
        at + self.time_on_the_way(rng)
    }

    /// The same over several links in a row.
    pub(crate) fn datagrams(links: &[Self], now: Instant, rng: &mut Rng) -> Vec<Instant> {
        links
            .iter()
            .fold(vec![now], |times, link| times.into_iter().flat_map(|at| link.datagram(at, rng)).collect())
    }

    /// The same over several links in a row.
    pub(crate) fn segments(links: &[Self], now: Instant, rng: &mut Rng) -> Instant {
        links.iter().fold(now, |at, link| link.segment(at, rng))
    }

    fn time_on_the_way(&self, rng: &mut Rng) -> Duration {
        let way = self.delay + self.jitter.mul_f64(rng.fraction());
        if rng.fraction() < self.reorder { way * 3 + Duration::from_millis(20) } else { way }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(link: Link) -> Vec<Vec<Instant>> {
        let mut rng = Rng::from_number(1);
        (0..1000).map(|ms| link.datagram(Instant::from_millis(ms), &mut rng)).collect()
    }

    #[test]
    fn a_good_link_delivers_each_datagram_once_after_its_delay() {
        let good = arrivals(Link::default());
        assert!((0..1000).all(|ms| good[ms as usize] == [Instant::from_millis(ms + 5)]));
    }

    #[test]
    fn a_bad_link_loses_doubles_and_reorders_about_as_many_as_asked() {
        let wild = arrivals(Link::wild());
        let count = |copies| wild.iter().filter(|a| a.len() == copies).count();
        assert!((30..70).contains(&count(0)) && (70..130).contains(&count(2)), "{} {}", count(0), count(2));
        let first: Vec<Instant> = wild.iter().filter_map(|a| a.first().copied()).collect();
        assert!(first.windows(2).filter(|w| w[1] < w[0]).count() > 100);
    }

    #[test]
    fn loss_on_a_stream_is_only_delay_and_a_cut_link_delivers_no_datagram() {
        let mut rng = Rng::from_number(2);
        let late = (0..200)
            .filter(|_| Link::lossy(0.2).segment(Instant::ZERO, &mut rng) > Instant::from_millis(200));
        assert!((20..60).contains(&late.count()));
        assert!(arrivals(Link { cut: true, ..Link::default() }).iter().all(Vec::is_empty));
    }
}
