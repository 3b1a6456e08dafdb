//! What an account's provider is asked beside the balance: how long the money lasts to a number, to take a card, to call back.
//!
//! Fetched as a balance is ([`Teller`]); what the answers mean is [`balance`]'s. What is to be *done* is sent once, and where
//! it may have arrived without an answer that is understood, that is said: nobody sends a card again by itself.

use balance::{
    About, Call, Card, Known, Reading, Receipt, ReceiptReading, Template, TimeLeft, TimeReading, Unread,
};
use offhook_net::tls::Trusts;

use crate::teller::{NoBalance, Sent, Teller, fetch};

/// All that an account's provider can be asked; what it does not offer is `None`.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// What is left.
    pub balance: Option<Teller>,
    /// How long that is enough for, to a number.
    pub minutes: Option<MinutesTeller>,
    /// Takes a card: the template's places are also `{card}` and `{pin}`.
    pub top_up: Option<Errand>,
    /// Rings the person and then who is wanted: also `{caller}` and `{callee}`.
    pub call_back: Option<Errand>,
}

/// How the time that is left to a number is asked for.
#[derive(Clone, Debug)]
pub struct MinutesTeller {
    /// What is asked; `{number}` is the one that would be called.
    pub template: Template,
    /// How the answer is read.
    pub reading: TimeReading,
}

/// How a provider is asked to do something.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What is asked.
    pub template: Template,
    /// How the answer is read.
    pub reading: ReceiptReading,
}

/// Why there is no receipt. Its `Display` is a sentence for a person, without the card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// It was not done: nothing was sent, or the provider says no.
    #[error(transparent)]
    No(NoBalance),
    /// It was sent, and what came of it is not known. Ask for the balance, and let the person decide: never send it again by itself.
    #[error("{0}; whether it was done is not known")]
    InDoubt(NoBalance),
}

impl Provider {
    /// A VOS switch's JSON interface, all of it: `https://billing.example/external/server`. It asks for no password, and is
    /// meant for a backend of the operator's: add an [`balance::Auth`] to each template where that wants one.
    pub fn vos(base: &str) -> Self {
        let errand = |call: Call| Errand { template: call.template(base), reading: ReceiptReading::VosJson };
        Self {
            balance: Some(Teller { template: Call::Customer.template(base), reading: Reading::VosJson }),
            minutes: Some(MinutesTeller {
                template: Call::AvailableTime.template(base),
                reading: TimeReading::VosJson,
            }),
            top_up: Some(errand(Call::PayByPhoneCard)),
            call_back: Some(errand(Call::CallBack)),
        }
    }

    /// The servers' names, by which [`Trusts`] knows them.
    pub fn hosts(&self) -> Vec<String> {
        let balance = self.balance.as_ref().map(|it| &it.template);
        let minutes = self.minutes.as_ref().map(|it| &it.template);
        let errands = [&self.top_up, &self.call_back].map(|it| it.as_ref().map(|it| &it.template));
        let mut hosts: Vec<String> = [balance, minutes]
            .into_iter()
            .chain(errands)
            .flatten()
            .filter_map(crate::teller::host_of)
            .collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

impl MinutesTeller {
    /// Asks about a number, for five seconds at most: not for a thread that has something else to do, and no call waits for it.
    ///
    /// # Errors
    /// - [`NoBalance`]: say its sentence, or nothing.
    pub fn ask(&self, known: &Known, number: &str, trusts: &Trusts) -> Result<TimeLeft, NoBalance> {
        let about = About::Number(number.to_owned());
        let answer = fetch(&self.template, known, &about, trusts).map_err(|failed| failed.why)?;
        Ok(self.reading.read(&answer)?)
    }
}

impl Errand {
    /// Pays a card in. Ask for the balance afterwards, whatever came of it.
    ///
    /// # Errors
    /// - [`NotDone`]: show its sentence.
    pub fn pay(&self, known: &Known, card: Card, trusts: &Trusts) -> Result<Receipt, NotDone> {
        self.run(known, &About::Card(card), trusts)
    }

    /// Has the provider ring `caller`, and `callee` once that is answered.
    ///
    /// # Errors
    /// - [`NotDone`]: show its sentence.
    pub fn call_back(
        &self,
        known: &Known,
        caller: &str,
        callee: &str,
        trusts: &Trusts,
    ) -> Result<Receipt, NotDone> {
        let about = About::CallBack { caller: caller.to_owned(), callee: callee.to_owned() };
        self.run(known, &about, trusts)
    }

    fn run(&self, known: &Known, about: &About, trusts: &Trusts) -> Result<Receipt, NotDone> {
        let answer = fetch(&self.template, known, about, trusts).map_err(|failed| match failed.sent {
            Sent::No => NotDone::No(failed.why),
            Sent::Perhaps if is_no(&failed.why) => NotDone::No(failed.why),
            Sent::Perhaps => NotDone::InDoubt(failed.why),
        })?;
        self.reading.read(&answer, about).map_err(|why| match why {
            Unread::Refused { .. } => NotDone::No(why.into()),
            other => NotDone::InDoubt(other.into()),
        })
    }
}

/// Whether the provider said that it did nothing.
fn is_no(why: &NoBalance) -> bool {
    match why {
        NoBalance::Template(_) | NoBalance::Address | NoBalance::Refused | NoBalance::Busy(_) => true,
        NoBalance::Status(status) => *status < 500,
        // Where to is known only to who has read what was sent.
        NoBalance::Moved
        | NoBalance::Unreachable
        | NoBalance::Silent
        | NoBalance::System
        | NoBalance::Unread(_) => false,
    }
}
