//! Silence that should not be: whether what the other side owes us still comes.
//!
//! ```text
//!            due + 0.4 s            due + 4 s
//!   Heard ---------------> Suspected ---------> Certain      due: their last packet, and the time until the next
//!     ^                        |                   |
//!     +------------------------+---- a packet -----+         held, or nothing owed: Heard too, and nothing is said
//! ```
//! Packets are owed while both sides talk (RFC 3264 section 5.1) and neither has said that it pauses: by comfort noise
//! (RFC 3389), a SID frame, or by having left silence out before (RFC 3551 section 4.1). In a pause, before the answer and
//! on hold their reports are the judge, if they ever sent any: RFC 3550 section 6.3.5 misses a party after some intervals.
//! Knows no sockets and no signalling; the time is told.

use std::fmt;
use std::time::Duration;

use base::Instant;

use super::Session;
use crate::plan::{Direction, Plan};

/// Nothing came for so long beyond its time: worth a look. More than mobile networks hold packets back as a rule, and little
/// enough that a way which has died is found out within 1.5 s, the second that its checks take included.
const SUSPECT: Duration = Duration::from_millis(400);
/// For so long that a way which cannot be asked must be taken for dead.
const LONG: Duration = Duration::from_millis(1300);
/// Worth telling the user. Between them lie a report of ours and perhaps one of theirs.
const CERTAIN: Duration = Duration::from_secs(4);
/// Reports that may be missing in a row.
const REPORTS: u32 = 3;
/// The interval between reports that is assumed, and the longest that is believed. RFC 3550 section 6.2.
const REPORT_GAP: Duration = Duration::from_secs(5);
const LONGEST_REPORT_GAP: Duration = Duration::from_secs(30);
/// Who leaves out more than this between two packets with numbers in a row, in timestamps and in arrival alike, pauses.
const PAUSE: Duration = Duration::from_millis(300);
/// Nobody watched for so long (the device slept): what was due meanwhile is not missed.
const UNWATCHED: Duration = Duration::from_millis(500);

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silent {
    /// All that is owed comes.
    No,
    /// It is overdue: time to look whether the way still works.
    Suspected,
    /// It does not come, and the user was told.
    Certain,
}

/// What should come does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Time to ask whether the way still carries, where it can be asked.
    Just,
    /// A way that cannot be asked is as good as dead: a network that holds packets back for so long is no better.
    Long,
}

/// Said once when they fell silent, and once when they are back. `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// What is owed does not come. Over with [`Silence::Ended`], with a hold, and with the call.
    Began {
        /// Since their last packet; or since they owe us any.
        since: Duration,
        /// Something came before. Else: nothing at all.
        heard_before: bool,
        /// Whether our packets arrive there, by reports that came in this time; `None`: there were none.
        hears_us: Option<bool>,
    },
    /// Something comes again.
    Ended {
        /// The time without.
        lasted: Duration,
    },
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began { since, heard_before, hears_us } => {
                if *heard_before {
                    write!(f, "nothing has come from the other side for {} s", since.as_secs())?;
                } else {
                    write!(f, "nothing at all comes from the other side since {} s", since.as_secs())?;
                }
                f.write_str(match hears_us {
                    Some(true) => ", but it receives us",
                    Some(false) => ", and it does not receive us",
                    None => "",
                })
            }
            Self::Ended { lasted } => write!(f, "the other side is back after {} s", lasted.as_secs()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Watch {
    direction: Direction,
    early: bool,
    /// Since when it is as it is.
    since: Instant,
    heard: Option<Instant>,
    /// Until the next packet of a talk.
    gap: Duration,
    /// They said that silence follows.
    paused: bool,
    /// They leave silence out and do not say so.
    pauses_untold: bool,
    newest: Option<Newest>,
    reported: Option<Instant>,
    report_gap: Duration,
    /// What they last said to have received of us, whether that was more than before, and when.
    received: Option<u32>,
    hears_us: Option<(bool, Instant)>,
    /// What we had sent by then.
    sent: u64,
    state: Silent,
    news: Option<Silence>,
    /// Something is overdue: told anew when it is for long.
    overdue: Option<Overdue>,
    /// It was told that it is for long.
    long: bool,
    /// Their last packet before the silence that was told of.
    fell: Instant,
    looked: Instant,
}

/// The packet with the highest number.
#[derive(Clone, Copy, Debug)]
struct Newest {
    sequence: u16,
    timestamp: u32,
    at: Instant,
}

/// One packet of sound, or of noise, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sound {
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) clock_rate: u32,
    /// What it holds; `None` for one that holds no time, as comfort noise.
    pub(super) length: Option<Duration>,
    /// Silence follows.
    pub(super) pauses: bool,
}

impl Watch {
    pub(super) fn new(plan: &Plan, now: Instant) -> Self {
        Self {
            direction: plan.direction,
            early: plan.early,
            since: now,
            heard: None,
            gap: plan.ptime,
            paused: false,
            pauses_untold: false,
            newest: None,
            reported: None,
            report_gap: REPORT_GAP,
            received: None,
            hears_us: None,
            sent: 0,
            state: Silent::No,
            news: None,
            overdue: None,
            long: false,
            fell: now,
            looked: now,
        }
    }

    pub(super) fn replan(&mut self, plan: &Plan, now: Instant) {
        if (self.direction, self.early) == (plan.direction, plan.early) {
            return;
        }
        (self.direction, self.early) = (plan.direction, plan.early);
        (self.since, self.state, self.news) = (now, Silent::No, None);
    }

    /// Any packet of their stream.
    pub(super) fn packet(&mut self, now: Instant) {
        self.heard = Some(now);
        self.paused = false;
        self.is_back(now);
    }

    /// What the packet was, if it was sound and the newest.
    pub(super) fn sound(&mut self, sound: Sound, was_paused: bool, now: Instant) {
        let newest = Newest { sequence: sound.sequence, timestamp: sound.timestamp, at: now };
        if let Some(before) = self.newest.replace(newest)
            && sound.sequence == before.sequence.wrapping_add(1)
            && !was_paused
        {
            let ticks = sound.timestamp.wrapping_sub(before.timestamp);
            let stepped = Duration::from_secs_f64(f64::from(ticks) / f64::from(sound.clock_rate));
            let passed = now.since(before.at);
            // Timestamps that jump without time are another stream, and time without timestamps is the network.
            let alike = stepped < passed * 2 && passed < stepped * 2;
            self.pauses_untold |= alike && stepped.saturating_sub(self.gap) > PAUSE;
        }
        self.gap = sound.length.unwrap_or(self.gap);
        self.paused = sound.pauses;
    }

    /// Whether they said that they pause.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// A report of theirs. `received`: the highest number of ours that it names; `sent`: all that we sent so far.
    pub(super) fn report(&mut self, received: Option<u32>, sent: u64, now: Instant) {
        if let Some(before) = self.reported.replace(now) {
            let gap = now.since(before).min(LONGEST_REPORT_GAP);
            self.report_gap = ((self.report_gap * 3 + gap) / 4).max(REPORT_GAP);
        }
        // Who was sent nothing since cannot have received it.
        if std::mem::replace(&mut self.sent, sent) != sent {
            self.hears_us = Some((received.is_some() && received != self.received, now));
        }
        self.received = received.or(self.received);
        if !self.owes() {
            self.is_back(now);
        }
    }

    /// Their stream is over, by their own word: another owes nothing until it begins.
    pub(super) fn left(&mut self) {
        (self.paused, self.reported, self.newest) = (true, None, None);
    }

    /// What else judges the way (consent checks, RFC 7675): alive counts as a report, dead makes it certain at once.
    pub(super) fn path(&mut self, alive: bool, now: Instant) {
        if alive {
            self.reported = Some(now);
        } else if self.state != Silent::Certain && self.direction.receives() {
            self.fall(now);
        }
    }

    /// Whether packets must come: else reports are the judge.
    fn owes(&self) -> bool {
        self.direction == Direction::SendRecv && !(self.early || self.paused || self.pauses_untold)
    }

    /// When the next sign of life is due.
    fn due(&self) -> Option<Instant> {
        let heard = self.heard.unwrap_or(self.since).max(self.since);
        if self.owes() {
            return Some(heard + self.gap);
        }
        // The suspicion begins with the last of the reports that were due.
        let patience = (self.report_gap * REPORTS).saturating_sub(SUSPECT);
        self.direction.receives().then_some(())?;
        self.reported.map(|reported| reported.max(heard) + patience)
    }

    /// Looks whether it is overdue. `true`, once: now it is worth to send a report, and whatever else is answered.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        let unwatched = now.since(std::mem::replace(&mut self.looked, now));
        if unwatched > UNWATCHED {
            self.since += unwatched;
            self.heard = self.heard.map(|at| (at + unwatched).min(now));
            self.reported = self.reported.map(|at| (at + unwatched).min(now));
        }
        let overdue = self.due().map_or(Duration::ZERO, |due| now.since(due));
        match self.state {
            Silent::No if overdue >= SUSPECT => {
                self.state = Silent::Suspected;
                (self.overdue, self.long) = (Some(Overdue::Just), false);
                true
            }
            Silent::Suspected if overdue >= LONG && !self.long => {
                (self.overdue, self.long) = (Some(Overdue::Long), true);
                false
            }
            Silent::Suspected if overdue < SUSPECT => {
                self.state = Silent::No;
                false
            }
            Silent::Suspected if overdue >= CERTAIN => {
                self.fall(now);
                false
            }
            Silent::No | Silent::Suspected | Silent::Certain => false,
        }
    }

    fn fall(&mut self, now: Instant) {
        self.state = Silent::Certain;
        let last = self.heard.unwrap_or(self.since).max(self.since);
        let hears_us = self.hears_us.filter(|(_, at)| *at >= last).map(|(more, _)| more);
        self.news =
            Some(Silence::Began { since: now.since(last), heard_before: self.heard.is_some(), hears_us });
        self.fell = last;
    }

    fn is_back(&mut self, now: Instant) {
        if std::mem::replace(&mut self.state, Silent::No) == Silent::Certain {
            // What was not fetched yet need not be said any more.
            let untold = self.news.take().is_some();
            self.news = (!untold).then(|| Silence::Ended { lasted: now.since(self.fell) });
        }
    }

    pub(super) fn state(&self) -> Silent {
        self.state
    }

    /// Whether packets should come and do not.
    pub(super) fn misses(&self) -> bool {
        self.state != Silent::No && self.owes()
    }

    pub(super) fn poll(&mut self) -> Option<Silence> {
        self.news.take()
    }
}

impl Session {
    /// Whether what the other side owes us comes.
    pub fn silent(&self) -> Silent {
        self.watch.state()
    }

    /// That they fell silent, or are back: each once. Fetch it after every frame.
    pub fn poll_silence(&mut self) -> Option<Silence> {
        self.watch.poll()
    }

    /// That something is overdue, once when it just is and once when it is for long.
    pub fn poll_overdue(&mut self) -> Option<Overdue> {
        self.watch.overdue.take()
    }

    /// Tells what another judge of the way says, such as consent checks (RFC 7675): that it works, or that it is dead.
    pub fn path_judged(&mut self, alive: bool, now: Instant) {
        self.watch.path(alive, now);
    }

    /// Sends a report at once when something is overdue: the answer tells whether it is the way or they.
    pub(super) fn look_after_them(&mut self, now: Instant) {
        if self.watch.look(now) {
            self.reports.hurry(now);
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
