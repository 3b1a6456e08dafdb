//! What outlives a panic of the phone: its accounts and settings, the messages that it has not sent yet, and which calls the
//! app believes to be up.
//!
//! Knows nothing of how a phone follows a command; it only repeats those that last.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Instant, Redacted};
use phone::{
    Account, AccountId, CallId, CallState, CallView, Command, Event, Learnt, MessageId, NetworkKey,
    OwnPresence, Regions, Subject, WatchBy, Why,
};

/// Networks that are remembered over a restart.
const LEARNT: usize = 64;
/// Watched people that are remembered.
const WATCHED: usize = 256;
/// Messages that are; the phone keeps fewer.
const UNSENT: usize = 512;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    accounts: BTreeMap<AccountId, Account>,
    default_account: Option<AccountId>,
    do_not_disturb: Option<bool>,
    forward_to: Option<Redacted<String>>,
    call_waiting: Option<bool>,
    blocked: Vec<Redacted<String>>,
    refuse_anonymous: Option<bool>,
    roaming: Option<bool>,
    regions: Option<Regions>,
    presence: Option<(OwnPresence, Option<Redacted<String>>)>,
    watched: BTreeMap<(Option<AccountId>, Redacted<String>), WatchBy>,
    learnt: BTreeMap<NetworkKey, Learnt>,
    calls: BTreeMap<CallId, CallView>,
    /// Messages that are not settled, in order.
    messages: Vec<Unsent>,
}

/// As [`Command::Message`] has it.
#[derive(Debug)]
struct Unsent {
    message: MessageId,
    account: Option<AccountId>,
    to: Redacted<String>,
    text: Redacted<String>,
    written: Option<Duration>,
}

impl Memory {
    /// A command is about to be given.
    pub(crate) fn commanded(&mut self, command: &Command) {
        match command {
            Command::AddAccount(id, account) => {
                self.accounts.insert(*id, account.clone());
            }
            Command::Relays(id, relays) => {
                if let Some(account) = self.accounts.get_mut(id) {
                    account.nat.turn.clone_from(relays);
                }
            }
            Command::RemoveAccount(id) => {
                self.accounts.remove(id);
            }
            Command::Register(id) | Command::Unregister(id) => {
                if let Some(account) = self.accounts.get_mut(id) {
                    account.register = matches!(command, Command::Register(_));
                }
            }
            Command::DefaultAccount(id) => self.default_account = *id,
            Command::DoNotDisturb(on) => self.do_not_disturb = Some(*on),
            Command::ForwardTo(to) => self.forward_to.clone_from(to),
            Command::CallWaiting(on) => self.call_waiting = Some(*on),
            Command::Block(numbers) => self.blocked.clone_from(numbers),
            Command::RefuseAnonymous(on) => self.refuse_anonymous = Some(*on),
            Command::Remember(learnt) => self.learn(learnt),
            Command::AllowRoaming(on) => self.roaming = Some(*on),
            Command::Regions(regions) => self.regions = Some(regions.clone()),
            Command::SetPresence { own, note } => self.presence = Some((*own, note.clone())),
            Command::Watch { account, who, by } if self.watched.len() < WATCHED => {
                self.watched.insert((*account, who.clone()), *by);
            }
            Command::Unwatch { account, who } => {
                self.watched.remove(&(*account, who.clone()));
            }
            Command::Message { message, account, to, text, written } if self.messages.len() < UNSENT => {
                let (to, text) = (to.clone(), text.clone());
                let unsent = Unsent { message: *message, account: *account, to, text, written: *written };
                self.messages.push(unsent);
            }
            _ => {} // passes with its call
        }
    }

    /// The app is about to be told.
    pub(crate) fn told(&mut self, event: &Event) {
        if let Event::Learnt(learnt) = event {
            self.learn(learnt);
        }
        if let Event::MessageSent { message, .. }
        | Event::Refused { subject: Subject::Message(message), .. } = event
        {
            self.messages.retain(|unsent| unsent.message != *message);
        }
        if let Event::Trusted { account, fingerprint } = event
            && let Some(account) = self.accounts.get_mut(account)
        {
            account.connection.pin = Some(*fingerprint);
        }
        if let Event::Call(view) = event {
            match view.state {
                CallState::Ended => {
                    self.calls.remove(&view.call);
                }
                CallState::Announced
                | CallState::Calling
                | CallState::Ringing
                | CallState::Early
                | CallState::Active
                | CallState::Held
                | CallState::RemoteHeld => {
                    self.calls.insert(view.call, view.clone());
                }
            }
        }
    }

    fn learn(&mut self, learnt: &Learnt) {
        if self.learnt.len() < LEARNT || self.learnt.contains_key(&learnt.network) {
            self.learnt.insert(learnt.network, learnt.clone());
        }
    }

    /// The commands that bring a new phone to where the old one was.
    pub(crate) fn replay(&self) -> Vec<Command> {
        let settings = [
            self.default_account.map(|id| Command::DefaultAccount(Some(id))),
            self.do_not_disturb.map(Command::DoNotDisturb),
            self.forward_to.clone().map(|to| Command::ForwardTo(Some(to))),
            self.call_waiting.map(Command::CallWaiting),
            (!self.blocked.is_empty()).then(|| Command::Block(self.blocked.clone())),
            self.refuse_anonymous.map(Command::RefuseAnonymous),
            self.roaming.map(Command::AllowRoaming),
            self.regions.clone().map(Command::Regions),
            self.presence.clone().map(|(own, note)| Command::SetPresence { own, note }),
        ];
        let accounts = self.accounts.iter().map(|(id, account)| Command::AddAccount(*id, account.clone()));
        let learnt = self.learnt.values().cloned().map(Command::Remember);
        let watched = self.watched.iter().map(|((account, who), by)| Command::Watch {
            account: *account,
            who: who.clone(),
            by: *by,
        });
        let messages = self.messages.iter().map(|it| Command::Message {
            message: it.message,
            account: it.account,
            to: it.to.clone(),
            text: it.text.clone(),
            written: it.written,
        });
        settings.into_iter().flatten().chain(learnt).chain(accounts).chain(watched).chain(messages).collect()
    }

    /// The last views of the calls that went down with the phone.
    pub(crate) fn lost(&mut self, now: Instant) -> impl Iterator<Item = CallView> + use<> {
        std::mem::take(&mut self.calls).into_values().map(move |view| CallView {
            revision: view.revision + 1,
            state: CallState::Ended,
            status: None,
            reason: None,
            explanation: Some(Why::PhoneRestarted),
            ended: Some(now),
            ..view
        })
    }
}

#[cfg(test)]
mod tests {
    use base::Secret;
    use phone::{Relay, Server};

    use super::*;

    #[test]
    fn what_lasts_is_repeated_as_it_last_was() {
        let account = Account::new("sip:1001@offhook.test".parse().unwrap(), Secret::new("x".into()));
        let relay = Relay {
            server: Server { host: "relay.offhook.test".into(), port: Server::STUN_PORT },
            ways: Vec::new(),
            user: Redacted::new(String::new()),
            password: Secret::default(),
        };
        let mut memory = Memory::default();
        for command in [
            Command::AddAccount(AccountId(1), account.clone()),
            Command::AddAccount(AccountId(2), account),
            Command::Unregister(AccountId(1)),
            Command::Relays(AccountId(1), vec![relay]),
            Command::RemoveAccount(AccountId(2)),
            Command::DefaultAccount(Some(AccountId(1))),
            Command::DoNotDisturb(true),
            Command::ForwardTo(Some(Redacted::new("1003".into()))),
            Command::ForwardTo(None),
            Command::Watch { account: None, who: Redacted::new("bob".into()), by: WatchBy::Lamp },
            Command::Watch { account: None, who: Redacted::new("cem".into()), by: WatchBy::Presence },
            Command::Unwatch { account: None, who: Redacted::new("cem".into()) },
            Command::HangUp(CallId(7)),
        ] {
            memory.commanded(&command);
        }
        let replay = memory.replay();
        assert!(
            matches!(&replay[..], [Command::DefaultAccount(Some(AccountId(1))), Command::DoNotDisturb(true),
                Command::AddAccount(AccountId(1), account), Command::Watch { by: WatchBy::Lamp, .. }]
                if !account.register && account.nat.turn.len() == 1),
            "{replay:?}"
        );
    }
}
