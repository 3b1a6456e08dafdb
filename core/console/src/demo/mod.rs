//! `offhook demo`: a whole call on this machine, from the registrar's challenge to what was heard.
//!
//! The pocket exchange and two phones run in this process, but talk over loopback sockets like strangers.

mod around;
pub(crate) mod encryption;
mod hear;
mod report;
mod speech;
mod stage;

use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use base::Redacted;
use media::{Decimator, wav};
use offhook_io::Event;
use phone::{AccountState, CallState, CallView, Command, Side};

use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::phone::json::say;
use crate::phone::line::Line;
use crate::phone::picture::sentence;
use crate::phone::roster::Roster;
use around::{Around, CallerSeen};
use report::{Leg, Report};
use stage::{Party, Stage, Told};

/// Who calls, and whom.
const NUMBERS: [&str; 2] = ["1001", "1002"];
/// Registering, ringing and hanging up on one machine take milliseconds; so long is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the caller presses when they have talked, and how long all of it may take to arrive.
const DIGITS: &str = "159#";
const PRESSING: Duration = Duration::from_secs(3);

/// How long the last figures of a call may take.
const MOMENT: Duration = Duration::from_millis(300);

/// Runs it, and prints what it found.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let outcome = perform(args);
    if args.json {
        let line = match &outcome {
            Ok(Some(report)) => Some(say(&report.line())),
            Ok(None) => None,
            Err(failure) => Some(say(&report::Failed::new(failure))),
        };
        if let Some(Err(error)) = line {
            return Err(Failure::Failed(format!("stdout is gone: {error}")));
        }
    }
    match outcome? {
        Some(report) if !report.ok() => Err(Failure::Failed(report.complaint().into())),
        Some(_) | None => Ok(()),
    }
}

/// `None`: a signal came, and everything was put away.
fn perform(args: &DemoArgs) -> Result<Option<Report>, Failure> {
    let heard_in = args.out.clone();
    if let Some(folder) = &heard_in {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::Usage(format!("{}: cannot be made: {error}", folder.display())))?;
    }
    let mut stage = Stage::set(args, heard_in.as_deref())?;
    let tell = |sentence: String| {
        if !args.json {
            println!("{sentence}");
        }
    };
    tell(format!("the exchange listens on {}", stage.exchange));
    let outcome = play(&mut stage, args, &tell);
    stage.strike();
    let Some(call) = outcome? else { return Ok(None) };

    let legs = [(0, 1), (1, 0)].map(|(speaker, listener)| {
        let heard = recording(&stage.parties[listener].heard)
            .map(|samples| hear::compare(&samples, &stage.parties[speaker].words, args.seconds));
        heard.map(|heard| Leg {
            name: format!("{} to {}", NUMBERS[speaker], NUMBERS[listener]),
            stats: call.stats[listener],
            sent: call.stats[speaker].sent,
            heard,
            audio_ok: heard.is_clip(args.seconds),
        })
    });
    let [to, back] = legs;
    let digits_ok = call.digits == DIGITS;
    let logs = [&*stage.parties[0].log, &*stage.parties[1].log];
    let around = Around::look(call.seen, &call.funds, logs, args.encryption.expected().word())?;
    let report = Report { codec: args.codec.0, setup: call.setup, legs: [to?, back?], digits_ok, around };
    if !args.json {
        println!("\n{}\n{report}", stage.ladder(&report));
        if let Some(folder) = &heard_in {
            let folder = folder.display();
            println!("what each of them heard is in {folder}, and what they remember");
            println!("  offhook history --data {folder}/{}", NUMBERS[0]);
        }
        println!("{}", if report.ok() { "ok: every check passed" } else { "a check failed" });
    }
    Ok(Some(report))
}

/// What is known of the call when it is over.
struct Talk {
    setup: Duration,
    stats: [media::Stats; 2],
    /// What arrived of those that were pressed.
    digits: String,
    /// Who the called person saw.
    seen: CallerSeen,
    /// What the caller had before and after.
    funds: around::Funds,
}

fn play(stage: &mut Stage, args: &DemoArgs, tell: &dyn Fn(String)) -> Result<Option<Talk>, Failure> {
    let mut scene = Scene {
        json: args.json,
        registered: [false; 2],
        calls: [const { None }; 2],
        stats: [None; 2],
        summed_up: [false; 2],
        digits: String::new(),
    };
    let missed = |what: &str| Failure::Failed(format!("{what} within {} s", PATIENCE.as_secs()));

    if !scene.until(stage, PATIENCE, |s| s.registered == [true; 2])? {
        return if stage.interrupted { Ok(None) } else { Err(missed("the phones were not registered")) };
    }
    tell(format!("{} and {} are registered; {} calls {}", NUMBERS[0], NUMBERS[1], NUMBERS[0], NUMBERS[1]));
    #[cfg(feature = "rest")]
    let before = around::funds(stage.http)?;
    stage.parties[0].call(NUMBERS[1]);
    let both = |s: &Scene, state| s.calls.iter().all(|call| call.as_ref().is_some_and(|c| c.state == state));
    if !scene.until(stage, PATIENCE, |s| both(s, CallState::Active))? {
        return if stage.interrupted { Ok(None) } else { Err(missed("the call was not answered")) };
    }
    // Keys that are agreed on where media goes come a moment after the answer.
    scene.until(stage, PATIENCE, |s| s.calls.iter().flatten().all(|call| args.encryption.is_met(call)))?;
    scene.calls.iter().flatten().try_for_each(|call| args.encryption.check(call))?;
    tell(format!("they talk for {} s", args.seconds));
    scene.until(stage, Duration::from_secs(args.seconds), |_| false)?;
    if stage.interrupted {
        return Ok(None);
    }
    let call = scene.calls[0].as_ref().map(|view| view.call);
    if let Some(call) = call {
        let digits = Redacted::new(DIGITS.to_owned());
        stage.parties[0].handle.command(Command::Dtmf { call, digits });
    }
    scene.until(stage, PRESSING, |s| s.digits.len() >= DIGITS.len())?;
    if let Some(call) = call {
        stage.parties[0].handle.command(Command::HangUp(call));
    }
    if !scene.until(stage, PATIENCE, |s| both(s, CallState::Ended))? {
        return if stage.interrupted { Ok(None) } else { Err(missed("the call did not end")) };
    }
    // The last figures come from another thread, and so may come a moment later.
    scene.until(stage, MOMENT, |s| s.summed_up == [true; 2])?;
    let Some(CallView { started, answered: Some(answered), .. }) = scene.calls[0] else {
        return Err(Failure::Failed("the call ended before it was answered".into()));
    };
    let seen = scene.calls[1].as_ref().map(CallerSeen::of);
    let seen = seen.ok_or(Failure::Failed("the call did not arrive".into()))?;
    #[cfg(feature = "rest")]
    let funds = [before, around::funds(stage.http)?];
    #[cfg(not(feature = "rest"))]
    let funds = ();
    let setup = answered.since(started);
    match scene.stats {
        [Some(a), Some(b)] => Ok(Some(Talk { setup, stats: [a, b], digits: scene.digits, seen, funds })),
        _ => Err(Failure::Failed("no media flowed".into())),
    }
}

/// What the two phones told so far.
#[derive(Default)]
struct Scene {
    json: bool,
    registered: [bool; 2],
    calls: [Option<CallView>; 2],
    stats: [Option<media::Stats>; 2],
    /// Whether figures came after the call's end.
    summed_up: [bool; 2],
    /// That the called phone heard.
    digits: String,
}

impl Scene {
    /// Takes news until `done`; false when time ran out, or a signal came.
    fn until(
        &mut self,
        stage: &mut Stage,
        patience: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> Result<bool, Failure> {
        let end = std::time::Instant::now() + patience;
        while !done(self) {
            match stage.inbox.recv_timeout(end.saturating_duration_since(std::time::Instant::now())) {
                Ok(Told::Event(who, event)) => self.take(&stage.parties[who], who, event)?,
                Ok(Told::Signal) => stage.interrupted = true,
                Err(mpsc::RecvTimeoutError::Timeout | mpsc::RecvTimeoutError::Disconnected) => {
                    return Ok(false);
                }
            }
            if stage.interrupted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, party: &Party, who: usize, event: Event) -> Result<(), Failure> {
        if self.json
            && let Some(line) = Line::of(&event, &Roster::default())
        {
            // A reader that is gone is found out by the report.
            let _ = say(&line);
        }
        use phone::Event::{
            Account, Call, Certificate, Dtmf, DtmfLost, EncryptionLost, Gateway, Learnt, Message,
            MessageSent, MessageWaits, Presence, PresenceRefused, Quality, Refused, Silence, Stopped,
            Timeline, Trusted, Voicemail, Way,
        };
        if let Event::Wake { .. } | Event::History { .. } | Event::Messages { .. } = event {
            return Ok(());
        }
        let Event::Phone(event) = event else {
            let sentence = sentence(&event, &Roster::default()).unwrap_or_default();
            return Err(Failure::Failed(format!("{}: {sentence}", NUMBERS[who])));
        };
        match event {
            Account(view) => {
                self.registered[who] = view.state == AccountState::Registered;
                if let (AccountState::Failed, Some(reason)) = (view.state, view.reason) {
                    return Err(Failure::Failed(format!("{} was not registered: {reason}", NUMBERS[who])));
                }
            }
            Call(view) => {
                if view.side == Side::In && view.state == CallState::Ringing {
                    party.handle.command(Command::Answer(view.call));
                }
                if view.state == CallState::Ended && view.answered.is_none() {
                    let why = view.explanation.map(|why| why.to_string()).or(view.reason).unwrap_or_default();
                    return Err(Failure::Failed(format!("the call failed at {}: {why}", NUMBERS[who])));
                }
                self.calls[who] = Some(view);
            }
            Quality { stats, .. } => {
                self.stats[who] = Some(stats);
                self.summed_up[who] =
                    self.calls[who].as_ref().is_some_and(|call| call.state == CallState::Ended);
            }
            Refused { reason, .. } => return Err(Failure::Failed(reason.to_string())),
            Dtmf { digit, .. } => self.digits.push(digit.as_char()),
            Message { .. }
            | MessageSent { .. }
            | MessageWaits { .. }
            | DtmfLost { .. }
            | EncryptionLost { .. }
            | Timeline { .. }
            | Silence { .. }
            | Way { .. }
            | Learnt(_)
            | Certificate { .. }
            | Trusted { .. }
            | Gateway(_)
            | Voicemail { .. }
            | Presence { .. }
            | PresenceRefused { .. }
            | Stopped => {}
        }
        Ok(())
    }
}

/// What a phone has kept, at the rate of the comparison.
fn recording(path: &Path) -> Result<Vec<i16>, Failure> {
    let failed = |why: String| Failure::Failed(format!("{}: {why}", path.display()));
    let file = fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut reader = match wav::Reader::new(BufReader::new(file)) {
        Ok(reader) => reader,
        // Heard nothing at all: a failed check rather than a broken file.
        Err(wav::WavError::Empty) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut samples = vec![0; reader.samples() as usize];
    let count = reader.read(&mut samples).map_err(|error| failed(error.to_string()))?;
    samples.truncate(count);
    let mut down = Decimator::new(reader.rate(), hear::RATE as u32)
        .ok_or_else(|| failed(format!("{} samples a second cannot be compared", reader.rate())))?;
    Ok(samples.into_iter().filter_map(|sample| down.feed(sample)).collect())
}
