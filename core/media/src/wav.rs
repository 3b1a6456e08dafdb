//! WAV files: speech to play and calls to keep.
//!
//! RIFF/WAVE, 16-bit PCM, mono; calls are written in stereo too. Works on anything that reads, writes and seeks; opens
//! no files.

use std::io::{self, Read, Seek, SeekFrom, Write};

use thiserror::Error;

use crate::resample::{Decimator, Resampler};

/// The end of every refusal: what would have been accepted.
const ACCEPTED: &str = "accepted are WAV files of 8000, 16000 or 48000 Hz, mono, 16-bit PCM";

/// Why a file cannot be played. Each reads as a sentence after the file's name.
#[derive(Debug, Error)]
pub enum WavError {
    /// No RIFF/WAVE header, or it ends before its samples begin.
    #[error("is not a WAV file; {}", ACCEPTED)]
    NotWav,
    /// Compressed, or floating point.
    #[error("holds WAV format {}, not plain PCM; {}", .0, ACCEPTED)]
    Format(u16),
    /// Stereo or more.
    #[error("has {} channels; {}", .0, ACCEPTED)]
    Channels(u16),
    /// Not 16 bits.
    #[error("has samples of {} bits; {}", .0, ACCEPTED)]
    Bits(u16),
    /// A rate that is not a small multiple of the telephone's.
    #[error("has {} samples a second; {}", .0, ACCEPTED)]
    Rate(u32),
    /// No samples at all.
    #[error("holds no samples; {}", ACCEPTED)]
    Empty,
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

const PCM: u16 = 1;
/// PCM or not is then said by the first two bytes of a longer format's GUID.
const EXTENSIBLE: u16 = 0xfffe;

/// A WAV file's samples, once through.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    rate: u32,
    start: u64,
    /// Bytes of samples; cut to the file when the header claims more.
    length: u64,
    left: u64,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the header; samples follow.
    ///
    /// # Errors
    /// [`WavError`]: show it after the file's name.
    pub fn new(mut input: R) -> Result<Self, WavError> {
        let mut head = [0; 12];
        read_or(&mut input, &mut head)?;
        if &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
            return Err(WavError::NotWav);
        }
        let mut rate = None;
        loop {
            let mut chunk = [0; 8];
            read_or(&mut input, &mut chunk)?;
            let size = u64::from(u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]));
            match &chunk[..4] {
                b"fmt " => rate = Some(read_format(&mut input, size)?),
                b"data" => {
                    let rate = rate.ok_or(WavError::NotWav)?;
                    let start = input.stream_position()?;
                    let end = input.seek(SeekFrom::End(0))?;
                    input.seek(SeekFrom::Start(start))?;
                    // A recorder that was cut off leaves 0 or all ones.
                    let there = (end - start) & !1;
                    let length = if size == 0 { there } else { there.min(size & !1) };
                    if length == 0 {
                        return Err(WavError::Empty);
                    }
                    return Ok(Self { input, rate, start, length, left: length });
                }
                // Chunks are padded to an even length.
                _ => {
                    input.seek(SeekFrom::Current((size + (size & 1)) as i64))?;
                }
            }
        }
    }

    /// Samples a second: 8,000, 16,000 or 48,000.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// How many samples the file holds.
    pub fn samples(&self) -> u64 {
        self.length / 2
    }

    /// Reads up to `out.len()` samples; 0 at the end.
    ///
    /// # Errors
    /// The input's own.
    pub fn read(&mut self, out: &mut [i16]) -> io::Result<usize> {
        let mut bytes = [0; 1024];
        let mut done = 0;
        while done < out.len() && self.left > 0 {
            let want = ((out.len() - done) * 2).min(bytes.len()).min(self.left as usize);
            self.input.read_exact(&mut bytes[..want])?;
            for (sample, pair) in out[done..].iter_mut().zip(bytes[..want].as_chunks::<2>().0) {
                *sample = i16::from_le_bytes(*pair);
            }
            done += want / 2;
            self.left -= want as u64;
        }
        Ok(done)
    }

    /// Goes back to the first sample.
    ///
    /// # Errors
    /// The input's own.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(self.start))?;
        self.left = self.length;
        Ok(())
    }
}

/// A file that ends inside its header is no WAV file, rather than an input error.
fn read_or(input: &mut impl Read, out: &mut [u8]) -> Result<(), WavError> {
    input.read_exact(out).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => WavError::NotWav,
        _ => WavError::Io(error),
    })
}

fn read_format(input: &mut (impl Read + Seek), size: u64) -> Result<u32, WavError> {
    let mut fields = [0; 26];
    let want = (size as usize).min(fields.len());
    if want < 16 {
        return Err(WavError::NotWav);
    }
    read_or(input, &mut fields[..want])?;
    input.seek(SeekFrom::Current((size + (size & 1)) as i64 - want as i64))?;
    let half = |at: usize| u16::from_le_bytes([fields[at], fields[at + 1]]);
    let format = if half(0) == EXTENSIBLE { half(24) } else { half(0) };
    let rate = u32::from_le_bytes([fields[4], fields[5], fields[6], fields[7]]);
    match (format, half(2), half(14)) {
        (PCM, 1, 16) if Decimator::new(rate, 8000).is_some() => Ok(rate),
        (PCM, 1, 16) => Err(WavError::Rate(rate)),
        (PCM, 1, bits) => Err(WavError::Bits(bits)),
        (PCM, channels, _) => Err(WavError::Channels(channels)),
        (format, ..) => Err(WavError::Format(format)),
    }
}

/// A WAV file played round and round at a rate of the listener's.
#[derive(Debug)]
pub struct Looped<R> {
    reader: Reader<R>,
    resampler: Resampler,
    /// At the listener's rate, not yet played.
    waiting: Vec<i16>,
}

impl<R: Read + Seek> Looped<R> {
    /// Reads the header; the first frame begins at the first sample. `rate`: 8,000, 16,000 or 48,000 samples a second.
    ///
    /// # Errors
    /// [`WavError`]: show it after the file's name.
    pub fn new(input: R, rate: u32) -> Result<Self, WavError> {
        let reader = Reader::new(input)?;
        let resampler = Resampler::new(reader.rate, rate).ok_or(WavError::Rate(reader.rate))?;
        Ok(Self { reader, resampler, waiting: Vec::with_capacity(PIECE * 6) })
    }

    /// Fills the whole frame, from the beginning again as often as it takes.
    ///
    /// # Errors
    /// The input's own: a file that was cut while it played.
    pub fn fill(&mut self, frame: &mut [i16]) -> io::Result<()> {
        let mut piece = [0; PIECE];
        let mut done = 0;
        while done < frame.len() {
            let count = self.waiting.len().min(frame.len() - done);
            frame[done..done + count].copy_from_slice(&self.waiting[..count]);
            self.waiting.drain(..count);
            done += count;
            if self.waiting.is_empty() && done < frame.len() {
                let count = self.reader.read(&mut piece)?;
                if count == 0 {
                    self.reader.rewind()?;
                }
                self.resampler.feed(&piece[..count], &mut self.waiting);
            }
        }
        Ok(())
    }
}

/// Samples read from a file at a time.
const PIECE: usize = 160;

/// Bytes before the samples in what we write.
const HEADER: u32 = 44;
/// Blocks written in a second; the last is lost when the process is killed.
const BLOCKS: u32 = 5;

/// Writes mono 16-bit PCM. The header on disk never claims more than is there: the file can be played at any
/// moment, whatever becomes of the writer.
#[derive(Debug)]
pub struct Writer<W: Write + Seek> {
    output: W,
    /// Bytes of samples on disk.
    length: u32,
    block: Vec<u8>,
    /// Bytes in a full one, a whole number of samples of every channel.
    full: usize,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the header of an empty file.
    ///
    /// # Errors
    /// The output's own.
    pub fn new(output: W, rate: u32) -> io::Result<Self> {
        Self::of(output, rate, 1)
    }

    fn of(mut output: W, rate: u32, channels: u16) -> io::Result<Self> {
        // Of one moment, all channels.
        let moment = channels * 2;
        let mut header = [0; HEADER as usize];
        header[..4].copy_from_slice(b"RIFF");
        header[4..8].copy_from_slice(&(HEADER - 8).to_le_bytes());
        header[8..16].copy_from_slice(b"WAVEfmt ");
        header[16..20].copy_from_slice(&16u32.to_le_bytes());
        header[20..22].copy_from_slice(&PCM.to_le_bytes());
        header[22..24].copy_from_slice(&channels.to_le_bytes());
        header[24..28].copy_from_slice(&rate.to_le_bytes());
        header[28..32].copy_from_slice(&(rate * u32::from(moment)).to_le_bytes());
        header[32..34].copy_from_slice(&moment.to_le_bytes());
        header[34..36].copy_from_slice(&16u16.to_le_bytes());
        header[36..40].copy_from_slice(b"data");
        output.write_all(&header)?;
        output.flush()?;
        let full = (rate / BLOCKS).max(1) as usize * usize::from(moment);
        Ok(Self { output, length: 0, block: Vec::with_capacity(full), full })
    }

    /// Appends samples; every 1600 of them they reach the output.
    ///
    /// # Errors
    /// The output's own, such as a full disk: stop recording. What was written before stays a valid file.
    pub fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        for sample in samples {
            self.block.extend_from_slice(&sample.to_le_bytes());
            if self.block.len() >= self.full {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Brings everything to the output and the header up to it.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn flush(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        let result = self.append(&block);
        // Kept for its room; after an error it is not tried again.
        self.block = block;
        self.block.clear();
        result
    }

    fn append(&mut self, block: &[u8]) -> io::Result<()> {
        let full = || io::Error::new(io::ErrorKind::FileTooLarge, "a WAV file ends at 4 GiB");
        let length = self.length.checked_add(block.len() as u32).ok_or_else(full)?;
        let riff = length.checked_add(HEADER - 8).ok_or_else(full)?;
        self.output.seek(SeekFrom::Start(u64::from(HEADER + self.length)))?;
        self.output.write_all(block)?;
        self.output.flush()?;
        self.length = length;
        self.output.seek(SeekFrom::Start(4))?;
        self.output.write_all(&riff.to_le_bytes())?;
        self.output.seek(SeekFrom::Start(40))?;
        self.output.write_all(&length.to_le_bytes())?;
        self.output.flush()
    }
}

/// The same for two channels: a [`Writer`] in all but its samples.
#[derive(Debug)]
pub struct StereoWriter<W: Write + Seek>(Writer<W>);

impl<W: Write + Seek> StereoWriter<W> {
    /// As [`Writer::new`].
    ///
    /// # Errors
    /// The output's own.
    pub fn new(output: W, rate: u32) -> io::Result<Self> {
        Writer::of(output, rate, 2).map(Self)
    }

    /// Appends pairs of samples, left and right; every fifth of a second they reach the output.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write(&mut self, pairs: &[[i16; 2]]) -> io::Result<()> {
        self.0.write(pairs.as_flattened())
    }

    /// Brings everything to the output and the header up to it.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Seek> Drop for Writer<W> {
    fn drop(&mut self) {
        // Whoever must know whether it went well has called `flush`.
        let _ = self.flush();
    }
}

#[cfg(test)]
#[path = "wav_tests.rs"]
mod tests;
