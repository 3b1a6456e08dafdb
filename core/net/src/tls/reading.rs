//! What a certificate says of itself, read for a person. RFC 5280 section 4.1.
//!
//! Only names and dates, of bytes that a stranger sent: each is bounded and cleaned. Judges nothing.

use base::{Certificate, Fingerprint};
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::judge::digest;

/// Characters of one name.
const LONGEST: usize = 200;
/// Alternative names shown.
const MOST_NAMES: usize = 8;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;

/// The parts of a name that say something: id-at, RFC 5280 appendix A.1.
const PARTS: [(&[u8], &str); 6] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 6], "C"),
];

/// Reads it; `None`: it is no certificate.
pub(super) fn read(der: &CertificateDer<'_>) -> Option<Certificate> {
    let (certificate, _) = of(SEQUENCE, der)?;
    let (signed, _) = of(SEQUENCE, certificate)?;
    let rest = of(VERSION, signed).map_or(signed, |(_, rest)| rest);
    let (_, _, rest) = element(rest)?; // its number
    let (_, rest) = of(SEQUENCE, rest)?; // the algorithm
    let (issuer, rest) = of(SEQUENCE, rest)?;
    let (validity, rest) = of(SEQUENCE, rest)?;
    let (subject, _) = of(SEQUENCE, rest)?;
    let (from, until) =
        element(validity).and_then(|(kind, from, rest)| Some(((kind, from), element(rest)?)))?;
    let mut names = Vec::new();
    if let Ok(parsed) = EndEntityCert::try_from(der) {
        let uris = parsed.valid_uri_names().map(str::to_owned);
        let dns = parsed.valid_dns_names().map(str::to_owned);
        names.extend(uris.chain(dns).map(|name| clean(&name)).take(MOST_NAMES));
    }
    Some(Certificate {
        fingerprint: Fingerprint(digest(der)),
        subject: name(subject),
        issuer: name(issuer),
        names,
        not_before: time(from.0, from.1)?,
        not_after: time(until.0, until.1)?,
    })
}

/// The first element: its tag, what is in it, what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        short @ 0..=0x7f => (usize::from(*short), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        // Nothing that a handshake carries is as long.
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((*tag, content, rest))
}

/// The first element, if it is one of these.
fn of(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

fn name(mut rest: &[u8]) -> String {
    let mut found = Vec::new();
    while let Some((part, behind)) = of(SET, rest) {
        rest = behind;
        let read = of(SEQUENCE, part).and_then(|(pair, _)| {
            let (_, id, rest) = element(pair)?;
            let (kind, text, _) = element(rest)?;
            let at = PARTS.iter().position(|(known, _)| *known == id)?;
            let text =
                if kind == BMP_STRING { wide(text) } else { String::from_utf8_lossy(text).into_owned() };
            Some((at, format!("{}={}", PARTS[at].1, clean(&text))))
        });
        found.extend(read);
        if found.len() > PARTS.len() {
            break;
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(", ")
}

fn wide(text: &[u8]) -> String {
    let units: Vec<u16> = text.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// Nothing of a stranger's steers a terminal, or fills a screen.
fn clean(text: &str) -> String {
    // Marks that turn the direction of what follows would make one name look like another.
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(harmless).take(LONGEST).collect()
}

/// RFC 5280 section 4.1.2.5.
fn time(kind: u8, text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (kind, text.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = text.split_at(2);
            (format!("{}{year}", if year < "50" { "20" } else { "19" }), rest)
        }
        (GENERALIZED_TIME, 14) => (text[..4].to_owned(), &text[4..]),
        _ => return None,
    };
    let two = |at: usize| &rest[at..at + 2];
    Some(format!("{year}-{}-{} {}:{}:{} UTC", two(0), two(2), two(4), two(6), two(8)))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair, date_time_ymd};

    use super::*;

    fn made(with: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut params = CertificateParams::new(vec!["offhook.test".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        with(&mut params);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        read(made.der()).unwrap()
    }

    #[test]
    fn names_and_dates_read_as_they_were_written() {
        let certificate = made(|params| {
            params.distinguished_name.push(DnType::OrganizationName, "Offhook");
            params
                .distinguished_name
                .push(DnType::CommonName, DnValue::BmpString("bell.test".try_into().unwrap()));
            params
                .distinguished_name
                .push(DnType::CountryName, DnValue::PrintableString("DE".try_into().unwrap()));
            params.not_before = date_time_ymd(1999, 12, 31);
            params.not_after = date_time_ymd(2061, 2, 3);
        });
        assert_eq!(certificate.subject, "CN=bell.test, O=Offhook, C=DE");
        assert_eq!(certificate.issuer, certificate.subject);
        assert_eq!(certificate.names, ["offhook.test"]);
        assert_eq!(certificate.not_before, "1999-12-31 00:00:00 UTC");
        assert_eq!(certificate.not_after, "2061-02-03 00:00:00 UTC");
        assert_eq!(made(|_| {}).subject, "");
    }

    #[test]
    fn a_name_steers_no_terminal_and_fills_no_screen() {
        let certificate = made(|params| {
            let name = format!("a\u{1b}[2Jb\u{202e}c\r\n{}", "x".repeat(1000));
            params.distinguished_name.push(DnType::CommonName, name);
        });
        assert!(certificate.subject.starts_with("CN=a[2Jbcxxx") && certificate.subject.len() == 203);
    }

    #[test]
    fn what_is_cut_or_no_certificate_is_none() {
        let params = CertificateParams::new(vec!["offhook.test".to_owned()]).unwrap();
        let whole = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        for len in 0..whole.len() {
            assert_eq!(read(&CertificateDer::from(&whole[..len])), None, "{len}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let _ = read(&CertificateDer::from(changed));
        }
    }
}
