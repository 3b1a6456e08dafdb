//! What the user wants, followed or refused. What one call means for another is decided here.
//!
//! One call, or one conference, has the microphone: calling, answering and resuming put what is up on hold first.

use std::time::Duration;

use base::Redacted;
use media::dtmf::Keys;
use sip::ua::ReferTo;

use crate::call::{Announcement, Call, Declined, HERE, Outgoing, Parties};
use crate::desk::{Desk, Timer};
use crate::phone::{Goodbye, Phone};
use crate::registration::Registration;
use crate::{
    Account, AccountId, CallId, Command, Event, Refusal, Relay, SeenAs, Side, Subject, Why, dial, reason,
};

/// Longest text of a message, in bytes: RFC 3428 section 8 bounds it by what a datagram holds.
pub const MAX_TEXT: usize = 1000;
/// Announced calls that are remembered as declined, until they come.
const MAX_DECLINED: usize = 8;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

impl Phone {
    /// Follows a command, or refuses it and does nothing.
    pub(crate) fn command(&mut self, command: Command) {
        let subject = subject(&command);
        if let Err(reason) = self.follow(command) {
            self.desk.event(Event::Refused { subject, reason });
        }
    }

    fn follow(&mut self, command: Command) -> Result<(), Refusal> {
        match command {
            Command::AddAccount(id, account) => self.add_account(id, account),
            Command::Relays(id, relays) => self.change_relays(id, relays),
            Command::RemoveAccount(id) => {
                self.account(id)?;
                for call in self.calls.values_mut().filter(|call| call.account() == id) {
                    call.hang_up(&mut self.desk);
                }
                self.leave_presence(id);
                self.with_account(id, Registration::remove)
            }
            Command::Trust(id, fingerprint) => {
                let account = self.accounts.get_mut(&id).ok_or(Refusal::NoAccount)?;
                account.trust(fingerprint, &mut self.desk)
            }
            Command::Register(id) => {
                self.require_open()?;
                self.with_account(id, Registration::start)
            }
            Command::Unregister(id) => {
                self.leave_presence(id);
                self.with_account(id, Registration::stop)
            }
            Command::DefaultAccount(id) => {
                self.default_account = id;
                Ok(())
            }
            Command::Call { call, account, to, seen_as } => self.start_call(call, account, &to, seen_as),
            Command::Answer(call) => {
                self.with_call(call, Call::answer)?;
                self.hold_others(call);
                Ok(())
            }
            Command::Progress(call) => self.with_call(call, Call::early),
            Command::Announce { call, account, remote, name, call_id } => {
                let announcement = Announcement { account, call_id, remote: remote.into_inner() };
                self.announce(call, announcement, name)
            }
            Command::Reject(call, status) => {
                let status =
                    if (400..=699).contains(&status) { status } else { return Err(Refusal::BadStatus) };
                self.remember_declined(call, status);
                self.with_call(call, |call, desk| call.reject(status, desk))
            }
            Command::HangUp(call) => {
                self.remember_declined(call, HERE);
                self.with_call(call, |call, desk| {
                    call.hang_up(desk);
                    Ok(())
                })
            }
            Command::Hold(call) => self.hold(call, true),
            Command::Resume(call) => self.resume(call),
            Command::Mute(call, on) => self.mute(call, on),
            Command::Swap => self.swap(),
            Command::Merge => self.merge(),
            Command::MergeWith { call, other } => self.merge_with(call, other),
            Command::Split(call) => self.split(call),
            Command::Transfer { call, to } => {
                let account = self.calls.get(&call).ok_or(Refusal::NoSuchCall)?.account();
                let to = dialled(self.account(account)?, &to)?;
                let to = ReferTo { to, replaces: None };
                self.with_call(call, |call, desk| call.transfer(to, None, desk))?;
                self.leave_conference(call);
                Ok(())
            }
            Command::TransferTo { call, other } => self.transfer_to(call, other),
            Command::Refresh { call, with } => self.with_call(call, |call, desk| call.refresh(with, desk)),
            Command::PressOn(call) => self.with_call(call, Call::press_on),
            Command::Dtmf { call, digits } => {
                let keys = Keys::read(digits.reveal()).map_err(|_| Refusal::BadDigits)?;
                self.with_call(call, |call, desk| call.press(&keys, desk))
            }
            Command::Message { message, account, to, text, written } => {
                self.write(message, account, &to, text, written)
            }
            Command::TakeBack(message) => self.take_back(message),
            Command::DoNotDisturb(on) => {
                self.do_not_disturb = on;
                Ok(())
            }
            Command::ForwardTo(to) => {
                if let Some(to) = &to {
                    let account = self.pick(None)?;
                    dialled(self.account(account)?, to)?;
                }
                self.forward_to = to;
                Ok(())
            }
            Command::CallWaiting(on) => {
                self.config.call_waiting = on;
                Ok(())
            }
            Command::Watch { account, who, by } => self.watch(account, &who, Some(by)),
            Command::Unwatch { account, who } => self.watch(account, &who, None),
            Command::SetPresence { own, note } => self.set_presence(own, note),
            Command::Block(numbers) => {
                self.blocked.set(&numbers);
                Ok(())
            }
            Command::RefuseAnonymous(on) => {
                self.blocked.refuse_anonymous(on);
                Ok(())
            }
            Command::Regions(regions) => {
                self.config.regions = regions;
                Ok(())
            }
            Command::Remember(learnt) => {
                self.desk.known.remember(learnt);
                Ok(())
            }
            Command::AllowRoaming(on) => {
                self.roaming_allowed = on;
                self.look_at_networks(&[]);
                Ok(())
            }
            Command::Shutdown => self.shut_down(),
        }
    }

    fn change_relays(&mut self, id: AccountId, relays: Vec<Relay>) -> Result<(), Refusal> {
        let account = self.accounts.get_mut(&id).ok_or(Refusal::NoAccount)?;
        let servers = relays.iter().map(|relay| &relay.server);
        let network = account.network().unwrap_or_default();
        self.desk.servers.look_up(network, servers, &mut self.desk.orders);
        account.change_relays(relays);
        Ok(())
    }

    fn add_account(&mut self, id: AccountId, account: Account) -> Result<(), Refusal> {
        self.require_open()?;
        let account = account.fit_to_seal()?;
        let network = self.network_of(id).unwrap_or_default();
        self.desk.servers.look_up(network, account.nat.servers(), &mut self.desk.orders);
        self.leave_presence(id);
        if let Some(known) = self.accounts.get_mut(&id) {
            known.change(account, &self.config, &mut self.desk);
            self.look_at_networks(&[]);
            return Ok(());
        }
        let register = account.register;
        let registration = Registration::new(id, account, &self.config, &mut self.desk);
        self.accounts.insert(id, registration);
        self.look_at_networks(&[]);
        if register { self.with_account(id, Registration::start) } else { Ok(()) }
    }

    fn start_call(
        &mut self,
        call: CallId,
        account: Option<AccountId>,
        to: &Redacted<String>,
        seen_as: SeenAs,
    ) -> Result<(), Refusal> {
        self.require_open()?;
        if self.calls.contains_key(&call) {
            return Err(Refusal::CallExists);
        }
        if self.calls.len() >= self.config.max_calls {
            return Err(Refusal::TooManyCalls);
        }
        let account = self.pick(account)?;
        let target = dial::target(to.reveal(), self.account(account)?, &self.config.regions);
        let target = target.map_err(Refusal::BadTarget)?;
        self.hold_others(call);
        let registration = self.accounts.get(&account).ok_or(Refusal::NoAccount)?;
        let account = (account, registration.account());
        let outgoing = Outgoing {
            toward: registration.toward(),
            network: registration.network().unwrap_or_default(),
            secure: registration.is_secure(&target.uri),
            to: target.uri,
            asked: None,
            seen_as: SeenAs { hide: target.hide.or(seen_as.hide), ..seen_as },
        };
        let mut it = Call::outgoing(call, account, outgoing, &mut self.desk);
        it.press_when_answered(target.keys);
        self.calls.insert(call, it);
        Ok(())
    }

    fn announce(
        &mut self,
        call: CallId,
        announcement: Announcement,
        name: Option<Redacted<String>>,
    ) -> Result<(), Refusal> {
        if self.calls.contains_key(&call) {
            return Err(Refusal::CallExists);
        }
        let account = announcement.account;
        let registration = self.accounts.get_mut(&account).ok_or(Refusal::NoAccount)?;
        registration.renew(&mut self.desk);
        let blocked = self.blocked.has(&announcement.remote).then_some((603, Why::YouBlocked));
        let turned_away = self.turn_away(self.account(account)?);
        let turned_away =
            blocked.or(turned_away.map(|(status, _)| (status, reason::of_refusal(Side::In, status))));
        let settings = self.accounts.get(&account).map(Registration::account).ok_or(Refusal::NoAccount)?;
        let parties = Parties {
            id: call,
            account,
            settings,
            side: Side::In,
            remote: announcement.remote.clone(),
            name: name.map(Redacted::into_inner),
            // Its INVITE will show.
            secure: false,
            identity: None,
        };
        match turned_away {
            None => {
                let announced = Call::announced(parties, announcement, &mut self.desk);
                self.calls.insert(call, announced);
            }
            Some((status, why)) => {
                Call::turned_away(parties, (status, why), None, &mut self.desk);
                self.decline(announcement, status);
            }
        }
        Ok(())
    }

    /// What is declined before it is here is declined when it comes.
    fn remember_declined(&mut self, call: CallId, status: u16) {
        if let Some(announcement) = self.calls.get(&call).and_then(Call::announcement).cloned() {
            self.decline(announcement, status);
        }
    }

    fn decline(&mut self, announcement: Announcement, status: u16) {
        let now = self.desk.now;
        self.declined.retain(|declined| declined.until > now);
        if self.declined.len() == MAX_DECLINED {
            self.declined.remove(0);
        }
        self.declined.push(Declined::new(announcement, status, now));
    }

    fn resume(&mut self, call: CallId) -> Result<(), Refusal> {
        self.hold(call, false)?;
        self.hold_others(call);
        Ok(())
    }

    /// The call that is up is held, and of those held the youngest is resumed.
    fn swap(&mut self) -> Result<(), Refusal> {
        let held = self.calls.iter().rev().find(|(_, call)| call.is_held()).map(|(id, _)| *id);
        self.resume(held.ok_or(Refusal::WrongState)?)
    }

    fn transfer_to(&mut self, call: CallId, other: CallId) -> Result<(), Refusal> {
        let target = self.calls.get(&other).ok_or(Refusal::NoSuchCall)?;
        let (true, true, Some(session)) = (call != other, target.is_up(), target.session()) else {
            return Err(Refusal::WrongState);
        };
        let to = target.remote_uri().ok_or(Refusal::WrongState)?;
        let refer_to = ReferTo { to, replaces: Some(session) };
        self.with_call(call, |call, desk| call.transfer(refer_to, Some(other), desk))?;
        if let Some(other) = self.calls.get_mut(&other) {
            other.hand_over(true);
        }
        self.leave_conference(call);
        if self.calls.get(&other).is_some_and(Call::in_conference) {
            self.leave_conference(other);
            // Those who stay are talked to; the two who go hear each other soon.
            if self.calls.values().any(|it| it.id() != other && it.is_talking()) {
                self.with_call(other, |other, desk| other.set_hold(true, desk))?;
            }
        }
        Ok(())
    }

    fn shut_down(&mut self) -> Result<(), Refusal> {
        self.require_open()?;
        self.goodbye = Goodbye::Saying;
        self.desk.timers.set(Timer::Stop, self.desk.now + GOODBYE);
        for call in self.calls.values_mut() {
            call.leave(&mut self.desk);
        }
        let accounts: Vec<AccountId> = self.accounts.keys().copied().collect();
        for id in accounts {
            self.leave_presence(id);
        }
        for account in self.accounts.values_mut() {
            account.stop(&mut self.desk);
        }
        Ok(())
    }

    /// Every other call that the user talks in goes on hold; but not those that `call` is merged with, and the one that
    /// it was made or came for ends by itself.
    pub(crate) fn hold_others(&mut self, call: CallId) {
        self.succeed();
        let ends = self.calls.get(&call).and_then(Call::on_behalf_of);
        let together = self.calls.get(&call).is_some_and(Call::in_conference);
        let spared = |it: &Call| it.id() == call || Some(it.id()) == ends || together && it.in_conference();
        for other in self.calls.values_mut().filter(|other| !spared(other) && other.is_talking()) {
            // Up and not held: there is nothing to refuse.
            let _ = other.set_hold(true, &mut self.desk);
        }
    }

    /// The account asked for; unasked, the default one unless it should be registered and is not, else the first that is
    /// registered, else the default one, else the first.
    pub(crate) fn pick(&self, account: Option<AccountId>) -> Result<AccountId, Refusal> {
        let default = self.default_account.and_then(|id| self.accounts.get_key_value(&id));
        let ready = default.filter(|(_, it)| it.is_registered() || !it.account().register);
        let registered = || self.accounts.iter().find(|(_, it)| it.is_registered());
        let known = match account {
            Some(id) => self.accounts.get_key_value(&id),
            None => ready.or_else(registered).or(default).or_else(|| self.accounts.iter().next()),
        };
        known.map(|(id, _)| *id).ok_or(Refusal::NoAccount)
    }

    pub(crate) fn account(&self, id: AccountId) -> Result<&Account, Refusal> {
        self.accounts.get(&id).map(Registration::account).ok_or(Refusal::NoAccount)
    }

    pub(crate) fn require_open(&self) -> Result<(), Refusal> {
        if self.goodbye == Goodbye::NotSaid { Ok(()) } else { Err(Refusal::ShuttingDown) }
    }

    fn with_account(&mut self, id: AccountId, act: fn(&mut Registration, &mut Desk)) -> Result<(), Refusal> {
        act(self.accounts.get_mut(&id).ok_or(Refusal::NoAccount)?, &mut self.desk);
        Ok(())
    }

    fn with_call(
        &mut self,
        id: CallId,
        act: impl FnOnce(&mut Call, &mut Desk) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        act(self.calls.get_mut(&id).ok_or(Refusal::NoSuchCall)?, &mut self.desk)
    }
}

pub(crate) fn dialled(account: &Account, to: &Redacted<String>) -> Result<sip::message::Uri, Refusal> {
    dial::dial(to.reveal(), &account.uri).map_err(Refusal::BadTarget)
}

fn subject(command: &Command) -> Subject {
    match command {
        Command::AddAccount(id, _)
        | Command::Relays(id, _)
        | Command::RemoveAccount(id)
        | Command::Trust(id, _)
        | Command::Register(id)
        | Command::Unregister(id) => Subject::Account(*id),
        Command::Call { call, .. }
        | Command::Answer(call)
        | Command::Progress(call)
        | Command::Reject(call, _)
        | Command::HangUp(call)
        | Command::Hold(call)
        | Command::Resume(call)
        | Command::Mute(call, _)
        | Command::Transfer { call, .. }
        | Command::TransferTo { call, .. }
        | Command::MergeWith { call, .. }
        | Command::Split(call)
        | Command::PressOn(call)
        | Command::Refresh { call, .. }
        | Command::Dtmf { call, .. }
        | Command::Announce { call, .. } => Subject::Call(*call),
        Command::Message { message, .. } | Command::TakeBack(message) => Subject::Message(*message),
        Command::Swap
        | Command::DefaultAccount(_)
        | Command::Merge
        | Command::DoNotDisturb(_)
        | Command::ForwardTo(_)
        | Command::CallWaiting(_)
        | Command::Block(_)
        | Command::Watch { .. }
        | Command::Unwatch { .. }
        | Command::SetPresence { .. }
        | Command::RefuseAnonymous(_)
        | Command::Regions(_)
        | Command::AllowRoaming(_)
        | Command::Remember(_)
        | Command::Shutdown => Subject::Phone,
    }
}
