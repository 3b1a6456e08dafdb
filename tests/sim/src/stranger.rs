//! A peer without a machine: the test reads what it hears and writes what it says, in raw text.
//!
//! Its little reader of header lines is its own, so that our reader is not asked to agree with itself.

use std::fmt::Write as _;
use std::net::SocketAddr;

use base::FlowId;
use bytes::Bytes;

/// A scripted peer.
#[derive(Debug, Default)]
pub struct Stranger {
    heard: Vec<Heard>,
    taken: usize,
    datagrams: Vec<Datagram>,
}

/// What came to one of its other ports.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Which.
    pub port: u16,
    /// Who sent it.
    pub from: SocketAddr,
    /// What it is.
    pub bytes: Bytes,
}

impl Stranger {
    pub(crate) fn hear(&mut self, heard: Heard) {
        self.heard.push(heard);
    }

    pub(crate) fn take_datagram(&mut self, port: u16, from: SocketAddr, bytes: Bytes) {
        self.datagrams.push(Datagram { port, from, bytes });
    }

    pub(crate) fn take_datagrams(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.datagrams)
    }

    /// The next message that begins so (`INVITE`, `200`); those before it are passed over.
    pub(crate) fn take(&mut self, start: &str) -> Option<Heard> {
        let at = self.heard[self.taken..].iter().position(|h| h.starts(start))?;
        self.taken += at + 1;
        Some(self.heard[self.taken - 1].clone())
    }

    /// All that was heard, also what nobody waited for.
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }
}

/// One message as a stranger heard it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub(crate) flow: FlowId,
    pub(crate) from: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) is_stream: bool,
    /// All of it.
    pub text: String,
}

impl Heard {
    /// Whether it is such a request, or a response of that status.
    pub fn starts(&self, start: &str) -> bool {
        self.text.strip_prefix("SIP/2.0 ").unwrap_or(&self.text).starts_with(start)
    }

    /// The values of a header field, in order.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or("");
        let is_it = move |n: &str| {
            n.eq_ignore_ascii_case(name) || compact(name).is_some_and(|c| n.eq_ignore_ascii_case(c))
        };
        let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(move |(n, _)| is_it(n.trim())).map(|(_, value)| value.trim())
    }

    /// The first value of a header field; empty when there is none.
    pub fn header<'a>(&'a self, name: &'a str) -> &'a str {
        self.headers(name).next().unwrap_or("")
    }

    /// The body.
    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// A response to it: `reply("180 Ringing", "b1", "Contact: <sip:bob@10.0.0.3>", "")`. The tag is added to To unless
    /// there is one; a body is SDP.
    pub fn reply(&self, status: &str, tag: &str, extra: &str, body: &str) -> String {
        let mut out = format!("SIP/2.0 {status}\n");
        for via in self.headers("Via") {
            let _ = writeln!(out, "Via: {via}");
        }
        for route in self.headers("Record-Route") {
            let _ = writeln!(out, "Record-Route: {route}");
        }
        let to = self.header("To");
        let to =
            if tag.is_empty() || to.contains("tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
        let _ = writeln!(out, "From: {}\nTo: {to}", self.header("From"));
        let _ = writeln!(out, "Call-ID: {}\nCSeq: {}", self.header("Call-ID"), self.header("CSeq"));
        finish(out, extra, body)
    }

    /// A request in the dialog that a request from the other side made, by the side that was called.
    pub fn back(&self, method: &str, cseq: u32, tag: &str, extra: &str, body: &str) -> String {
        let to = self.header("To");
        let from = if to.contains("tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
        let routes: Vec<&str> = self.headers("Record-Route").collect();
        self.request(
            method,
            uri(self.header("Contact")),
            &from,
            self.header("From"),
            cseq,
            &routes,
            extra,
            body,
        )
    }

    /// A request in the dialog that this response made, by the side that called: ACK, BYE and the like.
    pub fn onward(&self, method: &str, cseq: u32, extra: &str, body: &str) -> String {
        let mut routes: Vec<&str> = self.headers("Record-Route").collect();
        routes.reverse();
        let (from, to) = (self.header("From"), self.header("To"));
        self.request(method, uri(self.header("Contact")), from, to, cseq, &routes, extra, body)
    }

    #[allow(clippy::too_many_arguments)] // one per line of the message
    fn request(
        &self,
        method: &str,
        uri: &str,
        from: &str,
        to: &str,
        cseq: u32,
        routes: &[&str],
        extra: &str,
        body: &str,
    ) -> String {
        let transport = if self.is_stream { "TCP" } else { "UDP" };
        let mut out = format!(
            "{method} {uri} SIP/2.0\n\
             Via: SIP/2.0/{transport} {};branch=z9hG4bK-{method}-{cseq}-{:x}\n\
             Max-Forwards: 70\nFrom: {from}\nTo: {to}\nCall-ID: {}\nCSeq: {cseq} {method}\n",
            self.local,
            self.text.len(),
            self.header("Call-ID"),
        );
        for route in routes {
            let _ = writeln!(out, "Route: {route}");
        }
        finish(out, extra, body)
    }
}

/// Adds the further header lines and the body, and ends lines as SIP does.
pub(crate) fn finish(mut head: String, extra: &str, body: &str) -> String {
    if !extra.is_empty() {
        head.push_str(extra.trim_end());
        head.push('\n');
    }
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    if !body.is_empty() && !head.contains("Content-Type:") {
        head.push_str("Content-Type: application/sdp\n");
    }
    let _ = write!(head, "Content-Length: {}\n\n", body.len());
    head.replace('\n', "\r\n") + &body
}

/// An audio description with these encodings (`PCMU`, `PCMA`), and a direction.
pub fn sdp(addr: SocketAddr, encodings: &[&str], direction: &str) -> String {
    let numbers: Vec<&str> = encodings.iter().map(|e| if *e == "PCMU" { "0" } else { "8" }).collect();
    let (ip, family) = (addr.ip(), if addr.is_ipv4() { "IP4" } else { "IP6" });
    let port = addr.port();
    format!(
        "v=0\no=- 1 1 IN {family} {ip}\ns=-\nc=IN {family} {ip}\nt=0 0\nm=audio {port} RTP/AVP {}\na={direction}\n",
        numbers.join(" ")
    )
}

/// What stands between the angle brackets.
fn uri(contact: &str) -> &str {
    contact.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(contact, |(uri, _)| uri)
}

fn compact(name: &str) -> Option<&'static str> {
    match name {
        "Via" => Some("v"),
        "From" => Some("f"),
        "To" => Some("t"),
        "Call-ID" => Some("i"),
        "Contact" => Some("m"),
        "Supported" => Some("k"),
        "Refer-To" => Some("r"),
        "Session-Expires" => Some("x"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite() -> Heard {
        let addr = |text: &str| text.parse().expect("an address");
        Heard {
            flow: FlowId(1),
            from: addr("10.0.0.1:5060"),
            local: addr("10.0.0.2:5060"),
            is_stream: false,
            text: "INVITE sip:bob@10.0.0.2 SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n\
                   Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\nf: <sip:ann@x>;tag=a\r\nTo: <sip:bob@x>\r\n\
                   Call-ID: c\r\nCSeq: 7 INVITE\r\nContact: \"Ann\" <sip:ann@10.0.0.9>\r\n\r\n"
                .into(),
        }
    }

    #[test]
    fn a_reply_copies_what_must_be_copied_and_counts_its_body() {
        let reply = invite().reply("200 OK", "b", "Contact: <sip:bob@10.0.0.2>", "v=0\n");
        assert!(reply.starts_with(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nRecord-Route: <sip:p1;lr>\r\n"
        ));
        assert!(
            reply.contains("To: <sip:bob@x>;tag=b\r\n")
                && reply.ends_with("Content-Length: 5\r\n\r\nv=0\r\n")
        );
    }

    #[test]
    fn a_request_back_goes_to_the_contact_along_the_recorded_route() {
        let bye = invite().back("BYE", 1, "b", "", "");
        assert!(bye.starts_with("BYE sip:ann@10.0.0.9 SIP/2.0\r\n"));
        assert!(bye.contains("From: <sip:bob@x>;tag=b\r\nTo: <sip:ann@x>;tag=a\r\n"));
        assert!(bye.contains("Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"));
    }
}
