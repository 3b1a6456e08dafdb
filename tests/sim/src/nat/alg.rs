//! What gateways do to SIP that passes them, well and badly.
//!
//! Works on text, as they do; what is no SIP passes unchanged. Knows no mapping: it is told which outside endpoint is whose.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::kind::Tampering;

/// What becomes of a message on its way out. `inside` and `outside` are the sender's two faces; `media` opens the way for an
/// inside media endpoint and says what it is outside.
pub(super) fn outbound(
    tampering: Tampering,
    bytes: &Bytes,
    inside: SocketAddr,
    outside: SocketAddr,
    mut media: impl FnMut(SocketAddr) -> Option<SocketAddr>,
) -> Vec<Bytes> {
    let Some((head, body)) = parts(bytes) else { return vec![bytes.clone()] };
    match tampering {
        Tampering::Truncates(length) => vec![bytes.slice(..length.min(bytes.len()))],
        Tampering::Duplicates => vec![bytes.clone(), bytes.clone()],
        Tampering::SdpAddresses => {
            let body = lines(body, |line| {
                if is_address_line(line) {
                    swap(line, inside.ip(), |_| outside.ip().to_string())
                } else {
                    line.to_owned()
                }
            });
            vec![Bytes::from(format!("{head}\r\n\r\n{body}"))]
        }
        Tampering::Rewrites => {
            let head = lines(head, |line| {
                if is_field(line, &["via", "v", "contact", "m"]) {
                    swap(line, inside.ip(), |port| other(port, inside.port(), outside))
                } else {
                    line.to_owned()
                }
            });
            let mut address = outside.ip();
            let body = lines(body, |line| {
                let Some(port) = audio_port(line) else { return line.to_owned() };
                let Some(to) = media(SocketAddr::new(inside.ip(), port)) else { return line.to_owned() };
                // The RTCP port has a way of its own; whether it is the next one is luck.
                media(SocketAddr::new(inside.ip(), port + 1));
                address = to.ip();
                line.replacen(&port.to_string(), &to.port().to_string(), 1)
            });
            let body = lines(&body, |line| {
                if is_address_line(line) {
                    swap(line, inside.ip(), |_| address.to_string())
                } else {
                    line.to_owned()
                }
            });
            vec![Bytes::from(format!("{}\r\n\r\n{body}", with_length(&head, body.len())))]
        }
    }
}

/// What becomes of one on its way in.
pub(super) fn inbound(
    tampering: Tampering,
    bytes: &Bytes,
    inside: SocketAddr,
    outside: SocketAddr,
) -> Vec<Bytes> {
    let Some((head, body)) = parts(bytes) else { return vec![bytes.clone()] };
    match tampering {
        Tampering::Truncates(length) => vec![bytes.slice(..length.min(bytes.len()))],
        Tampering::Duplicates => vec![bytes.clone(), bytes.clone()],
        Tampering::SdpAddresses => vec![bytes.clone()],
        Tampering::Rewrites => {
            let rport = (format!("rport={}", outside.port()), format!("rport={}", inside.port()));
            let head = lines(head, |line| {
                let line = swap(line, outside.ip(), |port| match port {
                    // Such as `received`.
                    None => inside.ip().to_string(),
                    port => other(port, outside.port(), inside),
                });
                line.replace(&rport.0, &rport.1)
            });
            vec![Bytes::from(format!("{head}\r\n\r\n{body}"))]
        }
    }
}

/// Head and body of what looks like SIP.
fn parts(bytes: &Bytes) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.lines().next()?.contains("SIP/2.0").then_some((head, body))
}

/// The text with each line changed.
fn lines(text: &str, change: impl FnMut(&str) -> String) -> String {
    text.split("\r\n").map(change).collect::<Vec<_>>().join("\r\n")
}

fn is_field(line: &str, names: &[&str]) -> bool {
    line.split_once(':').is_some_and(|(name, _)| names.iter().any(|n| name.trim().eq_ignore_ascii_case(n)))
}

fn is_address_line(line: &str) -> bool {
    line.starts_with("o=") || line.starts_with("c=")
}

fn audio_port(line: &str) -> Option<u16> {
    line.strip_prefix("m=audio ")?.split(' ').next()?.parse().ok().filter(|port| *port != 0)
}

/// The endpoint to write in place of an address with this port: no port is the usual one.
fn other(port: Option<u16>, mine: u16, to: SocketAddr) -> String {
    match port {
        Some(port) if port != mine => SocketAddr::new(to.ip(), port).to_string(),
        Some(_) | None => to.to_string(),
    }
}

/// Replaces an address and the port that may stand behind it, but not an address that only begins or ends alike.
fn swap(line: &str, ip: IpAddr, mut with: impl FnMut(Option<u16>) -> String) -> String {
    let ip = ip.to_string();
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(&ip) {
        let (before, found) = rest.split_at(at);
        let after = &found[ip.len()..];
        let longer = |c: char| c.is_ascii_digit() || c == '.';
        out.push_str(before);
        if out.ends_with(longer) || after.starts_with(|c: char| c.is_ascii_digit()) {
            out.push_str(&ip);
            rest = after;
            continue;
        }
        let digits = after.strip_prefix(':').map_or("", |port| {
            let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
            &port[..end]
        });
        let port = digits.parse().ok();
        out.push_str(&with(port));
        rest = if port.is_some() { &after[1 + digits.len()..] } else { after };
    }
    out + rest
}

fn with_length(head: &str, length: usize) -> String {
    lines(head, |line| match line.split_once(':') {
        Some((name, _)) if is_field(line, &["content-length", "l"]) => format!("{name}: {length}"),
        Some(_) | None => line.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &str = "192.168.1.2:5060";
    const OUTSIDE: &str = "203.0.113.17:6000";

    fn invite() -> Bytes {
        let body = "v=0\r\no=- 1 1 IN IP4 192.168.1.2\r\nc=IN IP4 192.168.1.2\r\nm=audio 40000 RTP/AVP 0\r\n";
        Bytes::from(format!(
            "INVITE sip:bob@192.168.1.20 SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.2:5060;branch=z\r\n\
             m: <sip:ann@192.168.1.2>\r\nCall-ID: 1@192.168.1.2\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn out(tampering: Tampering) -> Vec<String> {
        let media =
            |inside: SocketAddr| Some(SocketAddr::new([203, 0, 113, 17].into(), inside.port() + 1000));
        outbound(tampering, &invite(), INSIDE.parse().unwrap(), OUTSIDE.parse().unwrap(), media)
            .iter()
            .map(|b| String::from_utf8(b.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn a_good_gateway_changes_via_contact_and_sdp_and_counts_again() {
        let body =
            "v=0\r\no=- 1 1 IN IP4 203.0.113.17\r\nc=IN IP4 203.0.113.17\r\nm=audio 41000 RTP/AVP 0\r\n";
        assert_eq!(
            out(Tampering::Rewrites),
            [format!(
                "INVITE sip:bob@192.168.1.20 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.17:6000;branch=z\r\n\
                 m: <sip:ann@203.0.113.17:6000>\r\nCall-ID: 1@192.168.1.2\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )]
        );
    }

    #[test]
    fn what_a_good_gateway_did_it_undoes_on_the_way_back() {
        let reply = Bytes::from_static(
            b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.17:6000;received=203.0.113.17;rport=6000\r\n\r\n",
        );
        let back = inbound(Tampering::Rewrites, &reply, INSIDE.parse().unwrap(), OUTSIDE.parse().unwrap());
        assert_eq!(
            back,
            [&b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.168.1.2:5060;received=192.168.1.2;rport=5060\r\n\r\n"
                [..]]
        );
    }

    #[test]
    fn bad_gateways_cut_double_or_change_half() {
        assert_eq!(out(Tampering::Truncates(40)), [String::from_utf8(invite()[..40].to_vec()).unwrap()]);
        assert_eq!(
            out(Tampering::Duplicates),
            [out(Tampering::Truncates(9999)), out(Tampering::Truncates(9999))].concat()
        );
        let half = &out(Tampering::SdpAddresses)[0];
        assert!(
            half.contains("c=IN IP4 203.0.113.17\r\nm=audio 40000")
                && half.contains("Via: SIP/2.0/UDP 192.168.1.2:5060")
        );
        let length = half.split_once("\r\n\r\n").unwrap().1.len();
        assert!(!half.contains(&format!("Content-Length: {length}\r\n")), "it forgets to count");
    }

    #[test]
    fn what_is_no_sip_passes_unchanged() {
        let bytes = Bytes::from_static(b"\r\n\r\n");
        let inside = INSIDE.parse().unwrap();
        assert_eq!(outbound(Tampering::Duplicates, &bytes, inside, inside, |_| None), [bytes]);
    }
}
