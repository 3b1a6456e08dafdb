//! Who is said to call: what of it is believed, and what is told to the called.
//!
//! RFC 3325 sections 5 and 7. The phones are outside of the trust domain: what they assert is taken away, what they prefer is
//! asserted when they have shown who they are, and nothing of it reaches a phone when the caller wants privacy.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use sip::message::{Draft, Message, Method, Name, NameAddr};
use stir::{Attest, Party, Seal};

use crate::proxy::route::Own;

/// What the called are told beside From.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asserted {
    /// `None`: nothing.
    who: Option<String>,
    /// Nothing of what the sender says of himself either.
    private: bool,
    /// A signature on who calls. RFC 8588.
    signature: Option<String>,
}

impl Asserted {
    /// Of a request whose sender has shown to be `user`; `None`: a stranger, or nobody asked.
    pub(crate) fn of(message: &Message, user: Option<&str>, own: &Own<'_>, domain: &str) -> Self {
        let private = message.list(Name::Privacy).any(|word| word.eq_ignore_ascii_case(b"id"));
        let preferred = user.and_then(|user| preferred(message, user, own));
        let who = match user {
            // Who asks for nothing is seen by From, which was checked.
            Some(user) if !private && (message.has(Name::PPreferredIdentity) || is_nobody(message)) => {
                Some(preferred.unwrap_or_else(|| format!("<sip:{user}@{domain}>")))
            }
            _ => None,
        };
        Self { who, private, signature: None }
    }

    /// Signs for `user` who calls: for the identity that is asserted, or for From. A number that is the user's own here is
    /// vouched for; one that he has chosen is not, only that he is known (RFC 8588 section 4). `wall`: seconds since 1970.
    pub(crate) fn sign(&mut self, message: &Message, user: &str, seal: &Seal, wall: u64) {
        let begins =
            message.method() == Method::Invite && message.to().is_ok_and(|to| to.param("tag").is_none());
        if !begins || self.private || message.has(Name::Identity) {
            return;
        }
        let asserted = self.who.as_ref().and_then(|who| NameAddr::read(who.as_bytes()).ok());
        let (Some(caller), Ok(called)) = (asserted.or(message.from().ok()), message.to()) else { return };
        if self.who.is_none() && is_nobody(message) {
            return;
        }
        let number = caller.uri().user_decoded().into_owned();
        let attest = if number == user { Attest::Number } else { Attest::Customer };
        let (orig, dest) = (Party::of(&caller.uri()), Party::of(&called.uri()));
        self.signature = Some(seal.sign(attest, &orig, &dest, wall, &origin(user)));
    }

    /// Puts it in place of what the sender said.
    pub(crate) fn put(&self, draft: &mut Draft) {
        draft.remove(Name::PPreferredIdentity);
        draft.remove(Name::PAssertedIdentity);
        if self.private {
            draft.remove(Name::RemotePartyId);
        }
        if let Some(value) = &self.who {
            draft.push(Name::PAssertedIdentity, value);
        }
        if let Some(value) = &self.signature {
            draft.push(Name::Identity, value);
        }
    }
}

/// A user's way in, which means something here alone: a UUID that is always the same for him. RFC 8588 section 5, RFC 9562
/// section 5.8.
fn origin(user: &str) -> String {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(user.as_bytes())[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&id);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Whom the sender claims to be: by From, or where that is nobody's, by the identity that it prefers.
pub(crate) fn claimed(message: &Message, own: &Own<'_>) -> Option<String> {
    let from = message.from().ok()?;
    if own.is(&from.uri()) {
        return Some(from.uri().user_decoded().into_owned());
    }
    if !is_nobody(message) {
        return None;
    }
    // A chosen number may stand there; the password's user is in the credentials.
    let credentials = message.all(Name::ProxyAuthorization).find_map(|value| {
        let text = String::from_utf8_lossy(value).into_owned();
        let (_, rest) = text.split_once("username=\"")?;
        rest.split('"').next().map(str::to_owned)
    });
    let preferred = || {
        let value = message.name_addr(Name::PPreferredIdentity).ok()?;
        own.is(&value.uri()).then(|| value.uri().user_decoded().into_owned())
    };
    credentials.or_else(preferred)
}

/// RFC 3323 section 4.1.1.3.
pub(crate) fn is_nobody(message: &Message) -> bool {
    message.from().is_ok_and(|from| from.uri().host.to_string().eq_ignore_ascii_case("anonymous.invalid"))
}

/// The identity that `user` prefers, if it may be his. RFC 3325 section 5: what is asserted results from having shown who one
/// is. Numbers that are nobody's here are his to choose, as with a provider that has checked them; another user's never are.
fn preferred(message: &Message, user: &str, own: &Own<'_>) -> Option<String> {
    let value = message.list(Name::PPreferredIdentity).next()?;
    let read = NameAddr::read(value).ok()?;
    let uri = read.uri();
    let named = uri.user_decoded();
    // Parameters of a number (RFC 3261 section 19.1.6) are not its name.
    let number = named.split(';').next().unwrap_or_default();
    let anothers = |name: &str| name != user && own.config.users.contains_key(name);
    (own.is(&uri) && !anothers(&named) && !anothers(number))
        .then(|| String::from_utf8_lossy(value).into_owned())
}
