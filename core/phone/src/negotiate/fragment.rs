//! Where a stream may be reached besides, told after the description: the body of an INFO of the package `trickle-ice`.
//!
//! RFC 8840 sections 4.4 and 9. Knows neither the INFO nor whether the generation told of is the present one.

use std::fmt::Write as _;

use base::Secret;
use nat::Candidate;
use nat::ice::Credentials;
use nat::path::Description;
use sip::sdp::Media;

/// Lines looked at; what a stranger sends beyond them is not.
const MAX_LINES: usize = 200;
/// Candidates taken.
const MAX_CANDIDATES: usize = 50;
/// The longest name of a line that is kept.
const MAX_NAME: usize = 32;

/// What it says of one line.
#[derive(Debug)]
pub(super) struct Part {
    /// The line's name, where it is said.
    pub(super) mid: Option<String>,
    pub(super) description: Description,
}

/// The name of a line in a description. RFC 5888 section 4.
pub(super) fn mid_of(media: &Media<'_, '_>) -> Option<String> {
    media.value("mid").and_then(name)
}

fn name(mid: &str) -> Option<String> {
    let is_letter = |c: u8| c.is_ascii_graphic();
    ((1..=MAX_NAME).contains(&mid.len()) && mid.bytes().all(is_letter)).then(|| mid.to_owned())
}

/// A section while it is read.
#[derive(Clone, Default)]
struct Section<'a> {
    fragment: Option<&'a str>,
    password: Option<&'a str>,
    mid: Option<String>,
    candidates: Vec<Candidate>,
}

impl Section<'_> {
    /// Without credentials, or with such as are none, it belongs to no generation.
    fn finish(self) -> Option<Part> {
        let fragment = self.fragment?.to_owned();
        let credentials = Credentials { fragment, password: Secret::new(self.password?.to_owned()) };
        let candidates = self.candidates;
        let description = Description { credentials, candidates, lite: false, trickle: true };
        description.credentials.are_sound().then_some(Part { mid: self.mid, description })
    }
}

/// Reads it: one part for each `m=` line. What cannot be read is passed over.
pub(super) fn read(body: &[u8]) -> Vec<Part> {
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    // What is said before the first line holds for all of them.
    let mut common = Section::default();
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut room = MAX_CANDIDATES;
    for line in text.lines().take(MAX_LINES) {
        let line = line.trim_end();
        if line.starts_with("m=") {
            sections.push(common.clone());
        }
        let Some((attribute, value)) = line.strip_prefix("a=").and_then(|line| line.split_once(':')) else {
            // `end-of-candidates` too: nothing here waits for the last one.
            continue;
        };
        // RFC 8840 section 9.2: in any case of letters.
        match (attribute.to_ascii_lowercase().as_str(), sections.last_mut()) {
            ("ice-ufrag", at_line) => at_line.unwrap_or(&mut common).fragment = Some(value),
            ("ice-pwd", at_line) => at_line.unwrap_or(&mut common).password = Some(value),
            ("mid", Some(section)) => section.mid = name(value),
            ("candidate", Some(section)) if room > 0 => {
                if let Ok(candidate) = value.parse() {
                    section.candidates.push(candidate);
                    room -= 1;
                }
            }
            _ => {}
        }
    }
    sections.into_iter().filter_map(Section::finish).collect()
}

/// Our addresses in the order in which they were told before, and then the new ones. RFC 8840 section 4.4.
pub(super) fn in_order(ours: &Description, said: Option<&Description>) -> Description {
    let said = said.filter(|said| said.credentials == ours.credentials);
    let is_same = |a: &Candidate, b: &Candidate| (a.address, a.carrier) == (b.address, b.carrier);
    let place = |candidate: &Candidate| {
        said.and_then(|said| said.candidates.iter().position(|known| is_same(known, candidate)))
    };
    let mut ours = ours.clone();
    // The sort is stable: what is new stays in its own order.
    ours.candidates.sort_by_key(|candidate| place(candidate).unwrap_or(usize::MAX));
    ours
}

/// Writes what it says of the line of that name.
pub(super) fn write(text: &mut String, ours: &Description, mid: &str) {
    let Credentials { fragment, password } = &ours.credentials;
    let password = password.expose();
    let _ = write!(
        text,
        "m=audio 9 RTP/AVP 0\r\na=ice-pwd:{password}\r\na=ice-ufrag:{fragment}\r\na=mid:{mid}\r\n"
    );
    for candidate in &ours.candidates {
        let _ = write!(text, "a=candidate:{candidate}\r\n");
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use nat::{Carrier, Kind};

    use super::*;

    const SOUND: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n";
    const HOST: &str = "a=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host\r\n";

    fn candidate(kind: Kind, port: u16) -> Candidate {
        let address = std::net::SocketAddr::new([192, 0, 2, 7].into(), port);
        Candidate::ours(kind, Carrier::Udp, 1, address, address, 8191)
    }

    fn description(seed: u64, candidates: Vec<Candidate>) -> Description {
        let credentials = Credentials::draw(&mut Rng::from_number(seed));
        Description { credentials, candidates, lite: false, trickle: true }
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let ours = description(1, vec![candidate(Kind::Host, 4000), candidate(Kind::Host, 4001)]);
        let mut text = String::new();
        write(&mut text, &ours, "audio");
        assert!(text.starts_with("m=audio 9 RTP/AVP 0\r\n") && text.ends_with("typ host\r\n"), "{text}");
        let parts = read(text.as_bytes());
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].mid.as_deref(), Some("audio"));
        assert_eq!(parts[0].description, ours);
    }

    #[test]
    fn credentials_before_the_first_line_hold_for_each_that_has_none_of_its_own() {
        let text = format!(
            "{SOUND}m=audio 9 RTP/AVP 0\r\na=MID:0\r\n{HOST}a=end-of-candidates\r\n\
             m=audio 9 RTP/AVP 0\na=ice-ufrag:efgh\na=mid:1\n"
        );
        let parts = read(text.as_bytes());
        let told = |part: &Part| {
            let description = &part.description;
            (part.mid.clone(), description.credentials.fragment.clone(), description.candidates.len())
        };
        let expected = [("0", "abcd", 1), ("1", "efgh", 0)];
        let expected = expected.map(|(mid, fragment, n)| (Some(mid.to_owned()), fragment.to_owned(), n));
        assert_eq!(parts.iter().map(told).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_of_no_generation_or_no_text_says_nothing() {
        let line = "m=audio 9 RTP/AVP 0\r\n";
        for text in [
            String::new(),
            SOUND.to_owned() + HOST,
            format!("{line}{HOST}"),
            format!("{line}a=ice-ufrag:abcd\r\n{HOST}"),
            format!("{line}a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n{HOST}"),
            format!("{line}a=ice-ufrag:a b c d\r\na=ice-pwd:0123456789012345678901\r\n{HOST}"),
        ] {
            assert!(read(text.as_bytes()).is_empty(), "{text}");
        }
        let mut bytes = format!("{SOUND}{line}{HOST}a=mid:").into_bytes();
        assert_eq!(read(&bytes)[0].mid, None);
        bytes.push(0xff);
        assert!(read(&bytes).is_empty());
    }

    #[test]
    fn of_what_a_stranger_sends_only_so_much_is_kept() {
        let line = format!("m=audio 9 RTP/AVP 0\r\na=mid:{}\r\n", "m".repeat(MAX_NAME + 1));
        let parts = read((SOUND.to_owned() + &line + &HOST.repeat(10_000)).as_bytes());
        assert_eq!((parts.len(), parts[0].mid.as_ref()), (1, None));
        assert_eq!(parts[0].description.candidates.len(), MAX_CANDIDATES);
        let lines = read((SOUND.to_owned() + &(line + HOST).repeat(10_000)).as_bytes());
        assert!(lines.len() <= MAX_LINES);
        let all: usize = lines.iter().map(|part| part.description.candidates.len()).sum();
        assert_eq!(all, MAX_CANDIDATES);
    }

    #[test]
    fn what_was_told_before_keeps_its_place_unless_the_generation_is_new() {
        let [a, b, c] = [4000, 4001, 4002].map(|port| candidate(Kind::Host, port));
        let said = description(1, vec![b.clone(), c.clone()]);
        let ours = description(1, vec![a.clone(), b.clone(), c.clone()]);
        assert_eq!(in_order(&ours, Some(&said)).candidates, [b, c, a]);
        let other = description(2, ours.candidates.clone());
        assert_eq!(in_order(&other, Some(&said)), other);
        assert_eq!(in_order(&ours, None), ours);
    }
}
