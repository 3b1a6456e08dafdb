//! What a handshake leaves behind: a protection profile and a master key and salt each way.
//!
//! RFC 5764 sections 4.1.2 and 4.2, RFC 7714 section 14.2. Knows no packet.

use base::Secret;
use zeroize::Zeroizing;

/// How SRTP protects with these keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// `SRTP_AEAD_AES_256_GCM`, RFC 7714: the one that both sides take first.
    AeadAes256Gcm,
    /// `SRTP_AEAD_AES_128_GCM`, RFC 7714.
    AeadAes128Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`, RFC 5764: the one that everybody has.
    Aes128CmSha1_80,
}

impl Profile {
    /// Bytes of a master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            Self::AeadAes128Gcm | Self::Aes128CmSha1_80 => 16,
        }
    }

    /// Bytes of a master salt.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 12,
            Self::Aes128CmSha1_80 => 14,
        }
    }
}

/// One way's master key and salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    /// [`Profile::key_len`] bytes.
    pub key: Secret<Vec<u8>>,
    /// [`Profile::salt_len`] bytes.
    pub salt: Secret<Vec<u8>>,
}

/// Both ways' keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// What they are for.
    pub profile: Profile,
    /// What we protect with.
    pub send: Master,
    /// What the other side protects with.
    pub receive: Master,
}

impl Keys {
    /// Cuts the exporter's output: client's key, server's key, client's salt, server's salt. `None` when it is too short.
    pub(crate) fn cut(profile: Profile, material: &Zeroizing<Vec<u8>>, client: bool) -> Option<Self> {
        let (key, salt) = (profile.key_len(), profile.salt_len());
        let part = |at: usize, len: usize| Some(Secret::new(material.get(at..at + len)?.to_vec()));
        let clients = Master { key: part(0, key)?, salt: part(2 * key, salt)? };
        let servers = Master { key: part(key, key)?, salt: part(2 * key + salt, salt)? };
        let (send, receive) = if client { (clients, servers) } else { (servers, clients) };
        Some(Self { profile, send, receive })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_keys_come_before_both_salts_and_the_clients_before_the_servers() {
        let material = Zeroizing::new((0..60).collect::<Vec<u8>>());

        let client = Keys::cut(Profile::Aes128CmSha1_80, &material, true).expect("60 bytes are enough");
        let server = Keys::cut(Profile::Aes128CmSha1_80, &material, false).expect("60 bytes are enough");

        assert_eq!(client.send.key.expose(), &(0..16).collect::<Vec<u8>>());
        assert_eq!(client.receive.key.expose(), &(16..32).collect::<Vec<u8>>());
        assert_eq!(client.send.salt.expose(), &(32..46).collect::<Vec<u8>>());
        assert_eq!(client.receive.salt.expose(), &(46..60).collect::<Vec<u8>>());
        assert_eq!((server.send, server.receive), (client.receive, client.send));
    }

    #[test]
    fn material_that_is_too_short_makes_no_keys() {
        assert_eq!(Keys::cut(Profile::AeadAes256Gcm, &Zeroizing::new(vec![0; 87]), true), None);
    }
}
