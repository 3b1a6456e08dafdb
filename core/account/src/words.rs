//! Values of an account's fields that a file, a document and a command line spell alike.
//!
//! Each reads from its word and is written as it; what cannot be used is refused in a sentence. Texts are bounded, and hold
//! nothing that a person does not see: no control characters, and no marks that turn the direction of what follows.

use std::fmt;
use std::str::FromStr;

pub(crate) use base::text::is_unseen as is_hidden;
use base::{Fingerprint, Secret};
use media::Codec;
use phone::{Carry, DigitsBy, Keepalive, KeysBy, MediaEncryption, NetworkPolicy, VosMedia};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sip::message::{Host, Scheme, Uri};
use sip::ua::Reliable;

/// A word out of a list.
fn word<T: Copy>(given: &str, now: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = now.iter().find(|(word, _)| word.eq_ignore_ascii_case(given)) {
        return Ok(*value);
    }
    let all: Vec<&str> = now.iter().map(|(word, _)| *word).collect();
    Err(format!("`{}` is unknown; known are {}", excerpt(given), all.join(", ")))
}

/// What of a stranger's text may stand in a sentence: a short piece, with nothing in it that is not seen.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).map(|it| if is_hidden(it) { '\u{fffd}' } else { it }).collect()
}

/// An address as it may be shown.
fn without_password(uri: &str) -> String {
    let Some((before, host)) = uri.rsplit_once('@') else { return uri.to_owned() };
    match before.match_indices(':').nth(1) {
        Some((at, _)) => format!("{}@{host}", &before[..at]),
        None => uri.to_owned(),
    }
}

/// Makes a type readable and writable, by a word.
macro_rules! worded {
    ($(#[$doc:meta])* $name:ident($value:ty): $now:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $value);

        impl FromStr for $name {
            type Err = String;
            fn from_str(given: &str) -> Result<Self, String> {
                word::<$value>(given, &$now).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let known = $now;
                f.write_str(known.iter().find(|(_, value)| *value == self.0).map_or("", |(word, _)| word))
            }
        }

        by_text!($name);
    };
}

/// Goes by `FromStr` and `Display` in every format.
macro_rules! by_text {
    ($name:ident) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                String::deserialize(source)?.parse().map_err(de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
                sink.collect_str(self)
            }
        }
    };
}

worded!(
    /// A codec that can be had.
    CodecName(Codec): Codec::ALL.map(|codec| (codec.name(), codec))
);
worded!(
    /// Whether calls are encrypted.
    Srtp(MediaEncryption): [
        ("off", MediaEncryption::Off),
        ("optional", MediaEncryption::Optional),
        ("required", MediaEncryption::Required),
    ]
);
worded!(
    /// How keys are agreed on.
    SrtpKeys(KeysBy): [("auto", KeysBy::Both), ("sdes", KeysBy::Sdes), ("dtls", KeysBy::Dtls)]
);
worded!(
    /// By which way keypad digits go.
    Dtmf(DigitsBy): [
        ("auto", DigitsBy::Auto),
        ("rfc4733", DigitsBy::Events),
        ("info", DigitsBy::Info),
        ("inband", DigitsBy::Tones),
    ]
);
worded!(
    /// What carries SIP; `None` is the phone's own choice.
    TransportName(Option<base::Transport>): [
        ("auto", None),
        ("udp", Some(base::Transport::Udp)),
        ("tcp", Some(base::Transport::Tcp)),
        ("tls", Some(base::Transport::Tls)),
        ("ws", Some(base::Transport::Ws)),
        ("wss", Some(base::Transport::Wss)),
    ]
);
worded!(
    /// How the way to the registrar is kept open.
    KeepaliveName(Keepalive): [("prompt", Keepalive::Prompt), ("thrifty", Keepalive::Thrifty)]
);
worded!(
    /// Which networks may be used.
    NetworksName(NetworkPolicy): [
        ("any", NetworkPolicy::Any),
        ("ask-roaming", NetworkPolicy::AskRoaming),
        ("wifi-only", NetworkPolicy::WifiOnly),
    ]
);
worded!(
    /// Reliable provisional responses. RFC 3262.
    ReliableName(Reliable): [
        ("off", Reliable::Off),
        ("supported", Reliable::Supported),
        ("required", Reliable::Required),
    ]
);
worded!(
    /// Where a number is said.
    CarryName(Carry): [
        ("from-user", Carry::FromUser),
        ("from-display", Carry::FromDisplay),
        ("ppi", Carry::Preferred),
        ("pai", Carry::Asserted),
        ("rpid", Carry::RemoteParty),
    ]
);

/// Whether an account's signalling is sealed as VOS servers have it: obfuscation, no secrecy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed(pub bool);

impl FromStr for Sealed {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given.to_ascii_lowercase().as_str() {
            "tls" => Err("TLS is set by `transport`".into()),
            "sdes" | "dtls" => Err("keys of calls are set by `srtp` and `srtp_keys`".into()),
            _ => word(given, &[("none", false), ("vos", true)]).map(Self),
        }
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "vos" } else { "none" })
    }
}

by_text!(Sealed);

/// What VOS encryption makes of sound: nothing, or (experimental) a disguise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VosSound(pub VosMedia);

impl FromStr for VosSound {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given.to_ascii_lowercase().as_str() {
            "plain" => Ok(Self(VosMedia::Plain)),
            "xor" => Ok(Self(VosMedia::Xor)),
            // Its key, and what it covers, are not known.
            "rc4" => Err("RC4 media is not supported".into()),
            _ => Err(format!("`{}` is unknown; known are plain, xor (experimental)", excerpt(given))),
        }
    }
}

impl fmt::Display for VosSound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            VosMedia::Plain => "plain",
            VosMedia::Xor => "xor",
        })
    }
}

by_text!(VosSound);

/// Which of the vendor's formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VosVersion(());

impl FromStr for VosVersion {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "1.1" => Ok(Self(())),
            // Its format is not public.
            "2.0" => Err("VOS 2.0 is not supported".into()),
            other => Err(format!("`{}` is unknown; known is 1.1", excerpt(other))),
        }
    }
}

impl fmt::Display for VosVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1.1")
    }
}

by_text!(VosVersion);

/// A SIP URI of a person or a server, without a password in it.
#[derive(Clone, Debug)]
pub struct SipUri(pub Uri);

impl FromStr for SipUri {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let shown = excerpt(&without_password(given));
        if given.len() > LONGEST {
            return Err(format!("`{shown}...` is longer than any address"));
        }
        let uri: Uri = given.parse().map_err(|error| format!("`{shown}` is not a SIP URI: {error}"))?;
        let view = uri.view();
        if view.password.is_some() {
            return Err("a password has no place in an address: `password` is its field".into());
        }
        if let Host::Name(name) = view.host
            && !name.is_ascii()
        {
            return Err(format!("`{shown}` is not a SIP URI: {}", sip::message::UriError::Host));
        }
        match view.scheme {
            Scheme::Sip => Ok(Self(uri)),
            Scheme::Sips => {
                Err("sips is not in this build: begin with sip: and set `transport` to tls".into())
            }
            Scheme::Tel | Scheme::Other => Err(format!("`{shown}` is not a SIP URI: it begins with sip:")),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

by_text!(SipUri);

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin(pub Fingerprint);

impl FromStr for Pin {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        given.parse().map(Self).map_err(|error: base::BadFingerprint| error.to_string())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

by_text!(Pin);

/// What may be offered, the preferred first: at least one, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codecs(pub Vec<Codec>);

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

impl Serialize for Codecs {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.collect_seq(self.0.iter().map(|codec| codec.name()))
    }
}

/// A session timer in seconds, or 0 for none. RFC 4028 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SessionExpires(pub u32);

impl<'de> Deserialize<'de> for SessionExpires {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        match u32::deserialize(source)? {
            1..90 => Err(de::Error::custom("a session timer has at least 90 seconds; 0 is none")),
            seconds => Ok(Self(seconds)),
        }
    }
}

/// Which form a document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Version(pub u32);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        match u32::deserialize(source)? {
            1 => Ok(Self(1)),
            other => {
                Err(de::Error::custom(format!("form {other} is not known here: a newer Offhook may read it")))
            }
        }
    }
}

/// Longer than any name, number, server or password that works, in bytes.
pub const LONGEST: usize = 255;

/// One line of text of at most [`LONGEST`] bytes, or so many.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<const MOST: usize = LONGEST>(String);

/// Several lines: certificates, and what is sent to a web service.
pub type Long = Text<{ 16 * 1024 }>;

impl<const MOST: usize> Text<MOST> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, given up.
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl<const MOST: usize> FromStr for Text<MOST> {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if given.len() > MOST {
            return Err(format!("it is longer than {MOST} bytes"));
        }
        let lines = MOST > LONGEST;
        if given.chars().any(|it| is_hidden(it) && !(lines && matches!(it, '\n' | '\r' | '\t'))) {
            return Err(
                "it has characters that nobody sees: they steer a screen, or turn what follows".into()
            );
        }
        Ok(Self(given.to_owned()))
    }
}

impl<const MOST: usize> fmt::Display for Text<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Text<MOST> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source)?.parse().map_err(de::Error::custom)
    }
}

impl<const MOST: usize> Serialize for Text<MOST> {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.serialize_str(&self.0)
    }
}

/// A password, a key or a token as it is read. It is never written: what keeps secrets writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden(pub Secret<String>);

impl Hidden {
    /// The bytes of the longest: a private key in PEM.
    const MOST: usize = 16 * 1024;
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        // The reader's own words may quote what is there.
        let text = String::deserialize(source).map_err(|_| de::Error::custom("it is no text"))?;
        let secret = Secret::new(text);
        if secret.expose().len() > Self::MOST {
            return Err(de::Error::custom("it is longer than 16384 bytes"));
        }
        Ok(Self(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_written_as_the_word_it_is_read_from() {
        fn back<T: FromStr<Err = String> + fmt::Display>(words: &[&str]) {
            for word in words {
                assert_eq!(word.parse::<T>().map(|it| it.to_string()), Ok((*word).to_owned()));
            }
        }
        back::<CodecName>(&["G729", "opus"]);
        back::<TransportName>(&["auto", "udp", "tcp", "tls", "ws", "wss"]);
        back::<Srtp>(&["off", "optional", "required"]);
        back::<NetworksName>(&["any", "ask-roaming", "wifi-only"]);
        back::<CarryName>(&["from-user", "from-display", "ppi", "pai", "rpid"]);
        back::<Sealed>(&["none", "vos"]);
        back::<VosSound>(&["plain", "xor"]);
        back::<SipUri>(&["sip:1001@offhook.test:5070;transport=tcp"]);
    }

    #[test]
    fn texts_hold_nothing_that_is_not_seen_and_have_an_end() {
        for hidden in ["a\u{202e}b", "a\nb", "\u{1b}[2J", "a\u{2067}", "\u{feff}", "a\u{200f}", "\u{85}"] {
            assert!(hidden.parse::<Text>().unwrap_err().contains("nobody sees"), "{hidden:?}");
        }
        assert!("x".repeat(256).parse::<Text>().unwrap_err().contains("255"));
        assert!("Zoë שלום سلام 木".parse::<Text>().is_ok());
        assert!("a\nb".parse::<Long>().is_ok() && "a\u{202e}".parse::<Long>().is_err());
    }

    #[test]
    fn what_is_refused_is_told_in_a_short_sentence_that_cannot_steer_a_screen() {
        let long = format!("\u{1b}[2J\u{202e}{}", "x".repeat(9000));
        for told in [long.parse::<SipUri>().unwrap_err(), long.parse::<Srtp>().unwrap_err()] {
            assert!(told.len() < 300 && !told.chars().any(is_hidden), "{told:?}");
        }
        for with_password in ["sip:ann:hush@h.test", "sip:ann:hush@h test", "http://ann:hush@h.test"] {
            let told = with_password.parse::<SipUri>().unwrap_err();
            assert!(!told.contains("hush"), "{told}");
        }
    }
}
