//! `offhook balance` and `offhook callback`: the account's provider, asked once.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use base::Secret;
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use offhook_io::balance::Card;
use offhook_io::{Offer, clock};

use crate::cli::{BalanceArgs, CallbackArgs, WhoseArgs};
use crate::failure::Failure;
use crate::phone::card::{Entry, Then};
use crate::phone::json::say;
use crate::phone::money::{Came, Money};
use crate::phone::purse::{Purse, not_offered};
use crate::phone::settings::{Settings, Wanted};

/// Pays a card in, if there is one; then says what is left, and for how long.
pub(crate) fn run(args: &BalanceArgs) -> Result<(), Failure> {
    let purse = purse(&args.whose)?;
    let json = args.whose.json;
    let mut wrong = None;
    if args.top_up {
        // Before a card is asked for that nobody takes.
        if purse.customer.provider.top_up.is_none() {
            return Err(Failure::Usage(not_offered(Offer::TopUp)));
        }
        let told = purse.pay(card(args.card_file.as_deref())?).map_err(Failure::Usage)?;
        let told = Money::TopUp(Came::from(told));
        tell(&told, json)?;
        wrong = told.failure();
    }
    if args.to.is_some() && purse.customer.provider.minutes.is_none() {
        return Err(Failure::Usage(not_offered(Offer::Minutes)));
    }
    match purse.ask() {
        Some(Ok(kept)) => tell(&Money::balance(&kept.balance, Some(kept.age(clock::wall_millis()))), json)?,
        Some(Err(why)) => {
            if let Some(kept) = purse.kept() {
                tell(&Money::balance(&kept.balance, Some(kept.age(clock::wall_millis()))), json)?;
            }
            return Err(Failure::Failed(wrong.unwrap_or_else(|| why.to_string())));
        }
        None if args.to.is_none() && !args.top_up => return Err(Failure::Usage(not_offered(Offer::Balance))),
        None => {}
    }
    if let Some(to) = &args.to {
        let (number, left) = purse.minutes(to).map_err(Failure::Failed)?;
        tell(&Money::minutes(number, Ok(left)), json)?;
    }
    wrong.map_or(Ok(()), |reason| Err(Failure::Failed(reason)))
}

/// Has the provider call.
pub(crate) fn call_back(args: &CallbackArgs) -> Result<(), Failure> {
    let purse = purse(&args.whose)?;
    let (to, told) = purse.call_back(&args.number, args.from.as_deref()).map_err(Failure::Usage)?;
    let told = Money::Callback { to, came: Came::from(told) };
    tell(&told, args.whose.json)?;
    told.failure().map_or(Ok(()), |reason| Err(Failure::Failed(reason)))
}

fn purse(whose: &WhoseArgs) -> Result<Purse, Failure> {
    let settings = Settings::gather(&whose.phone(), Wanted::Default)?;
    let purse = settings.accounts.into_iter().next().and_then(|run| run.purse);
    purse.ok_or_else(|| {
        Failure::Usage("whom to ask? no provider is named: `url` or `vos` under [balance]".into())
    })
}

/// A failure is for stderr alone, unless a script reads.
fn tell(money: &Money, json: bool) -> Result<(), Failure> {
    if json {
        return say(money).map_err(|error| Failure::Failed(format!("stdout is gone: {error}")));
    }
    if money.failure().is_none() {
        println!("{}", money.sentence());
    }
    Ok(())
}

/// A card's number and PIN: from a file, from the keys of a terminal, or from two lines of stdin.
fn card(file: Option<&Path>) -> Result<Card, Failure> {
    let unread = |error: io::Error| Failure::Usage(format!("the card cannot be read: {error}"));
    let text = match file {
        Some(path) => Secret::new(fs::read_to_string(path).map_err(|error| {
            Failure::Usage(format!("{}: the card cannot be read: {error}", path.display()))
        })?),
        None if io::stdin().is_terminal() => Secret::new(String::new()),
        None => Secret::new(io::read_to_string(io::stdin().lock()).map_err(unread)?),
    };
    let typed = file.is_none() && io::stdin().is_terminal();
    let mut lines = text.expose().lines();
    let mut entry = Entry::Number;
    loop {
        let line = if typed {
            hidden(entry.prompt()).map_err(unread)?
        } else {
            lines.next().unwrap_or_default().to_owned()
        };
        match entry.line(line) {
            Then::More(next) => entry = next,
            Then::Whole { number, pin } => return Ok(Card { number, pin }),
            Then::Nothing => return Err(Failure::Usage("there is no card".into())),
        }
    }
}

/// The terminal as it was, whatever happens.
struct Raw;

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
        eprintln!();
    }
}

/// A line that is typed and not shown; nothing where the person does not want to.
fn hidden(prompt: &str) -> io::Result<String> {
    eprint!("{prompt} ");
    io::stderr().flush()?;
    terminal::enable_raw_mode()?;
    let _raw = Raw;
    // Long enough for any card, so that no half of it is left where it grew from.
    let mut line = Secret::new(String::with_capacity(256));
    loop {
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match key.code {
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Err(io::ErrorKind::Interrupted.into());
            }
            KeyCode::Esc => return Ok(String::new()),
            KeyCode::Enter => return Ok(std::mem::take(line.expose_mut())),
            KeyCode::Backspace => drop(line.expose_mut().pop()),
            KeyCode::Char(letter) => line.expose_mut().push(letter),
            _ => {}
        }
    }
}
