//! Tests of the watch: the time is told, and 20 ms pass between two looks.

use super::*;
use crate::codec::Codec;

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// A watch, and what came of it.
struct Room {
    watch: Watch,
    ms: u64,
    sequence: u16,
    timestamp: u32,
    /// When a report was worth sending.
    probes: Vec<u64>,
    news: Vec<(u64, Silence)>,
}

fn room(plan: &Plan) -> Room {
    let watch = Watch::new(plan, at(0));
    Room { watch, ms: 0, sequence: 65_530, timestamp: 0, probes: Vec::new(), news: Vec::new() }
}

fn talking() -> Room {
    room(&Plan::of(0, Codec::Pcmu))
}

impl Room {
    /// Nothing comes for so long.
    fn quiet(&mut self, ms: u64) -> &mut Self {
        for _ in 0..ms / 20 {
            self.ms += 20;
            self.look();
        }
        self
    }

    fn look(&mut self) {
        if self.watch.look(at(self.ms)) {
            self.probes.push(self.ms);
        }
        self.news.extend(self.watch.poll().map(|news| (self.ms, news)));
    }

    fn packet(&mut self, length: u64, pauses: bool) {
        let was_paused = self.watch.is_paused();
        self.watch.packet(at(self.ms));
        let sound = Sound {
            sequence: self.sequence,
            timestamp: self.timestamp,
            clock_rate: 8000,
            length: (length > 0).then_some(Duration::from_millis(length)),
            pauses,
        };
        self.watch.sound(sound, was_paused, at(self.ms));
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(length as u32 * 8);
    }

    /// They talk for so long in packets of so many milliseconds.
    fn talk(&mut self, ms: u64, ptime: u64) -> &mut Self {
        for _ in 0..ms / ptime {
            self.packet(ptime, false);
            self.quiet(ptime);
        }
        self
    }

    /// Comfort noise or a SID, and then nothing that the timestamps do not tell.
    fn pause(&mut self, ms: u64) -> &mut Self {
        self.packet(0, true);
        self.quiet(ms);
        self.timestamp = self.timestamp.wrapping_add(ms as u32 * 8);
        self
    }

    fn report(&mut self, received: Option<u32>) -> &mut Self {
        self.watch.report(received, self.ms + 1, at(self.ms));
        self
    }

    fn replan(&mut self, change: impl FnOnce(&mut Plan)) -> &mut Self {
        let mut plan = Plan::of(0, Codec::Pcmu);
        change(&mut plan);
        self.watch.replan(&plan, at(self.ms));
        self
    }

    fn began(&self, at: usize) -> (u64, u64, bool, Option<bool>) {
        match self.news[at] {
            (when, Silence::Began { since, heard_before, hears_us }) => {
                (when, since.as_millis() as u64, heard_before, hears_us)
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn when_all_is_lost_a_report_is_worth_it_first_and_then_the_user_hears_of_it() {
    let mut room = talking();
    room.talk(2000, 20).quiet(380);
    assert_eq!((room.probes.len(), room.watch.state()), (0, Silent::No));
    room.quiet(2100);
    assert_eq!((&room.probes[..], room.watch.state()), (&[2400][..], Silent::Suspected));
    room.quiet(20_000);
    assert_eq!((room.news.len(), room.watch.state()), (1, Silent::Certain));
    assert_eq!(room.began(0), (6000, 4020, true, None));
    assert_eq!(room.probes.len(), 1);
}

#[test]
fn who_never_sends_after_the_answer_is_missed() {
    let mut room = talking();
    room.quiet(10_000);
    assert_eq!(room.began(0), (4020, 4020, false, None));
    let sentence = room.news[0].1.to_string();
    assert_eq!(sentence, "nothing at all comes from the other side since 4 s");
}

#[test]
fn nobody_owes_anything_before_the_answer() {
    let mut room = room(&Plan { early: true, ..Plan::of(0, Codec::Pcmu) });
    room.quiet(60_000).talk(1000, 20).quiet(60_000);
    assert!(room.news.is_empty() && room.probes.is_empty());
    let answered = room.ms;
    room.replan(|plan| plan.early = false).quiet(5000);
    assert_eq!(room.began(0), (answered + 4020, 4020, true, None));
}

#[test]
fn what_is_back_is_said_with_how_long_it_was_away() {
    let mut room = talking();
    room.talk(1000, 20).quiet(6000).talk(1000, 20);
    let (_, Silence::Ended { lasted }) = room.news[1] else { panic!("{:?}", room.news) };
    assert_eq!((room.news.len(), lasted.as_millis(), room.watch.state()), (2, 6020, Silent::No));
    assert_eq!(room.news[1].1.to_string(), "the other side is back after 6 s");
}

#[test]
fn a_silence_that_nobody_fetched_is_not_told_when_it_is_over() {
    let mut room = talking();
    room.talk(1000, 20);
    for _ in 0..300 {
        room.ms += 20;
        room.watch.look(at(room.ms));
    }
    room.packet(20, false);
    assert_eq!((room.watch.poll(), room.watch.state()), (None, Silent::No));
}

#[test]
fn a_pause_that_is_told_is_no_silence() {
    let mut room = talking();
    room.talk(1000, 20).pause(60_000).talk(1000, 20).pause(60_000);
    assert!(room.news.is_empty() && room.probes.is_empty());
    room.talk(1000, 20).quiet(5000);
    assert_eq!(room.news.len(), 1, "after the pause they owe again");
}

#[test]
fn who_leaves_silence_out_untold_is_known_from_the_first_time_on() {
    let mut room = talking();
    room.talk(1000, 20).quiet(1000);
    room.timestamp += 8000;
    room.talk(1000, 20).quiet(60_000);
    assert_eq!((room.news.len(), &room.probes[..]), (0, &[1400][..]), "asked once, and never again");
}

#[test]
fn lost_packets_and_timestamps_that_jump_are_no_pause_of_theirs() {
    for lost in [50, 0] {
        let mut room = talking();
        room.talk(1000, 20);
        if lost > 0 {
            room.quiet(1000);
        }
        room.sequence = room.sequence.wrapping_add(lost);
        room.timestamp += 8000;
        room.talk(1000, 20).quiet(5000);
        assert_eq!(room.news.len(), 1, "{lost} lost");
    }
}

#[test]
fn nobody_is_missed_on_hold_whoever_holds_and_the_time_counts_from_its_end() {
    for direction in [Direction::SendOnly, Direction::RecvOnly, Direction::Inactive] {
        let mut room = talking();
        room.talk(1000, 20).replan(|plan| plan.direction = direction).quiet(60_000);
        assert!(room.news.is_empty() && room.probes.is_empty(), "{direction:?}");
        room.replan(|_| {}).quiet(3500);
        assert_eq!((room.news.len(), room.probes.len()), (0, 1), "{direction:?}");
        room.quiet(1000);
        assert_eq!(room.began(0).1, 4020, "{direction:?}");
    }
}

#[test]
fn a_hold_ends_a_silence_without_a_word() {
    let mut room = talking();
    room.quiet(5000).replan(|plan| plan.direction = Direction::SendOnly).talk(1000, 20);
    assert_eq!((room.news.len(), room.watch.state()), (1, Silent::No));
}

#[test]
fn in_a_pause_three_missing_reports_are_a_silence_and_the_next_one_ends_it() {
    let mut room = talking();
    room.talk(1000, 20).pause(20);
    for _ in 0..6 {
        room.report(Some(7)).quiet(5000);
    }
    assert!(room.news.is_empty() && room.probes.is_empty());
    room.quiet(10_020);
    assert_eq!((room.news.len(), room.probes.len()), (0, 1), "15 s after the last");
    room.quiet(5000);
    assert_eq!(room.news.len(), 1);
    room.report(Some(8)).quiet(20);
    assert!(matches!(room.news[1].1, Silence::Ended { .. }));
}

#[test]
fn reports_alone_are_no_sound_but_say_whether_we_are_heard() {
    for (received, said) in [(Some(9), Some(true)), (None, Some(false)), (Some(7), Some(false))] {
        let mut room = talking();
        room.talk(1000, 20).report(Some(7)).quiet(2000).report(received).quiet(3000);
        assert_eq!(room.began(0).3, said, "{received:?}");
    }
    let mut room = talking();
    room.report(Some(7)).talk(1000, 20).quiet(5000);
    assert_eq!(room.began(0).3, None, "a report from before says nothing");
}

#[test]
fn long_packets_are_missed_no_sooner_than_they_are_due() {
    for ptime in [60, 200] {
        let mut room = talking();
        room.talk(ptime * 100, ptime);
        assert!(room.news.is_empty() && room.probes.is_empty());
        let end = room.ms - ptime;
        room.quiet(5000);
        assert_eq!(room.began(0).0, (end + ptime + 4000).next_multiple_of(20), "{ptime} ms");
    }
}

#[test]
fn who_said_goodbye_owes_nothing_until_the_next_stream() {
    let mut room = talking();
    room.talk(1000, 20).report(None);
    room.watch.left();
    room.quiet(60_000);
    assert!(room.news.is_empty());
    room.talk(1000, 20).quiet(5000);
    assert_eq!(room.news.len(), 1);
}

#[test]
fn time_in_which_nobody_looked_is_not_missed() {
    let mut room = talking();
    room.talk(1000, 20);
    room.ms += 3_600_000;
    room.look();
    room.quiet(300).talk(1000, 20);
    assert!(room.news.is_empty() && room.probes.is_empty());
}

#[test]
fn another_judge_makes_it_certain_at_once_or_vouches_in_a_pause() {
    let mut room = talking();
    room.talk(1000, 20);
    room.watch.path(false, at(room.ms));
    room.quiet(20);
    assert_eq!((room.news.len(), room.watch.state()), (1, Silent::Certain));

    let mut room = talking();
    room.talk(1000, 20).report(None).pause(20);
    for _ in 0..10 {
        room.watch.path(true, at(room.ms));
        room.quiet(5000);
    }
    assert!(room.news.is_empty() && room.probes.is_empty());
}
