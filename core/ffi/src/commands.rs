//! What the app may want. Each command queues and returns; what comes of it follows as events.

use std::sync::atomic::Ordering;

use base::{NetworkId, Redacted};
use offhook_io::RecordOptions;
use phone::{AccountId, CallId, Command, Keys, MAX_TEXT, MessageId, NetworkNews, SeenAs, With, dial, target};

use crate::error::PhoneError;
use crate::push::Payload;
use crate::store::Kept;
use crate::{Announced, CallView, Network, Phone, Why};

/// How a ringing call is declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Decline {
    /// Here; other phones of the same number ring on.
    Here,
    /// For all phones of the number.
    Everywhere,
    /// Nobody is here now: the provider may send the caller to a mailbox.
    Away,
}

impl Decline {
    /// RFC 3261 sections 21.4.18, 21.4.24 and 21.6.2.
    const fn status(self) -> u16 {
        match self {
            Self::Here => 486,
            Self::Everywhere => 603,
            Self::Away => 480,
        }
    }
}

/// Calls.
#[uniffi::export]
impl Phone {
    /// Starts a call and returns its id at once; ringing, answer and failure follow as events. A call that is up is put
    /// on hold first. Without an account it goes by the default one; where that should be registered and is not, by the first
    /// that is.
    ///
    /// # Errors
    /// - `BadTarget`: not dialable; show it beside the text field.
    /// - `NoAccount`: send the user to account set-up.
    pub fn call(&self, account: Option<u32>, to: String) -> Result<u32, PhoneError> {
        self.check_call(account, &to)?;
        self.dialled(account, &to);
        let call = self.handle.call(account.map(AccountId), to).0;
        self.log.note(format!("call {call} begun"));
        Ok(call)
    }

    /// Starts a call as `call` does, and it says of who calls what is given here, in spite of the account: the number to be
    /// seen, one of the user's own; and whether it is hidden. What was typed (`#31#`) goes before.
    ///
    /// # Errors
    /// As for `call`; and `BadArgument`: that is no number.
    pub fn call_as(
        &self,
        account: Option<u32>,
        to: String,
        number: Option<String>,
        hide: Option<bool>,
    ) -> Result<u32, PhoneError> {
        if number.as_ref().is_some_and(|number| !phone::is_number(number)) {
            return Err(PhoneError::BadArgument { sentence: "a number to be seen is digits".into() });
        }
        self.check_call(account, &to)?;
        self.dialled(account, &to);
        let seen_as = SeenAs { number: number.map(Redacted::new), hide };
        let call = self.handle.call_as(account.map(AccountId), to, seen_as).0;
        self.log.note(format!("call {call} begun, as its user has it seen"));
        Ok(call)
    }

    /// Whether that could be called: the same errors as `call`, and nothing is done.
    ///
    /// # Errors
    /// As for `call`.
    pub fn check(&self, account: Option<u32>, to: String) -> Result<(), PhoneError> {
        self.check_call(account, &to)
    }

    /// All calls as they stand, by id. For an app that was not there when it was told.
    pub fn calls(&self) -> Vec<CallView> {
        self.handle.calls().into_iter().map(Into::into).collect()
    }

    /// Answers a ringing or announced call. A call that is up is put on hold first.
    ///
    /// # Errors
    /// `NoSuchCall`: the caller has given up; as for every command about a call.
    pub fn answer(&self, call: u32) -> Result<(), PhoneError> {
        self.on(call, Command::Answer)
    }

    /// Declines a ringing or announced call.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn reject(&self, call: u32, how: Decline) -> Result<(), PhoneError> {
        self.on(call, |call| Command::Reject(call, how.status()))
    }

    /// Lets a caller hear us before the answer (early media).
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn progress(&self, call: u32) -> Result<(), PhoneError> {
        self.on(call, Command::Progress)
    }

    /// Ends a call in any state.
    ///
    /// # Errors
    /// `NoSuchCall`: it is over already.
    pub fn hang_up(&self, call: u32) -> Result<(), PhoneError> {
        self.on(call, Command::HangUp)
    }

    /// Puts a call on hold, or the conference that it is in.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn hold(&self, call: u32) -> Result<(), PhoneError> {
        self.on(call, Command::Hold)
    }

    /// Takes a call off hold, or the conference that it is in; what is up is put on hold.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn resume(&self, call: u32) -> Result<(), PhoneError> {
        self.on(call, Command::Resume)
    }

    /// Closes (true) or opens the microphone toward a call, or the conference that it is in.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn mute(&self, call: u32, on: bool) -> Result<(), PhoneError> {
        self.on(call, |call| Command::Mute(call, on))
    }

    /// Holds the call that is up and resumes the youngest of those on hold.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn swap(&self) -> Result<(), PhoneError> {
        self.do_it(Command::Swap)
    }

    /// Merges the call that is up with the youngest of the others: a conference on this phone, of at most three others.
    /// From then on hold, resume and mute of one are of all.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn merge(&self) -> Result<(), PhoneError> {
        self.do_it(Command::Merge)
    }

    /// Takes a call out of the conference, to talk to it alone: the others go on hold.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn split(&self, call: u32) -> Result<(), PhoneError> {
        self.on(call, Command::Split)
    }

    /// Keeps a call in a WAV file until it ends or `stop_recording`: on the left what is said to the other side, on the
    /// right what it says. `beep`: both hear a beep every 15 s. What comes between is told as `FileEnded`.
    ///
    /// # Errors
    /// - `BadArgument`: no path.
    /// - `NoSuchCall`.
    pub fn record(&self, call: u32, path: String, beep: bool) -> Result<(), PhoneError> {
        let call = self.known(call)?;
        if path.is_empty() {
            return Err(PhoneError::BadArgument { sentence: "a recording needs a file".into() });
        }
        self.handle.record(call, path, RecordOptions { beep });
        self.log.note(format!("call {} is recorded", call.0));
        Ok(())
    }

    /// Ends the recording of a call, if there is one.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn stop_recording(&self, call: u32) -> Result<(), PhoneError> {
        let call = self.known(call)?;
        self.handle.stop_recording(call);
        Ok(())
    }

    /// Asks the other side to call somebody else; how it goes is in the call's view.
    ///
    /// # Errors
    /// - `BadTarget`: not dialable; show it beside the text field.
    /// - `NoSuchCall`.
    pub fn transfer(&self, call: u32, to: String) -> Result<(), PhoneError> {
        self.known(call)?;
        self.check_target(None, &to)?;
        self.on(call, |call| Command::Transfer { call, to: Redacted::new(to) })
    }

    /// Connects the other sides of two calls with each other; both calls end here.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn transfer_to(&self, call: u32, other: u32) -> Result<(), PhoneError> {
        let other = self.known(other)?;
        if other.0 == call {
            return Err(PhoneError::BadArgument { sentence: "a call is not transferred to itself".into() });
        }
        self.on(call, |call| Command::TransferTo { call, other })
    }

    /// Asks whether the other side is still there. For diagnostics.
    ///
    /// # Errors
    /// `NoSuchCall`.
    pub fn refresh(&self, call: u32) -> Result<(), PhoneError> {
        self.on(call, |call| Command::Refresh { call, with: With::Update })
    }

    /// Sends keypad digits: `0`-`9`, `*`, `#`, `A`-`D`, `!` for a hook flash, and `,` for a pause.
    ///
    /// # Errors
    /// - `BadArgument`: another character; `TooLong`: more than [`Keys::MOST`].
    /// - `NoSuchCall`.
    pub fn dtmf(&self, call: u32, digits: String) -> Result<(), PhoneError> {
        if digits.len() > Keys::MOST {
            return Err(PhoneError::TooLong);
        }
        Keys::read(&digits).map_err(|bad| PhoneError::BadArgument { sentence: bad.to_string() })?;
        self.on(call, |call| Command::Dtmf { call, digits: Redacted::new(digits) })
    }
}

/// The phone itself.
#[uniffi::export]
impl Phone {
    /// Sends a text message and returns its id; it waits where it cannot be sent at once. What became of it follows as an event.
    ///
    /// # Errors
    /// - `BadTarget`, `NoAccount`: as for `call`.
    /// - `TooLong`: more than 1,000 bytes.
    pub fn message(&self, account: Option<u32>, to: String, text: String) -> Result<u32, PhoneError> {
        self.check_target(account, &to)?;
        if text.len() > MAX_TEXT {
            return Err(PhoneError::TooLong);
        }
        let id = self.messages.fetch_add(1, Ordering::Relaxed) + 1;
        self.do_it(Command::Message {
            message: MessageId(id),
            account: account.map(AccountId),
            to: Redacted::new(to),
            text: Redacted::new(text),
            written: None,
        })?;
        Ok(id)
    }

    /// Does not send a message that waits; one that is on its way is not tried again.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn take_back(&self, message: u32) -> Result<(), PhoneError> {
        self.do_it(Command::TakeBack(MessageId(message)))
    }

    /// Tells of the one network that there is from now on: another one, or the same with other addresses. For a platform
    /// that names one at a time; one that knows of several tells `network_appeared` and `network_vanished`. Not both.
    ///
    /// # Errors
    /// - `BadArgument`: an address or a prefix that is none.
    /// - `TooLong`: more addresses or a longer text than any network has.
    pub fn network_up(&self, network: Network) -> Result<(), PhoneError> {
        self.require_open()?;
        let told = network.told()?;
        if let Some(binder) = &self.binder {
            binder.use_network(network.handle);
        }
        let mut networks = self.networks();
        let before = std::mem::take(&mut *networks);
        let known = before.contains(&network.handle);
        networks.insert(network.handle);
        // What moves to it does so before the one before is gone.
        self.tell_network(&network, told, known);
        for gone in before.into_iter().filter(|handle| *handle != network.handle) {
            self.handle.network(NetworkNews::Vanished(NetworkId::new(gone)));
        }
        Ok(())
    }

    /// Tells that there is no network, whichever there were. Either kind of platform may say so: at the start, say.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn network_down(&self) -> Result<(), PhoneError> {
        self.require_open()?;
        if let Some(binder) = &self.binder {
            binder.use_none();
        }
        let mut networks = self.networks();
        networks.clear();
        self.log.note("no network");
        self.handle.network(NetworkNews::Down);
        Ok(())
    }

    /// Tells of one more network, beside those that there are; or that one of them has other addresses or abilities. Which
    /// of them an account goes by is the phone's to choose, and a call moves without a break where it can.
    ///
    /// # Errors
    /// As for `network_up`.
    pub fn network_appeared(&self, network: Network) -> Result<(), PhoneError> {
        self.require_open()?;
        let told = network.told()?;
        let mut networks = self.networks();
        let known = !networks.insert(network.handle);
        self.tell_network(&network, told, known);
        Ok(())
    }

    /// Tells that a network is gone, by its handle. Of one that was not told nothing is to be said, and nothing happens.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn network_vanished(&self, handle: i64) -> Result<(), PhoneError> {
        self.require_open()?;
        let mut networks = self.networks();
        if networks.remove(&handle) {
            self.log.note(format!("a network is gone, {} left", networks.len()));
            self.handle.network(NetworkNews::Vanished(NetworkId::new(handle)));
        }
        Ok(())
    }

    /// Takes in a push and says at once what it announces: tell the platform before its handler ends.
    ///
    /// # Errors
    /// `BadArgument`: no push of ours; `NoAccount`: for an account that is not here. On iOS report a call all the same,
    /// and end it.
    pub fn push(&self, payload: String) -> Result<Announced, PhoneError> {
        self.require_open()?;
        let payload = Payload::read(&payload)?;
        let account = self.addressed(&payload)?;
        if payload.from.is_none() && payload.call_id.is_none() {
            self.log.note("push: register");
            self.handle.command(Command::Register(AccountId(account)));
            return Ok(Announced::Nothing);
        }
        let remote = payload.from.unwrap_or_default();
        let call =
            self.handle.announce(AccountId(account), remote.clone(), payload.name.clone(), payload.call_id);
        self.log.note(format!("push: call {} announced", call.0));
        let number = phone::number_of(&remote);
        Ok(Announced::Call { call: call.0, account, remote, number, name: payload.name })
    }

    /// Opens sound again: after the microphone was granted, or another app gave it back.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn restart_audio(&self) -> Result<(), PhoneError> {
        self.require_open()?;
        self.handle.audio_restart();
        Ok(())
    }

    /// Takes these devices for sound, by the platform's ids; none: the platform's choice.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn audio_route(&self, input: Option<i32>, output: Option<i32>) -> Result<(), PhoneError> {
        self.require_open()?;
        self.handle.set_audio_route(offhook_io::AudioRoute { input, output });
        Ok(())
    }
}

/// A reason in English, for an app without a translation of it.
#[uniffi::export]
pub fn why_sentence(why: Why) -> String {
    why.to_string()
}

impl Phone {
    fn tell_network(&self, network: &Network, told: phone::Network, known: bool) {
        let Network { kind, metered, roaming, .. } = network;
        let what = if known { "changed" } else { "appeared" };
        self.log.note(format!("network {kind:?} {what}, metered {metered}, roaming {roaming}"));
        self.handle.network(if known { NetworkNews::Changed(told) } else { NetworkNews::Appeared(told) });
    }

    fn do_it(&self, command: Command) -> Result<(), PhoneError> {
        self.require_open()?;
        self.handle.command(command);
        Ok(())
    }

    fn on(&self, call: u32, command: impl FnOnce(CallId) -> Command) -> Result<(), PhoneError> {
        let call = self.known(call)?;
        self.do_it(command(call))
    }

    /// A call that is not over, as far as this thread can know.
    fn known(&self, call: u32) -> Result<CallId, PhoneError> {
        self.require_open()?;
        if self.handle.is_call(CallId(call)) { Ok(CallId(call)) } else { Err(PhoneError::NoSuchCall) }
    }

    fn addressed(&self, payload: &Payload) -> Result<u32, PhoneError> {
        let store = self.store();
        let is_for = |kept: &&Kept| {
            let document = kept.document.as_ref().ok();
            kept.enabled && document.and_then(|it| it.uri().ok()).is_some_and(|uri| payload.is_for(uri))
        };
        store.accounts().iter().find(is_for).map(|kept| kept.id).ok_or(PhoneError::NoAccount)
    }

    /// Reads what is to be called as the phone will, but now.
    fn check_call(&self, account: Option<u32>, to: &str) -> Result<(), PhoneError> {
        target(to, &self.account_of(account)?, &self.regions())?;
        Ok(())
    }

    /// The same of what is only written to, or where a call is sent on to.
    pub(crate) fn check_target(&self, account: Option<u32>, to: &str) -> Result<(), PhoneError> {
        dial(to, &self.account_of(account)?.uri)?;
        Ok(())
    }
}

impl From<std::io::Error> for PhoneError {
    fn from(error: std::io::Error) -> Self {
        Self::Store { sentence: error.to_string() }
    }
}
