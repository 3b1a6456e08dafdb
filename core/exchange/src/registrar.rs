//! The registrar: what a REGISTER does to a user's bindings, and what is said about it.
//!
//! RFC 3261 section 10.3 from step 6 on, with Path (RFC 3327), Service-Route (RFC 3608) and the binding rules of
//! outbound (RFC 5626 section 6). Who may register whom has been settled before; one call, one REGISTER, all or nothing.

use std::time::{Duration, SystemTime};

use sip::message::{Draft, Host, Message, Name, NameAddr, Scheme, UriRef, Via, quote};
use sip::transaction::Source;

use crate::answer::{Answer, own_route};
use crate::bindings::{Binding, Bindings, NotKept, Way};
use crate::config::{Config, Limits};

/// Longest contact URI kept. Push parameters (RFC 8599) make long ones; a kilobyte holds them.
const LONGEST_CONTACT: usize = 1024;
/// Longest Path kept, all values together.
const LONGEST_PATH: usize = 2048;
/// Longest Call-ID and instance kept.
const LONGEST_ID: usize = 256;

/// Option tags that a REGISTER may require. RFC 3261 section 10.3 step 2.
pub(crate) const EXTENSIONS: [&str; 2] = ["path", "outbound"];

/// Carries out `request` for `user` and writes the response.
///
/// `wall` is the time in seconds since 1970.
pub(crate) fn register<B: Bindings>(
    bindings: &mut B,
    request: &Message,
    user: &str,
    source: &Source,
    wall: u64,
    config: &Config,
    answer: &Answer<'_>,
) -> Draft {
    let asked = Asked { request, source, wall, limits: &config.limits };
    let now_kept: Vec<Binding> = bindings.of(user).iter().filter(|b| b.expires_at > wall).cloned().collect();
    let kept = match asked.apply(&now_kept) {
        Err(refused) => return asked.refuse(&refused, answer),
        Ok(Some(list)) => bindings.put(user, list),
        Ok(None) => Ok(()),
    };
    match kept {
        Ok(()) => asked.accept(bindings.of(user), config, answer),
        Err(NotKept) => answer.to(request, 500, "Bindings Not Kept"),
    }
}

/// Why a REGISTER fails.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// 400, with what is wrong.
    Invalid(&'static str),
    /// 500: an older request came after a newer one. RFC 3261 section 10.3 steps 6 and 7.
    OutOfOrder,
    /// 423.
    TooBrief,
    /// 403.
    TooMany,
    /// 420 for an intermediary's Path that the phone does not know of. RFC 3327 section 5.3.
    PathUnsupported,
    /// 439: a proxy between keeps no flow. RFC 5626 section 6.
    NoOutbound,
}

struct Asked<'a> {
    request: &'a Message,
    source: &'a Source,
    wall: u64,
    limits: &'a Limits,
}

impl Asked<'_> {
    /// The bindings as they shall be; `None` when nothing is asked but what they are.
    fn apply(&self, before: &[Binding]) -> Result<Option<Vec<Binding>>, Refused> {
        if !self.request.has(Name::Contact) {
            return Ok(None);
        }
        let call_id = self.request.call_id().map_err(|_| Refused::Invalid("Call-ID"))?;
        let cseq = self.request.cseq().map_err(|_| Refused::Invalid("CSeq"))?.number;
        if call_id.len() > LONGEST_ID {
            return Err(Refused::Invalid("Call-ID Too Long"));
        }
        let stale = |old: &Binding| *old.call_id == *call_id && cseq <= old.cseq;
        if self.request.list(Name::Contact).any(|c| c == b"*") {
            let alone = self.request.list(Name::Contact).count() == 1;
            if !alone || self.request.expires() != Some(0) {
                return Err(Refused::Invalid("Contact: * Needs Expires: 0"));
            }
            return if before.iter().any(stale) { Err(Refused::OutOfOrder) } else { Ok(Some(Vec::new())) };
        }
        let path = self.path()?;
        let mut list = before.to_vec();
        for contact in self.request.contacts() {
            let contact = contact.map_err(|_| Refused::Invalid("Contact"))?;
            let expires = self.expires(&contact)?;
            let new = self.binding(&contact, expires, call_id, cseq, &path)?;
            // Against what was there before the request: an address given twice in it is not out of order.
            if before.iter().any(|old| is_same(old, &new, &contact) && stale(old)) {
                return Err(Refused::OutOfOrder);
            }
            match list.iter().position(|old| is_same(old, &new, &contact)) {
                Some(at) if expires == 0 => drop(list.remove(at)),
                Some(at) => list[at] = new,
                None if expires == 0 => {}
                None => list.push(new),
            }
        }
        if list.len() > self.limits.bindings_per_user { Err(Refused::TooMany) } else { Ok(Some(list)) }
    }

    /// The interval that is granted, in seconds. RFC 3261 section 10.3 step 7.
    fn expires(&self, contact: &NameAddr<'_>) -> Result<u32, Refused> {
        let asked =
            contact.expires().or_else(|| self.request.expires()).unwrap_or(self.limits.default_expires);
        if asked > 0 && asked < 3600 && asked < self.limits.min_expires {
            return Err(Refused::TooBrief);
        }
        Ok(asked.min(self.limits.max_expires))
    }

    fn binding(
        &self,
        contact: &NameAddr<'_>,
        expires: u32,
        call_id: &str,
        cseq: u32,
        path: &[Box<str>],
    ) -> Result<Binding, Refused> {
        let uri = contact.uri();
        if !matches!(uri.scheme, Scheme::Sip | Scheme::Sips) {
            return Err(Refused::Invalid("Contact: Only SIP URIs"));
        }
        if contact.uri_text().len() > LONGEST_CONTACT {
            return Err(Refused::Invalid("Contact Too Long"));
        }
        let instance: Option<Box<str>> =
            contact.params().get("+sip.instance").map(|p| p.unquoted().into_owned().into());
        if instance.as_ref().is_some_and(|i| i.len() > LONGEST_ID) {
            return Err(Refused::Invalid("Instance Too Long"));
        }
        let reg_id = contact.param("reg-id").and_then(|n| n.parse().ok()).filter(|n| *n > 0);
        // A reg-id says something only beside an instance and from a phone that knows outbound. RFC 5626 section 6.
        let reg_id = reg_id.filter(|_| instance.is_some() && self.request.supports("outbound"));
        if reg_id.is_some() && !self.is_first_hop() && !path.last().is_some_and(|p| has_ob(p)) {
            return Err(Refused::NoOutbound);
        }
        let way = self.is_way_back(contact, reg_id.is_some()).then_some(Way {
            transport: self.source.transport,
            local: self.source.local,
            remote: self.source.remote,
            flow: Some(self.source.flow),
        });
        Ok(Binding {
            contact: contact.uri_text().into(),
            q: contact.q(),
            expires_at: self.wall + u64::from(expires),
            call_id: call_id.into(),
            cseq,
            path: path.into(),
            way,
            instance,
            reg_id,
        })
    }

    fn path(&self) -> Result<Vec<Box<str>>, Refused> {
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).ok().map(String::into_boxed_str);
        let path: Option<Vec<Box<str>>> = self.request.list(Name::Path).map(text).collect();
        let path = path.filter(|p| p.iter().all(|v| NameAddr::read(v.as_bytes()).is_ok()));
        let path = path.ok_or(Refused::Invalid("Path"))?;
        if path.iter().map(|p| p.len()).sum::<usize>() > LONGEST_PATH {
            return Err(Refused::Invalid("Path Too Long"));
        }
        if !path.is_empty() && !self.request.supports("path") {
            return Err(Refused::PathUnsupported);
        }
        Ok(path)
    }

    /// Whether no proxy stands between.
    fn is_first_hop(&self) -> bool {
        self.request.vias().count() == 1 && !self.request.has(Name::Path)
    }

    /// Whether requests for this contact shall go back the way the REGISTER came, because the phone registered itself: then
    /// its contact is the address it sends from (as it sees it, or as we do), or one that nobody could send to. A phone that
    /// registers another place is believed.
    fn is_way_back(&self, contact: &NameAddr<'_>, outbound: bool) -> bool {
        let uri = contact.uri();
        if !self.is_first_hop() {
            return false;
        }
        if outbound || uri.params.has("ob") {
            return true;
        }
        if uri.transport().is_some_and(|named| !self.source.transport.is_meant_by(named)) {
            return false;
        }
        let stream = self.source.transport.is_reliable();
        let port = uri.port.unwrap_or_else(|| self.source.transport.default_port());
        let remote = self.source.remote;
        let is_remote = match uri.host {
            Host::V4(ip) => remote.ip() == ip && (stream || remote.port() == port),
            Host::V6(ip) => remote.ip() == ip && (stream || remote.port() == port),
            // RFC 7118 section 5: a browser has no name to give.
            Host::Name(name) => name.ends_with(".invalid"),
        };
        let is_sent_by = |via: Via<'_>| via.sent_by.host == uri.host && (stream || via.port() == port);
        is_remote || self.request.top_via().is_ok_and(is_sent_by)
    }

    fn accept(&self, list: &[Binding], config: &Config, answer: &Answer<'_>) -> Draft {
        let mut ok = answer.to(self.request, 200, "");
        for b in list.iter().filter(|b| b.expires_at > self.wall) {
            let q = if b.q < 1000 { format!(";q=0.{:03}", b.q) } else { String::new() };
            let instance =
                b.instance.as_ref().map_or(String::new(), |i| format!(";+sip.instance={}", quote(i)));
            let reg_id = b.reg_id.map_or(String::new(), |n| format!(";reg-id={n}"));
            let expires = b.expires_at - self.wall;
            ok.push(Name::Contact, format_args!("<{}>;expires={expires}{q}{instance}{reg_id}", b.contact));
        }
        for path in self.request.all(Name::Path) {
            ok.push(Name::Path, String::from_utf8_lossy(path));
        }
        if config.service_route {
            ok.push(Name::ServiceRoute, own_route("", self.source.transport, self.source.local, false));
        }
        if self.is_outbound(list) {
            ok.push(Name::Require, "outbound");
        }
        ok.push(Name::Supported, EXTENSIONS.join(", "));
        ok.push(Name::Date, httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(self.wall)));
        ok
    }

    /// Whether a binding of this request was made by the rules of outbound. RFC 5626 section 6.
    fn is_outbound(&self, list: &[Binding]) -> bool {
        let (Ok(call_id), Ok(cseq)) = (self.request.call_id(), self.request.cseq()) else { return false };
        list.iter().any(|b| b.reg_id.is_some() && *b.call_id == *call_id && b.cseq == cseq.number)
    }

    fn refuse(&self, refused: &Refused, answer: &Answer<'_>) -> Draft {
        match refused {
            Refused::Invalid(what) => answer.to(self.request, 400, &format!("Bad Request ({what})")),
            Refused::OutOfOrder => answer.to(self.request, 500, "Older Than Its Predecessor"),
            Refused::TooMany => answer.to(self.request, 403, "Too Many Bindings"),
            Refused::NoOutbound => answer.to(self.request, 439, "First Hop Lacks Outbound Support"),
            Refused::TooBrief => {
                let mut brief = answer.to(self.request, 423, "");
                brief.push(Name::MinExpires, self.limits.min_expires);
                brief
            }
            Refused::PathUnsupported => {
                let mut bad = answer.to(self.request, 420, "");
                bad.push(Name::Unsupported, "path");
                bad
            }
        }
    }
}

/// Whether two bindings are one: the same flow of the same phone (RFC 5626 section 6), or equal addresses (RFC 3261 section
/// 19.1.4).
fn is_same(old: &Binding, new: &Binding, contact: &NameAddr<'_>) -> bool {
    if new.reg_id.is_some() || old.reg_id.is_some() {
        return (&old.instance, old.reg_id) == (&new.instance, new.reg_id);
    }
    let old = UriRef::read(old.contact.as_bytes());
    old.is_ok_and(|old| old.equals(&contact.uri()))
}

fn has_ob(path: &str) -> bool {
    NameAddr::read(path.as_bytes()).is_ok_and(|p| p.uri().params.has("ob"))
}

#[cfg(test)]
mod tests;
