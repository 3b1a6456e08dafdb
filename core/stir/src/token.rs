//! A signature on who calls, as the Identity header field carries it: read, not believed.
//!
//! RFC 8224 sections 4 and 6.2, RFC 8225, RFC 8588 (`shaken` and its levels), RFC 8946 (`div`, of who has forwarded), full and
//! compact form. Knows not whose signature is worth something.

use base::number::{bare, same};
use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::{Map, Value};
use sip::message::{Message, Name, NameAddr, Scheme, UriRef};

/// Longest field; those of SHAKEN have some 600 bytes.
const LONGEST: usize = 4096;
/// Called persons that one token may name.
const MOST_CALLED: usize = 16;

/// A token, read but not believed.
#[derive(Debug)]
pub struct Token {
    /// What is signed: both parts, encoded, and the point between.
    signed: Vec<u8>,
    signature: Signature,
    info: String,
    is_full: bool,
    kind: Kind,
    orig: Party,
    dest: Vec<Party>,
    iat: u64,
    claims: Map<String, Value>,
}

#[derive(Debug)]
enum Kind {
    /// Without an extension, or `shaken`: who calls.
    Caller(Attest),
    /// `div`: from whom it was forwarded.
    Forwarded(Party),
}

/// Somebody in a token. RFC 8225 section 5.2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A number: digits, `#` and `*`.
    Number(String),
    /// Another address.
    Uri(String),
}

/// How far a signer vouches. RFC 8588 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attest {
    /// C: only for where the call came in.
    Gateway,
    /// B: for who has called, not for the number.
    Customer,
    /// A, and a token without levels: the caller may use this number.
    Number,
}

impl Attest {
    /// As a token writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Number => "A",
            Self::Customer => "B",
            Self::Gateway => "C",
        }
    }
}

/// Why a field is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Of a kind that is not ours to judge. RFC 8224 section 6.2, step 1.
    OtherKind,
    /// It cannot be read.
    Broken,
}

impl Token {
    /// Reads a field of that request; what its compact form leaves out is taken from there, and from `caller`.
    ///
    /// # Errors
    /// - [`Unread::OtherKind`]: pass it over.
    /// - [`Unread::Broken`]: count it as a signature that does not hold.
    pub fn read(field: &[u8], message: &Message, caller: &NameAddr<'_>) -> Result<Self, Unread> {
        let field = Some(field).filter(|field| field.len() <= LONGEST).ok_or(Unread::Broken)?;
        let field = Field::read(field).ok_or(Unread::Broken)?;
        if field.alg.is_some_and(|alg| alg != "ES256") || !known(field.ppt) {
            return Err(Unread::OtherKind);
        }
        if field.header.is_empty() && field.payload.is_empty() {
            // What an extension says is in the token alone: RFC 8588 section 7, RFC 8946 section 4.
            if field.ppt.is_some() {
                return Err(Unread::Broken);
            }
            return Self::compact(&field, message, caller).ok_or(Unread::Broken);
        }
        let head = object(field.header).ok_or(Unread::Broken)?;
        let word = |name: &str| head.get(name).and_then(Value::as_str);
        if word("typ") != Some("passport") {
            return Err(Unread::Broken);
        }
        if word("alg") != Some("ES256") || !known(word("ppt")) {
            return Err(Unread::OtherKind);
        }
        Self::full(&field, &head).ok_or(Unread::Broken)
    }

    fn full(field: &Field<'_>, head: &Map<String, Value>) -> Option<Self> {
        let claims = object(field.payload)?;
        let ppt = match head.get("ppt") {
            None => None,
            Some(ppt) => Some(ppt.as_str()?),
        };
        if field.ppt.is_some() && field.ppt != ppt {
            return None;
        }
        let kind = match (ppt, claims.get("attest").and_then(Value::as_str)) {
            (Some("div"), _) => Kind::Forwarded(parties(claims.get("div")?).into_iter().next()?),
            (None, _) | (Some(_), Some("A")) => Kind::Caller(Attest::Number),
            (Some(_), Some("B")) => Kind::Caller(Attest::Customer),
            (Some(_), Some("C")) => Kind::Caller(Attest::Gateway),
            (Some(_), _) => return None,
        };
        Some(Self {
            signed: format!("{}.{}", field.header, field.payload).into_bytes(),
            signature: field.signature,
            info: head.get("x5u")?.as_str()?.to_owned(), // this one is signed
            is_full: true,
            kind,
            orig: parties(claims.get("orig")?).into_iter().next()?,
            dest: parties(claims.get("dest")?),
            iat: seconds(claims.get("iat")?)?,
            claims,
        })
    }

    /// What the caller's side must have signed, made of what the request says here. RFC 8224 section 4.1, RFC 8225 section 7.
    fn compact(field: &Field<'_>, message: &Message, caller: &NameAddr<'_>) -> Option<Self> {
        let date = message.text(Name::Date)?;
        let iat = httpdate::parse_http_date(date.trim()).ok()?;
        let iat = iat.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        let to = message.to().ok()?;
        let (orig, dest) = (Party::of(&caller.uri()), Party::of(&to.uri()));
        let claims = claims(&orig, &dest, iat);
        Some(Self {
            signed: signed(&header(&field.info, None), &claims),
            signature: field.signature,
            info: field.info.clone(),
            is_full: false,
            kind: Kind::Caller(Attest::Number),
            orig,
            dest: vec![dest],
            iat,
            claims,
        })
    }

    /// Where its certificate is said to be.
    pub fn info(&self) -> &str {
        &self.info
    }

    /// It says itself what it is about: a compact one breaks when anybody on the way rewrites a number.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// How far it vouches for who calls; `None`: it is about who has forwarded.
    pub fn attest(&self) -> Option<Attest> {
        match self.kind {
            Kind::Caller(attest) => Some(attest),
            Kind::Forwarded(_) => None,
        }
    }

    /// From whom it was forwarded.
    pub fn forwarded_from(&self) -> Option<&Party> {
        match &self.kind {
            Kind::Caller(_) => None,
            Kind::Forwarded(from) => Some(from),
        }
    }

    /// Who calls.
    pub fn orig(&self) -> &Party {
        &self.orig
    }

    /// Whom it is to.
    pub fn dest(&self) -> &[Party] {
        &self.dest
    }

    /// When it was made, in seconds since 1970.
    pub fn iat(&self) -> u64 {
        self.iat
    }

    /// All that it says.
    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Whether that key has signed it.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.verify(&self.signed, &self.signature).is_ok()
    }

    /// Whether that key has, as SEC 1 section 2.3.3 writes it.
    pub fn is_signed_by_point(&self, key: &[u8]) -> bool {
        VerifyingKey::from_sec1_bytes(key).is_ok_and(|key| self.is_signed_by(&key))
    }
}

impl Party {
    /// A number where it is one. RFC 8224 sections 8.2, 8.3 and 8.5; the country's code is not added here, but no number is
    /// compared without an eye on that.
    pub fn of(uri: &UriRef<'_>) -> Self {
        let user = uri.user_decoded();
        let number = user.split(';').next().unwrap_or_default();
        let looks_so =
            !number.is_empty() && number.chars().all(|it| it.is_ascii_digit() || "+-.()*#".contains(it));
        if uri.scheme == Scheme::Tel || looks_so {
            return Self::Number(digits(number));
        }
        let scheme = if uri.scheme == Scheme::Sips { "sips" } else { "sip" };
        Self::Uri(format!("{scheme}:{user}@{}", uri.host.to_string().to_ascii_lowercase()))
    }

    /// Whether it is that address, however that is dialled there.
    pub fn is(&self, uri: &UriRef<'_>) -> bool {
        match (self, Self::of(uri)) {
            // In a token they are whole, without the plus; here they may be as the country dials them.
            (Self::Number(ours), Self::Number(number)) => {
                let written = bare(&uri.user_decoded());
                *ours == number || same(&format!("+{ours}"), &written)
            }
            (Self::Uri(ours), Self::Uri(uri)) => bare(ours) == bare(&uri),
            (Self::Number(_), Self::Uri(_)) | (Self::Uri(_), Self::Number(_)) => false,
        }
    }

    fn claim(&self) -> (&'static str, &str) {
        match self {
            Self::Number(number) => ("tn", number),
            Self::Uri(uri) => ("uri", uri),
        }
    }
}

/// A header field, taken apart.
struct Field<'a> {
    header: &'a str,
    payload: &'a str,
    signature: Signature,
    info: String,
    alg: Option<&'a str>,
    ppt: Option<&'a str>,
}

impl<'a> Field<'a> {
    fn read(field: &'a [u8]) -> Option<Self> {
        let (token, params) = str::from_utf8(field).ok()?.split_once(';')?;
        let (info, params) = info(params)?;
        let param = |name: &str| {
            let mut all = params.iter().filter_map(|it| it.split_once('='));
            let found = all.find(|(it, _)| it.trim().eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.trim().trim_matches('"'))
        };
        let mut parts = token.trim().split('.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let signature = Signature::from_slice(&decode(signature)?).ok()?;
        Some(Self { header, payload, signature, info, alg: param("alg"), ppt: param("ppt") })
    }
}

fn known(ppt: Option<&str>) -> bool {
    matches!(ppt, None | Some("shaken" | "div"))
}

/// A token's header: in this order, without white space (RFC 8225 section 9).
pub(crate) fn header(x5u: &str, ppt: Option<&str>) -> Map<String, Value> {
    let ppt = ppt.map(|ppt| ("ppt", ppt));
    let all = [("alg", "ES256")].into_iter().chain(ppt).chain([("typ", "passport"), ("x5u", x5u)]);
    all.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

/// What every token says.
pub(crate) fn claims(orig: &Party, dest: &Party, iat: u64) -> Map<String, Value> {
    let one = |(name, value): (&str, Value)| Value::Object(Map::from_iter([(name.to_owned(), value)]));
    let (kind, called) = dest.claim();
    let dest = one((kind, Value::from(vec![called])));
    let (kind, caller) = orig.claim();
    let orig = one((kind, Value::from(caller)));
    [("dest", dest), ("iat", Value::from(iat)), ("orig", orig)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What is signed: both, encoded. A [`Map`] writes its members in the order that RFC 8225 section 9 wants, by their names.
pub(crate) fn signed(header: &Map<String, Value>, claims: &Map<String, Value>) -> Vec<u8> {
    let part = |map: &Map<String, Value>| {
        let sorted: std::collections::BTreeMap<_, _> = map.iter().collect();
        encode(serde_json::to_string(&sorted).unwrap_or_default().as_bytes())
    };
    format!("{}.{}", part(header), part(claims)).into_bytes()
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&decode(part)?).ok()? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(|it| it.is_ascii_digit() || matches!(it, '#' | '*')).collect()
}

/// All that an `orig`, a `dest` or a `div` names: each by one text, or a list.
fn parties(claim: &Value) -> Vec<Party> {
    let texts = |name: &str| match claim.get(name) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let numbers = texts("tn").into_iter().map(|it| Party::Number(digits(&it)));
    numbers.chain(texts("uri").into_iter().map(Party::Uri)).take(MOST_CALLED).collect()
}

/// RFC 8225 has a number; its own and RFC 8224's examples have text, and so have some signers.
fn seconds(claim: &Value) -> Option<u64> {
    claim.as_u64().or_else(|| claim.as_str()?.parse().ok())
}

/// The address in `info=<...>`, which may have semicolons in it, and the other parameters.
fn info(params: &str) -> Option<(String, Vec<&str>)> {
    let lower = params.to_ascii_lowercase();
    let at = lower.find("info")?;
    let value = params[at + 4..].trim_start().strip_prefix('=')?.trim_start().strip_prefix('<')?;
    let (address, rest) = value.split_once('>')?;
    Some((address.trim().to_owned(), params[..at].split(';').chain(rest.split(';')).collect()))
}

/// Base64url without padding. RFC 4648 section 5, RFC 7515 appendix C.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
