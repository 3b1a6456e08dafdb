//! What streams say and keep in files: each says a WAV file, round and round, and writes one.
//!
//! Neither a file that cannot be read on nor a disk that is full ends a call: silence is sent, the recording ends.
//! Knows nothing of packets.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use media::wav::{Looped, WavError, Writer};
use phone::MediaId;

use super::{Frame, Gains, RATE, Side, Sound};
use crate::events::{Event, Events};

/// Begins to play a file.
///
/// # Errors
/// [`WavError`]: show it after the file's name.
pub(crate) fn open(path: &Path) -> Result<Looped<BufReader<File>>, WavError> {
    Looped::new(BufReader::new(File::open(path)?), RATE)
}

/// The files of all streams.
#[derive(Debug)]
pub(crate) struct Files {
    play: Option<PathBuf>,
    record: Option<Recordings>,
    streams: BTreeMap<MediaId, Stream>,
    /// Those of the next stream.
    gains: Gains,
}

impl Files {
    pub(crate) fn new(play: Option<PathBuf>, record: Option<PathBuf>, gains: Gains) -> Self {
        Self { play, record: record.map(Recordings::to), streams: BTreeMap::new(), gains }
    }
}

impl Sound for Files {
    fn begin(&mut self, media: MediaId, events: &Events) {
        let mut stream = Stream::begin(self.play.as_deref(), self.record.as_mut(), events);
        stream.gains = self.gains;
        self.streams.insert(media, stream);
    }

    fn end(&mut self, media: MediaId, events: &Events) {
        if let Some(stream) = self.streams.remove(&media) {
            stream.end(events);
        }
    }

    fn hear(&mut self, media: MediaId, frame: &Frame, events: &Events) {
        if let Some(stream) = self.streams.get_mut(&media) {
            stream.hear(frame, events);
        }
    }

    fn say(&mut self, media: MediaId, frame: &mut Frame, events: &Events) {
        match self.streams.get_mut(&media) {
            Some(stream) => stream.say(frame, events),
            None => frame.fill(0),
        }
    }

    fn gain(&mut self, side: Side, db: f32) {
        self.gains.set(side, db);
        self.streams.values_mut().for_each(|stream| stream.gains.set(side, db));
    }
}

/// Where recordings go: the first call to the path itself, the next beside it with a number.
#[derive(Debug)]
struct Recordings {
    path: PathBuf,
    begun: u32,
}

impl Recordings {
    fn to(path: PathBuf) -> Self {
        Self { path, begun: 0 }
    }

    fn next(&mut self) -> PathBuf {
        self.begun += 1;
        if self.begun == 1 {
            return self.path.clone();
        }
        let mut name = self.path.file_stem().unwrap_or_default().to_os_string();
        name.push(format!("-{}", self.begun));
        if let Some(extension) = self.path.extension() {
            name.push(".");
            name.push(extension);
        }
        self.path.with_file_name(name)
    }
}

/// The files of one stream.
#[derive(Debug, Default)]
struct Stream {
    play: Option<(PathBuf, Looped<BufReader<File>>)>,
    record: Option<(PathBuf, Writer<File>)>,
    gains: Gains,
}

impl Stream {
    /// Opens what there is to play and to write; what cannot be opened is told and done without.
    fn begin(play: Option<&Path>, record: Option<&mut Recordings>, events: &Events) -> Self {
        let mut stream = Self::default();
        if let Some(path) = play {
            match open(path) {
                Ok(looped) => stream.play = Some((path.to_owned(), looped)),
                Err(e) => playing_ended(events, path, &e),
            }
        }
        if let Some(path) = record.map(Recordings::next) {
            match File::create(&path).and_then(|file| Writer::new(file, RATE)) {
                Ok(writer) => stream.record = Some((path, writer)),
                Err(e) => recording_ended(events, &path, &e),
            }
        }
        stream
    }

    /// The next 20 ms to say.
    fn say(&mut self, frame: &mut Frame, events: &Events) {
        let Some((path, looped)) = &mut self.play else { return frame.fill(0) };
        if let Err(e) = looped.fill(frame) {
            playing_ended(events, path, &WavError::Io(e));
            self.play = None;
            frame.fill(0);
        }
        self.gains.microphone.apply(frame);
    }

    /// The next 20 ms heard.
    fn hear(&mut self, frame: &Frame, events: &Events) {
        let Some((path, writer)) = &mut self.record else { return };
        let mut frame = *frame;
        self.gains.loudspeaker.apply(&mut frame);
        if let Err(e) = writer.write(&frame) {
            recording_ended(events, path, &e);
            self.record = None;
        }
    }

    /// Brings the recording to its end.
    fn end(self, events: &Events) {
        if let Some((path, mut writer)) = self.record
            && let Err(e) = writer.flush()
        {
            recording_ended(events, &path, &e);
        }
    }
}

fn playing_ended(events: &Events, path: &Path, error: &WavError) {
    let reason = format!("{} {error}; silence is sent", path.display());
    events.push(Event::PlayingEnded { path: path.to_owned(), reason });
}

fn recording_ended(events: &Events, path: &Path, error: &std::io::Error) {
    let reason = format!("{} cannot be written: {error}; the call goes on", path.display());
    events.push(Event::RecordingEnded { path: path.to_owned(), reason });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::FRAME;
    use super::*;

    #[test]
    fn the_second_recording_stands_beside_the_first() {
        let mut to = Recordings::to("/tmp/heard.wav".into());
        assert_eq!((to.next(), to.next()), ("/tmp/heard.wav".into(), "/tmp/heard-2.wav".into()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_ends_the_recording_with_one_event() {
        let events = Events::default();
        let mut full = Recordings::to("/dev/full".into());
        let mut stream = Stream::begin(None, Some(&mut full), &events);
        (0..50).for_each(|_| stream.hear(&[1; FRAME], &events));
        stream.end(&events);
        let Some(Event::RecordingEnded { reason, .. }) = events.wait(Duration::ZERO) else { panic!("told") };
        assert!(reason.contains("/dev/full cannot be written"), "{reason}");
        assert!(events.wait(Duration::ZERO).is_none());
    }

    #[test]
    fn files_are_said_and_kept_as_loud_as_was_asked_from_the_next_frame_on() {
        let dir = tempfile::tempdir().unwrap();
        let [play, heard] = ["play.wav", "heard.wav"].map(|name| dir.path().join(name));
        let mut writer = Writer::new(File::create(&play).unwrap(), RATE).unwrap();
        writer.write(&[1000; FRAME]).unwrap();
        drop(writer);
        let (media, events, mut frame) = (MediaId(1), Events::default(), [0; FRAME]);
        let mut files = Files::new(Some(play), Some(heard.clone()), Gains::of(20.0, -20.0));
        files.begin(media, &events);
        files.say(media, &mut frame, &events);
        assert_eq!(frame, [10_000; FRAME]);
        files.hear(media, &frame, &events);
        files.gain(Side::Microphone, 0.0);
        files.say(media, &mut frame, &events);
        files.say(media, &mut frame, &events);
        assert_eq!(frame, [1000; FRAME]);
        files.end(media, &events);
        let kept = std::fs::read(heard).unwrap();
        assert_eq!(kept[44..], [1000_i16; FRAME].map(i16::to_le_bytes).concat());
    }

    #[test]
    fn what_cannot_be_opened_is_told_and_silence_is_said() {
        let events = Events::default();
        let nowhere = Path::new("/nowhere/speech.wav");
        let mut record = Recordings::to("/nowhere/heard.wav".into());
        let mut stream = Stream::begin(Some(nowhere), Some(&mut record), &events);
        assert!(matches!(events.wait(Duration::ZERO), Some(Event::PlayingEnded { .. })));
        assert!(matches!(events.wait(Duration::ZERO), Some(Event::RecordingEnded { .. })));
        let mut frame = [7; FRAME];
        stream.say(&mut frame, &events);
        assert_eq!(frame, [0; FRAME]);
    }
}
