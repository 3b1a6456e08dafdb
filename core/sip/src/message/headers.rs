//! The header fields that every message leans on: Via, the name-addr family, CSeq. RFC 3261 section 20, RFC 3581.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use base::Transport;

use super::lex::{self, Param, Params, find_top, quoted_end, token_end, trim, trim_start, utf8};
use super::uri::{self, Host, UriRef};
use super::{Flaw, HeaderError, Message, Method, Name};

/// A host and perhaps a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// The host.
    pub host: Host<'a>,
    /// Only when written.
    pub port: Option<u16>,
}

impl<'a> HostPort<'a> {
    /// Reads `host` or `host:port`, LWS around the colon allowed.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(text: &'a str) -> Result<Self, Flaw> {
        let text = text.trim_ascii();
        if let Ok((host, port, end)) = uri::read_hostport(text, 0)
            && end == text.len()
        {
            return Ok(Self { host, port });
        }
        let (host, port) = text.rsplit_once(':').ok_or(Flaw::Syntax)?;
        let port = lex::number(port.trim_ascii().as_bytes()).map_err(|_| Flaw::Number)?;
        Ok(Self {
            host: Host::read(host.trim_ascii())?,
            port: Some(u16::try_from(port).map_err(|_| Flaw::Number)?),
        })
    }
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => self.host.fmt(f),
        }
    }
}

/// The `rport` parameter. RFC 3581.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rport {
    /// Not there: answer to the sent-by port.
    Absent,
    /// There without a value: the sender asks for the port that was seen.
    Asked,
    /// The port that was seen.
    Port(u16),
}

/// One Via value: a hop that the request took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `None` for a transport that this house does not know.
    pub transport: Option<Transport>,
    /// The transport as written.
    pub transport_text: &'a str,
    /// Whom that hop says to be.
    pub sent_by: HostPort<'a>,
    /// The transaction's name at that hop.
    pub branch: Option<&'a str>,
    /// The address its message came from, where that differed.
    pub received: Option<IpAddr>,
    /// The port its message came from, or the wish to know.
    pub rport: Rport,
    /// All parameters, these included.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// What branches of RFC 3261 section 8.1.1.7 begin with.
    pub const COOKIE: &'static str = "z9hG4bK";

    /// Reads one value.
    ///
    /// # Errors
    /// It does not follow its grammar.
    pub fn read(text: &'a [u8]) -> Result<Self, Flaw> {
        let text = utf8(trim(text))?;
        let (transport_text, rest) = split_protocol(text)?;
        let end = memchr::memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
        let sent_by = HostPort::read(&rest[..end])?;
        let transport = Transport::from_word(transport_text.as_bytes());
        let (mut branch, mut received, mut rport) = (None, None, Rport::Absent);
        let params = Params::read_with(&rest[end..], |Param { name, value }| {
            if name.eq_ignore_ascii_case("branch") {
                branch = value;
            } else if name.eq_ignore_ascii_case("received") {
                let bare = value.unwrap_or("").trim_start_matches('[').trim_end_matches(']');
                received = bare.parse().ok();
            } else if name.eq_ignore_ascii_case("rport") {
                rport = match value {
                    None | Some("") => Rport::Asked,
                    // A port that is none is as good as no parameter: the answer still finds its way by sent-by.
                    Some(port) => port.parse().map_or(Rport::Absent, Rport::Port),
                };
            }
        })?;
        Ok(Self { transport, transport_text, sent_by, branch, received, rport, params })
    }

    /// The port in sent-by, or its transport's usual one.
    pub fn port(&self) -> u16 {
        self.sent_by.port.unwrap_or(self.transport.map_or(5060, Transport::default_port))
    }
}

/// The transport's word, and what follows it behind LWS. LWS may surround both slashes.
fn split_protocol(text: &str) -> Result<(&str, &str), Flaw> {
    let token = |text: &str| token_end(text.as_bytes());
    let mut rest = text;
    // Nearly every sender writes exactly this; other versions and spaces take the longer way.
    if let Some(after) = text.strip_prefix("SIP/2.0/") {
        rest = after;
    } else {
        for (i, wanted) in ["SIP", ""].into_iter().enumerate() {
            let end = token(rest);
            if end == 0 || (i == 0 && !rest[..end].eq_ignore_ascii_case(wanted)) {
                return Err(Flaw::Syntax);
            }
            rest = rest[end..].trim_ascii_start().strip_prefix('/').ok_or(Flaw::Syntax)?.trim_ascii_start();
        }
    }
    let (word, after) = rest.split_at(token(rest));
    let sent_by = after.trim_ascii_start();
    if word.is_empty() || sent_by.len() == after.len() { Err(Flaw::Syntax) } else { Ok((word, sent_by)) }
}

/// A From, To, Contact, Route, Record-Route, Refer-To...: an address, perhaps a name before it, perhaps parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: &'a [u8],
    uri: UriRef<'a>,
    params: Params<'a>,
    tag: Option<&'a str>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value, in either form. Without angle brackets all parameters are the field's own (RFC 3261 section 20),
    /// and the URI may hold no question mark or comma.
    ///
    /// # Errors
    /// It does not follow its grammar: an unquoted comma in the name, an open quote, spaces inside the brackets.
    pub fn read(text: &'a [u8]) -> Result<Self, Flaw> {
        let Parts { display, uri, params } = Parts::of(text)?;
        let uri = UriRef::read(uri)?;
        let mut tag = None;
        let params = Params::read_with(utf8(params)?, |param| {
            if tag.is_none() && param.name.eq_ignore_ascii_case("tag") {
                tag = param.value.filter(|tag| !tag.is_empty());
            }
        })?;
        Ok(Self { display, uri, params, tag })
    }

    /// The name to show, without quotes and escapes; what is no UTF-8 becomes U+FFFD. `None` when absent or empty.
    pub fn display(&self) -> Option<Cow<'a, str>> {
        let name = match String::from_utf8_lossy(self.display) {
            Cow::Borrowed(text) => lex::unquote(text),
            Cow::Owned(text) => Cow::Owned(lex::unquote(&text).into_owned()),
        };
        (!name.is_empty()).then_some(name)
    }

    /// The address.
    pub const fn uri(&self) -> UriRef<'a> {
        self.uri
    }

    /// The address as written.
    pub const fn uri_text(&self) -> &'a str {
        self.uri.as_str()
    }

    /// The field's parameters, not the URI's.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// One parameter's value as written.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.value(name)
    }

    /// The `tag` parameter, when it has a value.
    pub const fn tag(&self) -> Option<&'a str> {
        self.tag
    }

    /// A Contact's `expires` parameter in seconds; `None` when absent or beyond its range (RFC 4475 section 3.1.2.4).
    pub fn expires(&self) -> Option<u32> {
        lex::number(self.param("expires")?.as_bytes()).ok()
    }

    /// A Contact's `q` parameter in thousandths, 0 to 1000; 1000 when absent or unreadable.
    pub fn q(&self) -> u16 {
        self.param("q").and_then(thousandths).unwrap_or(1000)
    }
}

/// An address cut in three, nothing read yet.
struct Parts<'a> {
    display: &'a [u8],
    uri: &'a [u8],
    params: &'a [u8],
}

impl<'a> Parts<'a> {
    #[inline]
    fn of(text: &'a [u8]) -> Result<Self, Flaw> {
        let text = trim(text);
        let name_end = match text.first() {
            Some(b'"') => {
                let end = quoted_end(text)?;
                end + (text.len() - end - trim_start(&text[end..]).len())
            }
            Some(b'<') => 0,
            // The token form of a name holds no separators; what has one before the bracket is no name.
            Some(_) => text.iter().position(|b| matches!(b, b'<' | b',' | b':' | b';' | b'"')).unwrap_or(0),
            None => return Err(Flaw::Syntax),
        };
        if text.get(name_end) == Some(&b'<') {
            let inner = &text[name_end + 1..];
            let close = memchr::memchr(b'>', inner).ok_or(Flaw::Syntax)?;
            return Ok(Self {
                display: trim(&text[..name_end]),
                uri: &inner[..close],
                params: &inner[close + 1..],
            });
        }
        let end = memchr::memchr(b';', text).unwrap_or(text.len());
        let uri = trim(&text[..end]);
        if memchr::memchr2(b'?', b',', uri).is_some() {
            return Err(Flaw::Syntax);
        }
        Ok(Self { display: &[], uri, params: &text[end..] })
    }
}

/// Says only what a log may know.
impl fmt::Debug for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// A qvalue of RFC 3261 section 25.1: `0`, `0.5`, `1.000`.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match (whole, part) {
        ("0" | "", part) => Some(part),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// A CSeq.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Counts a dialog's requests.
    pub number: u32,
    /// The request's method.
    pub method: Method,
}

impl CSeq {
    /// Reads a value.
    ///
    /// # Errors
    /// It is not a number that fits 32 bits and a method.
    pub fn read(text: &[u8]) -> Result<Self, Flaw> {
        let text = trim(text);
        let digits = token_end(text);
        let number = lex::number(&text[..digits])?;
        let word = trim_start(&text[digits..]);
        let method = Method::read(word);
        if method.is_known() || lex::is_token(word) { Ok(Self { number, method }) } else { Err(Flaw::Syntax) }
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

impl<B: AsRef<[u8]>> Message<B> {
    /// The topmost Via: of a request, the hop it came from.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn top_via(&self) -> Result<Via<'_>, HeaderError> {
        let field = self.require(Name::Via)?;
        let first = find_top(field, b',').map_or(field, |at| &field[..at]);
        Via::read(first).map_err(|flaw| HeaderError::Field(Name::Via, flaw))
    }

    /// All Vias from the top.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, HeaderError>> {
        self.list(Name::Via).map(|v| Via::read(v).map_err(|flaw| HeaderError::Field(Name::Via, flaw)))
    }

    /// From.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn from(&self) -> Result<NameAddr<'_>, HeaderError> {
        self.name_addr(Name::From)
    }

    /// To.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn to(&self) -> Result<NameAddr<'_>, HeaderError> {
        self.name_addr(Name::To)
    }

    /// The From tag alone: what a dialog is found by, without reading the address before it.
    pub fn from_tag(&self) -> Option<&str> {
        self.tag_of(Name::From)
    }

    /// The To tag alone.
    pub fn to_tag(&self) -> Option<&str> {
        self.tag_of(Name::To)
    }

    fn tag_of(&self, name: Name) -> Option<&str> {
        let params = utf8(Parts::of(self.first(name)?).ok()?.params).ok()?;
        let mut tags =
            Params::of_uri(params.trim_ascii()).iter().filter(|p| p.name.eq_ignore_ascii_case("tag"));
        tags.find_map(|p| p.value.filter(|tag| !tag.is_empty()))
    }

    /// The first field of that name as an address: From, To, Refer-To, Referred-By, Reply-To...
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn name_addr(&self, name: Name) -> Result<NameAddr<'_>, HeaderError> {
        NameAddr::read(self.require(name)?).map_err(|flaw| HeaderError::Field(name, flaw))
    }

    /// All values of that name as addresses: Contact, Route, Record-Route, Path, Service-Route, P-Asserted-Identity...
    /// A Contact of `*` is left out: ask [`Message::is_contact_star`].
    pub fn name_addrs(&self, name: Name) -> impl Iterator<Item = Result<NameAddr<'_>, HeaderError>> {
        self.list(name)
            .filter(move |&v| !(name == Name::Contact && v == b"*"))
            .map(move |v| NameAddr::read(v).map_err(|flaw| HeaderError::Field(name, flaw)))
    }

    /// The contacts, `*` left out.
    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr<'_>, HeaderError>> {
        self.name_addrs(Name::Contact)
    }

    /// The first contact: where a dialog's other side is to be reached.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn contact(&self) -> Result<NameAddr<'_>, HeaderError> {
        self.contacts().next().unwrap_or(Err(HeaderError::Field(Name::Contact, Flaw::Missing)))
    }

    /// Whether a Contact is `*`: a REGISTER that removes all bindings, RFC 3261 section 10.2.2.
    pub fn is_contact_star(&self) -> bool {
        self.list(Name::Contact).any(|v| v == b"*")
    }

    /// The hops of `Name::Route`, `Name::RecordRoute`, `Name::Path` or `Name::ServiceRoute`, from the top.
    pub fn routes(&self, name: Name) -> impl Iterator<Item = Result<NameAddr<'_>, HeaderError>> {
        self.name_addrs(name)
    }

    /// CSeq.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        CSeq::read(self.require(Name::CSeq)?).map_err(|flaw| HeaderError::Field(Name::CSeq, flaw))
    }

    /// Call-ID.
    ///
    /// # Errors
    /// Missing, empty, with spaces, or not UTF-8.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let id = self.require(Name::CallId)?;
        // Control characters are as wrong as spaces. The least byte is found many at a time; a search is not.
        if id.iter().min().is_none_or(|least| *least <= b' ') {
            return Err(HeaderError::Field(Name::CallId, Flaw::Syntax));
        }
        utf8(id).map_err(|flaw| HeaderError::Field(Name::CallId, flaw))
    }

    pub(super) fn require(&self, name: Name) -> Result<&[u8], HeaderError> {
        self.first(name).ok_or(HeaderError::Field(name, Flaw::Missing))
    }
}
