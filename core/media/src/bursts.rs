//! How losses cluster: bursts and gaps of one stream, and runs of what was missed.
//!
//! RFC 3611 section 4.7.2, written from its definition. Told of every packet once, in the order of their numbers. Knows no
//! time: lengths are in packets.

/// So many packets in a row that came and were played end a burst. RFC 3611 section 4.7.2 recommends it.
pub const GMIN: u8 = 16;

/// What became of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It came in time.
    Kept,
    /// It never came.
    Lost,
    /// It came, and not in time.
    Discarded,
}

/// What is known so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bursts {
    sum: Clusters,
    missed_before: bool,
    first_is_in_burst: bool,
    open: Option<Open>,
}

/// Misses that less than [`GMIN`] packets separate, while more of them may come. One alone belongs to the gap around it.
#[derive(Clone, Copy, Debug)]
struct Open {
    first: u64,
    last: u64,
    missed: u64,
}

/// Counts of packets since a stream began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    /// All of them, by their numbers.
    pub expected: u64,
    /// Never came.
    pub lost: u64,
    /// Came too late or too early.
    pub discarded: u64,
    /// How often one that was kept was followed by one that was not.
    pub runs: u64,
    /// Bursts.
    pub bursts: u64,
    /// In all bursts.
    pub in_bursts: u64,
    /// Lost or discarded in bursts.
    pub missed_in_bursts: u64,
    /// Stretches before, between and after bursts.
    pub gaps: u64,
}

impl Bursts {
    /// Takes the next packet.
    pub fn next(&mut self, fate: Fate) {
        let number = self.sum.expected;
        self.sum.expected += 1;
        match fate {
            Fate::Kept => {
                self.missed_before = false;
                return;
            }
            Fate::Lost => self.sum.lost += 1,
            Fate::Discarded => self.sum.discarded += 1,
        }
        self.sum.runs += u64::from(!self.missed_before);
        self.missed_before = true;
        match &mut self.open {
            Some(open) if number - open.last <= u64::from(GMIN) => {
                open.last = number;
                open.missed += 1;
            }
            _ => {
                self.close();
                self.open = Some(Open { first: number, last: number, missed: 1 });
            }
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take().filter(|open| open.missed > 1) {
            self.first_is_in_burst |= open.first == 0;
            self.sum.bursts += 1;
            self.sum.in_bursts += open.last - open.first + 1;
            self.sum.missed_in_bursts += open.missed;
        }
    }

    /// The counts, as if the stream ended here: enough packets are taken to follow that no burst goes on.
    pub fn sum(mut self) -> Clusters {
        let ends_in_burst =
            self.open.is_some_and(|open| open.missed > 1 && open.last + 1 == self.sum.expected);
        self.close();
        let edges = u64::from(self.first_is_in_burst) + u64::from(ends_in_burst);
        let gaps = if self.sum.expected == 0 { 0 } else { (self.sum.bursts + 1).saturating_sub(edges) };
        Clusters { gaps, ..self.sum }
    }
}

impl Clusters {
    /// Packets in an average burst.
    pub fn burst_length(&self) -> f32 {
        self.in_bursts as f32 / self.bursts.max(1) as f32
    }

    /// Packets in an average gap.
    pub fn gap_length(&self) -> f32 {
        (self.expected - self.in_bursts) as f32 / self.gaps.max(1) as f32
    }

    /// The share that was missed in bursts, and in gaps: 0.0..=1.0.
    pub fn densities(&self) -> (f32, f32) {
        let missed_in_gaps = self.lost + self.discarded - self.missed_in_bursts;
        let share = |part: u64, whole: u64| part as f32 / whole.max(1) as f32;
        (share(self.missed_in_bursts, self.in_bursts), share(missed_in_gaps, self.expected - self.in_bursts))
    }

    /// What happened since an earlier count of the same stream.
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |now: u64, then: u64| now.saturating_sub(then);
        Self {
            expected: less(self.expected, earlier.expected),
            // A packet that counted as lost may have come since.
            lost: less(self.lost, earlier.lost),
            discarded: less(self.discarded, earlier.discarded),
            runs: less(self.runs, earlier.runs),
            bursts: less(self.bursts, earlier.bursts),
            in_bursts: less(self.in_bursts, earlier.in_bursts),
            missed_in_bursts: less(self.missed_in_bursts, earlier.missed_in_bursts),
            gaps: less(self.gaps, earlier.gaps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1` came, `0` was lost, `X` was discarded: the notation of the RFC.
    fn clusters(pattern: &str) -> Clusters {
        let mut bursts = Bursts::default();
        for packet in pattern.chars() {
            bursts.next(match packet {
                '1' => Fate::Kept,
                'X' => Fate::Discarded,
                _ => Fate::Lost,
            });
        }
        bursts.sum()
    }

    #[test]
    fn the_example_of_the_rfc_is_met() {
        // Its text counts 64 packets, 29 of them in the second gap; its drawing has one less.
        let sum = clusters("11110111111111111111111X111X1011110111111111111111111X1111111111");
        let expected = Clusters {
            expected: 64,
            lost: 3,
            discarded: 3,
            runs: 6,
            bursts: 1,
            in_bursts: 12,
            missed_in_bursts: 4,
            gaps: 2,
        };
        assert_eq!(sum, expected);
        assert_eq!((sum.burst_length(), sum.gap_length()), (12.0, 26.0));
        let (burst, gap) = sum.densities();
        assert!((burst - 4.0 / 12.0).abs() < 1e-6 && (gap - 2.0 / 52.0).abs() < 1e-6);
    }

    #[test]
    fn sixteen_in_a_row_end_a_burst_and_fifteen_do_not() {
        for (between, bursts) in [(15, 1), (16, 0)] {
            let pattern = format!("10{}01", "1".repeat(between));
            assert_eq!(clusters(&pattern).bursts, bursts, "{between}");
        }
    }

    #[test]
    fn a_lone_loss_is_part_of_its_gap() {
        let sum = clusters(&"11111111111111111110".repeat(5));
        assert_eq!((sum.bursts, sum.gaps, sum.in_bursts, sum.lost, sum.runs), (0, 1, 0, 5, 5));
    }

    #[test]
    fn a_stream_that_begins_or_ends_in_a_burst_has_no_gap_there() {
        let many = "1".repeat(20);
        let gaps = |pattern: String| clusters(&pattern).gaps;
        assert_eq!(gaps(format!("00{many}")), 1);
        assert_eq!(gaps(format!("{many}00")), 1);
        assert_eq!(gaps(format!("00{many}00")), 1);
        assert_eq!(gaps(format!("{many}00{many}00{many}")), 3);
        assert_eq!((gaps("00".into()), gaps(String::new())), (0, 0));
    }
}
