//! A caller's signature (STIR), checked by ourselves against the signers that an account knows.
//!
//! RFC 8224 section 6.2 (what a verifier does), RFC 8225 (the token), RFC 8588 (`shaken` and its levels), full and compact form.
//! A signature is worth something where one of the account's signers has made it, it is of this caller, for whom is called
//! here, and not older than a minute. It accuses only where a token of a signer that is known by its address does not fit
//! that signer's key, or is another caller's: what is stale, or for another called person, may be a wrong clock here or a call
//! that was forwarded, and a compact one breaks when anybody on the way rewrites a number. Those say nothing.
//!
//! Not checked, for what the account trusts are keys and no authorities: chains, revocation, and which numbers a signer may
//! sign for (TNAuthList, RFC 8226). Certificates are not fetched from where a caller says: that would tell the caller when
//! this phone rings. Knows no X.509, no clock, and does nothing that a call would have to wait for: so many keys are tried
//! at most, a fraction of a millisecond each.

use std::time::Duration;

use base::number::{bare, same};
use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::Value;
use sip::message::{Message, Name, NameAddr, Scheme, UriRef};

/// Fields that are looked at.
const MOST_FIELDS: usize = 4;
/// Keys that are tried for all of them.
const MOST_TRIES: usize = 8;
/// Longest field; those of SHAKEN have some 600 bytes.
const LONGEST: usize = 4096;
/// Called persons that one token may name.
const MOST_CALLED: usize = 16;
/// How old a token may be, or how far ahead of our clock. RFC 8224 section 6.2, step 4.
const FRESH: u64 = 60;

/// Who signs for callers, as an account knows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The address of his certificate as his tokens name it (`info`, `x5u`); `None`: whatever they name.
    pub info: Option<String>,
    /// His key on P-256, as SEC 1 section 2.3.3 writes points.
    pub key: Vec<u8>,
    /// From when to when his certificate is good, in seconds since 1970.
    pub valid: (u64, u64),
}

/// What a signature was found to be worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passport {
    /// A signer whom the account knows vouches for this call, so far.
    Signed(Attest),
    /// It is said to be a known signer's and does not fit: somebody pretends, or something on the way has changed it.
    False,
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

impl Passport {
    /// The console's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Signed(Attest::Number) => "A",
            Self::Signed(Attest::Customer) => "B",
            Self::Signed(Attest::Gateway) => "C",
            Self::False => "false",
        }
    }
}

/// A sentence for a person.
impl std::fmt::Display for Passport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Signed(Attest::Number) => "The caller's network has signed for this number (level A).",
            Self::Signed(Attest::Customer) => {
                "The caller's network knows the caller, not the number (level B)."
            }
            Self::Signed(Attest::Gateway) => "Only where the call came from is signed for (level C).",
            Self::False => "The caller's signature does not fit: somebody pretends, perhaps.",
        })
    }
}

/// What all signatures of a request say of that caller: the best of them, for one that fits outweighs others that do not (RFC 8224
/// section 6.2.1). `wall`: seconds since 1970. `None`: nothing.
pub(super) fn judge(
    message: &Message,
    caller: &NameAddr<'_>,
    signers: &[Signer],
    wall: Option<Duration>,
) -> Option<Passport> {
    let wall = wall?.as_secs();
    if signers.is_empty() {
        return None;
    }
    let mut tries = MOST_TRIES;
    let fields = message.all(Name::Identity).take(MOST_FIELDS);
    let found = fields.filter_map(|field| {
        let token = Token::read(field, message, caller)?;
        token.judge(message, caller, signers, wall, &mut tries)
    });
    found.max_by_key(|it| match it {
        Passport::False => None,
        Passport::Signed(attest) => Some(*attest),
    })
}

/// A token, read but not believed.
struct Token {
    /// What is signed: both parts, encoded, and the point between.
    signed: Vec<u8>,
    signature: Signature,
    /// Where its certificate is said to be.
    info: String,
    /// Whether it says itself what it is about.
    full: bool,
    orig: Party,
    dest: Vec<Party>,
    iat: u64,
    attest: Attest,
}

/// Somebody in a token. RFC 8225 section 5.2.1.
enum Party {
    Number(String),
    Uri(String),
}

impl Token {
    /// Reads a field. `None`: it is broken, or of a kind that is not ours to judge (RFC 8224 section 6.2, step 1).
    fn read(field: &[u8], message: &Message, caller: &NameAddr<'_>) -> Option<Self> {
        let text = str::from_utf8(field.get(..field.len().min(LONGEST + 1))?).ok()?;
        if text.len() > LONGEST {
            return None;
        }
        let (token, params) = text.split_once(';')?;
        let (info, params) = info(params)?;
        let param = |name: &str| {
            let mut all = params.iter().filter_map(|it| it.split_once('='));
            let found = all.find(|(it, _)| it.trim().eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.trim().trim_matches('"'))
        };
        let ppt = param("ppt");
        if param("alg").is_some_and(|alg| alg != "ES256") || ppt.is_some_and(|ppt| ppt != "shaken") {
            return None;
        }
        let mut parts = token.trim().split('.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let signature = Signature::from_slice(&decode(signature)?).ok()?;
        if header.is_empty() && payload.is_empty() {
            // What a level says is in the token alone: RFC 8588 section 7.
            return if ppt.is_some() { None } else { Self::compact(signature, &info, message, caller) };
        }
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).ok();
        let (head, claims) = (json(header)?, json(payload)?);
        let shaken = match head.get("ppt") {
            None => false,
            Some(Value::String(ppt)) if ppt == "shaken" => true,
            Some(_) => return None,
        };
        let word = |name: &str| head.get(name).and_then(Value::as_str);
        if word("typ") != Some("passport") || word("alg") != Some("ES256") || (ppt.is_some() && !shaken) {
            return None;
        }
        let attest = match (shaken, claims.get("attest").and_then(Value::as_str)) {
            (false, _) | (true, Some("A")) => Attest::Number,
            (true, Some("B")) => Attest::Customer,
            (true, Some("C")) => Attest::Gateway,
            (true, _) => return None,
        };
        Some(Self {
            signed: format!("{header}.{payload}").into_bytes(),
            signature,
            info: word("x5u")?.to_owned(), // this one is signed
            full: true,
            orig: parties(claims.get("orig")?).into_iter().next()?,
            dest: parties(claims.get("dest")?),
            iat: seconds(claims.get("iat")?)?,
            attest,
        })
    }

    /// What the caller's side must have signed, made of what the request says here. RFC 8224 section 4.1, RFC 8225 section 7.
    fn compact(signature: Signature, info: &str, message: &Message, caller: &NameAddr<'_>) -> Option<Self> {
        let date = message.text(Name::Date)?;
        let iat = httpdate::parse_http_date(date.trim()).ok()?;
        let iat = iat.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        let to = message.to().ok()?;
        let (orig, dest) = (Party::of(&caller.uri()), Party::of(&to.uri()));
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        let named = |party: &Party, many: bool| {
            let (name, text) = match party {
                Party::Number(number) => ("tn", quoted(number)),
                Party::Uri(uri) => ("uri", quoted(uri)),
            };
            if many { format!("{{\"{name}\":[{text}]}}") } else { format!("{{\"{name}\":{text}}}") }
        };
        // In this order, without white space: RFC 8225 section 9.
        let header = format!("{{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":{}}}", quoted(info));
        let (dest_text, orig_text) = (named(&dest, true), named(&orig, false));
        let payload = format!("{{\"dest\":{dest_text},\"iat\":{iat},\"orig\":{orig_text}}}");
        Some(Self {
            signed: format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes())).into_bytes(),
            signature,
            info: info.to_owned(),
            full: false,
            orig,
            dest: vec![dest],
            iat,
            attest: Attest::Number,
        })
    }

    fn judge(
        &self,
        message: &Message,
        caller: &NameAddr<'_>,
        signers: &[Signer],
        wall: u64,
        tries: &mut usize,
    ) -> Option<Passport> {
        let good = |it: &&Signer| (it.valid.0..=it.valid.1).contains(&wall);
        let is_named = |it: &Signer| it.info.as_ref() == Some(&self.info);
        let named = signers.iter().filter(good).any(is_named);
        let those = signers.iter().filter(good).filter(|it| is_named(it) || !named && it.info.is_none());
        let mut fits = false;
        let mut tried = 0;
        for signer in those {
            *tries = tries.checked_sub(1)?;
            tried += 1;
            let Ok(key) = VerifyingKey::from_sec1_bytes(&signer.key) else { continue };
            fits |= key.verify(&self.signed, &self.signature).is_ok();
        }
        if !fits {
            return (named && tried > 0 && self.full).then_some(Passport::False);
        }
        if !self.orig.is(&caller.uri()) {
            return Some(Passport::False);
        }
        let to = message.to().ok();
        let asked = message.request_uri().ok();
        let here = to.iter().map(NameAddr::uri).chain(asked);
        let for_us = here.into_iter().any(|it| self.dest.iter().any(|party| party.is(&it)));
        let fresh = self.iat.abs_diff(wall) <= FRESH;
        (for_us && fresh).then_some(Passport::Signed(self.attest))
    }
}

impl Party {
    /// A number where it is one. RFC 8224 sections 8.2, 8.3 and 8.5; the country's code is not added here, but no number is
    /// compared without an eye on that.
    fn of(uri: &UriRef<'_>) -> Self {
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

    fn is(&self, uri: &UriRef<'_>) -> bool {
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
}

fn digits(number: &str) -> String {
    number.chars().filter(|it| it.is_ascii_digit() || matches!(it, '#' | '*')).collect()
}

/// All that an `orig` or `dest` names: each by one text, or a list.
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

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

#[cfg(test)]
mod tests;
