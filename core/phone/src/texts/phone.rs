//! What the phone does with text messages: its accounts give them a way, the app is told.

use std::time::Duration;

use base::Redacted;
use sip::ua::{Outcome, RequestId};

use super::{Letter, State, Tried, Written, may_have_arrived, may_pass};
use crate::commands::{MAX_TEXT, dialled};
use crate::desk::{Desk, Timer};
use crate::news::status_of;
use crate::phone::{Goodbye, Phone};
use crate::registration::{Registration, profile_id, retry_after};
use crate::{AccountId, Event, MessageId, Refusal, Why, reason};

/// The status of what was never sent again: RFC 3261 section 21.4.25.
const TERMINATED: u16 = 487;

impl Phone {
    /// Takes a message in; it goes when it can.
    pub(crate) fn write(
        &mut self,
        message: MessageId,
        account: Option<AccountId>,
        to: &Redacted<String>,
        text: Redacted<String>,
        written: Option<Duration>,
    ) -> Result<(), Refusal> {
        self.require_open()?;
        if text.reveal().len() > MAX_TEXT {
            return Err(Refusal::TextTooLong);
        }
        let account = self.pick(account)?;
        let settings = self.account(account)?;
        let to = dialled(settings, to)?;
        let own = settings.uri.clone();
        let wall = self.desk.wall();
        let at = written.or(wall);
        let age = wall.zip(at).map_or(Duration::ZERO, |(wall, at)| wall.saturating_sub(at));
        let random = self.desk.rng.token();
        let it = Written { message, account, to, text, at };
        self.texts.put(Letter::new(it, &own, age, self.desk.now, &random), random)
    }

    /// The person does not want it sent any more. One that is on its way is not tried again.
    pub(crate) fn take_back(&mut self, message: MessageId) -> Result<(), Refusal> {
        let at = self.texts.letters.iter().position(|it| it.message == message);
        let at = at.ok_or(Refusal::NoSuchMessage)?;
        if self.texts.letters[at].is_sending() {
            self.texts.letters[at].taken_back = true;
        } else {
            self.settle(at, TERMINATED, Some(Why::TakenBack));
        }
        Ok(())
    }

    /// A request is settled; false: it was no message's.
    pub(crate) fn text_done(&mut self, request: RequestId, outcome: &Outcome) -> bool {
        let Some(at) = self.texts.find(request) else { return false };
        let (status, local) = status_of(outcome);
        let silent = matches!(outcome, Outcome::NoAnswer | Outcome::Unreachable);
        let letter = &mut self.texts.letters[at];
        let repeated = letter.last.is_some_and(may_have_arrived);
        if status < 300 {
            self.settle(at, status, None);
        } else if status == 482 && repeated {
            // Whoever it is for is still busy with the first one. RFC 3261 section 8.2.2.2.
            self.settle(at, 202, None);
        } else {
            let why = reason::of_failure(status, local);
            let wait = if let Outcome::Final(message) = outcome { retry_after(message) } else { None };
            let later = silent || matches!(outcome, Outcome::Final(_)) && may_pass(status);
            match (later, letter.taken_back) {
                (true, false) => {
                    letter.again(Tried { status, why, silent }, wait, self.desk.now);
                    letter.told = false;
                }
                (true, true) => self.settle(at, TERMINATED, Some(Why::TakenBack)),
                (false, _) => self.settle(at, status, Some(why)),
            }
        }
        true
    }

    /// Sends those whose turn it is, gives up those that are too old, and tells of those that wait.
    pub(crate) fn look_at_texts(&mut self) {
        if self.texts.is_empty() {
            self.waylaid.clear();
            self.desk.timers.cancel(&Timer::Texts);
            return;
        }
        self.give_up_texts();
        let open = self.goodbye == Goodbye::NotSaid;
        for (id, account) in &self.accounts {
            if !has_way(account) {
                self.waylaid.insert(*id);
            } else if self.waylaid.remove(id) {
                self.texts.way_is_back(*id, self.desk.now);
            }
        }
        let Self { texts, accounts, desk, .. } = self;
        let ready = |id: AccountId| open && accounts.get(&id).is_some_and(has_way);
        while let Some(at) = texts.next(desk.now, ready) {
            let letter = &mut texts.letters[at];
            let Some(account) = accounts.get(&letter.account) else { break };
            let Desk { agent, now, orders, .. } = desk;
            let draft = letter.draft(account.account());
            letter.state = State::Sending(agent.request(profile_id(letter.account), draft, *now, orders));
        }
        for at in 0..texts.letters.len() {
            // One that waits for nothing but the one before it is as good as on its way.
            let put_off = texts.letters[at].last.is_some() || !ready(texts.letters[at].account);
            let letter = &mut texts.letters[at];
            if !letter.told && !letter.is_sending() && put_off && open {
                letter.told = true;
                let (message, account) = (letter.message, letter.account);
                let without = || accounts.get(&account).and_then(Registration::reason);
                let why = letter.last.map(|last| last.why).or_else(without);
                let status = letter.last.filter(|last| !last.silent).map(|last| last.status);
                desk.event(Event::MessageWaits { message, account, status, why });
            }
        }
        match texts.next_due(ready).filter(|_| open) {
            Some(at) => desk.timers.set(Timer::Texts, at),
            None => drop(desk.timers.cancel(&Timer::Texts)),
        }
    }

    fn give_up_texts(&mut self) {
        let now = self.desk.now;
        let over = |phone: &Self| {
            let mut letters = phone.texts.letters.iter();
            letters.position(|it| {
                !it.is_sending() && (it.give_up <= now || !phone.accounts.contains_key(&it.account))
            })
        };
        while let Some(at) = over(self) {
            let letter = &self.texts.letters[at];
            let gone = !self.accounts.contains_key(&letter.account);
            let why = if gone { Why::AccountRemoved } else { Why::WaitedTooLong };
            let status = letter.last.map_or(TERMINATED, |last| last.status);
            self.settle(at, status, Some(why));
        }
    }

    fn settle(&mut self, at: usize, status: u16, reason: Option<Why>) {
        let message = self.texts.letters.remove(at).message;
        self.desk.event(Event::MessageSent { message, status, reason });
    }
}

/// An account that is to be registered has one only then: who has lost his registrar has lost his proxy, as a rule.
fn has_way(account: &Registration) -> bool {
    account.is_registered() || !account.is_wanted()
}
