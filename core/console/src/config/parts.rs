//! Values of settings files that are the console's own, and the keys that only a later build understands.

pub(crate) use account::words::{CodecName, SipUri};
use media::tones::Country;
use serde::{Deserialize, Deserializer, de};

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
