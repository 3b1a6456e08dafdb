//! Finding as one types: a line that is typed, and under it what fits, anew with each key.
//!
//! Enter leaves and says what was on top; Esc leaves. Knows nothing of what is looked for.

use std::io::{self, IsTerminal as _};

use crossterm::cursor::MoveTo;
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::Print;
use crossterm::terminal::{self, Clear, ClearType};
use crossterm::{execute, queue};

use crate::failure::Failure;
use crate::phone::screen::Terminal;

/// What a key does.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Another text: what fits it is another.
    Look,
    /// Nothing.
    Stay,
    /// Done: say what is on top.
    Take,
    /// Done: say nothing.
    Leave,
}

/// Shows what `fits` finds for what is typed, in so many lines at most, until the person leaves.
pub(crate) fn run(mut fits: impl FnMut(&str, usize) -> Result<Vec<String>, Failure>) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::Usage("as one types: that needs a terminal".into()));
    }
    let gone = |error: io::Error| Failure::Failed(format!("the terminal is gone: {error}"));
    let terminal = Terminal::enter()?;
    let mut typed = String::new();
    let mut found = fits(&typed, rows().map_err(gone)?)?;
    let taken = loop {
        draw(&typed, &found).map_err(gone)?;
        let step = match event::read().map_err(gone)? {
            Event::Key(pressed) if pressed.kind != KeyEventKind::Release => key(&mut typed, pressed),
            Event::Resize(..) => Step::Look,
            _ => Step::Stay,
        };
        match step {
            Step::Look => found = fits(&typed, rows().map_err(gone)?)?,
            Step::Stay => {}
            Step::Take => break found.into_iter().next(),
            Step::Leave => break None,
        }
    };
    drop(terminal);
    if let Some(line) = taken {
        println!("{line}");
    }
    Ok(())
}

fn key(typed: &mut String, key: KeyEvent) -> Step {
    match key.code {
        KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => return Step::Leave,
        KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => typed.clear(),
        KeyCode::Char(letter) if !key.modifiers.contains(KeyModifiers::CONTROL) => typed.push(letter),
        KeyCode::Backspace if typed.pop().is_some() => {}
        KeyCode::Esc => return Step::Leave,
        KeyCode::Enter => return Step::Take,
        _ => return Step::Stay,
    }
    Step::Look
}

/// Lines under the one that is typed.
fn rows() -> io::Result<usize> {
    Ok(usize::from(terminal::size()?.1).saturating_sub(1))
}

fn draw(typed: &str, found: &[String]) -> io::Result<()> {
    let (columns, rows) = terminal::size()?;
    let mut out = io::stdout().lock();
    for (row, line) in (1..rows).zip(found) {
        let line: String = line.chars().take(columns.into()).collect();
        queue!(out, MoveTo(0, row), Print(line), Clear(ClearType::UntilNewLine))?;
    }
    let below = u16::try_from(found.len()).unwrap_or(u16::MAX).saturating_add(1);
    if below < rows {
        queue!(out, MoveTo(0, below), Clear(ClearType::FromCursorDown))?;
    }
    // A long line shows its end, where the person types.
    let hidden = (typed.chars().count() + 3).saturating_sub(columns.into());
    let shown: String = typed.chars().skip(hidden).collect();
    execute!(out, MoveTo(0, 0), Print("> "), Clear(ClearType::UntilNewLine), Print(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(typed: &mut String, code: KeyCode) -> Step {
        key(typed, KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn each_letter_looks_anew_and_enter_takes_what_is_on_top() {
        let mut typed = String::new();
        for letter in ['a', 'n'] {
            assert_eq!(press(&mut typed, KeyCode::Char(letter)), Step::Look);
        }
        assert_eq!(typed, "an");
        assert_eq!((press(&mut typed, KeyCode::Backspace), &*typed), (Step::Look, "a"));
        assert_eq!((press(&mut typed, KeyCode::Backspace), &*typed), (Step::Look, ""));
        assert_eq!(press(&mut typed, KeyCode::Backspace), Step::Stay);
        assert_eq!(press(&mut typed, KeyCode::Left), Step::Stay);
        assert_eq!(press(&mut typed, KeyCode::Enter), Step::Take);
        assert_eq!(press(&mut typed, KeyCode::Esc), Step::Leave);
        assert_eq!(key(&mut typed, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Step::Leave);
    }
}
