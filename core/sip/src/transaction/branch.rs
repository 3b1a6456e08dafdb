//! The branch of our requests: a name that nobody guesses, which also says where its transaction lives.
//!
//! RFC 3261 section 8.1.1.7; a proxy's loop mark as the second part, RFC 5393 section 4.2.1.
//!
//! ```text
//! z9hG4bK x4k2m7q9abcd 1f - mark
//! cookie  random       place
//! ```

use std::fmt;

use base::Rng;

use crate::message::Via;

/// The random part: 60 bits.
pub(super) type Token = [u8; 12];

/// A branch of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Branch<'a> {
    pub(super) token: Token,
    pub(super) place: u32,
    mark: Option<&'a str>,
}

impl<'a> Branch<'a> {
    pub(super) fn fresh(rng: &mut Rng, place: u32, mark: Option<&'a str>) -> Self {
        Self { token: rng.token(), place, mark }
    }

    /// Reads one that came back; `None` when it cannot be ours.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (token, rest) = text.strip_prefix(Via::COOKIE)?.as_bytes().split_first_chunk()?;
        let rest = str::from_utf8(rest).ok()?;
        let (place, mark) = match rest.split_once('-') {
            Some((place, mark)) => (place, Some(mark)),
            None => (rest, None),
        };
        Some(Self { token: *token, place: u32::from_str_radix(place, 16).ok()?, mark })
    }
}

impl fmt::Display for Branch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Via::COOKIE)?;
        f.write_str(str::from_utf8(&self.token).unwrap_or(""))?;
        write!(f, "{:x}", self.place)?;
        self.mark.map_or(Ok(()), |mark| write!(f, "-{mark}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_comes_back_as_it_went_with_or_without_a_mark() {
        let mut rng = Rng::from_number(1);
        for mark in [None, Some("a-b.c")] {
            let branch = Branch::fresh(&mut rng, 0x1f, mark);
            assert_eq!(Branch::read(&branch.to_string()), Some(branch));
        }
    }

    #[test]
    fn branches_of_others_are_not_ours() {
        for text in [
            "",
            "z9hG4bK",
            "z9hG4bKshort",
            "x9hG4bKabcdefghijkl1f",
            "z9hG4bKabcdefghijklxyz",
            "z9hG4bKabcdefghijk\u{e9}1",
        ] {
            assert_eq!(Branch::read(text), None, "{text}");
        }
    }
}
