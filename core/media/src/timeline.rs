//! How a call went, from its first second to its last: points of bounded number.
//!
//! A point a second for ten minutes; then, whenever there is no more room, two become one and each further one spans twice
//! the time. Counts are added, scores and delays averaged, and of jitter and round trip the worst is kept. Knows no clock.

use std::time::Duration;

use crate::codec::Codec;

/// What happened in one span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Its end, since the session began.
    pub at: Duration,
    /// Estimated quality of what was heard: 1.0..=4.5.
    pub mos: f32,
    /// Packets that were to come, by their numbers.
    pub expected: u32,
    /// Of them never came.
    pub lost: u32,
    /// Of them came after their turn.
    pub late: u32,
    /// Sound that was made up for what was missing.
    pub concealed: Duration,
    /// Interarrival jitter.
    pub jitter: Duration,
    /// By RTCP; `None` while not known.
    pub round_trip: Option<Duration>,
    /// Mouth to ear, estimated.
    pub delay: Duration,
    /// Theirs; `None` while none was heard.
    pub codec: Option<Codec>,
}

impl Point {
    /// The share of the packets that were not played: 0.0..=1.0.
    pub fn loss(&self) -> f32 {
        ((self.lost + self.late) as f32 / self.expected.max(1) as f32).min(1.0)
    }

    /// This one and the next, which spans as much.
    fn and(self, next: Self) -> Self {
        Self {
            at: next.at,
            mos: f32::midpoint(self.mos, next.mos),
            expected: self.expected.saturating_add(next.expected),
            lost: self.lost.saturating_add(next.lost),
            late: self.late.saturating_add(next.late),
            concealed: self.concealed + next.concealed,
            jitter: self.jitter.max(next.jitter),
            round_trip: self.round_trip.max(next.round_trip),
            delay: (self.delay + next.delay) / 2,
            codec: next.codec,
        }
    }
}

/// The points of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    points: Vec<Point>,
    /// Seconds in a point; a power of two.
    span: u32,
    /// What is to become a point, and the seconds in it.
    forming: Option<(Point, u32)>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { points: Vec::with_capacity(Self::MOST), span: 1, forming: None }
    }
}

impl Timeline {
    /// Points at most: ten minutes of seconds. Even, for they are joined in twos.
    pub const MOST: usize = 600;

    /// Takes what happened in the last second.
    pub fn push(&mut self, second: Point) {
        let (point, seconds) = match self.forming.take() {
            None => (second, 1),
            // Halves of halves: the mean is right when as many seconds are on both sides, and near enough else.
            Some((point, seconds)) => {
                let share = 1.0 / (seconds + 1) as f32;
                let mos = point.mos + (second.mos - point.mos) * share;
                let delay = point.delay.mul_f32(1.0 - share) + second.delay.mul_f32(share);
                (Point { mos, delay, ..point.and(second) }, seconds + 1)
            }
        };
        if seconds < self.span {
            self.forming = Some((point, seconds));
            return;
        }
        self.points.push(point);
        if self.points.len() == Self::MOST {
            for n in 0..Self::MOST / 2 {
                self.points[n] = self.points[2 * n].and(self.points[2 * n + 1]);
            }
            self.points.truncate(Self::MOST / 2);
            self.span *= 2;
        }
    }

    /// In order of time. The last seconds may be missing that make no whole point yet.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The time that a point spans.
    pub fn span(&self) -> Duration {
        Duration::from_secs(self.span.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> Timeline {
        let mut timeline = Timeline::default();
        for n in 1..=seconds {
            timeline.push(Point {
                at: Duration::from_secs(n),
                mos: if n % 2 == 0 { 4.0 } else { 3.0 },
                expected: 50,
                lost: u32::from(n % 10 == 0),
                jitter: Duration::from_millis(n % 7),
                ..Point::default()
            });
        }
        timeline
    }

    #[test]
    fn seconds_are_kept_one_by_one_for_ten_minutes() {
        let timeline = after(599);
        assert_eq!((timeline.points().len(), timeline.span()), (599, Duration::from_secs(1)));
        assert_eq!((timeline.points()[9].lost, timeline.points()[9].mos), (1, 4.0));
    }

    #[test]
    fn a_day_fits_in_as_many_points_and_nothing_that_was_lost_is_forgotten() {
        let timeline = after(86_400);
        assert!((300..600).contains(&timeline.points().len()));
        assert_eq!(timeline.points.capacity(), Timeline::MOST);
        let span = timeline.span();
        assert_eq!(span, Duration::from_secs(256));
        let (mut expected, mut lost) = (0, 0);
        for (n, point) in timeline.points().iter().enumerate() {
            assert_eq!(point.at, span * (n as u32 + 1));
            assert_eq!(point.jitter, Duration::from_millis(6));
            assert!((point.mos - 3.5).abs() < 0.01, "{}", point.mos);
            expected += u64::from(point.expected);
            lost += u64::from(point.lost);
        }
        let seconds = timeline.points().len() as u64 * 256;
        assert_eq!((expected, lost), (seconds * 50, seconds / 10));
    }
}
