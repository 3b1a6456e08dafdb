//! Tests of the WAV reader and writer.

use std::cell::RefCell;
use std::io::Cursor;
use std::rc::Rc;

use super::*;

/// Samples in a fifth of a second at 8 kHz.
const BLOCK: usize = 1600;

/// A file held in memory, looked at while it is written.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Cursor<Vec<u8>>>>);

impl Shared {
    fn bytes(&self) -> Vec<u8> {
        self.0.borrow().get_ref().clone()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}

fn file(rate: u32, samples: &[i16]) -> Vec<u8> {
    let shared = Shared::default();
    Writer::new(shared.clone(), rate).unwrap().write(samples).unwrap();
    shared.bytes()
}

fn all(bytes: Vec<u8>) -> Vec<i16> {
    let mut reader = Reader::new(Cursor::new(bytes)).unwrap();
    let mut out = vec![0; reader.samples() as usize + 1];
    let count = reader.read(&mut out).unwrap();
    out.truncate(count);
    out
}

fn refusal(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = file(8000, &[1, 2, 3]);
    change(&mut bytes);
    Reader::new(Cursor::new(bytes)).err().unwrap().to_string()
}

#[test]
fn what_was_written_is_read_back() {
    let samples: Vec<i16> = (-3000..3000).collect();
    assert_eq!(all(file(8000, &samples)), samples);
}

#[test]
fn the_file_is_whole_at_any_moment() {
    let shared = Shared::default();
    let mut writer = Writer::new(shared.clone(), 8000).unwrap();
    assert!(matches!(Reader::new(Cursor::new(shared.bytes())), Err(WavError::Empty)));
    for n in 0..40 {
        writer.write(&[n; 160]).unwrap();
        let bytes = shared.bytes();
        let claimed = u32::from_le_bytes(bytes[40..44].try_into().unwrap()) as usize;
        assert_eq!(claimed, bytes.len() - 44);
        assert!(claimed / 2 + BLOCK > (n as usize + 1) * 160, "too much kept back");
    }
    drop(writer);
    assert_eq!(all(shared.bytes()).len(), 6400);
}

#[test]
fn every_refusal_says_what_is_accepted() {
    let tail = "; accepted are WAV files of 8000, 16000 or 48000 Hz, mono, 16-bit PCM";
    assert_eq!(refusal(|b| b[0] = b'X'), format!("is not a WAV file{tail}"));
    assert_eq!(refusal(|b| b.truncate(30)), format!("is not a WAV file{tail}"));
    assert_eq!(refusal(|b| b[20] = 6), format!("holds WAV format 6, not plain PCM{tail}"));
    assert_eq!(refusal(|b| b[22] = 2), format!("has 2 channels{tail}"));
    assert_eq!(refusal(|b| b[34] = 24), format!("has samples of 24 bits{tail}"));
    let rate = 44_100u32.to_le_bytes();
    assert_eq!(refusal(|b| b[24..28].copy_from_slice(&rate)), format!("has 44100 samples a second{tail}"));
    assert_eq!(refusal(|b| b.truncate(44)), format!("holds no samples{tail}"));
}

#[test]
fn unknown_chunks_are_skipped_and_a_length_never_filled_in_is_taken_from_the_file() {
    let mut bytes = file(16_000, &[5, 6, 7]);
    bytes.splice(36..36, *b"LIST\x03\0\0\0abc\0");
    assert_eq!(all(bytes), [5, 6, 7]);
    for claimed in [0u32, u32::MAX] {
        let mut bytes = file(8000, &[5, 6, 7]);
        bytes[40..44].copy_from_slice(&claimed.to_le_bytes());
        bytes.push(9);
        assert_eq!(all(bytes), [5, 6, 7]);
    }
}

#[test]
fn a_looped_file_begins_again_without_a_gap() {
    let mut looped = Looped::new(Cursor::new(file(8000, &[1, 2, 3])), 8000).unwrap();
    let mut frame = [0; 8];
    looped.fill(&mut frame).unwrap();
    assert_eq!(frame, [1, 2, 3, 1, 2, 3, 1, 2]);
    looped.fill(&mut frame).unwrap();
    assert_eq!(frame, [3, 1, 2, 3, 1, 2, 3, 1]);
}

#[test]
fn a_wide_file_is_played_at_telephone_rate() {
    for rate in [16_000, 48_000] {
        let tone: Vec<i16> = (0..rate)
            .map(|n| (8000.0 * (std::f32::consts::TAU * 500.0 * n as f32 / rate as f32).sin()) as i16)
            .collect();
        let mut looped = Looped::new(Cursor::new(file(rate, &tone)), 8000).unwrap();
        let mut out = [0; 1600];
        looped.fill(&mut out).unwrap();
        // 500 Hz has 16 samples a turn at 8 kHz, whatever it had before.
        let rising = out[160..].windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
        assert!((89..=91).contains(&rising), "{rising} turns in 180 ms at {rate} Hz");
    }
}

/// Takes so many bytes, then the disk is full.
struct Full(Cursor<Vec<u8>>, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.position() as usize + bytes.len() > self.1 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_a_valid_file() {
    let mut writer = Writer::new(Full(Cursor::default(), 44 + BLOCK * 2), 8000).unwrap();
    writer.write(&[7; BLOCK]).unwrap();
    assert_eq!(writer.write(&[8; BLOCK]).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(all(writer.output.0.get_ref().clone()), [7; BLOCK]);
}

/// Every byte that reached the file, and where, in order.
#[derive(Clone, Default)]
struct Diary(Rc<RefCell<Written>>);

/// Where the next byte goes, and those that went.
type Written = (u64, Vec<(u64, u8)>);

impl Write for Diary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (at, diary) = &mut *self.0.borrow_mut();
        for byte in bytes {
            diary.push((*at, *byte));
            *at += 1;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Diary {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(to) = to else { unreachable!("the writer knows where it is") };
        self.0.borrow_mut().0 = to;
        Ok(to)
    }
}

/// Cuts a writer off behind each byte in turn, and looks at what is there once the first header is.
fn cut_anywhere(diary: &Diary, channels: usize, samples: &[i16]) {
    let mut file: Vec<u8> = Vec::new();
    for (at, byte) in &diary.0.borrow().1 {
        let at = *at as usize;
        file.resize(file.len().max(at + 1), 0);
        file[at] = *byte;
        if file.len() < 44 {
            continue;
        }
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        let (riff, claimed) = (word(4), word(40));
        assert!(44 + claimed <= file.len() && riff + 8 <= file.len(), "claims what is not there");
        assert_eq!(claimed % (channels * 2), 0, "half a moment");
        let there: Vec<i16> =
            file[44..44 + claimed].as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        assert_eq!(there, samples[..claimed / 2]);
    }
    assert_eq!(file.len(), 44 + samples.len() * 2);
}

#[test]
fn a_file_cut_off_at_any_byte_plays_what_its_header_claims_in_mono_and_stereo() {
    // So many that the low bytes of the lengths carry over again and again.
    let samples: Vec<i16> = (0..2 * 1237).map(|n| n * 13).collect();
    let (mono, stereo) = (Diary::default(), Diary::default());
    let mut one = Writer::new(mono.clone(), 200).unwrap();
    let mut two = StereoWriter::new(stereo.clone(), 200).unwrap();
    for piece in samples.chunks(14) {
        one.write(piece).unwrap();
        two.write(piece.as_chunks::<2>().0).unwrap();
    }
    // Dropped without a last `flush`, as when a call is torn down.
    drop((one, two));
    cut_anywhere(&mono, 1, &samples);
    cut_anywhere(&stereo, 2, &samples);
}

#[test]
fn a_stereo_header_says_so() {
    let shared = Shared::default();
    let mut writer = StereoWriter::new(shared.clone(), 16_000).unwrap();
    writer.write(&[[1, -1], [2, -2]]).unwrap();
    writer.flush().unwrap();
    let bytes = shared.bytes();
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((half(22), word(24), word(28), half(32), half(34)), (2, 16_000, 64_000, 4, 16));
    assert_eq!(bytes[44..], [1, 0, 255, 255, 2, 0, 254, 255]);
}
