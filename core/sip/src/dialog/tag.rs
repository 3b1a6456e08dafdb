//! Our own dialog tags: short, fixed, and unguessable enough to find a dialog by. RFC 3261 section 19.3.

use std::fmt;

use base::Rng;

/// A tag of ours: 60 random bits. A stranger's tag need not look like this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 12]);

impl Tag {
    /// A fresh one.
    pub fn draw(rng: &mut Rng) -> Self {
        Self(rng.token())
    }

    /// Reads what may be one of ours.
    pub fn read(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().filter(|bytes: &[u8; 12]| bytes.is_ascii()).map(Self)
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("drawn from, or checked to be, ASCII")
    }

    /// A From or To value with this tag behind it.
    pub fn append(&self, value: &str) -> String {
        let mut out = String::with_capacity(value.len() + 17);
        out.push_str(value.trim_end());
        out.push_str(";tag=");
        out.push_str(self.as_str());
        out
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
