//! Who calls: what the called person is to see of us, and what we make of what others say of themselves.
//!
//! RFC 3323 (privacy), RFC 3325 (asserted identity), RFC 8224 by what a provider made of it (`verstat`, 3GPP TS 24.229
//! section 7.2A.20) and by what we find ourselves ([`passport`]). The switch decides what the called person sees, and switches differ in where they look: so the number
//! goes wherever the account says. Knows no phone book.

pub(crate) mod improve;
mod passport;
pub(crate) mod shelf;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use base::text::is_unseen;
use base::{Instant, Redacted};
use sip::message::{Message, Name, NameAddr, Scheme, quote};

use crate::Account;
use crate::dial;
pub use passport::{False, Passport, Signed, SignedBy, Stir, Unproven};
use passport::{Judge, Open};
use shelf::Shelf;
pub use shelf::{FetchId, Fetched, MAX_CERTIFICATES, NotHad};
pub use stir::{Anchors, Attest, BadAddress, Place, Signer, Untrusted, Unusable, Who};

/// Longest name that is shown of a caller.
const LONGEST_NAME: usize = 128;

/// What is said of who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerId {
    /// The number to be seen: digits, perhaps with `+`. `None`: the account's own.
    pub number: Option<Redacted<String>>,
    /// Where it is said; empty: in the name beside the account, and as preferred identity.
    pub carry: BTreeSet<Carry>,
    /// Nobody is to see it. RFC 3323.
    pub hide: bool,
}

/// What one call says of who calls, where that is not what its account says. What was typed for the call (`#31#`) goes before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenAs {
    /// The number to be seen, as in [`CallerId`]; one that is none is passed over.
    pub number: Option<Redacted<String>>,
    /// Whether nobody is to see it.
    pub hide: Option<bool>,
}

/// Where a number is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carry {
    /// Instead of the account, in From. Some switches refuse that.
    FromUser,
    /// As the name beside the account.
    FromDisplay,
    /// P-Preferred-Identity: a wish. RFC 3325 section 9.2.
    Preferred,
    /// P-Asserted-Identity: only where the provider trusts us. RFC 3325 section 9.1.
    Asserted,
    /// Remote-Party-ID, of old (draft-ietf-sip-privacy-04).
    RemoteParty,
}

/// Unless the account says otherwise.
const DEFAULT: [Carry; 2] = [Carry::FromDisplay, Carry::Preferred];

/// Who called: the address and the name that were said, and by whom.
pub(crate) struct Caller {
    pub(crate) uri: String,
    pub(crate) name: Option<String>,
    pub(crate) identity: Identity,
}

/// How far a caller's address is to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who says so.
    pub by: Said,
    /// What the provider found when it checked the number's signature (STIR). `None`: it says nothing of that.
    pub verified: Option<bool>,
    /// What we found when we checked the address's signature ourselves. `None`: there is none.
    pub passport: Option<Passport>,
    /// Whether they do not want to be known.
    pub hidden: bool,
}

impl Identity {
    /// Nothing is found out any more.
    pub(crate) fn at_the_end(self) -> Self {
        let over = |passport| match passport {
            Passport::Asking => Passport::Unproven(Unproven::Over),
            known => known,
        };
        Self { passport: self.passport.map(over), ..self }
    }
}

/// What has to be seen of a caller at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody who is believed vouches for the number.
    Vouched,
    /// It is not theirs.
    Forged,
}

impl Verdict {
    /// `verified`: what the provider found; `found`: what we did, by [`Passport::word`]. Where one says this and another that,
    /// it is warned of.
    pub fn of(verified: Option<bool>, found: Option<&str>) -> Option<Self> {
        match (verified, found) {
            (Some(false), _) | (_, Some("false")) => Some(Self::Forged),
            (Some(true), _) | (_, Some("A")) => Some(Self::Vouched),
            _ => None,
        }
    }
}

/// Who says who calls, from the most to the least to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// The provider, by P-Asserted-Identity.
    Provider,
    /// A signer whom the account believes, by a signature over what From says (STIR, level A).
    Signer,
    /// Whoever wrote Remote-Party-ID: the provider, as a rule.
    RemoteParty,
    /// The caller, by From.
    Caller,
}

impl Said {
    /// The console's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Provider => "pai",
            Self::Signer => "stir",
            Self::RemoteParty => "rpid",
            Self::Caller => "from",
        }
    }
}

/// What an INVITE of `account` says of who calls, From included where it is not the account's usual one. `seen_as`: for this
/// call alone.
pub(crate) fn headers(account: &Account, seen_as: &SeenAs) -> Vec<(Name, String)> {
    let settings = &account.caller_id;
    let hide = seen_as.hide.unwrap_or(settings.hide);
    let of_call = seen_as.number.as_ref().filter(|number| is_number(number.reveal()));
    let number = of_call.or(settings.number.as_ref()).map(|number| number.reveal().as_str());
    if number.is_none() && !hide {
        return Vec::new();
    }
    let carry =
        |way| if settings.carry.is_empty() { DEFAULT.contains(&way) } else { settings.carry.contains(&way) };
    let domain = dial::domain(&account.uri);
    let uri = match number {
        Some(number) => format!("sip:{}@{domain}", number.replace('#', "%23")),
        None => account.uri.as_str().to_owned(),
    };
    let name = account.display_name.as_ref().map(|name| name.reveal().as_str()).filter(|it| !it.is_empty());
    let with_name = |uri: &str| match name {
        Some(name) => format!("{} <{uri}>", quote(name)),
        None => format!("<{uri}>"),
    };

    let mut headers = Vec::new();
    if hide {
        // RFC 3323 section 4.1.1.3: the name and the address that stand for nobody.
        headers.push((Name::From, "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned()));
    } else {
        let user = if carry(Carry::FromUser) { uri.as_str() } else { account.uri.as_str() };
        let display = number.filter(|_| carry(Carry::FromDisplay)).map(quote);
        match display {
            Some(display) => headers.push((Name::From, format!("{display} <{user}>"))),
            None if carry(Carry::FromUser) => headers.push((Name::From, with_name(user))),
            None => {}
        }
    }
    if carry(Carry::Preferred) {
        headers.push((Name::PPreferredIdentity, with_name(&uri)));
    }
    if carry(Carry::Asserted) {
        headers.push((Name::PAssertedIdentity, with_name(&uri)));
    }
    if carry(Carry::RemoteParty) {
        let privacy = if hide { "full" } else { "off" };
        headers.push((Name::RemotePartyId, format!("{};party=calling;privacy={privacy}", with_name(&uri))));
    }
    if hide {
        headers.push((Name::Privacy, "id".to_owned()));
    }
    headers
}

/// An INVITE, as it came.
pub(crate) struct Invite<'a> {
    pub(crate) message: &'a Message,
    /// By the provider: not by somebody else who has found this phone's port.
    pub(crate) by_provider: bool,
    /// The wall clock since 1970, where that is known.
    pub(crate) wall: Option<Duration>,
}

/// Who has sent an INVITE, as far as it says, and what is wanted to know better.
pub(crate) fn caller(
    invite: &Invite<'_>,
    stir: &Stir,
    shelf: &mut Shelf,
    now: Instant,
) -> (Option<Caller>, Open) {
    let mut judge = Judge::new(invite, stir, shelf, now);
    let caller = who(invite, &mut judge);
    (caller, judge.open)
}

fn who(invite: &Invite<'_>, judge: &mut Judge<'_>) -> Option<Caller> {
    let message = invite.message;
    // What a provider asserts is worth what its writer is: RFC 3325 section 8.
    let asserted = invite.by_provider.then(|| asserted(message)).flatten().map(|it| (it, Said::Provider));
    let remote = || {
        let party = message.name_addrs(Name::RemotePartyId).filter_map(Result::ok);
        let calling =
            |it: &NameAddr<'_>| it.param("party").is_none_or(|party| party.eq_ignore_ascii_case("calling"));
        // What its writer says that he has not checked is the caller's word, and he has From for that.
        let checked = |it: &NameAddr<'_>| it.param("screen").is_none_or(|it| !it.eq_ignore_ascii_case("no"));
        let party = party.filter(|it| calling(it) && checked(it) && is_somebody(it));
        party.map(|it| (it, Said::RemoteParty)).next()
    };
    let from = message.from().ok().map(|from| (from, Said::Caller));
    // Of anybody but the provider, what is signed for is believed first. Who hides signs for nobody.
    let from_signed = from.filter(|(from, _)| is_somebody(from)).and_then(|(from, _)| judge.of(&from));
    let signed = from.filter(|_| from_signed.as_ref().is_some_and(Passport::proves));
    let signed = signed.map(|(from, _)| (from, Said::Signer));
    let (who, by) = asserted.or(signed).or_else(remote).or(from)?;
    let passport = match by {
        Said::Signer | Said::Caller => from_signed,
        // Neither need be what the caller's side has signed: RFC 8224 section 8.1 has it sign for From, as a rule.
        Said::Provider | Said::RemoteParty => match judge.of(&who) {
            Some(Passport::False(_)) => from_signed.filter(|it| matches!(it, Passport::False(_))),
            other => other,
        },
    };
    let private = message
        .list(Name::Privacy)
        .any(|word| ["id", "user", "header"].iter().any(|kind| word.eq_ignore_ascii_case(kind.as_bytes())));
    let withheld = who.param("privacy").is_some_and(|it| !it.eq_ignore_ascii_case("off"));
    let nobody = by == Said::Caller && !is_somebody(&who);
    let verified = invite.by_provider.then(|| verified(&who)).flatten();
    Some(Caller {
        uri: who.uri_text().to_owned(),
        name: who.display().map(name).filter(|name| !name.is_empty()),
        identity: Identity { by, verified, passport, hidden: private || withheld || nobody },
    })
}

/// Whom the provider asserts. Two may stand there, a SIP and a tel address: the first names the person best. Where there are
/// more, or two of a kind, somebody has added his to another's, and nobody knows whose is the provider's (RFC 3325 section
/// 9.1): then none is believed.
fn asserted(message: &Message) -> Option<NameAddr<'_>> {
    let all: Vec<_> = message.name_addrs(Name::PAssertedIdentity).take(3).collect();
    let is_tel = |it: &NameAddr<'_>| it.uri().scheme == Scheme::Tel;
    match &all[..] {
        [Ok(one), rest @ ..] if is_somebody(one) => match rest {
            [] | [Err(_)] => Some(*one),
            [Ok(other)] if is_tel(one) != is_tel(other) || one.uri_text() == other.uri_text() => Some(*one),
            _ => None,
        },
        [_, Ok(other)] if is_somebody(other) => Some(*other),
        _ => None,
    }
}

/// RFC 3323 section 4.1.1.3, and what switches write for it.
fn is_somebody(who: &NameAddr<'_>) -> bool {
    let uri = who.uri();
    let user = uri.user_decoded();
    !uri.host.to_string().eq_ignore_ascii_case("anonymous.invalid") && !user.eq_ignore_ascii_case("anonymous")
}

/// In the user part as a parameter of the number, or behind the address.
fn verified(who: &NameAddr<'_>) -> Option<bool> {
    let uri = who.uri_text().to_ascii_lowercase();
    let found = uri.split_once("verstat=").map(|(_, rest)| rest.to_owned());
    let word = found.or_else(|| who.param("verstat").map(str::to_ascii_lowercase))?;
    if word.starts_with("tn-validation-passed") {
        Some(true)
    } else if word.starts_with("tn-validation-failed") {
        Some(false)
    } else {
        None
    }
}

/// Without what steers a screen or turns the direction of what stands behind it: a caller chooses his name.
fn name(display: Cow<'_, str>) -> String {
    display.chars().filter(|it| !is_unseen(*it)).take(LONGEST_NAME).collect()
}

/// Whether a number can be said as it is: digits, `*`, `#` and a `+` in front.
pub fn is_number(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (1..=32).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit() || b"*#".contains(&it))
}

#[cfg(test)]
mod tests {
    use base::Secret;
    use bytes::Bytes;

    use super::*;

    fn account(caller_id: CallerId) -> Account {
        let mut account = Account::new("sip:1001@offhook.test".parse().unwrap(), Secret::new(String::new()));
        account.display_name = Some(Redacted::new("Ann".into()));
        account.caller_id = caller_id;
        account
    }

    fn lines(account: &Account, hide: Option<bool>) -> Vec<String> {
        seen(account, &SeenAs { hide, number: None })
    }

    fn seen(account: &Account, seen_as: &SeenAs) -> Vec<String> {
        headers(account, seen_as).iter().map(|(name, value)| format!("{}: {value}", name.as_str())).collect()
    }

    fn number(carry: &[Carry], hide: bool) -> CallerId {
        let number = Some(Redacted::new("+4930123456".to_owned()));
        CallerId { number, carry: carry.iter().copied().collect(), hide }
    }

    #[test]
    fn a_number_is_said_wherever_the_account_says_and_nowhere_else() {
        let uri = "sip:+4930123456@offhook.test";
        let ppi = format!("P-Preferred-Identity: \"Ann\" <{uri}>");
        for (carry, expected) in [
            (&[][..], vec!["From: \"+4930123456\" <sip:1001@offhook.test>".to_owned(), ppi.clone()]),
            (&[Carry::FromUser], vec![format!("From: \"Ann\" <{uri}>")]),
            (&[Carry::FromUser, Carry::FromDisplay], vec![format!("From: \"+4930123456\" <{uri}>")]),
            (&[Carry::Preferred], vec![ppi.clone()]),
            (&[Carry::Asserted], vec![format!("P-Asserted-Identity: \"Ann\" <{uri}>")]),
            (
                &[Carry::RemoteParty],
                vec![format!("Remote-Party-ID: \"Ann\" <{uri}>;party=calling;privacy=off")],
            ),
        ] {
            assert_eq!(lines(&account(number(carry, false)), None), expected, "{carry:?}");
        }
        assert!(lines(&account(CallerId::default()), None).is_empty());
    }

    #[test]
    fn who_hides_says_so_and_names_himself_to_the_provider_alone() {
        let hidden = lines(&account(number(&[], true)), None);
        let expected = [
            "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>",
            "P-Preferred-Identity: \"Ann\" <sip:+4930123456@offhook.test>",
            "Privacy: id",
        ];
        assert_eq!(hidden, expected);
        // For one call, in spite of the account: either way.
        assert!(lines(&account(CallerId::default()), Some(true)).contains(&"Privacy: id".to_owned()));
        assert!(!lines(&account(number(&[], true)), Some(false)).contains(&"Privacy: id".to_owned()));
        let old = lines(&account(number(&[Carry::RemoteParty], true)), None);
        assert!(old.iter().any(|line| line.ends_with("privacy=full")), "{old:?}");
    }

    #[test]
    fn one_call_says_another_number_than_its_account_and_none_that_is_no_number() {
        let wanted = |number: &str| SeenAs { number: Some(Redacted::new(number.to_owned())), hide: None };
        let expected = |number: &str| {
            let from = format!("From: \"{number}\" <sip:1001@offhook.test>");
            [from, format!("P-Preferred-Identity: \"Ann\" <sip:{number}@offhook.test>")]
        };
        assert_eq!(seen(&account(CallerId::default()), &wanted("+4940")), expected("+4940"));
        assert_eq!(seen(&account(number(&[], false)), &wanted("+4940")), expected("+4940"));
        assert_eq!(seen(&account(number(&[], false)), &wanted("1>\r\nX: y")), expected("+4930123456"));
        let hidden = SeenAs { hide: Some(true), ..wanted("+4940") };
        assert!(seen(&account(CallerId::default()), &hidden).contains(&"Privacy: id".to_owned()));
    }

    fn called(fields: &str) -> Caller {
        called_by(fields, true)
    }

    fn called_by(fields: &str, by_provider: bool) -> Caller {
        let text = format!(
            "INVITE sip:1002@offhook.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n\
             To: <sip:1002@offhook.test>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{fields}\r\n"
        );
        let message = Message::read(Bytes::from(text)).unwrap();
        let invite = Invite { message: &message, by_provider, wall: None };
        caller(&invite, &Stir::default(), &mut Shelf::default(), Instant::ZERO).0.unwrap()
    }

    #[test]
    fn a_caller_is_who_the_provider_says_and_else_who_he_says() {
        let from = "From: \"Mallory\" <sip:666@evil.test>;tag=f\r\n";
        let pai = "P-Asserted-Identity: \"Ann\" <sip:+4930@offhook.test>, <tel:+4930>\r\n";
        let rpid = "Remote-Party-ID: <sip:1001@offhook.test>;party=calling;privacy=off\r\n";
        let seen = |fields: &[&str]| {
            let caller = called(&fields.concat());
            (caller.uri, caller.name, caller.identity.by, caller.identity.hidden)
        };
        let ann = ("sip:+4930@offhook.test".to_owned(), Some("Ann".to_owned()), Said::Provider, false);
        assert_eq!(seen(&[from, rpid, pai]), ann);
        assert_eq!(seen(&[from, rpid]), ("sip:1001@offhook.test".into(), None, Said::RemoteParty, false));
        assert_eq!(seen(&[from]), ("sip:666@evil.test".into(), Some("Mallory".into()), Said::Caller, false));
        let other = "Remote-Party-ID: <sip:9@x>;party=called\r\n";
        assert_eq!(seen(&[from, other]).2, Said::Caller);
    }

    #[test]
    fn who_is_hidden_is_said_to_be_and_a_signature_counts_only_where_the_provider_checked_it() {
        let anonymous = "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=f\r\n";
        assert!(called(anonymous).identity.hidden);
        let known =
            called(&format!("{anonymous}P-Asserted-Identity: <sip:1001@offhook.test>\r\nPrivacy: id\r\n"));
        assert!(known.identity.hidden && known.uri == "sip:1001@offhook.test");
        let verstat = |word: &str| {
            let uri = format!("<sip:+1201;verstat={word}@offhook.test;user=phone>");
            called(&format!("From: <sip:1@x>;tag=f\r\nP-Asserted-Identity: {uri}\r\n")).identity.verified
        };
        assert_eq!(verstat("TN-Validation-Passed"), Some(true));
        assert_eq!(verstat("TN-Validation-Failed"), Some(false));
        assert_eq!(verstat("No-TN-Validation"), None);
    }

    #[test]
    fn what_anybody_but_the_provider_asserts_is_not_believed() {
        let from = "From: <sip:+1201;verstat=TN-Validation-Passed@evil.test>;tag=f\r\n";
        let fields = format!("{from}P-Asserted-Identity: <sip:110@offhook.test>\r\n");
        let (provider, stranger) = (called_by(&fields, true), called_by(&fields, false));
        assert_eq!((provider.identity.by, stranger.identity.by), (Said::Provider, Said::Caller));
        assert_eq!((stranger.identity.verified, called_by(from, true).identity.verified), (None, Some(true)));
    }

    #[test]
    fn several_assertions_are_believed_where_they_are_one_of_each_kind() {
        let seen = |fields: &str| {
            let caller = called(&format!("From: <sip:666@evil.test>;tag=f\r\n{fields}"));
            (caller.uri, caller.identity.by)
        };
        let nobodys = ("sip:666@evil.test".to_owned(), Said::Caller);
        let pai = |values: &[&str]| {
            let lines: Vec<_> = values.iter().map(|it| format!("P-Asserted-Identity: {it}\r\n")).collect();
            lines.concat()
        };
        for (values, believed) in [
            (&["<sip:1@x.test>", "<tel:+4930>"][..], Some("sip:1@x.test")),
            (&["<tel:+4930>", "<sip:1@x.test>"], Some("tel:+4930")),
            (&["<sip:1@x.test>, <sip:1@x.test>"], Some("sip:1@x.test")),
            (&["<sip:anonymous@anonymous.invalid>", "<sip:1@x.test>"], Some("sip:1@x.test")),
            // A proxy has added his, and left what the caller had put there: nobody knows which is which.
            (&["<sip:110@x.test>", "<sip:1@x.test>"], None),
            (&["<tel:110>, <tel:+4930>"], None),
            (&["<sip:1@x.test>", "<tel:+4930>", "<sip:2@x.test>"], None),
        ] {
            let expected = believed.map_or(nobodys.clone(), |uri| (uri.to_owned(), Said::Provider));
            assert_eq!(seen(&pai(values)), expected, "{values:?}");
        }
        let rpid =
            |params: &str| seen(&format!("Remote-Party-ID: <sip:9@x.test>;party=calling{params}\r\n")).1;
        assert_eq!(
            (rpid(";screen=yes"), rpid(""), rpid(";SCREEN=No")),
            (Said::RemoteParty, Said::RemoteParty, Said::Caller)
        );
    }

    #[test]
    fn a_name_is_shown_without_what_steers_a_screen_or_turns_what_follows() {
        let name = |display: &str| {
            let field = format!("P-Asserted-Identity: \"{display}\" <sip:1@x.test>\r\n");
            called(&format!("From: <sip:2@x>;tag=f\r\n{field}")).name
        };
        assert_eq!(name("Bank \u{202e}0123\u{2066}").as_deref(), Some("Bank 0123"));
        assert_eq!(name("a\u{200f}b\u{feff}\u{2028}\u{85}c").as_deref(), Some("abc"));
        assert_eq!(name("\u{202e}\u{200e}"), None);
        assert_eq!(
            name("\u{5d0}\u{5d1} \u{1f468}\u{200d}\u{1f469}").as_deref(),
            Some("\u{5d0}\u{5d1} \u{1f468}\u{200d}\u{1f469}")
        );
    }

    #[test]
    fn hostile_identities_break_nothing() {
        let from = "From: <sip:1@x>;tag=f\r\n";
        for field in
            ["P-Asserted-Identity: ,,,\r\n", "P-Asserted-Identity: \"a\r\n", "Remote-Party-ID: <\r\n"]
        {
            assert_eq!(called(&format!("{from}{field}")).identity.by, Said::Caller, "{field}");
        }
        let long = format!("P-Asserted-Identity: \"{}\" <sip:1@x>\r\n", "n".repeat(10_000));
        assert_eq!(called(&format!("{from}{long}")).name.unwrap().len(), LONGEST_NAME);
        assert!(
            is_number("+4930#")
                && !is_number("")
                && !is_number("1 2")
                && !is_number("+")
                && !is_number("1\r\nX: y")
        );
    }

    #[test]
    fn who_is_warned_of_by_one_is_vouched_for_by_nobody() {
        use Verdict::{Forged, Vouched};

        for (verified, found, verdict) in [
            (None, None, None),
            (None, Some("B"), None),
            (None, Some("unproven"), None),
            (None, Some("A"), Some(Vouched)),
            (Some(true), None, Some(Vouched)),
            (Some(true), Some("C"), Some(Vouched)),
            (Some(false), Some("A"), Some(Forged)),
            (Some(true), Some("false"), Some(Forged)),
        ] {
            assert_eq!(Verdict::of(verified, found), verdict, "{verified:?} {found:?}");
        }
    }
}
