//! One session key at work: seals and opens packets in place.
//!
//! RFC 3711 sections 4.1.1 and 4.2, RFC 7714 sections 8 and 9. Knows no history: which number a packet has is told.

use aes::cipher::consts::{U12, U16};
use aes::cipher::{InnerIvInit as _, StreamCipher as _, StreamCipherCoreWrapper};
use aes::{Aes128Enc, Aes256Enc};
use aes_gcm::aead::{AeadInOut, KeyInit as _};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::{Head, Number, Refused, Suite};

/// The bit above RTCP's number: the packet is encrypted.
pub(super) const ENCRYPTED: u32 = 1 << 31;

pub(super) struct Cipher {
    mode: Mode,
    salt: zeroize::Zeroizing<[u8; 14]>,
    /// Bytes of the tag.
    tag: usize,
}

enum Mode {
    Cm128(Box<(Aes128Enc, Hmac<Sha1>)>),
    Cm256(Box<(Aes256Enc, Hmac<Sha1>)>),
    Gcm128(Box<Aes128Gcm>),
    Gcm256(Box<Aes256Gcm>),
}

impl Cipher {
    /// `authentication` is for the counter modes only.
    pub(super) fn new(suite: Suite, key: &[u8], authentication: &[u8; 20], salt: &[u8], tag: usize) -> Self {
        let hmac = || Hmac::<Sha1>::new_from_slice(authentication).expect("HMAC takes keys of any length");
        const LONG: &str = "the caller cuts the key to the suite's length";
        let mode = match suite {
            Suite::AesCm128Sha1_80 | Suite::AesCm128Sha1_32 => {
                Mode::Cm128(Box::new((Aes128Enc::new_from_slice(key).expect(LONG), hmac())))
            }
            Suite::AesCm256Sha1_80 | Suite::AesCm256Sha1_32 => {
                Mode::Cm256(Box::new((Aes256Enc::new_from_slice(key).expect(LONG), hmac())))
            }
            Suite::AesGcm128 => Mode::Gcm128(Box::new(Aes128Gcm::new_from_slice(key).expect(LONG))),
            Suite::AesGcm256 => Mode::Gcm256(Box::new(Aes256Gcm::new_from_slice(key).expect(LONG))),
        };
        let mut kept = zeroize::Zeroizing::new([0; 14]);
        kept[..salt.len()].copy_from_slice(salt);
        Self { mode, salt: kept, tag }
    }

    /// Encrypts what is not to stay readable, and appends what is to be appended.
    pub(super) fn seal(&self, packet: &mut Vec<u8>, head: Head, number: Number) {
        match &self.mode {
            Mode::Cm128(keys) => self.seal_counted(&keys.0, &keys.1, packet, head, number),
            Mode::Cm256(keys) => self.seal_counted(&keys.0, &keys.1, packet, head, number),
            Mode::Gcm128(gcm) => self.seal_galois(&**gcm, packet, head, number),
            Mode::Gcm256(gcm) => self.seal_galois(&**gcm, packet, head, number),
        }
    }

    /// Undoes it, and cuts the packet to what it was. `mki`: bytes of a key's name in it. Nothing is changed unless it is
    /// authentic.
    pub(super) fn open(
        &self,
        packet: &mut Vec<u8>,
        head: Head,
        number: Number,
        mki: usize,
    ) -> Result<(), Refused> {
        match &self.mode {
            Mode::Cm128(keys) => self.open_counted(&keys.0, &keys.1, packet, head, number, mki),
            Mode::Cm256(keys) => self.open_counted(&keys.0, &keys.1, packet, head, number, mki),
            Mode::Gcm128(gcm) => self.open_galois(&**gcm, packet, head, number, mki),
            Mode::Gcm256(gcm) => self.open_galois(&**gcm, packet, head, number, mki),
        }
    }

    /// Where RTCP's number stands, which is behind the tag of the one mode and before that of the other.
    pub(super) fn rtcp_number(&self, packet: &[u8], mki: usize) -> Option<u32> {
        let behind = match &self.mode {
            Mode::Cm128(_) | Mode::Cm256(_) => self.tag + mki,
            Mode::Gcm128(_) | Mode::Gcm256(_) => mki,
        };
        let (_, number) = packet.get(..packet.len().checked_sub(behind)?)?.split_last_chunk::<4>()?;
        Some(u32::from_be_bytes(*number))
    }

    fn seal_counted<A>(&self, aes: &A, hmac: &Hmac<Sha1>, packet: &mut Vec<u8>, head: Head, number: Number)
    where
        A: Block,
    {
        aes.keystream(&self.counter(head.ssrc, number), &mut packet[head.clear..]);
        if let Number::Rtcp(number) = number {
            packet.extend_from_slice(&(ENCRYPTED | number).to_be_bytes());
        }
        let tag = mac(hmac, packet, number).finalize().into_bytes();
        packet.extend_from_slice(&tag[..self.tag]);
    }

    fn open_counted<A>(
        &self,
        aes: &A,
        hmac: &Hmac<Sha1>,
        packet: &mut Vec<u8>,
        head: Head,
        number: Number,
        mki: usize,
    ) -> Result<(), Refused>
    where
        A: Block,
    {
        let number_bytes = if let Number::Rtcp(_) = number { 4 } else { 0 };
        let end = packet.len().checked_sub(self.tag + mki).ok_or(Refused::Malformed)?;
        let body =
            end.checked_sub(number_bytes).filter(|body| *body >= head.clear).ok_or(Refused::Malformed)?;
        let (authenticated, tag) = (&packet[..end], &packet[end + mki..]);
        mac(hmac, authenticated, number).verify_truncated_left(tag).map_err(|_| Refused::Forged)?;
        packet.truncate(body);
        aes.keystream(&self.counter(head.ssrc, number), &mut packet[head.clear..]);
        Ok(())
    }

    fn seal_galois(
        &self,
        gcm: &impl AeadInOut<NonceSize = U12, TagSize = U16>,
        packet: &mut Vec<u8>,
        head: Head,
        number: Number,
    ) {
        let nonce = self.nonce(head.ssrc, number).into();
        let (clear, body) = packet.split_at_mut(head.clear);
        let mut with_number = [0; super::RTCP_CLEAR + 4];
        let associated = associated(clear, number, &mut with_number);
        let tag = gcm
            .encrypt_inout_detached(&nonce, associated, body.into())
            .expect("a datagram is shorter than the mode's limit");
        packet.extend_from_slice(&tag);
        if let Number::Rtcp(number) = number {
            packet.extend_from_slice(&(ENCRYPTED | number).to_be_bytes());
        }
    }

    fn open_galois<G>(
        &self,
        gcm: &G,
        packet: &mut Vec<u8>,
        head: Head,
        number: Number,
        mki: usize,
    ) -> Result<(), Refused>
    where
        G: AeadInOut<NonceSize = U12, TagSize = U16>,
    {
        let behind = mki + if let Number::Rtcp(_) = number { 4 } else { 0 };
        let end = packet.len().checked_sub(behind + self.tag).ok_or(Refused::Malformed)?;
        if end < head.clear {
            return Err(Refused::Malformed);
        }
        let tag = *packet[end..].first_chunk::<16>().expect("as many were left for it");
        let nonce = self.nonce(head.ssrc, number).into();
        let (clear, body) = packet[..end].split_at_mut(head.clear);
        let mut with_number = [0; super::RTCP_CLEAR + 4];
        let associated = associated(clear, number, &mut with_number);
        gcm.decrypt_inout_detached(&nonce, associated, body.into(), &tag.into())
            .map_err(|_| Refused::Forged)?;
        packet.truncate(end);
        Ok(())
    }

    /// RFC 3711 section 4.1.1.
    fn counter(&self, ssrc: u32, number: Number) -> [u8; 16] {
        let number = match number {
            Number::Rtp(number) => number,
            Number::Rtcp(number) => u64::from(number),
        };
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&*self.salt);
        lay_over(&mut counter[4..8], &ssrc.to_be_bytes());
        lay_over(&mut counter[8..14], &number.to_be_bytes()[2..]);
        counter
    }

    /// RFC 7714 sections 8.1 and 9.1.
    fn nonce(&self, ssrc: u32, number: Number) -> [u8; 12] {
        let mut nonce = *self.salt.first_chunk::<12>().expect("of 14");
        lay_over(&mut nonce[2..6], &ssrc.to_be_bytes());
        match number {
            Number::Rtp(number) => lay_over(&mut nonce[6..], &number.to_be_bytes()[2..]),
            Number::Rtcp(number) => lay_over(&mut nonce[8..], &number.to_be_bytes()),
        }
        nonce
    }
}

/// A block cipher of either key length.
pub(super) trait Block {
    /// Lays its keystream over `data`, from this counter on.
    fn keystream(&self, counter: &[u8; 16], data: &mut [u8]);
}

macro_rules! block {
    ($aes:ty) => {
        impl Block for $aes {
            fn keystream(&self, counter: &[u8; 16], data: &mut [u8]) {
                let core = CtrCore::<&Self, Ctr128BE>::inner_iv_init(self, counter.into());
                StreamCipherCoreWrapper::from_core(core).apply_keystream(data);
            }
        }
    };
}

block!(Aes128Enc);
block!(Aes256Enc);

/// RFC 3711 section 4.2: the rollover counter is authenticated, and is not in the packet.
fn mac(hmac: &Hmac<Sha1>, packet: &[u8], number: Number) -> Hmac<Sha1> {
    let mut mac = hmac.clone();
    mac.update(packet);
    if let Number::Rtp(number) = number {
        mac.update(&((number >> 16) as u32).to_be_bytes());
    }
    mac
}

/// What is authenticated and not encrypted: of RTCP, its number as well.
fn associated<'a>(
    clear: &'a [u8],
    number: Number,
    with_number: &'a mut [u8; super::RTCP_CLEAR + 4],
) -> &'a [u8] {
    match number {
        Number::Rtp(_) => clear,
        Number::Rtcp(number) => {
            with_number[..super::RTCP_CLEAR].copy_from_slice(clear);
            with_number[super::RTCP_CLEAR..].copy_from_slice(&(ENCRYPTED | number).to_be_bytes());
            with_number
        }
    }
}

fn lay_over(onto: &mut [u8], bytes: &[u8]) {
    for (onto, byte) in onto.iter_mut().zip(bytes) {
        *onto ^= byte;
    }
}
