//! The way in: what is authentic and new is let through, the rest counted by whoever asked.
//!
//! RFC 3711 sections 3.3 and 3.4, RFC 4568 sections 6.4.1 (a source is bound by its first authentic packet) and 7.1.4 (keys
//! that change in mid-call). A source is kept only once it has shown that it has the key, and there are at most
//! [`MOST_SOURCES`] of those.

use std::fmt;

use thiserror::Error;

use super::cipher::{Cipher, ENCRYPTED};
use super::window::{Window, nearest};
use super::{Head, Keys, Number, derive};

/// Sources under one key. None is ever forgotten: its packets could be played to us again.
const MOST_SOURCES: usize = 32;
/// So many authentic packets under new keys, and none is waited for under the old ones any more: a second's.
const PATIENCE: u32 = 50;

/// Why a packet was not let through. Count it and drop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Too short for what it claims, or neither RTP nor RTCP.
    #[error("not a protected packet")]
    Malformed,
    /// The tag does not fit: another key, or changed on its way.
    #[error("not authentic")]
    Forged,
    /// It came already, or is too late to say.
    #[error("came already")]
    Replayed,
    /// Who has the key uses more sources than anybody needs.
    #[error("too many sources")]
    TooMany,
}

/// One source that is known to have the key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    ssrc: u32,
    rtp: Option<Window>,
    rtcp: Option<Window>,
}

/// Checks and opens what one side receives.
pub struct Inbound {
    keys: Keys,
    rtp: Cipher,
    rtcp: Cipher,
    pub(super) sources: Vec<Source>,
    /// Under the keys before these, while packets of theirs may be on their way; and how many more to wait for.
    before: Option<(Box<Inbound>, u32)>,
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Inbound {
    /// Nothing came under these keys yet.
    pub fn new(keys: Keys) -> Self {
        let (rtp, rtcp) = derive::ciphers(&keys);
        Self { keys, rtp, rtcp, sources: Vec::with_capacity(MOST_SOURCES), before: None }
    }

    /// The other side has other keys from now on; what it still sent under those of before is let through a while.
    pub fn rekey(&mut self, keys: Keys) {
        let mut before = std::mem::replace(self, Self::new(keys));
        before.before = None;
        self.before = Some((Box::new(before), PATIENCE));
    }

    /// Its keys.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Opens an RTP packet in place and cuts its tag off.
    ///
    /// # Errors
    /// [`Refused`]; the packet is as it was.
    pub fn open(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        let (head, sequence) = Head::of_rtp(packet).ok_or(Refused::Malformed)?;
        let opened = self.open_rtp(packet, head, sequence);
        self.or_before(opened, |before| before.open_rtp(packet, head, sequence))
    }

    /// The same for RTCP.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn open_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        let head = Head::of_rtcp(packet).ok_or(Refused::Malformed)?;
        let opened = self.open_report(packet, head);
        self.or_before(opened, |before| before.open_report(packet, head))
    }

    fn or_before(
        &mut self,
        opened: Result<(), Refused>,
        retry: impl FnOnce(&mut Self) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let Some((before, patience)) = &mut self.before else { return opened };
        match opened {
            Ok(()) => {
                *patience -= 1;
                if *patience == 0 {
                    self.before = None;
                }
                Ok(())
            }
            // A number that came already under the new keys may be one of before them.
            Err(refused) => retry(before).map_err(|_| refused),
        }
    }

    fn open_rtp(&mut self, packet: &mut Vec<u8>, head: Head, sequence: u16) -> Result<(), Refused> {
        let mki = usize::from(self.keys.mki);
        if let Some(window) = self.source(head.ssrc).and_then(|source| source.rtp.as_mut()) {
            let number = nearest(window.top(), sequence).ok_or(Refused::Replayed)?;
            if window.has(number) {
                return Err(Refused::Replayed);
            }
            self.rtp.open(packet, head, Number::Rtp(number), mki)?;
            if let Some(window) = self.source(head.ssrc).and_then(|source| source.rtp.as_mut()) {
                window.take(number);
            }
            return Ok(());
        }
        // RFC 4568 has a source begin at 0 under new keys, RFC 3711 has it go on: both are met.
        let going_on = self.before.as_ref().and_then(|(before, _)| {
            let source = before.sources.iter().find(|source| source.ssrc == head.ssrc)?;
            nearest(source.rtp?.top(), sequence).filter(|number| number >> 16 != 0)
        });
        self.has_room_for(head.ssrc)?;
        let mut opened = Err(Refused::Forged);
        let mut number = u64::from(sequence);
        for candidate in [Some(number), going_on].into_iter().flatten() {
            opened = self.rtp.open(packet, head, Number::Rtp(candidate), mki);
            number = candidate;
            if opened.is_ok() {
                break;
            }
        }
        opened?;
        self.know(head.ssrc).rtp = Some(Window::new(number));
        Ok(())
    }

    fn open_report(&mut self, packet: &mut Vec<u8>, head: Head) -> Result<(), Refused> {
        let mki = usize::from(self.keys.mki);
        let number = self.rtcp.rtcp_number(packet, mki).ok_or(Refused::Malformed)?;
        // RFC 4568 section 6.3.2: the bit may not undo what was agreed, which is to encrypt.
        if number & ENCRYPTED == 0 {
            return Err(Refused::Forged);
        }
        let number = number & !ENCRYPTED;
        let known = self.source(head.ssrc).and_then(|source| source.rtcp);
        if known.is_some_and(|window| window.has(u64::from(number))) {
            return Err(Refused::Replayed);
        }
        self.has_room_for(head.ssrc)?;
        self.rtcp.open(packet, head, Number::Rtcp(number), mki)?;
        let source = self.know(head.ssrc);
        match &mut source.rtcp {
            Some(window) => window.take(u64::from(number)),
            none => *none = Some(Window::new(u64::from(number))),
        }
        Ok(())
    }

    fn source(&mut self, ssrc: u32) -> Option<&mut Source> {
        self.sources.iter_mut().find(|source| source.ssrc == ssrc)
    }

    fn has_room_for(&mut self, ssrc: u32) -> Result<(), Refused> {
        let has = self.sources.len() < MOST_SOURCES || self.source(ssrc).is_some();
        has.then_some(()).ok_or(Refused::TooMany)
    }

    /// A source that has just shown that it has the key.
    fn know(&mut self, ssrc: u32) -> &mut Source {
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        let index = known.unwrap_or_else(|| {
            self.sources.push(Source { ssrc, rtp: None, rtcp: None });
            self.sources.len() - 1
        });
        &mut self.sources[index]
    }
}
