//! `a=crypto`: keys for a stream, in the description itself.
//!
//! RFC 4568 sections 4 and 9. One key by a line, which is what there is; a line with several, with what would weaken the
//! protection, or with a parameter that we do not know and may not pass over, is refused by itself. Which suites there are,
//! and how long their keys, is not known here.

use base::Secret;
use data_encoding::BASE64;
use thiserror::Error;

/// No suite has longer ones: 46 bytes.
const LONGEST_KEY: usize = 64;

/// A line that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Which of the offer's lines it is, or answers.
    pub tag: u32,
    /// `AES_CM_128_HMAC_SHA1_80`, ...
    pub suite: &'a str,
    /// Master key, and behind it the salt.
    pub material: Secret<Vec<u8>>,
    /// Bytes of the key's name in each packet (MKI); 0: it has none.
    pub mki_bytes: u8,
}

/// Why a line is passed over: another one may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadCrypto {
    /// No tag, suite or key where they must be.
    #[error("not a crypto line")]
    Syntax,
    /// The key is to be had otherwise than by this line.
    #[error("the key is not in the line")]
    Method,
    /// Key changes by name (MKI), which nobody does.
    #[error("several keys in one line")]
    SeveralKeys,
    /// The key is no base64, or longer than any.
    #[error("the key cannot be read")]
    Key,
    /// A lifetime of nothing, or of more than a key may live.
    #[error("no key lives so long")]
    Lifetime,
    /// A key's name that has no length, or one that cannot be.
    #[error("the key's name has no length that could be")]
    Mki,
    /// What would leave packets readable or unproven, or is unknown and may not be passed over.
    #[error("a session parameter that is not taken")]
    Parameter,
}

impl<'a> Crypto<'a> {
    /// Reads an attribute's value.
    ///
    /// # Errors
    /// [`BadCrypto`]: pass over the line.
    pub fn read(value: &'a str) -> Result<Self, BadCrypto> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9 && tag.bytes().all(|b| b.is_ascii_digit()));
        let tag = tag.and_then(|tag| tag.parse().ok()).ok_or(BadCrypto::Syntax)?;
        let suite = words.next().ok_or(BadCrypto::Syntax)?;
        if !suite.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(BadCrypto::Syntax);
        }
        let key = words.next().ok_or(BadCrypto::Syntax)?;
        let (method, info) = key.split_once(':').ok_or(BadCrypto::Syntax)?;
        if !method.eq_ignore_ascii_case("inline") {
            return Err(BadCrypto::Method);
        }
        if info.contains(';') {
            return Err(BadCrypto::SeveralKeys);
        }
        let mut parts = info.split('|');
        let material = unbase64(parts.next().unwrap_or_default()).ok_or(BadCrypto::Key)?;
        let mut mki_bytes = 0;
        for (at, part) in parts.enumerate() {
            match part.split_once(':') {
                Some((name, bytes)) if mki_bytes == 0 => {
                    mki_bytes = mki(name, bytes).ok_or(BadCrypto::Mki)?;
                }
                None if at == 0 => lives(part).then_some(()).ok_or(BadCrypto::Lifetime)?,
                Some(_) | None => return Err(BadCrypto::Syntax),
            }
        }
        if !words.all(may_be_passed_over) {
            return Err(BadCrypto::Parameter);
        }
        Ok(Self { tag, suite, material, mki_bytes })
    }

    /// The value that says so: a key without a name, for as long as one may live.
    pub fn write(tag: u32, suite: &str, material: &[u8]) -> String {
        format!("{tag} {suite} inline:{}", BASE64.encode(material))
    }
}

/// Whether a lifetime in packets is one: RFC 3711 section 9.2 has 2^48 at most.
fn lives(text: &str) -> bool {
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match text.strip_prefix("2^") {
        Some(power) => number(power).is_some_and(|power| power <= 48),
        None => number(text).is_some_and(|packets| (1..=1 << 48).contains(&packets)),
    }
}

/// How many bytes of each packet name the key. RFC 4568 section 6.1: a number, and bytes enough for it.
fn mki(name: &str, bytes: &str) -> Option<u8> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let bytes: u8 = Some(bytes).filter(|bytes| digits(bytes))?.parse().ok()?;
    let fits = match name.parse::<u128>() {
        Ok(number) => bytes >= 16 || number >> (8 * u32::from(bytes)) == 0,
        Err(_) => bytes > 16, // a longer number; whoever names a key so means it
    };
    (digits(name) && (1..=128).contains(&bytes) && fits).then_some(bytes)
}

/// Parameters that ask nothing of us: a window's size, which each side chooses for itself, and what is marked so.
fn may_be_passed_over(parameter: &str) -> bool {
    parameter.starts_with('-') || parameter.starts_with("WSH=")
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 section 4, into what is wiped. Padding may be left out, as some do.
fn unbase64(text: &str) -> Option<Secret<Vec<u8>>> {
    let text = text.trim_end_matches('=').as_bytes();
    if text.is_empty() || text.len() % 4 == 1 || text.len() > LONGEST_KEY.div_ceil(3) * 4 {
        return None;
    }
    let mut bytes = Secret::new(Vec::with_capacity(LONGEST_KEY));
    for four in text.chunks(4) {
        let mut word = 0;
        for letter in four {
            word = word << 6 | ALPHABET.iter().position(|known| known == letter)? as u32;
        }
        word <<= 6 * (4 - four.len());
        bytes.expose_mut().extend_from_slice(&word.to_be_bytes()[1..four.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    fn refused(value: &str) -> BadCrypto {
        Crypto::read(value).expect_err(value)
    }

    #[test]
    fn the_line_of_the_rfc_is_read() {
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}|2^20|1:32");
        let read = Crypto::read(&line).unwrap();
        assert_eq!((read.tag, read.suite, read.mki_bytes), (1, "AES_CM_128_HMAC_SHA1_80", 32));
        assert_eq!(read.material.expose().as_slice(), b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#");
        assert!(!format!("{read:?}").contains("wDfvg"));
    }

    #[test]
    fn what_is_written_is_read_back_at_any_length() {
        for length in 1..=46 {
            let material: Vec<u8> =
                (0..length).map(|byte: u8| byte.wrapping_mul(151).wrapping_add(7)).collect();
            let line = Crypto::write(77, "AEAD_AES_256_GCM", &material);
            let read = Crypto::read(&line).unwrap();
            assert_eq!((read.tag, read.suite, read.material.expose()), (77, "AEAD_AES_256_GCM", &material));
            let unpadded = line.trim_end_matches('=');
            assert_eq!(Crypto::read(unpadded).unwrap().material.expose(), &material);
        }
    }

    #[test]
    fn lifetime_name_and_window_may_be_said() {
        for rest in
            ["", "|2^48", "|1", "|281474976710656", "|1:4", "|2^31|1:4", " WSH=64", " -X=1", "\tWSH=64  -Y "]
        {
            Crypto::read(&format!("1 X {KEY}{rest}")).expect(rest);
        }
    }

    #[test]
    fn a_name_may_be_as_large_as_its_bytes_can_say() {
        for (name, bytes) in [("0", 1), ("255", 1), ("256", 2), ("1", 128)] {
            let line = format!("1 X {KEY}|{name}:{bytes}");
            assert_eq!(Crypto::read(&line).map(|crypto| crypto.mki_bytes), Ok(bytes), "{line}");
        }
        let large = format!("1 X {KEY}|340282366920938463463374607431768211456:17");
        assert_eq!(Crypto::read(&large).map(|crypto| crypto.mki_bytes), Ok(17));
    }

    #[test]
    fn each_lie_is_named() {
        for (rest, why) in [
            ("|0", BadCrypto::Lifetime),
            ("|2^49", BadCrypto::Lifetime),
            ("|2^", BadCrypto::Lifetime),
            ("|", BadCrypto::Lifetime),
            ("|281474976710657", BadCrypto::Lifetime),
            ("|99999999999999999999999", BadCrypto::Lifetime),
            ("|1:0", BadCrypto::Mki),
            ("|1:129", BadCrypto::Mki),
            ("|1:+4", BadCrypto::Mki),
            ("|:4", BadCrypto::Mki),
            ("|x:4", BadCrypto::Mki),
            ("|256:1", BadCrypto::Mki),
            ("|340282366920938463463374607431768211456:16", BadCrypto::Mki),
            ("|1:4|1:4", BadCrypto::Syntax),
            ("|1:4|2^20", BadCrypto::Syntax),
            ("|2^20|2^20", BadCrypto::Syntax),
            (";inline:d0Rm|2^20|2:4", BadCrypto::SeveralKeys),
            (" KDR=3", BadCrypto::Parameter),
            (" UNENCRYPTED_SRTP", BadCrypto::Parameter),
            (" UNENCRYPTED_SRTCP", BadCrypto::Parameter),
            (" WSH=64 UNAUTHENTICATED_SRTP", BadCrypto::Parameter),
            (" FEC_ORDER=FEC_SRTP", BadCrypto::Parameter),
        ] {
            assert_eq!(refused(&format!("1 X {KEY}{rest}")), why, "{rest}");
        }
        for line in
            ["", "1", "1 X", "x X inline:AAAA", "1234567890 X inline:AAAA", "1 X-Y inline:AAAA", "1 X inline"]
        {
            assert_eq!(refused(line), BadCrypto::Syntax, "{line}");
        }
        assert_eq!(refused("1 X url:https://offhook.test/key"), BadCrypto::Method);
        for key in ["", "====", "A", "AAAAA", "AA-A", "Ä", "A=AA"] {
            assert_eq!(refused(&format!("1 X inline:{key}")), BadCrypto::Key, "{key}");
        }
        assert_eq!(refused(&format!("1 X inline:{}", "A".repeat(89))), BadCrypto::Key);
    }
}
