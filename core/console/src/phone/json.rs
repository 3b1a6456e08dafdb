//! The phone for scripts: a command a line in, an event a line out.

use std::io::{self, Write as _};

use offhook_io::Event;

use super::desk::{Desk, News};
use super::line::Line;
use super::request::{Asked, Request};
use crate::failure::Failure;

/// Until `quit`, a signal, or the end of stdin: a script that is gone leaves no phone behind.
pub(crate) fn run(desk: &mut Desk) -> Result<(), Failure> {
    loop {
        let done = match desk.next(None) {
            Some(News::Event(Event::Phone(phone::Event::Stopped))) | None => return Ok(()),
            Some(News::Event(event)) => Line::of(&event, &desk.roster).map_or(Ok(()), |line| say(&line)),
            Some(News::Typed(line)) => {
                match Asked::from_json_once(line).and_then(|asked| desk.meant(asked)) {
                    Ok((Request::Quit, _)) => break,
                    Ok((Request::Status, _)) => say(&desk.status()),
                    Ok((Request::History, _)) => match desk.history() {
                        Ok(history) => say(&history),
                        Err(reason) => say(&Line::error(reason)),
                    },
                    Ok((Request::Provider(wish), account)) => {
                        desk.provider(wish, account).or_else(|reason| say(&Line::error(reason)))
                    }
                    // A script gives the card with the command.
                    Ok((Request::TopUp, _)) => Ok(()),
                    Ok((Request::Diagnose, _)) => desk.diagnose().or_else(|reason| say(&Line::error(reason))),
                    Ok((request, account)) => {
                        desk.perform(request, account);
                        Ok(())
                    }
                    Err(reason) => say(&Line::error(reason)),
                }
            }
            Some(News::Diagnosed(Ok(router))) => say(&Line::Router(*router)),
            #[cfg(feature = "rest")]
            Some(News::Money(account, money)) => {
                say(&Of { what: &*money, whose: desk.roster.whose(account) })
            }
            Some(News::Trouble(Some(account), reason)) => {
                say(&Line::error_of(desk.roster.whose(account), reason))
            }
            Some(News::Diagnosed(Err(reason)) | News::Trouble(None, reason)) => say(&Line::error(reason)),
            Some(News::InputEnded | News::Signal) => break,
            Some(News::Terminal(_)) => Ok(()),
        };
        if done.is_err() {
            // Nobody reads any more.
            break;
        }
    }
    desk.stop(|event, roster| {
        let _ = Line::of(event, roster).map(|line| say(&line));
    });
    Ok(())
}

/// What is told, and of which account.
#[cfg(feature = "rest")]
#[derive(serde::Serialize)]
struct Of<'a, T> {
    #[serde(flatten)]
    what: &'a T,
    #[serde(flatten)]
    whose: super::roster::Whose,
}

/// One object, one line, at once.
pub(crate) fn say(line: &impl serde::Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    out.write_all(b"\n")?;
    out.flush()
}
