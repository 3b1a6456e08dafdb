//! Knows the account's money: asks when there is a reason, in a thread of its own that ends with the process, and has the
//! provider take cards and call back.
//!
//! What was told last is kept, over a restart too, and shown with its age while the provider is away. When to ask is
//! `balance`'s to say. No call waits for any of it.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

use base::Instant;
use offhook_io::balance::{Card, Enquiries, Kept, Known, Occasion, Pace, Receipt, TimeLeft, Unread};
use offhook_io::{NoBalance, NotDone, Provider, Trusts, clock};
use phone::{Account, Regions};

use super::desk::News;
use super::money::{Came, Money};
use crate::failure::Failure;

/// Longest sleep: a computer that was itself asleep must find out that the time has come.
const STEP: Duration = Duration::from_secs(60);
/// Who asks for minutes and would wait longer is told so.
const SOON: Duration = Duration::from_secs(5);
/// TLS goes deeper than our other threads.
const STACK: usize = 1024 * 1024;
/// The balance's name in the phone's folder.
const FILE: &str = "balance.json";

/// What is said where no balance is to be had.
pub(crate) const NOT_ASKED: &str =
    "the provider is not asked what is left: no `url` or `vos` under [balance]";

/// Who is asked, and with what.
pub(crate) struct Purse {
    pub(crate) provider: Provider,
    pub(crate) known: Known,
    pub(crate) trusts: Trusts,
    /// Whose numbers are called: what is typed becomes a number by its plan.
    pub(crate) account: Account,
    pub(crate) regions: Regions,
    /// Where the provider rings the person.
    pub(crate) caller: String,
    /// The phone's folder.
    pub(crate) data: Option<PathBuf>,
}

/// What is wanted of it.
pub(crate) enum Ask {
    /// There is a reason to know what is left.
    Balance(Occasion),
    /// That much of a number has been typed by now.
    Typed(String),
    /// The person wants to know for how long a call to that would be.
    Minutes(String),
    /// That number is being called.
    Dialled(String),
    TopUp(Card),
    /// Whom, and where the person is, if not where always.
    CallBack {
        to: String,
        from: Option<String>,
    },
}

impl Purse {
    /// What a typed number is, as it would be called. The error is a sentence.
    fn number(&self, typed: &str) -> Result<String, String> {
        let target = phone::target(typed, &self.account, &self.regions);
        target.map(|target| phone::number_of(target.uri.as_str())).map_err(|error| error.to_string())
    }

    /// What is left; `None`: the provider is not asked.
    pub(crate) fn ask(&self) -> Option<Result<Kept, NoBalance>> {
        let told = self.provider.balance.as_ref()?.ask(&self.known, &self.trusts);
        Some(told.map(|balance| {
            let kept = Kept { balance, told: wall() };
            self.keep(&kept);
            kept
        }))
    }

    /// How long a call to a typed number may last. The error is a sentence.
    pub(crate) fn minutes(&self, typed: &str) -> Result<(String, TimeLeft), String> {
        let number = self.number(typed)?;
        let left =
            self.minutes_to(&number).ok_or_else(|| not_offered("minutes left to a number", "minutes"))?;
        left.map(|left| (number, left)).map_err(|why| why.to_string())
    }

    fn minutes_to(&self, number: &str) -> Option<Result<TimeLeft, NoBalance>> {
        self.provider.minutes.as_ref().map(|teller| teller.ask(&self.known, number, &self.trusts))
    }

    /// The error of the error is a sentence.
    pub(crate) fn pay(&self, card: Card) -> Result<Result<Receipt, NotDone>, String> {
        let errand = self.provider.top_up.as_ref().ok_or_else(|| not_offered("a card", "top_up"))?;
        Ok(errand.pay(&self.known, card, &self.trusts))
    }

    /// Whom it calls, as it was asked for. The outer error is a sentence.
    pub(crate) fn call_back(
        &self,
        to: &str,
        from: Option<&str>,
    ) -> Result<(String, Result<Receipt, NotDone>), String> {
        let errand =
            self.provider.call_back.as_ref().ok_or_else(|| not_offered("a call back", "callback"))?;
        let to = self.number(to)?;
        let told = errand.call_back(&self.known, from.unwrap_or(&self.caller), &to, &self.trusts);
        Ok((to, told))
    }

    /// What was told last.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let text = fs::read_to_string(self.data.as_ref()?.join(FILE)).ok()?;
        Kept::of_line(&text)
    }

    /// Whole or not at all. Where there is no room, there is none: it is but a convenience.
    fn keep(&self, kept: &Kept) {
        let Some(folder) = &self.data else { return };
        let (file, new) = (folder.join(FILE), folder.join(format!("{FILE}.new")));
        if fs::write(&new, kept.to_line()).is_ok() {
            let _ = fs::rename(new, file);
        }
    }
}

/// What is said where a provider is not asked for that.
pub(crate) fn not_offered(what: &str, table: &str) -> String {
    format!("the provider is not asked for {what}: no `[balance.{table}]`, nor `vos` under [balance]")
}

/// Milliseconds since 1970.
pub(crate) fn wall() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Does what it is asked from now on.
pub(crate) fn keep(purse: Purse, news: Sender<News>) -> Result<Sender<Ask>, Failure> {
    let (tell, asks) = mpsc::channel();
    let spawned = thread::Builder::new()
        .name("balance".into())
        .stack_size(STACK)
        .spawn(move || drop(Work::new(&purse, &news).run(&asks)));
    spawned.map_err(|error| Failure::Failed(format!("no thread for the balance: {error}")))?;
    Ok(tell)
}

/// Nobody listens any more.
struct Gone;

struct Work<'a> {
    purse: &'a Purse,
    news: &'a Sender<News>,
    pace: Pace,
    enquiries: Enquiries,
    kept: Option<Kept>,
    /// A provider that stays away is said once.
    said: Option<NoBalance>,
    /// The person waits for a balance.
    wanted: bool,
    /// The person waits for minutes, and not only a call.
    curious: bool,
}

impl<'a> Work<'a> {
    fn new(purse: &'a Purse, news: &'a Sender<News>) -> Self {
        Self {
            purse,
            news,
            pace: Pace::default(),
            enquiries: Enquiries::default(),
            kept: purse.kept(),
            said: None,
            wanted: false,
            curious: false,
        }
    }

    fn run(&mut self, asks: &Receiver<Ask>) -> Result<(), Gone> {
        loop {
            let due = [self.pace.due(), self.enquiries.due()].into_iter().flatten().min();
            let wait = due.map_or(STEP, |due| due.since(clock::now()).min(STEP));
            match asks.recv_timeout(wait) {
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

    fn tell(&self, money: Money) -> Result<(), Gone> {
        self.news.send(News::Money(Box::new(money))).map_err(|_| Gone)
    }

    fn trouble(&self, sentence: String) -> Result<(), Gone> {
        self.news.send(News::Trouble(sentence)).map_err(|_| Gone)
    }

    fn take(&mut self, ask: Ask) -> Result<(), Gone> {
        let now = clock::now();
        match ask {
            Ask::Balance(occasion) => self.occasion(occasion, now),
            Ask::Typed(typed) => {
                // While it is no number yet, it is none.
                let number = self.purse.number(&typed).unwrap_or_default();
                if self.purse.provider.minutes.is_some() {
                    self.curious = false;
                    self.enquiries.typed(&number, now);
                }
                Ok(())
            }
            Ask::Minutes(typed) => match self.purse.number(&typed) {
                Ok(_) if self.purse.provider.minutes.is_none() => {
                    self.trouble(not_offered("minutes left to a number", "minutes"))
                }
                Ok(number) => {
                    self.curious = true;
                    self.want(number, now)
                }
                Err(reason) => self.trouble(reason),
            },
            Ask::Dialled(number) if self.purse.provider.minutes.is_some() => {
                self.curious = false;
                self.want(number, now)
            }
            Ask::Dialled(_) => Ok(()),
            Ask::TopUp(card) => match self.purse.pay(card) {
                Ok(told) => {
                    self.tell(Money::TopUp(Came::from(told)))?;
                    self.occasion(Occasion::ToppedUp, clock::now())
                }
                Err(reason) => self.trouble(reason),
            },
            Ask::CallBack { to, from } => match self.purse.call_back(&to, from.as_deref()) {
                Ok((to, told)) => self.tell(Money::Callback { to, came: Came::from(told) }),
                Err(reason) => self.trouble(reason),
            },
        }
    }

    fn occasion(&mut self, occasion: Occasion, now: Instant) -> Result<(), Gone> {
        if matches!(occasion, Occasion::CallEnded | Occasion::ToppedUp) {
            self.enquiries.forget();
        }
        if self.purse.provider.balance.is_none() {
            return if occasion == Occasion::Asked { self.trouble(NOT_ASKED.to_owned()) } else { Ok(()) };
        }
        self.pace.occasion(occasion, now);
        if occasion == Occasion::Asked {
            self.wanted = true;
            if self.pace.due().is_some_and(|due| due > now) {
                self.stale()?;
            }
        }
        Ok(())
    }

    /// What was told last, with its age.
    fn stale(&self) -> Result<(), Gone> {
        self.kept
            .as_ref()
            .map_or(Ok(()), |kept| self.tell(Money::balance(&kept.balance, Some(kept.age(wall())))))
    }

    fn fetch(&mut self) -> Result<(), Gone> {
        let wanted = std::mem::take(&mut self.wanted);
        let Some(told) = self.purse.ask() else { return Ok(()) };
        match told {
            Ok(kept) => {
                self.pace.told();
                self.said = None;
                let money = Money::balance(&kept.balance, None);
                self.kept = Some(kept);
                self.tell(money)
            }
            Err(why) => {
                self.pace.failed(why.wait(), why.mends(), clock::now());
                if self.said.as_ref() == Some(&why) && !wanted {
                    return Ok(());
                }
                self.stale()?;
                let sentence = why.to_string();
                self.said = Some(why);
                self.trouble(sentence)
            }
        }
    }

    /// Minutes to that number, from now on or from before.
    fn want(&mut self, number: String, now: Instant) -> Result<(), Gone> {
        self.enquiries.dialled(&number, now);
        if let Some(left) = self.enquiries.known(&number, now) {
            return self.tell(Money::minutes(number, Ok(left)));
        }
        match self.enquiries.due() {
            Some(due) if self.curious && due.since(now) > SOON => {
                let wait = due.since(now).as_secs();
                self.tell(Money::minutes(
                    number,
                    Err(format!("the provider is not asked again for {wait} s")),
                ))
            }
            _ => Ok(()),
        }
    }

    fn enquire(&mut self, number: String) -> Result<(), Gone> {
        let Some(told) = self.purse.minutes_to(&number) else { return Ok(()) };
        match told {
            Ok(left) => {
                self.enquiries.told(left, clock::now());
                self.tell(Money::minutes(number, Ok(left)))
            }
            // That is an answer: calls there are not possible.
            Err(why @ NoBalance::Unread(Unread::Refused { .. })) => {
                self.enquiries.refused();
                self.tell(Money::minutes(number, Err(why.to_string())))
            }
            Err(why) => {
                self.enquiries.failed(why.wait(), clock::now());
                if self.curious { self.tell(Money::minutes(number, Err(why.to_string()))) } else { Ok(()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use base::Secret;
    use offhook_io::Teller;
    use offhook_io::balance::{Reading, Template};

    use super::*;

    /// A provider on this machine that answers every request with that status.
    fn provider(status: &'static str) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let template = Template::get(format!("http://{}", listener.local_addr().unwrap()));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        Provider { balance: Some(Teller { template, reading: Reading::Bare }), ..Provider::default() }
    }

    fn purse(provider: Provider) -> Purse {
        let account = Account::new("sip:1001@offhook.test".parse().unwrap(), Secret::new("hush".into()));
        let known = Known {
            user: "1001".into(),
            password: Secret::new("hush".into()),
            account: "1001".into(),
            number: "1001".into(),
        };
        Purse {
            provider,
            known,
            trusts: Trusts::default(),
            account,
            regions: Regions::default(),
            caller: "1001".into(),
            data: None,
        }
    }

    /// What is told when that is asked, one after the other.
    fn told(purse: &Purse, asks: impl IntoIterator<Item = Ask>) -> Vec<String> {
        let (tell, inbox) = mpsc::channel();
        let (news, told) = mpsc::channel();
        for ask in asks {
            tell.send(ask).unwrap();
        }
        drop(tell);
        let _ = Work::new(purse, &news).run(&inbox);
        drop(news);
        told.iter()
            .map(|news| match news {
                News::Money(money) => money.sentence(),
                News::Trouble(sentence) => sentence,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_failure_is_said_once_unless_the_person_asks() {
        let purse = purse(provider("404 No"));
        let shown = || Ask::Balance(Occasion::Shown);
        assert_eq!(told(&purse, [shown(), shown()]), ["the provider answers with status 404"]);
    }

    #[test]
    fn what_was_told_before_is_shown_with_its_age_while_the_provider_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let mut purse = purse(provider("503 No"));
        purse.data = Some(folder.path().to_owned());
        let line = format!(r#"{{"told":{},"amount":"3.50","currency":"EUR"}}"#, wall() - 7_300_000);
        fs::write(folder.path().join(FILE), line).unwrap();
        assert_eq!(
            told(&purse, [Ask::Balance(Occasion::Shown)]),
            ["3.50 EUR left, as told 2 hours ago", "the provider wants to be asked more seldom"]
        );
    }

    #[test]
    fn what_the_provider_does_not_offer_is_named_and_no_number_is_no_question() {
        let purse = purse(Provider::default());
        let said = told(
            &purse,
            [
                Ask::Balance(Occasion::CallEnded),
                Ask::Balance(Occasion::Asked),
                Ask::Typed("0301".into()),
                Ask::Dialled("0301".into()),
                Ask::Minutes("112".into()),
                Ask::Minutes("0301".into()),
                Ask::CallBack { to: "0301".into(), from: None },
            ],
        );
        for (said, word) in said.iter().zip(["`url`", "emergency", "balance.minutes", "balance.callback"]) {
            assert!(said.contains(word), "{said}");
        }
        assert_eq!(said.len(), 4, "{said:?}");
    }
}
