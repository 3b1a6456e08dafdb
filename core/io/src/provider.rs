//! What an account's provider is asked beside the balance: how long the money lasts to a number, to take a card, to call back.
//!
//! Fetched as a balance is; what is asked, and what the answers mean, is [`balance`]'s. What is to be *done* is sent once, and where
//! it may have arrived without an answer that is understood, that is said: nobody sends a card again by itself.

use balance::{About, Card, Errand, Known, MinutesTeller, Provider, Receipt, TimeLeft, Unread};
use offhook_net::tls::Trusts;

use crate::teller::{NoBalance, Sent, fetch, host_of};

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

/// The servers' names, by which [`Trusts`] knows them.
pub fn provider_hosts(provider: &Provider) -> Vec<String> {
    let mut hosts: Vec<String> = provider.templates().filter_map(host_of).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Asks about a number, for five seconds at most: not for a thread that has something else to do, and no call waits for it.
pub(crate) fn minutes(
    teller: &MinutesTeller,
    known: &Known,
    number: &str,
    trusts: &Trusts,
) -> Result<TimeLeft, NoBalance> {
    let about = About::Number(number.to_owned());
    let answer = fetch(&teller.template, known, &about, trusts).map_err(|failed| failed.why)?;
    Ok(teller.reading.read(&answer)?)
}

/// Pays a card in. Ask for the balance afterwards, whatever came of it.
pub(crate) fn pay(errand: &Errand, known: &Known, card: Card, trusts: &Trusts) -> Result<Receipt, NotDone> {
    run(errand, known, &About::Card(card), trusts)
}

/// Has the provider ring `caller`, and `callee` once that is answered.
pub(crate) fn call_back(
    errand: &Errand,
    known: &Known,
    caller: &str,
    callee: &str,
    trusts: &Trusts,
) -> Result<Receipt, NotDone> {
    run(errand, known, &About::CallBack { caller: caller.to_owned(), callee: callee.to_owned() }, trusts)
}

fn run(errand: &Errand, known: &Known, about: &About, trusts: &Trusts) -> Result<Receipt, NotDone> {
    let answer = fetch(&errand.template, known, about, trusts).map_err(|failed| match failed.sent {
        Sent::No => NotDone::No(failed.why),
        Sent::Perhaps if is_no(&failed.why) => NotDone::No(failed.why),
        Sent::Perhaps => NotDone::InDoubt(failed.why),
    })?;
    errand.reading.read(&answer, about).map_err(|why| match why {
        Unread::Refused { .. } => NotDone::No(why.into()),
        other => NotDone::InDoubt(other.into()),
    })
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
