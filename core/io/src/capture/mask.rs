//! Covers what a password could be guessed from: `response` in Authorization and Proxy-Authorization, `rspauth` in
//! Authentication-Info (RFC 3261 sections 20.6, 20.7, 20.28; RFC 7616 sections 3.4, 3.5); and the keys of `a=crypto` lines
//! (RFC 4568).
//!
//! Each byte becomes `x`, so that no length changes. Works on a stream cut anywhere. Reads no more SIP than this takes:
//! lines, folding, quoted strings.

/// Names of the fields, without the colon, in lower case.
const FIELDS: [&[u8]; 4] =
    [b"authorization", b"proxy-authorization", b"authentication-info", b"proxy-authentication-info"];
/// Names of the parameters.
const SECRETS: [&[u8]; 2] = [b"response", b"rspauth"];

/// An attribute of a body's description that holds keys, and what stands before each.
const KEYS: &[u8] = b"a=crypto";
const INLINE: &[u8] = b"inline:";

/// Where reading stands.
///
/// ```text
///  Name --':' of ours--> Params --'='of a secret--> Value --'"'--> Secret
///   ^ |                  |  ^ '"' other                |             |
///   | '--':' else--> Skip|  '----> Quoted              +--','--------+--> Params
///   '------ line end, unless folded: Folded? ----------'
/// ```
#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Name,
    Skip,
    Params,
    /// In a quoted string that is no secret; true after a backslash.
    Quoted(bool),
    /// After `=` of a secret.
    Value,
    /// Inside its quotes; true after a backslash.
    Secret(bool),
    /// Inside it, unquoted.
    Bare,
    /// After the line end of one of our fields.
    Folded,
    /// In a line of keys (RFC 4568): so many letters of `inline:` were read.
    Keys(u8),
    /// In a key.
    Key,
}

/// One stream's reader, or one datagram's.
#[derive(Clone, Debug, Default)]
pub(super) struct Mask {
    at: At,
    word: [u8; 32],
    /// Letters of the word so far; more than fit are counted but not kept.
    length: usize,
    /// White space came after the word: a further letter begins another.
    gap: bool,
    /// What a folded line goes on with.
    folded: At,
}

impl Mask {
    /// Reads on, covering as it goes.
    pub(super) fn cover(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.step(*byte) {
                *byte = b'x';
            }
        }
    }

    /// Whether this byte is to be covered.
    fn step(&mut self, byte: u8) -> bool {
        if let At::Folded = self.at {
            let goes_on = matches!(byte, b' ' | b'\t');
            self.begin(if goes_on { self.folded } else { At::Name });
        }
        match (self.at, byte) {
            (At::Name | At::Skip, b'\n') => self.begin(At::Name),
            (now @ (At::Params | At::Value | At::Bare | At::Quoted(_) | At::Secret(_)), b'\n') => {
                self.folded = now;
                self.at = At::Folded;
            }
            (At::Name, b':') => {
                let next = match self.word() {
                    KEYS => At::Keys(0),
                    word if FIELDS.contains(&word) => At::Params,
                    _ => At::Skip,
                };
                self.begin(next);
            }
            (At::Keys(_) | At::Key, b'\n') => self.begin(At::Name),
            (At::Keys(read), letter) => {
                let letter = letter.to_ascii_lowercase();
                let read = if INLINE.get(read as usize) == Some(&letter) {
                    read + 1
                } else {
                    u8::from(INLINE.first() == Some(&letter))
                };
                self.at = if read as usize == INLINE.len() { At::Key } else { At::Keys(read) };
            }
            (At::Key, b'|' | b';' | b' ' | b'\t' | b'\r') => self.at = At::Keys(0),
            (At::Key, _) => return true,
            (At::Name, b' ' | b'\t' | b'\r') => {}
            (At::Params, b' ' | b'\t' | b'\r') => self.gap = true,
            (At::Params, b'=') => {
                let secret = SECRETS.contains(&self.word());
                self.begin(if secret { At::Value } else { At::Params });
            }
            (At::Params, b',') => self.begin(At::Params),
            (At::Params, b'"') => self.at = At::Quoted(false),
            (At::Name | At::Params, letter) => self.spell(letter),
            (At::Quoted(false), b'\\') => self.at = At::Quoted(true),
            (At::Quoted(false), b'"') => self.begin(At::Params),
            (At::Quoted(_), _) => self.at = At::Quoted(false),
            (At::Value, b'"') => self.at = At::Secret(false),
            (At::Value, b' ' | b'\t' | b'\r') => {}
            (At::Value | At::Bare, b',') => self.begin(At::Params),
            (At::Bare, b' ' | b'\t' | b'\r') => {}
            (At::Value | At::Bare, _) => {
                self.at = At::Bare;
                return true;
            }
            (At::Secret(false), b'"') => self.begin(At::Params),
            (At::Secret(false), b'\\') => {
                self.at = At::Secret(true);
                return true;
            }
            (At::Secret(_), b'\r') => {}
            (At::Secret(_), _) => {
                self.at = At::Secret(false);
                return true;
            }
            (At::Skip | At::Folded, _) => {}
        }
        false
    }

    fn begin(&mut self, at: At) {
        self.at = at;
        self.length = 0;
        self.gap = false;
    }

    fn spell(&mut self, letter: u8) {
        if std::mem::take(&mut self.gap) {
            self.length = 0;
        }
        if let Some(place) = self.word.get_mut(self.length) {
            *place = letter.to_ascii_lowercase();
        }
        self.length += 1;
    }

    fn word(&self) -> &[u8] {
        // A word too long to keep is none of ours.
        self.word.get(..self.length).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        Mask::default().cover(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_the_response_of_credentials_is_covered() {
        for (from, to) in [
            (
                "Authorization: Digest username=\"a\", response=\"0123\", nonce=\"response=\\\"9\"\r\nX: response=\"5\"\r\n",
                "Authorization: Digest username=\"a\", response=\"xxxx\", nonce=\"response=\\\"9\"\r\nX: response=\"5\"\r\n",
            ),
            (
                "proxy-AUTHORIZATION :Digest Response = 0123 ,qop=auth\r\n",
                "proxy-AUTHORIZATION :Digest Response = xxxx ,qop=auth\r\n",
            ),
            ("Authentication-Info: rspauth=\"77\", nc=1\n", "Authentication-Info: rspauth=\"xx\", nc=1\n"),
            (
                "Authorization: Digest realm=\"b\"\r\n\t,response=\"0123\"\r\nFrom: response=\"1\"\r\n",
                "Authorization: Digest realm=\"b\"\r\n\t,response=\"xxxx\"\r\nFrom: response=\"1\"\r\n",
            ),
            (
                "Authorization: Digest opaque=\"a\r\n b\", response=\"01\"\r\n",
                "Authorization: Digest opaque=\"a\r\n b\", response=\"xx\"\r\n",
            ),
            (
                "a=crypto:1 X INLINE:abc+/=|2^20|1:4;inline:de WSH=64\r\na=x:inline:fg\r\na=crypto:2 ininline:h",
                "a=crypto:1 X INLINE:xxxxxx|2^20|1:4;inline:xx WSH=64\r\na=x:inline:fg\r\na=crypto:2 ininline:x",
            ),
            (
                "WWW-Authenticate: Digest response=\"kept\"\r\n",
                "WWW-Authenticate: Digest response=\"kept\"\r\n",
            ),
        ] {
            assert_eq!(covered(from), to);
        }
    }

    #[test]
    fn a_stream_cut_anywhere_is_covered_alike() {
        let text = "REGISTER sip:x SIP/2.0\r\nAuthorization: Digest a=\"b\",\r\n response=\"0123\"\r\nVia: y\r\n\r\n";
        let whole = covered(text);
        assert!(whole.contains("response=\"xxxx\""));
        for cut in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            let mut mask = Mask::default();
            let (first, second) = bytes.split_at_mut(cut);
            mask.cover(first);
            mask.cover(second);
            assert_eq!(String::from_utf8(bytes).unwrap(), whole, "cut at {cut}");
        }
    }
}
