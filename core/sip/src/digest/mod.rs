//! Digest access authentication: what client and server share.
//!
//! RFC 7616 as RFC 8760 brings it to SIP, and RFC 2617 for those who still speak it (no `qop`). Knows no requests:
//! [`client`] and [`server`] do.

pub mod client;
mod params;
pub mod server;

use base::Secret;
use data_encoding::HEXLOWER;
use md5::Md5;
use sha2::{Sha256, Sha512_256};

pub use client::{Attempt, Authorizer, CannotAuthorize, Over};
pub use server::{Verdict, Verifier};

/// Challenges, realms and nonces longer than this are nobody's.
const MAX_TEXT: usize = 1024;

/// How a digest is made. RFC 8760 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// The one every server has.
    Md5,
    /// MD5 with the nonces in the key.
    Md5Sess,
    /// SHA-256.
    Sha256,
    /// SHA-256 with the nonces in the key.
    Sha256Sess,
    /// SHA-512 cut to 256 bits.
    Sha512_256,
    /// The same with the nonces in the key.
    Sha512_256Sess,
}

impl Algorithm {
    const ALL: [Self; 6] =
        [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess, Self::Sha512_256, Self::Sha512_256Sess];

    /// The word in an `algorithm` parameter.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// Reads the word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.word().eq_ignore_ascii_case(word))
    }

    const fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess)
    }

    /// The hash of some parts in a row, in lower-case hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> String {
        fn run<D: sha2::Digest>(parts: &[&[u8]]) -> String {
            let mut d = D::new();
            for part in parts {
                d.update(part);
            }
            HEXLOWER.encode(&d.finalize())
        }
        match self {
            Self::Md5 | Self::Md5Sess => run::<Md5>(parts),
            Self::Sha256 | Self::Sha256Sess => run::<Sha256>(parts),
            Self::Sha512_256 | Self::Sha512_256Sess => run::<Sha512_256>(parts),
        }
    }
}

/// Quality of protection. RFC 7616 section 3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// The request's method and URI.
    Auth,
    /// Its body too.
    AuthInt,
}

impl Qop {
    const fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// Name and password for a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name the server knows.
    pub user: String,
    /// The password.
    pub password: Secret<String>,
    /// The realm they are for; none: any.
    pub realm: Option<String>,
}

/// What a digest is made over.
struct Input<'a> {
    user: &'a str,
    realm: &'a str,
    password: &'a str,
    method: &'a str,
    uri: &'a str,
    body: &'a [u8],
    nonce: &'a str,
    /// Client nonce, count and quality; none before RFC 2617.
    protection: Option<(&'a str, u32, Qop)>,
}

impl Input<'_> {
    /// The `response` parameter. RFC 7616 sections 3.4.1 to 3.4.3.
    fn response(&self, algorithm: Algorithm) -> String {
        let colon = b":".as_slice();
        let mut key = algorithm.hash(&[
            self.user.as_bytes(),
            colon,
            self.realm.as_bytes(),
            colon,
            self.password.as_bytes(),
        ]);
        if algorithm.is_session() {
            let cnonce = self.protection.map_or("", |(cnonce, ..)| cnonce);
            key = algorithm.hash(&[key.as_bytes(), colon, self.nonce.as_bytes(), colon, cnonce.as_bytes()]);
        }
        let what = match self.protection {
            Some((_, _, Qop::AuthInt)) => {
                let body = algorithm.hash(&[self.body]);
                algorithm.hash(&[self.method.as_bytes(), colon, self.uri.as_bytes(), colon, body.as_bytes()])
            }
            Some((_, _, Qop::Auth)) | None => {
                algorithm.hash(&[self.method.as_bytes(), colon, self.uri.as_bytes()])
            }
        };
        match self.protection {
            Some((cnonce, count, qop)) => algorithm.hash(&[
                key.as_bytes(),
                colon,
                self.nonce.as_bytes(),
                colon,
                format!("{count:08x}").as_bytes(),
                colon,
                cnonce.as_bytes(),
                colon,
                qop.word().as_bytes(),
                colon,
                what.as_bytes(),
            ]),
            None => algorithm.hash(&[key.as_bytes(), colon, self.nonce.as_bytes(), colon, what.as_bytes()]),
        }
    }
}

/// A server's challenge. RFC 7616 section 3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose password is asked for; shown to the user.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be sent back as it came.
    pub opaque: Option<String>,
    /// How to hash.
    pub algorithm: Algorithm,
    /// The strongest quality offered that we take; none: the way of RFC 2069.
    pub qop: Option<Qop>,
    /// The answer was right but for the nonce's age.
    pub stale: bool,
}

impl Challenge {
    /// Reads one `WWW-Authenticate` or `Proxy-Authenticate` value. `None`: another scheme, an algorithm or quality
    /// unheard of, or no realm or nonce. RFC 8760 section 2.4: such a challenge is passed over.
    pub fn read(value: &[u8]) -> Option<Self> {
        let params = params::Params::read(value)?;
        let qop = match params.get("qop") {
            None => None,
            Some(list) => {
                let offers = |word: &str| list.split(',').any(|q| q.trim().eq_ignore_ascii_case(word));
                match (offers("auth"), offers("auth-int")) {
                    (true, _) => Some(Qop::Auth),
                    (false, true) => Some(Qop::AuthInt),
                    (false, false) => return None,
                }
            }
        };
        Some(Self {
            realm: params.get("realm")?.into_owned(),
            nonce: params.get("nonce")?.into_owned(),
            opaque: params.get("opaque").map(std::borrow::Cow::into_owned),
            algorithm: params.get("algorithm").map_or(Some(Algorithm::Md5), |a| Algorithm::from_word(&a))?,
            qop,
            stale: params.get("stale").is_some_and(|s| s.eq_ignore_ascii_case("true")),
        })
    }
}

#[cfg(test)]
mod tests;
