//! Addresses in the web as accounts name them: by TLS, or on this machine alone.
//!
//! RFC 3986 section 3, as far as one must know who is asked. Knows no HTTP.

use std::net::IpAddr;

/// Longer than any address that is asked, in bytes.
const LONGEST: usize = 2048;

/// Who is asked, as lower-case letters; an IPv6 address without its brackets. The error completes a sentence, and quotes
/// nothing: an address may hold a key.
pub(crate) fn host(url: &str) -> Result<String, &'static str> {
    if url.len() > LONGEST {
        return Err("has an address longer than 2048 bytes");
    }
    if url.chars().any(|it| !it.is_ascii_graphic()) {
        return Err("has an address with characters that no address has");
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let place = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if place.contains('@') {
        return Err("must not name a user in its address");
    }
    let name = match place.strip_prefix('[') {
        Some(inside) => inside.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    let here = name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match scheme.to_ascii_lowercase().as_str() {
        "https" if !name.is_empty() => Ok(name),
        "http" if here => Ok(name),
        "http" => Err(
            "must be https://HOST/PATH: by http: anybody on the way reads and changes what is sent (http: on this machine alone)",
        ),
        _ => Err("must be https://HOST/PATH (http: on this machine alone)"),
    }
}

/// Whether it goes without TLS.
pub(crate) fn is_clear(url: &str) -> bool {
    url.get(..5).is_none_or(|scheme| !scheme.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_is_read_as_a_browser_would() {
        for (url, expected) in [
            ("https://Relays.Offhook.test/turn?x=y", "relays.offhook.test"),
            ("https://h.test:8443", "h.test"),
            ("https://h.test\\@evil.test/", "h.test"),
            ("http://[::1]:8080/", "::1"),
            ("HTTP://LOCALHOST/", "localhost"),
        ] {
            assert_eq!(host(url).as_deref(), Ok(expected), "{url}");
        }
        for url in [
            "http://h.test/",
            "http://127.0.0.1.h.test/",
            "https://",
            "https:///x",
            "https://u:p@h.test/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://h.t\u{435}st/",
            "https://h.test/ x",
            "",
        ] {
            assert!(host(url).is_err(), "{url}");
        }
        assert!(host("http://h.test/").unwrap_err().contains("anybody on the way"));
    }
}
