//! Session keys from master keys. RFC 3711 section 4.3, RFC 6188 section 3; no key derivation rate, so once per key.

use aes::cipher::KeyInit as _;
use aes::{Aes128Enc, Aes256Enc};

use super::Keys;
use super::cipher::{Block as _, Cipher};

/// Labels of what is derived. RFC 3711 section 4.3.2; RTCP's are three further.
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;
const SALTING: u8 = 2;
const RTCP: u8 = 3;

/// What packets of RTP and of RTCP are protected with.
pub(super) fn ciphers(keys: &Keys) -> (Cipher, Cipher) {
    (cipher(keys, 0, keys.suite.rtp_tag()), cipher(keys, RTCP, keys.suite.rtcp_tag()))
}

fn cipher(keys: &Keys, labels: u8, tag: usize) -> Cipher {
    let mut key = zeroize::Zeroizing::new([0; 32]);
    let mut authentication = zeroize::Zeroizing::new([0; 20]);
    let mut salt = zeroize::Zeroizing::new([0; 14]);
    let key = &mut key[..keys.suite.key_bytes()];
    derive(keys, labels + ENCRYPTION, key);
    derive(keys, labels + AUTHENTICATION, &mut *authentication);
    derive(keys, labels + SALTING, &mut *salt);
    Cipher::new(keys.suite, key, &authentication, &salt[..keys.suite.salt_bytes()], tag)
}

/// Fills `out`, which is zero, with the keystream that belongs to this label.
pub(super) fn derive(keys: &Keys, label: u8, out: &mut [u8]) {
    let mut block = zeroize::Zeroizing::new([0; 16]);
    block[..14].copy_from_slice(&keys.salt());
    // The label stands above the 48 bits of an index that is always 0.
    block[7] ^= label;
    let key = keys.key();
    if let Ok(key) = <&[u8; 16]>::try_from(key) {
        Aes128Enc::new(key.into()).keystream(&block, out);
    } else {
        let key = <&[u8; 32]>::try_from(key).expect("a suite's key has 16 or 32 bytes");
        Aes256Enc::new(key.into()).keystream(&block, out);
    }
}
