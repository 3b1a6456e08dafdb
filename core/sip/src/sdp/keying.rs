//! `a=fingerprint`, `a=setup` and `a=tls-id`: whose certificate will be met on the media path, and who says hello there.
//!
//! RFC 8122 section 5, RFC 4145 section 4 with RFC 5763 section 5, RFC 8842 section 5. Which hash functions are good enough,
//! and what a certificate is, is not known here.

use std::fmt;

use super::{Media, Section};

/// A certificate's hash, as a line tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint<'a> {
    /// The function's name; case does not count.
    pub hash: &'a str,
    /// The hash.
    pub digest: Vec<u8>,
}

impl<'a> Fingerprint<'a> {
    /// The longest hash there is, bytes.
    const LONGEST: usize = 64;

    /// Reads an attribute's value. Small letters are taken for the great ones that RFC 8122 asks for. `None`: pass the line
    /// over, another may do.
    pub fn read(value: &'a str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let (hash, text) = (words.next()?, words.next()?);
        if words.next().is_some() || text.len() > Self::LONGEST * 3 {
            return None;
        }
        let byte = |pair: &str| match pair.as_bytes() {
            [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                u8::from_str_radix(pair, 16).ok()
            }
            _ => None,
        };
        let digest = text.split(':').map(byte).collect::<Option<Vec<_>>>()?;
        Some(Self { hash, digest })
    }
}

/// As a line's value.
impl fmt::Display for Fingerprint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash)?;
        for (at, byte) in self.digest.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

/// Who begins. RFC 4145 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setup {
    /// The writer does.
    Active,
    /// The writer waits.
    Passive,
    /// Of an offer: as the answer likes.
    Actpass,
    /// Nobody for now.
    Holdconn,
}

impl Setup {
    /// The attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Actpass => "actpass",
            Self::Holdconn => "holdconn",
        }
    }

    /// Reads an attribute's value.
    pub fn read(value: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::Actpass, Self::Holdconn].into_iter().find(|s| s.as_str() == value)
    }

    /// The answer to this offer: who has begun already does so again (`kept`, RFC 8842 section 5.3), otherwise we begin
    /// wherever we may, which is a way there and back sooner (RFC 5763 section 5).
    #[must_use]
    pub const fn answered(self, kept: Option<Self>) -> Self {
        match (self, kept) {
            (Self::Actpass, Some(Self::Passive)) | (Self::Active, _) => Self::Passive,
            (Self::Actpass | Self::Passive, _) => Self::Active,
            (Self::Holdconn, _) => Self::Holdconn,
        }
    }

    /// Whether a side that offered this says hello when the answer is `answer`; `None` when nobody does, or when both sides
    /// want the same.
    pub const fn begins(self, answer: Self) -> Option<bool> {
        match (self, answer) {
            (Self::Actpass | Self::Active, Self::Passive) => Some(true),
            (Self::Actpass | Self::Passive, Self::Active) => Some(false),
            _ => None,
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<'s, 'a> Media<'s, 'a> {
    /// The certificates that this stream may be met with: its own lines, or the session's where it has none. Lines that
    /// cannot be read are left out.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint<'a>> + use<'s, 'a> {
        let of = |section: Section<'s, 'a>| section.attributes().filter(|a| a.name == "fingerprint");
        let own = of(self.section()).next().is_some();
        of(if own { self.section() } else { self.session() }).filter_map(|a| Fingerprint::read(a.value?))
    }

    /// Whether it, or its session, has a fingerprint, readable or not: keys are to be agreed on the media path.
    pub fn has_fingerprint(&self) -> bool {
        self.value("fingerprint").is_some()
    }

    /// Who begins, when said.
    pub fn setup(&self) -> Option<Setup> {
        Setup::read(self.value("setup")?)
    }

    /// The name of the association: another one asks for another association. RFC 8842 section 4.
    pub fn tls_id(&self) -> Option<&'a str> {
        self.section().value("tls-id").filter(|id| (20..=255).contains(&id.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Sdp;

    const DIGEST: &str =
        "12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD";

    #[test]
    fn a_fingerprint_is_written_as_it_was_read() {
        let line = format!("sha-256 {DIGEST}");
        let read = Fingerprint::read(&line).expect("it is well formed");
        assert_eq!((read.hash, read.digest.len(), read.to_string()), ("sha-256", 32, line.clone()));
    }

    #[test]
    fn small_letters_mean_the_same() {
        let small = format!("SHA-256 {}", DIGEST.to_lowercase());
        let read = Fingerprint::read(&small).expect("it is well formed");
        assert_eq!(read.digest[1], 0xdf);
    }

    #[test]
    fn what_is_no_fingerprint_is_passed_over() {
        let long = format!("sha-512 {}", vec!["00"; 65].join(":"));
        for line in [
            "",
            "sha-256",
            "sha-256 ",
            "sha-256 1",
            "sha-256 12:",
            "sha-256 12DF",
            "sha-256 +1:22",
            "a 00 b",
            &long,
        ] {
            assert_eq!(Fingerprint::read(line), None, "{line}");
        }
    }

    fn body(session: &str, media: &str) -> String {
        format!("v=0\r\n{session}m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n{media}")
    }

    #[test]
    fn a_streams_own_fingerprints_stand_before_its_sessions() {
        let text =
            body("a=fingerprint:sha-256 01\r\n", "a=fingerprint:sha-256 02\r\na=fingerprint:sha-384 03\r\n");
        let sdp = Sdp::read(text.as_bytes()).expect("it is SDP");
        let media = sdp.media().next().expect("it has a stream");
        let digests: Vec<_> = media.fingerprints().map(|f| f.digest[0]).collect();
        assert_eq!(digests, [2, 3]);
    }

    #[test]
    fn the_sessions_words_hold_for_a_stream_that_says_nothing() {
        let text =
            body("a=fingerprint:sha-256 01\r\na=setup:actpass\r\n", "a=tls-id:abc3de65cddef001be82\r\n");
        let sdp = Sdp::read(text.as_bytes()).expect("it is SDP");
        let media = sdp.media().next().expect("it has a stream");
        assert_eq!(media.fingerprints().count(), 1);
        assert!(media.has_fingerprint());
        assert_eq!(media.setup(), Some(Setup::Actpass));
        assert_eq!(media.tls_id(), Some("abc3de65cddef001be82"));
    }

    #[test]
    fn an_association_without_a_proper_name_has_none() {
        let text = body("", "a=tls-id:short\r\n");
        let sdp = Sdp::read(text.as_bytes()).expect("it is SDP");
        let media = sdp.media().next().expect("it has a stream");
        assert_eq!((media.tls_id(), media.has_fingerprint(), media.setup()), (None, false, None));
    }

    #[test]
    fn who_may_begin_does_and_who_must_wait_waits() {
        use Setup::*;
        assert_eq!(Actpass.answered(None), Active);
        assert_eq!(Passive.answered(None), Active);
        assert_eq!(Active.answered(None), Passive);
        assert_eq!(Holdconn.answered(None), Holdconn);
    }

    #[test]
    fn who_began_an_association_is_asked_again_and_stays_it() {
        use Setup::*;
        assert_eq!(Actpass.answered(Some(Passive)), Passive);
        assert_eq!(Actpass.answered(Some(Active)), Active);
    }

    #[test]
    fn an_offer_and_its_answer_say_who_begins_or_that_they_do_not_fit() {
        use Setup::*;
        assert_eq!(Actpass.begins(Active), Some(false));
        assert_eq!(Actpass.begins(Passive), Some(true));
        assert_eq!(Passive.begins(Active), Some(false));
        assert_eq!(
            (Passive.begins(Passive), Actpass.begins(Holdconn), Actpass.begins(Actpass)),
            (None, None, None)
        );
    }
}
