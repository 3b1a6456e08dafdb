//! The phone for people: a small screen with a prompt. Plain ANSI, so it works over ssh.
//!
//! Without a terminal on either side it falls back to sentences, a line each.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use base::Secret;
use crossterm::cursor::MoveTo;
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{event, execute, queue, terminal};
use offhook_io::Event;
use phone::{AccountId, CallState, Side};

use super::card::{Entry, Then};
use super::desk::{Desk, News, read_lines, start};
use super::picture;
use super::request::{Asked, HELP, Request, Wish};
use crate::failure::Failure;

/// How often the timer and the meter move.
const TICK: Duration = Duration::from_millis(500);
/// Sentences kept to be shown.
const KEPT: usize = 200;

/// Until the person quits or a signal comes.
pub(crate) fn run(desk: &mut Desk, news: std::sync::mpsc::Sender<News>) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        read_lines(news)?;
        return sentences(desk);
    }
    start("keys", move || {
        while let Ok(input) = event::read() {
            if news.send(News::Terminal(input)).is_err() {
                return;
            }
        }
    })?;
    let terminal = Terminal::enter()?;
    let mut screen = Screen { typed: String::new(), said: Vec::new(), card: None, card_of: None };
    let result = screen.run(desk);
    drop(terminal);
    // The farewell is for the ordinary screen, where it stays readable.
    println!("hanging up and unregistering");
    desk.stop(|_, _| ());
    result
}

/// Raw mode and the other screen, given back whatever happens.
pub(crate) struct Terminal;

impl Terminal {
    pub(crate) fn enter() -> Result<Self, Failure> {
        let failed = |error| Failure::Failed(format!("the terminal cannot be used: {error}"));
        terminal::enable_raw_mode().map_err(failed)?;
        let this = Self;
        execute!(io::stdout(), EnterAlternateScreen).map_err(failed)?;
        Ok(this)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

struct Screen {
    typed: String,
    said: Vec<String>,
    /// A card is being typed, and not shown.
    card: Option<Entry>,
    /// To which account it is paid in; `None`: the one that calls go by.
    card_of: Option<AccountId>,
}

impl Screen {
    fn run(&mut self, desk: &mut Desk) -> Result<(), Failure> {
        loop {
            self.draw(desk).map_err(|error| Failure::Failed(format!("the terminal is gone: {error}")))?;
            // While nothing moves there is nothing to draw.
            let patience = (!desk.calls.is_empty()).then_some(TICK);
            match desk.next(patience) {
                Some(News::Event(Event::Phone(phone::Event::Stopped)) | News::Signal | News::InputEnded) => {
                    return Ok(());
                }
                Some(News::Event(event)) => {
                    for line in picture::certificate(&event) {
                        self.say(line);
                    }
                    if let Some(sentence) = picture::sentence(&event, &desk.roster) {
                        self.say(sentence);
                    }
                }
                Some(News::Terminal(Input::Key(key))) if key.kind != KeyEventKind::Release => {
                    if self.key(desk, key) {
                        return Ok(());
                    }
                }
                Some(News::Diagnosed(Ok(router))) => {
                    router.lines().into_iter().for_each(|line| self.say(line));
                }
                #[cfg(feature = "rest")]
                Some(News::Money(account, money)) => {
                    self.say(desk.roster.before(account) + &money.sentence());
                }
                Some(News::Trouble(Some(account), reason)) => self.say(desk.roster.before(account) + &reason),
                Some(News::Diagnosed(Err(reason)) | News::Trouble(None, reason)) => self.say(reason),
                Some(News::Terminal(_) | News::Typed(_)) | None => {}
            }
        }
    }

    /// Whether the person wants to leave.
    fn key(&mut self, desk: &mut Desk, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Esc if self.card.take().is_some() => drop(Secret::new(std::mem::take(&mut self.typed))),
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => return true,
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => self.typed.clear(),
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => self.typed.push(c),
            KeyCode::Backspace => drop(self.typed.pop()),
            KeyCode::Tab => desk.roster.go_by_next(),
            KeyCode::Esc if !self.typed.is_empty() => self.typed.clear(),
            KeyCode::Esc => match desk.current() {
                Some(call) => desk.perform(end(desk, call), None),
                None => self.say("there is no call".into()),
            },
            KeyCode::Enter => {
                let line = std::mem::take(&mut self.typed);
                return match self.card.take() {
                    Some(entry) => {
                        self.card_line(desk, entry, line);
                        false
                    }
                    None => self.enter(desk, line.trim()),
                };
            }
            _ => {}
        }
        #[cfg(feature = "rest")]
        if let Some(purse) = desk.purse(None).filter(|_| self.card.is_none() && is_dialled(&self.typed)) {
            purse.typed(&self.typed);
        }
        false
    }

    fn card_line(&mut self, desk: &Desk, entry: Entry, line: String) {
        match entry.line(line) {
            Then::More(entry) => {
                self.say(entry.prompt().into());
                self.card = Some(entry);
            }
            Then::Whole { number, pin } => {
                if let Err(sentence) = desk.provider(Wish::TopUp { number, pin }, self.card_of.take()) {
                    self.say(sentence);
                }
            }
            Then::Nothing => {}
        }
    }

    fn enter(&mut self, desk: &mut Desk, line: &str) -> bool {
        let call = desk.current();
        let request = match (line, call) {
            ("help" | "?", _) => {
                for line in HELP {
                    self.say((*line).into());
                }
                return false;
            }
            ("", Some(call)) => Ok((Request::Answer { call }, None)),
            _ => asked(desk, line),
        };
        match request {
            Ok((Request::Quit, _)) => return true,
            // It is on the screen.
            Ok((Request::Status, _)) => {}
            Ok((Request::History, _)) => match desk.history() {
                Ok(history) => history.lines().into_iter().for_each(|line| self.say(line)),
                Err(sentence) => self.say(sentence),
            },
            Ok((Request::Provider(wish), account)) => {
                if let Err(sentence) = desk.provider(wish, account) {
                    self.say(sentence);
                }
            }
            Ok((Request::TopUp, account)) => {
                self.say(Entry::Number.prompt().into());
                self.card = Some(Entry::Number);
                self.card_of = account;
            }
            Ok((Request::Diagnose, _)) => {
                if let Err(sentence) = desk.diagnose() {
                    self.say(sentence);
                }
            }
            Ok((request, account)) => desk.perform(request, account),
            Err(sentence) => self.say(sentence),
        }
        false
    }

    fn say(&mut self, sentence: String) {
        if self.said.len() == KEPT {
            self.said.remove(0);
        }
        self.said.push(sentence);
    }

    fn draw(&self, desk: &Desk) -> io::Result<()> {
        let size = terminal::size()?;
        let mut out = io::stdout().lock();
        let lines = picture::lines(desk, &self.said, size, offhook_io::clock::now());
        for (row, line) in (0..size.1).zip(&lines) {
            queue!(out, MoveTo(0, row), Print(line), Clear(ClearType::UntilNewLine))?;
        }
        // A long line shows its end, where the person types.
        let room = usize::from(size.0).saturating_sub(3);
        let hidden = self.typed.chars().count().saturating_sub(room);
        let show = |letter| if self.card.is_some() { '*' } else { letter };
        let shown: String = self.typed.chars().skip(hidden).map(show).collect();
        let last = size.1.saturating_sub(1);
        queue!(out, MoveTo(0, last), Print("> "), Print(shown), Clear(ClearType::UntilNewLine))?;
        out.flush()
    }
}

/// Whether what stands at the prompt is a number, so far: then it may be asked how long a call to it could be.
#[cfg(feature = "rest")]
fn is_dialled(typed: &str) -> bool {
    let digits = typed.chars().filter(char::is_ascii_digit).count();
    digits >= 3 && typed.chars().all(|it| it.is_ascii_digit() || "+*#(),;-./ ".contains(it))
}

/// What ends a call in its present state.
fn end(desk: &Desk, call: u32) -> Request {
    let rings = |view: &phone::CallView| view.side == Side::In && view.state == CallState::Ringing;
    if desk.calls.get(&call).is_some_and(rings) {
        Request::Reject { call, status: 486 }
    } else {
        Request::HangUp { call }
    }
}

/// What a line asks for, and of which account where one is named. The error is a sentence.
fn asked(desk: &Desk, line: &str) -> Result<(Request, Option<AccountId>), String> {
    Asked::from_typed(line, desk.current()).and_then(|asked| desk.meant(asked))
}

/// Sentences on stdout, lines from stdin; the end of stdin ends nothing, so that it can run unattended.
fn sentences(desk: &mut Desk) -> Result<(), Failure> {
    let mut card: Option<Entry> = None;
    let mut card_of = None;
    loop {
        match desk.next(None) {
            Some(News::Event(Event::Phone(phone::Event::Stopped))) | None => return Ok(()),
            Some(News::Event(event)) => {
                for line in picture::certificate(&event) {
                    println!("{line}");
                }
                if let Some(sentence) = picture::sentence(&event, &desk.roster) {
                    println!("{sentence}");
                }
            }
            Some(News::Typed(line)) if card.is_some() => {
                let entry = card.take().unwrap_or(Entry::Number);
                match entry.line(line) {
                    Then::More(entry) => {
                        println!("{}", entry.prompt());
                        card = Some(entry);
                    }
                    Then::Whole { number, pin } => {
                        if let Err(sentence) = desk.provider(Wish::TopUp { number, pin }, card_of) {
                            println!("{sentence}");
                        }
                    }
                    Then::Nothing => {}
                }
            }
            Some(News::Typed(line)) => match asked(desk, &line) {
                Ok((Request::Quit, _)) => break,
                Ok((Request::Status, _)) => println!("{} calls", desk.calls.len()),
                Ok((Request::History, _)) => match desk.history() {
                    Ok(history) => history.lines().iter().for_each(|line| println!("{line}")),
                    Err(sentence) => println!("{sentence}"),
                },
                Ok((Request::Provider(wish), account)) => {
                    if let Err(sentence) = desk.provider(wish, account) {
                        println!("{sentence}");
                    }
                }
                Ok((Request::TopUp, account)) => {
                    println!("{}", Entry::Number.prompt());
                    card = Some(Entry::Number);
                    card_of = account;
                }
                Ok((Request::Diagnose, _)) => {
                    if let Err(sentence) = desk.diagnose() {
                        println!("{sentence}");
                    }
                }
                Ok((request, account)) => desk.perform(request, account),
                Err(sentence) => println!("{sentence}"),
            },
            Some(News::Diagnosed(Ok(router))) => router.lines().iter().for_each(|line| println!("{line}")),
            #[cfg(feature = "rest")]
            Some(News::Money(account, money)) => {
                println!("{}{}", desk.roster.before(account), money.sentence());
            }
            Some(News::Trouble(Some(account), reason)) => {
                println!("{}{reason}", desk.roster.before(account));
            }
            Some(News::Diagnosed(Err(reason)) | News::Trouble(None, reason)) => println!("{reason}"),
            Some(News::Signal) => break,
            Some(News::InputEnded | News::Terminal(_)) => {}
        }
    }
    desk.stop(|_, _| ());
    Ok(())
}
