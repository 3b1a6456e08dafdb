//! One account's dealings with its provider: what is left, for how long, cards, calls back; in a thread of its own, so that no
//! call waits for any of it.
//!
//! The thread sleeps until there is a reason. When to ask is [`Pace`]'s and [`Enquiries`]' to say, how [`Provider`]'s. Numbers
//! are told as they would be called. Knows nothing of where the last balance is kept: that is with who is told.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::Builder;
use std::time::Duration;

use balance::{Balance, Card, Enquiries, Kept, Known, Occasion, Pace, Provider, Receipt, TimeLeft, Unread};
use base::Instant;
use offhook_net::tls::Trusts;
use phone::Account;

use crate::clock;
use crate::provider::{self, NotDone};
use crate::teller::{self, NoBalance};

/// Longest sleep toward a time: a machine that was itself asleep must find out that it has come.
const STEP: Duration = Duration::from_secs(60);
/// Who asks for minutes and would wait longer is told so.
const SOON: Duration = Duration::from_secs(5);
/// TLS goes deeper than our other threads.
const STACK: usize = 1024 * 1024;

/// Who asks whom.
#[derive(Clone)]
pub struct Customer {
    /// What the provider can be asked.
    pub provider: Provider,
    /// As whom.
    pub known: Known,
    /// By whose certificates it is believed.
    pub trusts: Trusts,
}

/// What is wanted of the provider. No `Debug`: it may hold a card.
pub enum Ask {
    /// There is a reason to know what is left.
    Balance(Occasion),
    /// A number is being typed; empty: none any more. It is asked about once that has stopped.
    Typed(String),
    /// The person wants to know for how long a call to that number could be.
    Minutes(String),
    /// That number is being called.
    Dialled(String),
    /// A card is to be paid in, once.
    TopUp(Card),
    /// The provider is to ring both.
    CallBack {
        /// Where the person is.
        caller: String,
        /// Whom the person wants.
        callee: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What is left: keep it.
    Balance(Kept),
    /// What was told before, and why nothing newer: the provider is away, or was asked a moment ago. Show it with its age.
    Stale(Kept),
    /// Why there is no balance. A provider that stays away is told of once, unless the person asks.
    NoBalance(NoBalance),
    /// For how long a call could be, or why that is not known.
    Minutes {
        /// To whom.
        number: String,
        /// How long.
        left: Result<TimeLeft, NoMinutes>,
    },
    /// What came of a card. A balance follows.
    TopUp(Result<Receipt, NotDone>),
    /// What came of a call back.
    CallBack {
        /// Who is called in the end.
        callee: String,
        /// Whether.
        came: Result<Receipt, NotDone>,
    },
    /// The provider has no template for that.
    NotOffered(Offer),
}

/// Why it is not known for how long a call could be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMinutes {
    /// The provider says why not, or nothing.
    #[error(transparent)]
    Untold(#[from] NoBalance),
    /// It wants to be left alone for so long, or has failed.
    #[error("the provider is not asked again for {} s", .0.as_secs())]
    NotYet(Duration),
}

/// What a provider may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// To say what is left.
    Balance,
    /// To say for how long that is enough.
    Minutes,
    /// To take cards.
    TopUp,
    /// To call back.
    CallBack,
}

/// The thread, as its owner holds it. Dropped, it ends once what it asks is answered, and what was asked before is done.
#[derive(Clone, Debug)]
pub struct Dealings(Sender<Ask>);

impl Dealings {
    /// Does what it is asked from now on. `kept`: what was told in another life. `told` is called by its own thread; it says
    /// whether anybody still listens.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn begin(
        customer: Customer,
        kept: Option<Kept>,
        told: impl FnMut(Told) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let (tell, asks) = mpsc::channel();
        let thread = Builder::new().name("offhook-provider".into()).stack_size(STACK);
        thread.spawn(move || drop(Work::new(&customer, kept, told).run(&asks)))?;
        Ok(Self(tell))
    }

    /// Wants something of the provider; false: nobody listened any more, and it has ended.
    pub fn ask(&self, what: Ask) -> bool {
        self.0.send(what).is_ok()
    }
}

impl Customer {
    /// What is left, asked now; `None`: it is not offered. It takes five seconds at most, as all of these.
    ///
    /// # Errors
    /// - [`NoBalance`]: show its sentence.
    pub fn balance(&self) -> Option<Result<Kept, NoBalance>> {
        let told = teller::ask(self.provider.balance.as_ref()?, &self.known, &self.trusts);
        Some(told.map(|balance: Balance| Kept { balance, told: clock::wall_millis() }))
    }

    /// How long a call to that number could be, asked now; `None`: it is not offered.
    ///
    /// # Errors
    /// - [`NoBalance`]: show its sentence.
    pub fn minutes(&self, number: &str) -> Option<Result<TimeLeft, NoBalance>> {
        let teller = self.provider.minutes.as_ref()?;
        Some(provider::minutes(teller, &self.known, number, &self.trusts))
    }

    /// Pays a card in; `None`: it is not offered.
    ///
    /// # Errors
    /// - [`NotDone`]: show its sentence.
    pub fn pay(&self, card: Card) -> Option<Result<Receipt, NotDone>> {
        let errand = self.provider.top_up.as_ref()?;
        Some(provider::pay(errand, &self.known, card, &self.trusts))
    }

    /// Has both called; `None`: it is not offered.
    ///
    /// # Errors
    /// - [`NotDone`]: show its sentence.
    pub fn call_back(&self, caller: &str, callee: &str) -> Option<Result<Receipt, NotDone>> {
        let errand = self.provider.call_back.as_ref()?;
        Some(provider::call_back(errand, &self.known, caller, callee, &self.trusts))
    }
}

/// What is known of an account where its balance is asked for.
pub fn known(account: &Account) -> Known {
    let number = account.uri.view().user_decoded().into_owned();
    Known {
        user: account.auth_user.as_ref().map_or_else(|| number.clone(), |user| user.reveal().clone()),
        password: account.password.clone(),
        account: number.clone(),
        number,
    }
}

/// Nobody listens any more.
struct Gone;

struct Work<'a, F> {
    customer: &'a Customer,
    told: F,
    pace: Pace,
    enquiries: Enquiries,
    kept: Option<Kept>,
    /// A provider that stays away is told of once.
    said: Option<NoBalance>,
    /// The person waits for a balance.
    wanted: bool,
    /// The person waits for minutes, and not only a call.
    curious: bool,
}

impl<'a, F: FnMut(Told) -> bool> Work<'a, F> {
    fn new(customer: &'a Customer, kept: Option<Kept>, told: F) -> Self {
        Self {
            customer,
            told,
            pace: Pace::default(),
            enquiries: Enquiries::default(),
            kept,
            said: None,
            wanted: false,
            curious: false,
        }
    }

    fn run(&mut self, asks: &Receiver<Ask>) -> Result<(), Gone> {
        loop {
            let due = [self.pace.due(), self.enquiries.due()].into_iter().flatten().min();
            let ask = match due {
                Some(due) => asks.recv_timeout(due.since(clock::now()).min(STEP)),
                None => asks.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match ask {
                Ok(ask) => self.take(ask)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if let Some(number) = self.enquiries.begin(clock::now()) {
                self.enquire(number)?;
            }
            if self.pace.begin(clock::now()) {
                self.fetch()?;
            }
        }
    }

    fn tell(&mut self, what: Told) -> Result<(), Gone> {
        if (self.told)(what) { Ok(()) } else { Err(Gone) }
    }

    fn take(&mut self, ask: Ask) -> Result<(), Gone> {
        let now = clock::now();
        let minutes = self.customer.provider.minutes.is_some();
        match ask {
            Ask::Balance(occasion) => self.occasion(occasion, now),
            Ask::Typed(number) if minutes => {
                self.curious = false;
                self.enquiries.typed(&number, now);
                Ok(())
            }
            Ask::Dialled(number) if minutes => {
                self.curious = false;
                self.want(number, now)
            }
            Ask::Typed(_) | Ask::Dialled(_) => Ok(()),
            Ask::Minutes(number) if minutes => {
                self.curious = true;
                self.want(number, now)
            }
            Ask::Minutes(_) => self.tell(Told::NotOffered(Offer::Minutes)),
            Ask::TopUp(card) => match self.customer.pay(card) {
                Some(came) => {
                    self.tell(Told::TopUp(came))?;
                    self.occasion(Occasion::ToppedUp, clock::now())
                }
                None => self.tell(Told::NotOffered(Offer::TopUp)),
            },
            Ask::CallBack { caller, callee } => match self.customer.call_back(&caller, &callee) {
                Some(came) => self.tell(Told::CallBack { callee, came }),
                None => self.tell(Told::NotOffered(Offer::CallBack)),
            },
        }
    }

    fn occasion(&mut self, occasion: Occasion, now: Instant) -> Result<(), Gone> {
        if matches!(occasion, Occasion::CallEnded | Occasion::ToppedUp) {
            self.enquiries.forget();
        }
        let asked = occasion == Occasion::Asked;
        if self.customer.provider.balance.is_none() {
            return if asked { self.tell(Told::NotOffered(Offer::Balance)) } else { Ok(()) };
        }
        self.pace.occasion(occasion, now);
        self.wanted |= asked;
        if asked && self.pace.due().is_some_and(|due| due > now) {
            self.stale()?;
        }
        Ok(())
    }

    fn stale(&mut self) -> Result<(), Gone> {
        self.kept.clone().map_or(Ok(()), |kept| self.tell(Told::Stale(kept)))
    }

    fn fetch(&mut self) -> Result<(), Gone> {
        let wanted = std::mem::take(&mut self.wanted);
        let Some(told) = self.customer.balance() else { return Ok(()) };
        match told {
            Ok(kept) => {
                self.pace.told();
                self.said = None;
                self.kept = Some(kept.clone());
                self.tell(Told::Balance(kept))
            }
            Err(why) => {
                self.pace.failed(why.wait(), why.mends(), clock::now());
                if self.said.as_ref() == Some(&why) && !wanted {
                    return Ok(());
                }
                self.said = Some(why.clone());
                self.stale()?;
                self.tell(Told::NoBalance(why))
            }
        }
    }

    /// Minutes to that number, from now on or from before.
    fn want(&mut self, number: String, now: Instant) -> Result<(), Gone> {
        self.enquiries.dialled(&number, now);
        if let Some(left) = self.enquiries.known(&number, now) {
            return self.tell(Told::Minutes { number, left: Ok(left) });
        }
        let wait = self.enquiries.due().map(|due| due.since(now)).filter(|wait| self.curious && *wait > SOON);
        wait.map_or(Ok(()), |wait| self.tell(Told::Minutes { number, left: Err(NoMinutes::NotYet(wait)) }))
    }

    fn enquire(&mut self, number: String) -> Result<(), Gone> {
        let Some(told) = self.customer.minutes(&number) else { return Ok(()) };
        let now = clock::now();
        let shown = match &told {
            Ok(left) => {
                self.enquiries.told(*left, now);
                true
            }
            // That is an answer: calls there are not possible.
            Err(NoBalance::Unread(Unread::Refused { .. })) => {
                self.enquiries.refused();
                true
            }
            Err(why) => {
                self.enquiries.failed(why.wait(), now);
                self.curious
            }
        };
        if shown { self.tell(Told::Minutes { number, left: told.map_err(NoMinutes::from) }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use balance::{Amount, MinutesTeller, Reading, Teller, Template, TimeReading};
    use base::Secret;

    use super::*;
    use crate::web_service::{ok, service, status};

    /// Somebody whose provider answers as `answer` has it.
    fn customer(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> (Customer, Receiver<String>) {
        let (address, requests) = service(answer);
        let password = Secret::new("hush".to_owned());
        let known = Known { user: "1001".into(), password, account: "1001".into(), number: "1001".into() };
        let at = |path: &str| Template::get(format!("http://{address}{path}"));
        let provider = Provider {
            balance: Some(Teller { template: at("/balance"), reading: Reading::Bare }),
            minutes: Some(MinutesTeller { template: at("/minutes/{number}"), reading: TimeReading::Auto }),
            ..Provider::default()
        };
        (Customer { provider, known, trusts: Trusts::default() }, requests)
    }

    /// What is told when that is asked, one after the other.
    fn told(customer: &Customer, kept: Option<&Kept>, asks: impl IntoIterator<Item = Ask>) -> Vec<Told> {
        let (tell, inbox) = mpsc::channel();
        asks.into_iter().for_each(|ask| tell.send(ask).unwrap());
        drop(tell);
        let mut all = Vec::new();
        let _ = Work::new(customer, kept.cloned(), |told| {
            all.push(told);
            true
        })
        .run(&inbox);
        all
    }

    fn kept(amount: i64) -> Kept {
        let balance =
            Balance { amount: Amount::whole(amount), currency: None, overdraft: None, valid_until: None };
        Kept { balance, told: 7 }
    }

    #[test]
    fn a_balance_is_told_once_a_minute_and_in_between_what_was_told() {
        let (customer, requests) = customer(|_| Some(ok("5")));
        let all = told(&customer, None, [Ask::Balance(Occasion::Shown), Ask::Balance(Occasion::Asked)]);
        let [Told::Balance(fresh), Told::Stale(stale)] = &*all else { panic!("{all:?}") };
        assert_eq!((fresh, fresh.balance.amount), (stale, Amount::whole(5)));
        assert_eq!(requests.try_iter().count(), 1);
    }

    #[test]
    fn a_provider_that_is_away_is_told_of_once_with_what_it_told_before() {
        let (customer, _requests) = customer(|_| Some(status("404 No", "")));
        let shown = || Ask::Balance(Occasion::Shown);
        let all = told(&customer, Some(&kept(3)), [shown(), shown()]);
        assert_eq!(all, [Told::Stale(kept(3)), Told::NoBalance(NoBalance::Status(404))]);
        assert_eq!(told(&customer, None, [shown()]), [Told::NoBalance(NoBalance::Status(404))]);
    }

    #[test]
    fn a_number_is_asked_about_once_and_who_is_asked_too_often_is_left_alone() {
        let (customer, requests) = customer(|path| {
            Some(match path {
                "/minutes/1002" => ok(r#"{"seconds":90}"#),
                "/minutes/1003" => ok(r#"{"retCode":-1,"exception":"no"}"#),
                _ => status("429 Slow\r\nRetry-After: 600", ""),
            })
        });
        let minutes = |number: &str, left| Told::Minutes { number: number.into(), left };
        let dialled = |number: &str| Ask::Dialled(number.into());
        let curious = |number: &str| Ask::Minutes(number.into());
        let ninety = || minutes("1002", Ok(TimeLeft { seconds: 90 }));
        assert_eq!(told(&customer, None, [dialled("1002"), curious("1002")]), [ninety(), ninety()]);
        assert_eq!(requests.try_iter().count(), 1);
        let all = told(&customer, None, [dialled("1003")]);
        assert!(matches!(&*all, [Told::Minutes { left: Err(NoMinutes::Untold(_)), .. }]), "{all:?}");
        // Whoever calls is not told that nothing is known.
        let all = told(&customer, None, [dialled("1004"), dialled("1005"), curious("1005")]);
        let [Told::Minutes { left: Err(NoMinutes::NotYet(wait)), .. }] = &*all else { panic!("{all:?}") };
        assert!((590..=600).contains(&wait.as_secs()), "{wait:?}");
    }

    #[test]
    fn what_is_not_offered_is_told_to_who_asks_and_not_to_who_calls() {
        let (mut customer, _requests) = customer(|_| None);
        customer.provider = Provider::default();
        let number = || "1002".to_owned();
        let asks = [
            Ask::Balance(Occasion::CallEnded),
            Ask::Typed(number()),
            Ask::Dialled(number()),
            Ask::Balance(Occasion::Asked),
            Ask::Minutes(number()),
            Ask::TopUp(Card { number: Secret::new(number()), pin: Secret::default() }),
            Ask::CallBack { caller: number(), callee: number() },
        ];
        let offers = [Offer::Balance, Offer::Minutes, Offer::TopUp, Offer::CallBack];
        assert_eq!(told(&customer, None, asks), offers.map(Told::NotOffered));
    }

    #[test]
    fn it_ends_with_its_owner_and_with_who_listens() {
        let (customer, _requests) = customer(|_| Some(ok("5")));
        let (news, heard) = mpsc::channel();
        let dealings = Dealings::begin(customer, None, move |told| news.send(told).is_ok()).unwrap();
        assert!(dealings.ask(Ask::Balance(Occasion::Shown)));
        assert!(matches!(heard.recv().unwrap(), Told::Balance(_)));
        drop(dealings);
        assert!(heard.recv().is_err());
    }
}
