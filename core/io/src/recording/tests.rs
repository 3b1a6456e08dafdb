//! Recordings, their files looked at byte by byte.

use std::io::{Cursor, Seek, SeekFrom, Write};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, mpsc};

use super::*;

/// The pairs in a stereo file of ours.
fn pairs(bytes: &[u8]) -> Vec<[i16; 2]> {
    assert_eq!((&bytes[..4], bytes[22], bytes[32]), (&b"RIFF"[..], 2, 4), "two channels");
    let claimed = u32::from_le_bytes(bytes[40..44].try_into().unwrap()) as usize;
    assert_eq!(claimed, bytes.len() - 44);
    let sample = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
    (44..bytes.len()).step_by(4).map(|at| [sample(at), sample(at + 2)]).collect()
}

fn told(events: &Events) -> Option<Event> {
    events.wait(Duration::ZERO)
}

#[test]
fn what_is_said_is_on_the_left_and_what_is_heard_on_the_right() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.wav");
    let (recorder, events) = (Recorder::new(), Arc::<Events>::default());
    let options = RecordOptions::default();
    let mut recording = recorder.begin(path.clone(), options, Arc::clone(&events)).unwrap();
    for n in 0..25 {
        let (mut said, mut heard) = ([n; FRAME], [-n; FRAME]);
        recording.beep_heard(&mut heard);
        recording.beep_said(&mut said);
        recording.keep(&said, &heard);
    }
    drop(recording);
    recorder.wait();
    let wanted: Vec<[i16; 2]> = (0..25).flat_map(|n| [[n, -n]; FRAME]).collect();
    assert_eq!(pairs(&std::fs::read(path).unwrap()), wanted);
    assert!(told(&events).is_none());
}

#[test]
fn both_sides_hear_the_same_beep_and_it_is_in_the_file() {
    let (pieces, mut waiting) = RingBuffer::new(ROOM);
    let options = RecordOptions { beep: true };
    let mut recording = Recording::new(PathBuf::new(), options, pieces, std::thread::current());
    let (mut said, mut heard) = ([i16::MAX; FRAME], [0; FRAME]);
    recording.beep_heard(&mut heard);
    recording.beep_said(&mut said);
    assert!(heard.iter().any(|sample| *sample > 1000));
    assert!(said.iter().zip(&heard).all(|(said, beep)| *said == i16::MAX.saturating_add(*beep)));
    recording.keep(&said, &heard);
    assert_eq!(waiting.pop().unwrap().both[FRAME / 2], [said[FRAME / 2], heard[FRAME / 2]]);
}

/// A disk that takes nothing until it is let.
struct Stuck {
    file: Cursor<Vec<u8>>,
    let_go: Receiver<()>,
    /// Whatever is in the file in the end.
    whole: Sender<Vec<u8>>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.let_go.recv(); // from then on the sender is gone, and nothing waits
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Stuck {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        let _ = self.whole.send(self.file.get_ref().clone());
    }
}

#[test]
fn what_a_stuck_disk_does_not_take_is_silence_of_the_same_length() {
    let (pieces, waiting) = RingBuffer::new(ROOM);
    let ((go, let_go), (whole, written)) = (mpsc::channel(), mpsc::channel());
    let disk = Stuck { file: Cursor::default(), let_go, whole };
    let taken = Arc::new(Mutex::new(()));
    let at_the_ring = Arc::clone(&taken);
    let stuck = taken.lock().unwrap();
    let writer = std::thread::spawn(move || {
        drop(at_the_ring.lock());
        writer::keep(move || Ok(disk), waiting)
    });
    let options = RecordOptions::default();
    let mut recording = Recording::new(PathBuf::new(), options, pieces, writer.thread().clone());
    let frame = |n: usize| [n as i16; FRAME];
    let lost = 70;
    (0..ROOM + lost).for_each(|n| recording.keep(&frame(n), &frame(n)));
    drop(stuck);
    drop(go);
    // It goes on where it would have been.
    while recording.pieces.is_full() {
        std::thread::yield_now();
    }
    recording.keep(&frame(1000), &frame(1000));
    drop(recording);
    assert_eq!(writer.join().unwrap().unwrap() as usize, lost);
    let pairs = pairs(&written.recv().unwrap());
    assert_eq!(pairs.len(), (ROOM + lost + 1) * FRAME);
    let each: Vec<i16> = pairs.chunks(FRAME).map(|frame| frame[0][0]).collect();
    assert!((0..ROOM).all(|n| each[n] == n as i16) && each[ROOM..ROOM + lost].iter().all(|s| *s == 0));
    assert_eq!(each.last(), Some(&1000));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_path_that_cannot_be_written_are_told_once_and_end_it() {
    for path in ["/dev/full", "/nowhere/call.wav"] {
        let (recorder, events) = (Recorder::new(), Arc::<Events>::default());
        let options = RecordOptions::default();
        let mut recording = recorder.begin(path.into(), options, Arc::clone(&events)).unwrap();
        while !recording.is_over() {
            recording.keep(&[1; FRAME], &[1; FRAME]);
            std::thread::yield_now();
        }
        recording.keep(&[1; FRAME], &[1; FRAME]);
        drop(recording);
        recorder.wait();
        let Some(Event::RecordingEnded { reason, .. }) = told(&events) else { panic!("told") };
        assert!(reason.starts_with(&format!("{path} cannot be written: ")), "{reason}");
        assert!(told(&events).is_none(), "once");
    }
}
