//! The neighbour that writes a recording: opens the file, takes what waits, and rests.
//!
//! The file can be played at any moment (`media::wav`). One that cannot be written is told of once.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::thread::park_timeout;
use std::time::Duration;

use media::wav::StereoWriter;
use rtrb::Consumer;

use super::{Piece, ended};
use crate::audio::{FRAME, RATE};
use crate::events::{Event, Events};
use crate::fence::fenced;

/// Rests no longer than this, even if nobody wakes it.
const REST: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_millis(20);

/// Writes what comes to a file, an old one is overwritten, until nothing more will.
pub(super) fn keep_file(path: &Path, pieces: Consumer<Piece>, events: &Events) {
    match fenced(|| keep(|| File::create(path), pieces)) {
        Ok(Ok(0)) => {}
        Ok(Ok(missing)) => {
            let silent = TICK.saturating_mul(missing);
            events.push(Event::RecordingGaps { path: path.to_owned(), silent });
        }
        Ok(Err(error)) => ended(events, path, &error),
        Err(story) => ended(events, path, &format_args!("an internal error at {story}")),
    }
}

/// How many frames are silence because they did not fit. Dropping `pieces` tells the media thread that it is over.
pub(super) fn keep<W: Write + Seek>(
    open: impl FnOnce() -> io::Result<W>,
    mut pieces: Consumer<Piece>,
) -> io::Result<u32> {
    let mut file = StereoWriter::new(open()?, RATE)?;
    let mut missing: u32 = 0;
    loop {
        // Asked before the last are taken: what came before the end is not lost.
        let is_last = pieces.is_abandoned();
        while let Ok(piece) = pieces.pop() {
            for _ in 0..piece.missing {
                file.write(&[[0; 2]; FRAME])?;
            }
            missing = missing.saturating_add(piece.missing);
            file.write(&piece.both)?;
        }
        if is_last {
            file.flush()?;
            return Ok(missing);
        }
        park_timeout(REST);
    }
}
