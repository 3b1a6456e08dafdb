//! Text messages of ours, from when they are written until it is known what became of them. RFC 3428.
//!
//! One that cannot be sent waits: for its account to be registered, for the server to answer, for the other side to be there.
//! To each recipient they go one by one, in the order in which they were written (RFC 3428 section 8 forbids two at once).
//!
//! **Sent once more, or given up?** An answer that may be another one later (408, 430, 480, 500, 502, 503, 504) and silence are
//! tried again, any other refusal is the last word. RFC 3428 gives no means of sending a message twice and having it arrive
//! once. One of which nothing was heard may have arrived all the same; to leave it would lose messages in every tunnel, so
//! it is sent again, and made to be known again: with the Call-ID, From tag, Date and CSeq of the first time, as RFC 3263
//! section 4.3 has it of a request that another server gets (a challenge counts CSeq up in between, and Date stays). Who is
//! still busy with the first answers 482 (RFC 3261 section 8.2.2.2), and then it has arrived. Who has forgotten shows it
//! twice, but for phones like this one: see [`heard`]. Behind a real answer it is a new request of the same Call-ID, under a
//! higher number (RFC 3261 section 8.1.3.5).
//!
//! Call-ID and tag are made of the message and the time of its writing, so that a phone that begins anew with what was left
//! repeats itself as well. Knows no disk, and nothing of who is registered how.
//!
//! ```text
//!            its turn, and a way          2xx, or 482 to a repetition
//!   Waiting ----------------------> Sending ------------------------> told
//!    |   ^                            |  |      any other refusal
//!    |   '---- silence, or later -----'  '--------------------------> told
//!    '--- taken back, three days, the account is removed -----------> told
//! ```

mod heard;
mod phone;

use std::time::Duration;

use base::{Instant, Redacted};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use sip::message::{Draft, Method, Name, Uri, quote};
use sip::ua::RequestId;

use crate::{Account, AccountId, MessageId, Refusal, Why};
pub(crate) use heard::Heard;

/// How long a message waits. Later it would say what is no longer so.
const PATIENCE: Duration = Duration::from_secs(3 * 24 * 3600);
/// Messages of one account that wait or are on their way.
const MOST: usize = 100;
/// And how long they are together, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// Messages of one account that are on their way at one time: not all at the moment at which it is registered again.
const AT_ONCE: usize = 8;
/// After silence, the first wait and the longest; one doubles up to the other.
const AFTER_SILENCE: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(900)];
/// The same after an answer: it says nothing of when there will be another one, and each try wakes the device.
const AFTER_ANSWER: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(1800)];

/// What keeps it from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not before then.
    Waiting {
        until: Instant,
    },
    Sending(RequestId),
}

/// One message of ours.
struct Letter {
    message: MessageId,
    account: AccountId,
    to: Uri,
    text: Redacted<String>,
    call_id: String,
    /// When it was written, by the wall clock, where that is known.
    written: Option<Duration>,
    /// The number that it goes under next.
    seq: u32,
    tries: u32,
    /// What the last try came to: the status, why, and whether nobody answered.
    last: Option<Tried>,
    /// It is not tried again.
    taken_back: bool,
    /// It has been told that it waits.
    told: bool,
    give_up: Instant,
    state: State,
}

/// What a try came to that was not the last.
#[derive(Clone, Copy)]
struct Tried {
    status: u16,
    why: Why,
    silent: bool,
}

/// A message as the app gives it, addressed.
pub(crate) struct Written {
    pub(crate) message: MessageId,
    pub(crate) account: AccountId,
    pub(crate) to: Uri,
    pub(crate) text: Redacted<String>,
    /// When, by the wall clock.
    pub(crate) at: Option<Duration>,
}

impl Letter {
    /// `age`: how long ago it was written. `own`: the account's address.
    fn new(written: Written, own: &Uri, age: Duration, now: Instant, random: &[u8; 16]) -> Self {
        let Written { message, account, to, text, at } = written;
        let call_id = match at {
            Some(at) => {
                let millis = at.as_millis().to_be_bytes();
                let parts = [own.as_str().as_bytes(), to.as_str().as_bytes(), text.reveal().as_bytes()];
                HEXLOWER.encode(&digest(&[&millis[..]].into_iter().chain(parts).collect::<Vec<_>>())[..16])
            }
            None => self::text(random),
        };
        let give_up = now + PATIENCE.saturating_sub(age);
        let state = State::Waiting { until: now };
        Self {
            message,
            account,
            to,
            text,
            call_id,
            written: at,
            seq: 1,
            tries: 0,
            last: None,
            taken_back: false,
            told: false,
            give_up,
            state,
        }
    }

    fn draft(&self, account: &Account) -> Draft {
        let mut draft = Draft::request(&Method::Message, self.to.as_str());
        let name = account.display_name.as_ref().map(|name| name.reveal().as_str());
        let name = name.filter(|name| !name.is_empty()).map_or_else(String::new, |name| quote(name) + " ");
        let tag = HEXLOWER.encode(&digest(&[b"tag", self.call_id.as_bytes()])[..6]);
        draft.push(Name::From, format_args!("{name}<{}>;tag={tag}", account.uri));
        draft.push(Name::CallId, &self.call_id);
        draft.push(Name::CSeq, format_args!("{} MESSAGE", self.seq));
        if let Some(at) = self.written {
            // When it was first sent, whenever that is: RFC 3261 section 20.17. The reader sees what is old.
            let at = std::time::UNIX_EPOCH + Duration::from_secs(at.as_secs());
            draft.push(Name::Date, httpdate::fmt_http_date(at));
        }
        draft.body("text/plain;charset=UTF-8", self.text.reveal().clone());
        draft
    }

    /// It is to be tried once more, not before `wait` has passed if the server says so.
    fn again(&mut self, tried: Tried, wait: Option<Duration>, now: Instant) {
        let [first, last] = if tried.silent { AFTER_SILENCE } else { AFTER_ANSWER };
        let backoff = first.saturating_mul(1 << self.tries.min(16)).min(last);
        self.tries += 1;
        // After an answer another request; credentials may have cost it one number more.
        self.seq += if may_have_arrived(tried) { 0 } else { 2 };
        self.state = State::Waiting { until: now + backoff.max(wait.unwrap_or_default()) };
        self.last = Some(tried);
    }

    fn is_sending(&self) -> bool {
        matches!(self.state, State::Sending(_))
    }
}

/// Whether whoever it was for may have it though nobody says so: a proxy that waited in vain knows no more than we do.
fn may_have_arrived(tried: Tried) -> bool {
    tried.silent || matches!(tried.status, 408 | 504)
}

/// Whether a refusal may be another answer later. RFC 3261 section 21; 430: RFC 5626 section 11.
const fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 430 | 480 | 500 | 502..=504)
}

/// All messages of ours that are not settled, in the order in which they were written.
#[derive(Default)]
pub(crate) struct Texts {
    letters: Vec<Letter>,
    pub(crate) heard: Heard,
}

impl Texts {
    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Takes one in, if there is room.
    fn put(&mut self, mut letter: Letter, random: [u8; 16]) -> Result<(), Refusal> {
        let those = || self.letters.iter().filter(|it| it.account == letter.account);
        let bytes: usize = those().map(|it| it.text.reveal().len()).sum();
        if those().count() >= MOST || bytes + letter.text.reveal().len() > MOST_BYTES {
            return Err(Refusal::TooManyMessages);
        }
        // The same words twice in one moment are two messages all the same.
        if self.letters.iter().any(|it| it.call_id == letter.call_id) {
            letter.call_id = self::text(&random);
        }
        self.letters.push(letter);
        Ok(())
    }

    fn find(&mut self, request: RequestId) -> Option<usize> {
        self.letters.iter().position(|it| it.state == State::Sending(request))
    }

    /// Accounts that have got a way to be tried by again: what silence had put off has its turn.
    fn way_is_back(&mut self, account: AccountId, now: Instant) {
        for letter in self.letters.iter_mut().filter(|it| it.account == account && !it.is_sending()) {
            if letter.last.is_some_and(|last| last.silent) {
                letter.tries = 0;
                letter.state = State::Waiting { until: now };
            }
        }
    }

    /// The place of one whose turn it is, if there is any: its account has a way, none goes before it to the same recipient,
    /// and none is on its way there.
    fn next(&self, now: Instant, has_way: impl Fn(AccountId) -> bool) -> Option<usize> {
        self.letters.iter().enumerate().position(|(at, letter)| {
            let State::Waiting { until } = letter.state else { return false };
            let busy = self.letters.iter().filter(|it| it.account == letter.account && it.is_sending());
            until <= now
                && has_way(letter.account)
                && self.is_first(at)
                && !self.letters.iter().any(|it| it.is_sending() && it.to == letter.to)
                && busy.count() < AT_ONCE
        })
    }

    fn is_first(&self, at: usize) -> bool {
        let letter = &self.letters[at];
        !self.letters[..at].iter().any(|it| it.account == letter.account && it.to == letter.to)
    }

    /// When the next one has its turn, or is given up.
    fn next_due(&self, has_way: impl Fn(AccountId) -> bool) -> Option<Instant> {
        let waiting = self.letters.iter().enumerate().filter_map(|(at, letter)| match letter.state {
            State::Waiting { until } if has_way(letter.account) && self.is_first(at) => {
                Some(until.min(letter.give_up))
            }
            State::Waiting { .. } => Some(letter.give_up),
            State::Sending(_) => None,
        });
        waiting.min()
    }
}

fn text(random: &[u8; 16]) -> String {
    random.iter().copied().map(char::from).collect()
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
