//! What a status says in words. RFC 3261 section 21 and the registry's later ones.

use super::lex::{number, trim_start};

/// The usual phrase for a status; for one without, that of its class.
pub const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        417 => "Unknown Resource-Priority",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        424 => "Bad Location Information",
        428 => "Use Identity Header",
        429 => "Provide Referrer Identity",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        436 => "Bad Identity-Info",
        437 => "Unsupported Certificate",
        438 => "Invalid Identity Header",
        439 => "First Hop Lacks Outbound Support",
        440 => "Max-Breadth Exceeded",
        469 => "Bad Info Package",
        470 => "Consent Needed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        555 => "Push Notification Service Not Supported",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        608 => "Rejected",
        _ => class(status),
    }
}

const fn class(status: u16) -> &'static str {
    match status / 100 {
        0 | 1 => "Session Progress",
        2 => "OK",
        3 => "Redirected",
        4 => "Request Failure",
        5 => "Server Failure",
        _ => "Global Failure",
    }
}

/// The status and phrase of a `message/sipfrag` body (RFC 3420) that begins with a status line, as transfer reports do.
pub fn fragment_status(body: &[u8]) -> Option<(u16, &str)> {
    let line = trim_start(body).split(|&b| matches!(b, b'\r' | b'\n')).next()?;
    let (version, rest) = line.split_at_checked(8)?;
    let (digits, reason) = rest.split_at_checked(3)?;
    let status = number(digits).ok().filter(|s| (100..=699).contains(s))?;
    if !version.eq_ignore_ascii_case(b"SIP/2.0 ") || reason.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((status as u16, std::str::from_utf8(reason).unwrap_or("").trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_report_tells_its_status() {
        assert_eq!(fragment_status(b"SIP/2.0 180 Ringing\r\n"), Some((180, "Ringing")));
        assert_eq!(fragment_status(b"SIP/2.0 603"), Some((603, "")));
        for body in [&b""[..], b"SIP/2.0 9", b"SIP/2.0 999 x", b"SIP/2.0 2000", b"INVITE sip:a SIP/2.0"] {
            assert_eq!(fragment_status(body), None);
        }
    }
}
