//! What crossed the wire, as a pcapng file that Wireshark dissects.
//!
//! The signalling thread and the media thread each append whole blocks to the same file, so that neither waits for the
//! other. Sockets never show an IP header: each packet gets one made up. Credentials are masked on the way.
//! Knows nothing of calls.

mod mask;
mod packet;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::FlowId;

use mask::Mask;
pub(crate) use packet::Way;
use packet::{Ends, Segment, Side};

/// Bytes gathered before they are written unasked.
const GATHERED: usize = 64 * 1024;
/// The most of a stream shown as one packet.
const SEGMENT: usize = 32 * 1024;

/// A capture file that has been begun.
#[derive(Debug)]
pub(crate) struct Capture {
    file: Arc<File>,
    secrets: bool,
}

impl Capture {
    /// Begins a file, over an old one if there is one. `secrets`: leave credentials as they are.
    pub(crate) fn create(path: &Path, secrets: bool) -> io::Result<Self> {
        File::create(path)?;
        // Appending is what lets two threads write without knowing of each other.
        let mut file = OpenOptions::new().append(true).open(path)?;
        let mut head = Vec::new();
        packet::head(&mut head);
        file.write_all(&head)?;
        Ok(Self { file: Arc::new(file), secrets })
    }

    /// A thread's own way into the file.
    pub(crate) fn tap(&self) -> Tap {
        Tap {
            file: Some(Arc::clone(&self.file)),
            secrets: self.secrets,
            gathered: Vec::with_capacity(2 * GATHERED),
            masked: Vec::new(),
            streams: BTreeMap::new(),
            failure: None,
        }
    }
}

/// One thread's way into the file. Gathers blocks until [`Tap::flush`]; after an error it stays silent.
#[derive(Debug)]
pub(crate) struct Tap {
    file: Option<Arc<File>>,
    secrets: bool,
    gathered: Vec<u8>,
    masked: Vec<u8>,
    streams: BTreeMap<FlowId, Stream>,
    failure: Option<io::Error>,
}

/// What a TCP stream needs to look whole: the next byte's number, and where masking stands, for each way.
#[derive(Debug, Default)]
struct Stream {
    sequence: [u32; 2],
    mask: [Mask; 2],
}

impl Tap {
    /// A datagram of signalling.
    pub(crate) fn datagram(&mut self, way: Way, ends: Ends, at: Duration, bytes: &[u8]) {
        self.message(Side::Wire, way, ends, at, bytes);
    }

    /// What a sealed datagram of signalling means: beside it, and marked as never on the wire.
    pub(crate) fn meant(&mut self, way: Way, ends: Ends, at: Duration, bytes: &[u8]) {
        self.message(Side::Meant, way, ends, at, bytes);
    }

    fn message(&mut self, side: Side, way: Way, ends: Ends, at: Duration, bytes: &[u8]) {
        let mut mask = Mask::default();
        self.masked.clear();
        self.masked.extend_from_slice(bytes);
        if !self.secrets {
            mask.cover(&mut self.masked);
        }
        packet::block(&mut self.gathered, side, at, way, ends, None, &self.masked);
        self.relieve();
    }

    /// A datagram of media: nothing in it to mask, and nothing allocated.
    pub(crate) fn media(&mut self, way: Way, ends: Ends, at: Duration, bytes: &[u8]) {
        packet::block(&mut self.gathered, Side::Wire, at, way, ends, None, bytes);
        self.relieve();
    }

    /// A piece of a stream.
    pub(crate) fn stream(&mut self, flow: FlowId, way: Way, ends: Ends, at: Duration, bytes: &[u8]) {
        let (ours, theirs) = (way as usize, 1 - way as usize);
        for piece in bytes.chunks(SEGMENT) {
            let stream = self.streams.entry(flow).or_default();
            let segment = Segment { sequence: stream.sequence[ours], acknowledged: stream.sequence[theirs] };
            stream.sequence[ours] = segment.sequence.wrapping_add(piece.len() as u32);
            self.masked.clear();
            self.masked.extend_from_slice(piece);
            if !self.secrets {
                stream.mask[ours].cover(&mut self.masked);
            }
            packet::block(&mut self.gathered, Side::Wire, at, way, ends, Some(segment), &self.masked);
            self.relieve();
        }
    }

    /// A stream is gone.
    pub(crate) fn forget(&mut self, flow: FlowId) {
        self.streams.remove(&flow);
    }

    /// Brings what was gathered to the file.
    ///
    /// # Errors
    /// The capture is over (a full disk, most likely). Told once; what was written before can still be read.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.write_out();
        self.failure.take().map_or(Ok(()), Err)
    }

    fn relieve(&mut self) {
        if self.gathered.len() >= GATHERED {
            self.write_out();
        }
    }

    fn write_out(&mut self) {
        if let Some(file) = self.file.as_deref().filter(|_| !self.gathered.is_empty()) {
            let mut file: &File = file;
            if let Err(failure) = file.write_all(&self.gathered) {
                self.failure = Some(failure);
                self.file = None;
            }
        }
        self.gathered.clear();
    }
}

/// The two ends of what is captured.
pub(crate) fn ends(local: SocketAddr, remote: SocketAddr) -> Ends {
    Ends { local, remote }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_taps_append_whole_blocks_to_one_file_and_mask_what_is_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wire.pcapng");
        let ends = ends("127.0.0.1:5060".parse().unwrap(), "127.0.0.2:5062".parse().unwrap());
        let capture = Capture::create(&path, false).unwrap();
        let (mut signalling, mut media) = (capture.tap(), capture.tap());
        let at = Duration::from_secs(1);
        let register = b"REGISTER sip:x SIP/2.0\r\nAuthorization: Digest response=\"abcdef\"\r\n\r\n";
        signalling.datagram(Way::Out, ends, at, register);
        media.media(Way::In, ends, at, &[0x80; 172]);
        media.flush().unwrap();
        signalling.stream(FlowId(3), Way::Out, ends, at, &register[..50]);
        signalling.stream(FlowId(3), Way::Out, ends, at, &register[50..]);
        signalling.meant(Way::Out, ends, at, register);
        signalling.flush().unwrap();
        let file = std::fs::read(&path).unwrap();
        let mut at = 0;
        let mut kinds = Vec::new();
        while at < file.len() {
            let word = |n: usize| u32::from_le_bytes(file[at + n..at + n + 4].try_into().unwrap());
            let length = word(4) as usize;
            assert_eq!(word(length - 4) as usize, length, "a block's length stands at both ends");
            kinds.push(word(0));
            at += length;
        }
        assert_eq!(kinds, [0x0a0d_0d0a, 1, 1, 6, 6, 6, 6, 6]);
        let text = String::from_utf8_lossy(&file);
        assert!(!text.contains("abcdef") && text.contains("response=\"xxxxxx\""));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_ends_the_capture_and_is_told_once() {
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut tap = Capture { file: Arc::new(full), secrets: false }.tap();
        let ends = ends("[::1]:5060".parse().unwrap(), "[::1]:5062".parse().unwrap());
        tap.media(Way::Out, ends, Duration::ZERO, b"x");
        assert!(tap.flush().is_err());
        tap.media(Way::Out, ends, Duration::ZERO, b"x");
        assert!(tap.flush().is_ok());
    }
}
