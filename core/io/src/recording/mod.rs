//! Calls kept in files while they go on: on the left what is said, on the right what is heard.
//!
//! ```text
//!   media thread, each 20 ms             a neighbour for each recording
//!    stream -> Recording -- ring, 10 s --> writer -> WAV, stereo
//! ```
//! The media thread never waits for a disk: what does not fit is counted, and written as silence when there is room
//! again, so that both sides stay in time. Time on hold is silence too: the file is as long as the call from when it
//! was begun. In a conference, what is said to one holds the voices of the others. Knows no calls.

#[cfg(test)]
mod tests;
mod writer;

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, Thread};
use std::time::Duration;

use media::Beep;
use rtrb::{Producer, RingBuffer};

use crate::audio::{FRAME, Frame, RATE};
use crate::events::{Event, Events};

/// Pieces that may wait for a slow disk: ten seconds.
const ROOM: usize = 500;
/// How long the end of the phone waits for disks. What is written by then can be played all the same.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Debug builds of file handling are the deepest that it goes.
const STACK: usize = 128 * 1024;

/// How a call is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordOptions {
    /// Both sides, and all in a conference, hear a beep now and every 15 s: in many places the law asks for it.
    pub beep: bool,
}

/// 20 ms of both sides.
#[derive(Debug)]
struct Piece {
    /// So many before it did not fit.
    missing: u32,
    /// Left and right.
    both: [[i16; 2]; FRAME],
}

/// Starts recordings, and waits for their last words.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// A copy is with every writer.
    alive: Sender<Infallible>,
    ended: Receiver<Infallible>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let (alive, ended) = channel();
        Self { alive, ended }
    }

    /// Begins a recording. A file that cannot be written ends it with an event.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn begin(
        &self,
        path: PathBuf,
        options: RecordOptions,
        events: Arc<Events>,
    ) -> io::Result<Recording> {
        let (pieces, waiting) = RingBuffer::new(ROOM);
        let (alive, to) = (self.alive.clone(), path.clone());
        let thread = Builder::new().name("offhook-record".into()).stack_size(STACK).spawn(move || {
            writer::keep_file(&to, waiting, &events);
            drop(alive);
        })?;
        Ok(Recording::new(path, options, pieces, thread.thread().clone()))
    }

    /// Waits until all is written, but not for ever. All recordings have been dropped by now.
    pub(crate) fn finish(self) {
        drop(self.alive);
        let _ = self.ended.recv_timeout(LAST_WORDS);
    }

    /// As long as it takes.
    #[cfg(test)]
    pub(crate) fn wait(self) {
        drop(self.alive);
        let _ = self.ended.recv();
    }
}

/// The media thread's end of a recording. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Recording {
    path: PathBuf,
    // Goes before `wake` is dropped, so that whoever is woken sees it gone.
    pieces: Producer<Piece>,
    wake: Wake,
    /// Frames that did not fit since the last that did.
    missing: u32,
    beep: Option<Beep>,
    /// Of this tick.
    beeping: Frame,
}

impl Recording {
    fn new(path: PathBuf, options: RecordOptions, pieces: Producer<Piece>, writer: Thread) -> Self {
        let beep = options.beep.then(Beep::default);
        Self { path, pieces, wake: Wake(writer), missing: 0, beep, beeping: [0; FRAME] }
    }

    /// Where it goes to.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its writer has given up, and told.
    pub(crate) fn is_over(&self) -> bool {
        self.pieces.is_abandoned()
    }

    /// Lays the beep over what is heard, and remembers it for what is said.
    pub(crate) fn beep_heard(&mut self, heard: &mut Frame) {
        if let Some(beep) = &mut self.beep {
            beep.fill(&mut self.beeping, RATE);
            lay_over(heard, &self.beeping);
        }
    }

    /// Lays the same over what is said.
    pub(crate) fn beep_said(&mut self, said: &mut Frame) {
        if self.beep.is_some() {
            lay_over(said, &self.beeping);
            self.beeping.fill(0);
        }
    }

    /// Keeps 20 ms, or counts them. Never waits.
    pub(crate) fn keep(&mut self, said: &Frame, heard: &Frame) {
        let mut both = [[0; 2]; FRAME];
        for (pair, (said, heard)) in both.iter_mut().zip(said.iter().zip(heard)) {
            *pair = [*said, *heard];
        }
        match self.pieces.push(Piece { missing: self.missing, both }) {
            Ok(()) => self.missing = 0,
            Err(_) => self.missing = self.missing.saturating_add(1),
        }
        self.wake.0.unpark();
    }
}

/// Wakes the writer when it is dropped.
#[derive(Debug)]
struct Wake(Thread);

impl Drop for Wake {
    fn drop(&mut self) {
        self.0.unpark();
    }
}

fn lay_over(frame: &mut Frame, beep: &Frame) {
    for (sample, beep) in frame.iter_mut().zip(beep) {
        *sample = sample.saturating_add(*beep);
    }
}

/// Tells that a recording ended before its call did, or never began.
pub(crate) fn ended(events: &Events, path: &Path, why: &impl std::fmt::Display) {
    let reason = format!("{} cannot be written: {why}; the call goes on", path.display());
    events.push(Event::RecordingEnded { path: path.to_owned(), reason });
}
