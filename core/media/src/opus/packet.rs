//! What a payload says about itself: its frames, how long they last, whether they describe the packet before.
//!
//! RFC 6716 section 3 (the first byte and the frame packing, requirements R1 to R7) and section 4.2.3 (the bits that
//! announce redundancy). Decodes nothing.

use super::MAX_PACKET_MS;

/// The most bytes of one frame. RFC 6716 section 3.2.1, requirement R2.
const MAX_FRAME_BYTES: usize = 1275;

/// A well-formed payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    /// One frame's length in units of 2.5 ms: the rates' only common step.
    frame_units: u32,
    frames: u32,
    silk: bool,
    stereo: bool,
    first: &'a [u8],
    /// Bytes of the longest frame.
    longest: usize,
}

/// A unit of [`Packet::frame_units`] is the 400th part of a second.
const UNITS_A_SECOND: u32 = 400;

impl<'a> Packet<'a> {
    /// `None`: no encoder writes this.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let (&toc, rest) = payload.split_first()?;
        let config = toc >> 3;
        let frame_units = match config {
            0..12 => [4, 8, 16, 24][usize::from(config % 4)],
            12..16 => [4, 8][usize::from(config % 2)],
            _ => [1, 2, 4, 8][usize::from(config % 4)],
        };
        let (frames, first, longest) = match toc & 3 {
            0 => (1, rest, rest.len()),
            1 => {
                let (first, second) = rest.split_at(rest.len() / 2);
                (first.len() == second.len()).then_some((2, first, first.len()))?
            }
            2 => {
                let (length, rest) = frame_length(rest)?;
                let (first, second) = rest.split_at_checked(length)?;
                (2, first, first.len().max(second.len()))
            }
            _ => many(rest)?,
        };
        let packet = Self { frame_units, frames, silk: config < 16, stereo: toc & 4 != 0, first, longest };
        let fits = frames * frame_units <= MAX_PACKET_MS * UNITS_A_SECOND / 1000;
        (fits && longest <= MAX_FRAME_BYTES).then_some(packet)
    }

    /// Samples a channel of the whole.
    pub(super) fn samples(&self, sample_rate: u32) -> usize {
        (self.frames * self.frame_units * (sample_rate / UNITS_A_SECOND)) as usize
    }

    /// Samples a channel of one frame: what its redundancy, where there is some, describes of the packet before.
    pub(super) fn frame_samples(&self, sample_rate: u32) -> usize {
        (self.frame_units * (sample_rate / UNITS_A_SECOND)) as usize
    }

    /// Whether it describes the packet before again.
    ///
    /// Each channel begins with a voice bit for every 20 ms and then the bit that is looked for; they are coded at even
    /// odds, so they stand in the first byte as they are.
    pub(super) fn has_fec(&self) -> bool {
        let (true, [head, _, ..]) = (self.silk, self.first) else { return false };
        let voice = self.frame_units.div_ceil(8);
        let middle = head >> (7 - voice) & 1;
        let side = if self.stereo { head >> (6 - 2 * voice) & 1 } else { 0 };
        middle | side != 0
    }
}

/// More frames than two, or with padding: how many, the first, the length of the longest. Section 3.2.5.
fn many(bytes: &[u8]) -> Option<(u32, &[u8], usize)> {
    let (&head, mut rest) = bytes.split_first()?;
    let frames = usize::from(head & 0x3f);
    if head & 0x40 != 0 {
        let mut padding = 0;
        loop {
            let (&more, after) = rest.split_first()?;
            rest = after;
            padding += usize::from(more.min(254));
            if more < 255 {
                break;
            }
        }
        rest = &rest[..rest.len().checked_sub(padding)?];
    }
    if head & 0x80 == 0 {
        let length = rest.len().checked_div(frames)?;
        return (length * frames == rest.len()).then_some((frames as u32, &rest[..length], length));
    }
    let (mut first, mut longest, mut coded) = (0, 0, 0);
    for n in 0..frames.checked_sub(1)? {
        let (length, after) = frame_length(rest)?;
        rest = after;
        first = if n == 0 { length } else { first };
        longest = longest.max(length);
        coded += length;
    }
    let last = rest.len().checked_sub(coded)?;
    let first = if frames == 1 { last } else { first };
    Some((frames as u32, &rest[..first], longest.max(last)))
}

/// A frame's length in one or two bytes, and what follows. Section 3.2.1.
fn frame_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..252, rest @ ..] => Some((usize::from(*short), rest)),
        [low, high, rest @ ..] => Some((usize::from(*low) + 4 * usize::from(*high), rest)),
        _ => None,
    }
}

/// Whether `payload` says that the sender is silent: no frame in it has anything. The decoder makes noise of it until
/// speech begins again.
pub fn is_dtx(payload: &[u8]) -> bool {
    Packet::read(payload).is_some_and(|packet| packet.longest <= 1)
}

/// Whether `payload` describes the packet before it again, so that [`Decoder::conceal`](super::Decoder::conceal) can use
/// it. Worth the wait when the buffer has it; the lost one's last frame is what it describes.
pub fn has_fec(payload: &[u8]) -> bool {
    Packet::read(payload).is_some_and(|packet| packet.has_fec())
}
