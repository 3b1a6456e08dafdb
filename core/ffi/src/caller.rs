//! How far a caller is to be believed, as a call's view shows it.
//!
//! RFC 3325 for what a provider asserts, RFC 8224 for what is signed. Decides nothing: what a signature is worth is `phone`'s to say.

pub use phone::{Attest, Said, Verdict};
use phone::{Identity, Passport};

/// Who says who calls, from the most to the least to be trusted.
#[uniffi::remote(Enum)]
pub enum Said {
    Provider,
    Signer,
    RemoteParty,
    Caller,
}

/// How far a signer vouches: only for where the call came in (C), for who has called (B), or for the number (A).
#[uniffi::remote(Enum)]
pub enum Attest {
    Gateway,
    Customer,
    Number,
}

/// What has to be seen of a caller at once.
#[uniffi::remote(Enum)]
pub enum Verdict {
    Vouched,
    Forged,
}

/// The same, of a call's identity or of a row of the log; none: nothing that has to be seen at once.
#[uniffi::export]
pub fn caller_verdict(verified: Option<bool>, signature: Option<CallerSignature>) -> Option<Verdict> {
    let found =
        signature.as_ref().and_then(|it| if it.forged { Some(FORGED) } else { it.attest.map(Attest::word) });
    Verdict::of(verified, found)
}

/// The word for it of the call log.
const FORGED: &str = "false";

/// What is known of who calls.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CallerIdentity {
    /// Who says so.
    pub by: Said,
    /// What the provider found when it checked the number's signature; none: it does not say.
    pub verified: Option<bool>,
    /// What was found here; none: there is none that the account can judge.
    pub signature: Option<CallerSignature>,
    /// They do not want to be known.
    pub hidden: bool,
}

/// What a caller's signature was found to be worth.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CallerSignature {
    /// It holds, and somebody whom the account believes vouches so far. None: nobody does, or that is being found out, and
    /// another view follows.
    pub attest: Option<Attest>,
    /// It is not what it says: somebody pretends to be another. Warn of it.
    pub forged: bool,
    /// All of it, for a person, in English.
    pub sentence: String,
}

impl CallerIdentity {
    pub(crate) fn of(identity: &Identity) -> Self {
        let Identity { by, verified, hidden, .. } = *identity;
        let signature = identity.passport.as_ref().map(CallerSignature::of);
        Self { by, verified, signature, hidden }
    }
}

/// Who said so, by the call log's word.
pub(crate) fn said_by(word: &str) -> Option<Said> {
    let all = [Said::Provider, Said::Signer, Said::RemoteParty, Said::Caller];
    all.into_iter().find(|it| it.word() == word)
}

impl CallerSignature {
    /// As the call log has it.
    pub(crate) fn kept(word: &str, sentence: Option<String>) -> Self {
        let levels = [Attest::Gateway, Attest::Customer, Attest::Number];
        let attest = levels.into_iter().find(|it| it.word() == word);
        Self { attest, forged: word == FORGED, sentence: sentence.unwrap_or_default() }
    }

    fn of(passport: &Passport) -> Self {
        let (attest, forged) = match passport {
            Passport::Signed(signed) => (Some(signed.attest), false),
            Passport::False(_) => (None, true),
            Passport::Asking | Passport::Unproven(_) => (None, false),
        };
        Self { attest, forged, sentence: passport.to_string() }
    }
}
