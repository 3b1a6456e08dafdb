//! Sealed datagrams: KS frames, and RTP in disguise.

use base::{Rng, Secret};
use media::disguise::Disguise;
use sip::codec::FlowCodec as _;
use sip::codec::vos::{Frame, Seal};

/// Reads any bytes as a frame, and seals them as a message. The first two bytes are lengths: of the id, and of the key.
///
/// # Panics
/// It breaks a promise.
pub fn ks(bytes: &[u8]) {
    let mut room = Vec::new();
    if let Ok(frame) = Frame::read(bytes) {
        assert!(frame.id.len() <= 255 && frame.id.len() + 10 <= bytes.len());
        for key in [&b""[..], b"secret", b"\xff"] {
            if let Ok(clear) = frame.open(key, &mut room) {
                assert!(!key.is_empty() && clear.len() == bytes.len() - 10 - frame.id.len());
            }
        }
    }
    let [id, key, rest @ ..] = bytes else { return };
    let (id, rest) = rest.split_at(usize::from(*id).min(rest.len()));
    let (key, clear) = rest.split_at(usize::from(*key).min(rest.len()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Ok(mut seal) = Seal::new(text(id), Secret::new(text(key))) else {
        assert!(key.is_empty() || text(id).len() > 255);
        return;
    };
    let message = [b"OPTIONS sip:a SIP/2.0\r\n\r\n", clear].concat();
    let (mut wire, mut again) = (Vec::new(), Vec::new());
    seal.seal(&message, &mut wire);
    seal.seal(&message, &mut again);
    assert_eq!(wire, again, "what is repeated is the same");
    if wire.is_empty() {
        assert!(message.len() + text(id).len() > 65_533);
        return;
    }
    assert_eq!(seal.open(&wire, &mut room), Ok(&message[..]));
    for cut in [0, 1, 9, wire.len() / 2, wire.len() - 1] {
        assert!(seal.open(&wire[..cut.min(wire.len() - 1)], &mut room).is_err());
    }
}

/// Sees through any datagram, and hides any packet.
///
/// # Panics
/// It breaks a promise.
pub fn disguise(bytes: &[u8]) {
    let key = bytes.first().copied().unwrap_or_default();
    let mut it = Disguise::new(key, Rng::from_number(u64::from(key)));
    assert!(it.reveal(bytes).len() <= bytes.len());
    let mut packet = bytes.to_vec();
    if let Some(first) = packet.first_mut() {
        *first = 0x80 | *first & 0x3f;
    }
    let wire = it.hide(&packet).to_vec();
    assert_eq!(it.reveal(&wire), packet);
}
