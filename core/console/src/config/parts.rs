//! Values that both files and the command line share, and the keys that only a later build understands.

use std::fmt;
use std::str::FromStr;

use media::Codec;
use media::tones::Country;
use phone::{DigitsBy, KeysBy, MediaEncryption, VosMedia};
use serde::{Deserialize, Deserializer, de};
use sip::message::{Scheme, Uri};

/// What everything that is not built says.
pub(crate) const NOT_IN_THIS_BUILD: &str = "not in this build";

/// A key that only a later build understands: any value is refused.
#[cfg(not(feature = "rest"))]
#[derive(Debug)]
pub(crate) enum Later {}

#[cfg(not(feature = "rest"))]
impl<'de> Deserialize<'de> for Later {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom(NOT_IN_THIS_BUILD))
    }
}

/// A word out of a list, some of whose words are for later builds.
fn word<T: Copy>(given: &str, now: &[(&str, T)], later: &[&str]) -> Result<T, String> {
    if let Some((_, value)) = now.iter().find(|(word, _)| word.eq_ignore_ascii_case(given)) {
        return Ok(*value);
    }
    if later.iter().any(|word| word.eq_ignore_ascii_case(given)) {
        return Err(format!("`{given}` is {NOT_IN_THIS_BUILD}"));
    }
    let all: Vec<&str> = now.iter().map(|(word, _)| *word).collect();
    Err(format!("`{given}` is unknown; known are {}", all.join(", ")))
}

/// Makes a type readable from a file and from the command line alike.
macro_rules! worded {
    ($name:ident($value:ty): $now:expr) => {
        worded!($name($value): $now, later [""; 0]);
    };
    ($name:ident($value:ty): $now:expr, later $later:expr) => {
        impl FromStr for $name {
            type Err = String;
            fn from_str(given: &str) -> Result<Self, String> {
                word::<$value>(given, &$now, &$later).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                String::deserialize(source)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// A SIP URI.
#[derive(Clone, Debug)]
pub(crate) struct SipUri(pub(crate) Uri);

impl FromStr for SipUri {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let uri: Uri = given.parse().map_err(|error| format!("`{given}` is not a SIP URI: {error}"))?;
        match uri.view().scheme {
            Scheme::Sip => Ok(Self(uri)),
            Scheme::Sips => Err(format!("sips is {NOT_IN_THIS_BUILD}")),
            Scheme::Tel | Scheme::Other => Err(format!("`{given}` is not a SIP URI: it begins with sip:")),
        }
    }
}

impl<'de> Deserialize<'de> for SipUri {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source)?.parse().map_err(de::Error::custom)
    }
}

/// What may be offered, the preferred first: at least one, each once.
#[derive(Clone, Debug)]
pub(crate) struct Codecs(pub(crate) Vec<Codec>);

impl<'de> Deserialize<'de> for Codecs {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let mut codecs = Vec::new();
        for CodecName(codec) in Vec::deserialize(source)? {
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        if codecs.is_empty() { Err(de::Error::custom("name at least one")) } else { Ok(Self(codecs)) }
    }
}

/// A session timer in seconds, or 0 for none. RFC 4028 section 4.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionExpires(pub(crate) u32);

impl<'de> Deserialize<'de> for SessionExpires {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        match u32::deserialize(source)? {
            1..90 => Err(de::Error::custom("a session timer has at least 90 seconds; 0 is none")),
            seconds => Ok(Self(seconds)),
        }
    }
}

/// Whose tones sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CountryName(pub(crate) Country);

impl<'de> Deserialize<'de> for CountryName {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let iso = String::deserialize(source)?;
        // Of two letters, but not among those whose tones are known: it sounds like most of the world.
        if iso.len() != 2 || !iso.bytes().all(|letter| letter.is_ascii_alphabetic()) {
            return Err(de::Error::custom(format!("`{iso}` is no ISO 3166 code: two letters, such as DE")));
        }
        Ok(Self(Country::of(&iso)))
    }
}

/// In dB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gain(pub(crate) f32);

impl<'de> Deserialize<'de> for Gain {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let db = f32::deserialize(source)?;
        if (-40.0..=20.0).contains(&db) {
            Ok(Self(db))
        } else {
            Err(de::Error::custom("a gain is -40 to 20 dB"))
        }
    }
}

/// A codec that can be had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodecName(pub(crate) Codec);
worded!(CodecName(Codec): Codec::ALL.map(|codec| (codec.name(), codec)));

impl fmt::Display for CodecName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// Whether an account's signalling is sealed as VOS servers have it: obfuscation, no secrecy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encryption(pub(crate) bool);
worded!(Encryption(bool): [("none", false), ("vos", true)], later ["tls", "sdes", "dtls"]);

/// What VOS encryption makes of sound: nothing, or (experimental) a disguise.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VosSound(pub(crate) VosMedia);

impl<'de> Deserialize<'de> for VosSound {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let given = String::deserialize(source)?;
        match given.to_ascii_lowercase().as_str() {
            "plain" => Ok(Self(VosMedia::Plain)),
            "xor" => Ok(Self(VosMedia::Xor)),
            // Its key, and what it covers, are not known.
            "rc4" => Err(de::Error::custom("RC4 media is not supported")),
            _ => Err(de::Error::custom(format!("`{given}` is unknown; known are plain, xor (experimental)"))),
        }
    }
}

/// Which of the vendor's formats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VosVersion(());

impl<'de> Deserialize<'de> for VosVersion {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        match String::deserialize(source)?.as_str() {
            "1.1" => Ok(Self(())),
            // Its format is not public.
            "2.0" => Err(de::Error::custom("VOS 2.0 is not supported")),
            other => Err(de::Error::custom(format!("`{other}` is unknown; known is 1.1"))),
        }
    }
}

/// Whether calls are encrypted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Srtp(pub(crate) MediaEncryption);
worded!(Srtp(MediaEncryption): [
    ("off", MediaEncryption::Off),
    ("optional", MediaEncryption::Optional),
    ("required", MediaEncryption::Required),
]);

/// How keys are agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SrtpKeys(pub(crate) KeysBy);
worded!(SrtpKeys(KeysBy): [("auto", KeysBy::Both), ("sdes", KeysBy::Sdes), ("dtls", KeysBy::Dtls)]);

/// By which way keypad digits go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dtmf(pub(crate) DigitsBy);
worded!(Dtmf(DigitsBy): [
    ("auto", DigitsBy::Auto),
    ("rfc4733", DigitsBy::Events),
    ("info", DigitsBy::Info),
    ("inband", DigitsBy::Tones),
]);

/// What carries SIP; `None` is the phone's own choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransportName(pub(crate) Option<base::Transport>);
worded!(TransportName(Option<base::Transport>):
    [("auto", None), ("udp", Some(base::Transport::Udp)), ("tcp", Some(base::Transport::Tcp)),
     ("tls", Some(base::Transport::Tls)), ("ws", Some(base::Transport::Ws)),
     ("wss", Some(base::Transport::Wss))]);
