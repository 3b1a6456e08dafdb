//! Asking over STUN: one request, repeated until it is answered or given up.
//!
//! RFC 8489 section 6.2.1 (datagrams) and 6.2.2 (streams). Bounded: a full set takes no more questions. Knows neither what is
//! asked nor where it goes, beyond what its owner gave it to keep, and believes no response: whether its source and its
//! signature are right the owner checks first.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Instant, Timers, Wake};
use bytes::Bytes;

use super::{Class, Message, TransactionId};

/// The most questions at once: of one machine, and a stranger cannot add to them.
const MOST: usize = 256;

/// When to repeat and when to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// RTO: the wait after the first sending; each further wait is twice as long.
    pub rto: Duration,
    /// Rc: how often it is sent in all.
    pub sendings: u32,
    /// Rm times RTO: the wait after the last sending.
    pub last_wait: Duration,
}

impl Pace {
    /// Over datagrams, with an RTO of 500 ms: given up after 39.5 s.
    pub const DATAGRAMS: Self = Self::with_rto(Duration::from_millis(500));
    /// Over a stream, which repeats by itself: given up after Ti = 39.5 s.
    pub const STREAM: Self =
        Self { rto: Duration::from_millis(39_500), sendings: 1, last_wait: Duration::from_millis(39_500) };

    /// Over datagrams, with an RTO that was measured. Rc and Rm as RFC 8489 has them: 7 and 16.
    pub const fn with_rto(rto: Duration) -> Self {
        Self { rto, sendings: 7, last_wait: rto.saturating_mul(16) }
    }

    /// The wait after the sending of that number, from 1.
    fn wait_after(&self, sent: u32) -> Duration {
        if sent >= self.sendings {
            return self.last_wait;
        }
        self.rto.saturating_mul(1 << (sent - 1).min(30))
    }
}

/// A question that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<A> {
    /// What its owner had given to keep.
    pub asked: A,
    /// How long the answer took; `None` when the question was repeated and nobody can say which one was answered.
    pub round_trip: Option<Duration>,
}

/// What is to be done about a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due<A> {
    /// These bytes go out, again perhaps.
    Send(A, Bytes),
    /// Nobody answered.
    GivenUp(A),
}

/// ```text
///            begin                  due, sent < Rc
///   (none) --------> asked, sent n ----------------> asked, sent n + 1
///                      |      |  due, sent = Rc
///        answered, or  |      +-----------------> (none), GivenUp
///        forgotten     v
///                    (none)
/// ```
#[derive(Clone, Debug)]
struct Question<A> {
    asked: A,
    request: Bytes,
    pace: Pace,
    sent: u32,
    first: Instant,
}

/// Questions that wait for answers.
#[derive(Clone, Debug)]
pub struct Transactions<A> {
    questions: BTreeMap<TransactionId, Question<A>>,
    due: Timers<TransactionId>,
}

impl<A> Default for Transactions<A> {
    fn default() -> Self {
        Self { questions: BTreeMap::new(), due: Timers::default() }
    }
}

impl<A: Clone> Transactions<A> {
    /// Asks: `request` is handed out by [`Self::due`] from now on. Says `false`, and asks nothing, when too much waits already
    /// or the number is in use.
    pub fn begin(&mut self, id: TransactionId, request: Bytes, asked: A, pace: Pace, now: Instant) -> bool {
        if self.questions.len() >= MOST || self.questions.contains_key(&id) {
            return false;
        }
        self.questions.insert(id, Question { asked, request, pace, sent: 0, first: now });
        self.due.set(id, now);
        true
    }

    /// What a response answers, if it is one to a question of ours that still waits. Changes nothing: check the source and
    /// the signature, then take it with [`Self::answered`].
    pub fn asked(&self, response: &Message) -> Option<&A> {
        match response.class() {
            Class::Success | Class::Error => {
                self.questions.get(&response.id()).map(|question| &question.asked)
            }
            Class::Request | Class::Indication => None,
        }
    }

    /// What is being asked, in no order that means anything.
    pub fn all(&self) -> impl Iterator<Item = &A> {
        self.questions.values().map(|question| &question.asked)
    }

    /// What was asked under that number, if it still waits.
    pub fn get(&self, id: TransactionId) -> Option<&A> {
        self.questions.get(&id).map(|question| &question.asked)
    }

    /// Takes the question that was answered; `None` when there is none (an answer that came twice, or is forged).
    pub fn answered(&mut self, id: TransactionId, now: Instant) -> Option<Answered<A>> {
        let question = self.questions.remove(&id)?;
        self.due.cancel(&id);
        let round_trip = (question.sent == 1).then(|| now.since(question.first));
        Some(Answered { asked: question.asked, round_trip })
    }

    /// Forgets the questions that `which` says; nobody is told.
    pub fn forget(&mut self, mut which: impl FnMut(&A) -> bool) {
        let due = &mut self.due;
        self.questions.retain(|id, question| {
            let keep = !which(&question.asked);
            if !keep {
                due.cancel(id);
            }
            keep
        });
    }

    /// The next thing to be done at `now`; call until `None`.
    pub fn due(&mut self, now: Instant) -> Option<Due<A>> {
        let id = self.due.pop_due(now)?;
        let question = self.questions.get_mut(&id).expect("what is due is asked");
        if question.sent >= question.pace.sendings {
            let question = self.questions.remove(&id).expect("it was there a line ago");
            return Some(Due::GivenUp(question.asked));
        }
        if question.sent == 0 {
            question.first = now;
        }
        question.sent += 1;
        // Not from when it was due: an owner that overslept does not send all it missed in one burst.
        self.due.set(id, now + question.pace.wait_after(question.sent));
        Some(Due::Send(question.asked.clone(), question.request.clone()))
    }

    /// When [`Self::due`] has something to say.
    pub fn next_wake(&self) -> Option<Wake> {
        self.due.next().map(|(at, _)| Wake { at, why: "STUN question" })
    }

    /// How many questions wait.
    pub fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Method, Writer};
    use super::*;

    const ID: TransactionId = TransactionId([3; 12]);

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn asking(pace: Pace) -> Transactions<char> {
        let mut asking = Transactions::default();
        assert!(asking.begin(ID, Bytes::from_static(b"?"), 'a', pace, at(0)));
        asking
    }

    /// When the question is sent, and when it is given up.
    fn times(pace: Pace) -> (Vec<u64>, u64) {
        let (mut asking, mut sent) = (asking(pace), Vec::new());
        loop {
            let now = asking.next_wake().unwrap().at;
            match asking.due(now).unwrap() {
                Due::Send(..) => sent.push(now.as_nanos() / 1_000_000),
                Due::GivenUp(_) => {
                    assert!(asking.is_empty() && asking.next_wake().is_none());
                    return (sent, now.as_nanos() / 1_000_000);
                }
            }
        }
    }

    /// RFC 8489 section 6.2.1, its own example.
    #[test]
    fn a_request_is_sent_seven_times_at_doubling_distances_and_given_up_after_39_and_a_half_seconds() {
        assert_eq!(times(Pace::DATAGRAMS), (vec![0, 500, 1500, 3500, 7500, 15500, 31500], 39_500));
    }

    #[test]
    fn over_a_stream_it_is_sent_once() {
        assert_eq!(times(Pace::STREAM), (vec![0], 39_500));
    }

    #[test]
    fn an_answer_ends_the_asking_and_tells_the_round_trip_of_what_was_sent_once() {
        let mut once = asking(Pace::DATAGRAMS);
        assert_eq!(once.due(at(0)), Some(Due::Send('a', Bytes::from_static(b"?"))));
        let answered = once.answered(ID, at(80));
        assert_eq!(answered, Some(Answered { asked: 'a', round_trip: Some(Duration::from_millis(80)) }));
        assert_eq!((once.answered(ID, at(81)), once.due(at(99_999))), (None, None));

        let mut twice = asking(Pace::DATAGRAMS);
        let _ = (twice.due(at(0)), twice.due(at(500)));
        assert_eq!(twice.answered(ID, at(520)).unwrap().round_trip, None);
    }

    #[test]
    fn only_a_response_with_the_number_of_a_question_answers_it() {
        let asking = asking(Pace::DATAGRAMS);
        let read = |class, id| Message::read(&Writer::new(class, Method::Binding, id).unsigned()).unwrap();
        assert_eq!(asking.asked(&read(Class::Success, ID)), Some(&'a'));
        assert_eq!(asking.asked(&read(Class::Error, ID)), Some(&'a'));
        assert_eq!(asking.asked(&read(Class::Request, ID)), None);
        assert_eq!(asking.asked(&read(Class::Success, TransactionId([4; 12]))), None);
    }

    #[test]
    fn an_owner_that_overslept_repeats_once_and_not_for_all_it_missed() {
        let mut asking = asking(Pace::DATAGRAMS);
        let _ = asking.due(at(0));
        assert!(matches!(asking.due(at(20_000)), Some(Due::Send(..))));
        assert_eq!(asking.due(at(20_000)), None);
    }

    #[test]
    fn questions_are_bounded_and_a_number_is_used_once() {
        let mut asking = asking(Pace::DATAGRAMS);
        assert!(!asking.begin(ID, Bytes::new(), 'b', Pace::DATAGRAMS, at(0)));
        let taken = (0..1000u32).filter(|n| {
            let mut id = [0; 12];
            id[..4].copy_from_slice(&n.to_be_bytes());
            asking.begin(TransactionId(id), Bytes::new(), 'c', Pace::DATAGRAMS, at(0))
        });
        assert_eq!(taken.count(), MOST - 1);
        asking.forget(|asked| *asked == 'c');
        assert_eq!((asking.len(), asking.due.len()), (1, 1));
    }
}
