//! What a person must know of an account before taking it: who, where, what is encrypted, and what is dangerous.
//!
//! Each [`Notice`] has a word for an app that translates, and an English sentence. No secret is in either.

use std::fmt;

use numbers::emergency;
use phone::{Encryption, MediaEncryption};
use sip::message::{Host, UriRef};

use crate::proposal::{Proposal, Surroundings};
use crate::web;
use crate::words::excerpt;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Whose calls: the address.
    Account,
    /// Who says to hand it out.
    Provider,
    /// The server that the document is from.
    Source,
    /// The server that everything goes by first.
    Proxy,
    /// What the people called would see as the name.
    DisplayName,
    /// The password comes with it.
    Password,
    /// A password is to be typed.
    NoPassword,
    /// Signalling goes under TLS.
    SignallingEncrypted,
    /// Signalling may go in clear.
    SignallingClear,
    /// Signalling is disguised, and not secret.
    SignallingDisguised,
    /// Calls are always encrypted.
    CallsEncrypted,
    /// Calls are encrypted where the other side can.
    CallsMayBeClear,
    /// Calls are not encrypted.
    CallsClear,
    /// The keys of calls stand where others read them.
    KeysInClear,
    /// The server's certificate is this one, whoever signed it.
    PinnedCertificate,
    /// The document names who may sign for the server.
    OwnAuthority,
    /// The document names whose signatures on callers' numbers are believed.
    OwnSigners,
    /// Calls may go by this relay.
    Relay,
    /// What the people called would see as the number.
    CallerId,
    /// The number would be hidden.
    NumberHidden,
    /// The balance is asked for at this server.
    Balance,
    /// This server is asked for how long a call could be: it is told the numbers that are dialled.
    Minutes,
    /// The same, and it is not the account's.
    NumbersElsewhere,
    /// Cards are paid in at this server.
    TopUp,
    /// Cards go without TLS to this server.
    CardInClear,
    /// Calls back are asked for at this server, which may say whom they ring.
    CallBack,
    /// This is called to hear messages that wait.
    Mailbox,
    /// Its server is told how to wake the phone, by this service.
    Push,
    /// The password goes to this server as it is, and that is not the account's.
    PasswordElsewhere,
    /// The password goes as it is, and without TLS, to this server.
    PasswordInClear,
    /// Numbers are changed before they are called: so many rules.
    DialPlan,
    /// The dial plan changes a number that calls for help.
    EmergencyChanged,
    /// The dial plan makes a number that calls for help of others.
    EmergencyMade,
    /// The dial plan calls one number, whatever is dialed.
    OneNumber,
    /// Calls for help may go by it.
    EmergencyBySip,
    /// It would be the one that calls go by.
    Default,
    /// There is an account for this address.
    KnownAddress,
    /// Fields that would be left out.
    Unknown,
}

/// One thing to know. `Display` is a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub about: About,
    /// Of it: an address, a server, a number.
    pub subject: String,
    /// Show it so that it is not missed.
    pub danger: bool,
}

impl Notice {
    fn new(about: About, subject: impl AsRef<str>) -> Self {
        Self { about, subject: excerpt(subject.as_ref()), danger: about.is_danger() }
    }
}

impl About {
    /// Whether it may harm who takes it.
    const fn is_danger(self) -> bool {
        match self {
            Self::KeysInClear
            | Self::PasswordElsewhere
            | Self::PasswordInClear
            | Self::NumbersElsewhere
            | Self::CardInClear
            | Self::EmergencyChanged
            | Self::EmergencyMade
            | Self::OneNumber
            | Self::EmergencyBySip
            | Self::OwnAuthority
            | Self::OwnSigners
            | Self::Default => true,
            Self::Account
            | Self::Provider
            | Self::Source
            | Self::Proxy
            | Self::DisplayName
            | Self::Password
            | Self::NoPassword
            | Self::SignallingEncrypted
            | Self::SignallingClear
            | Self::SignallingDisguised
            | Self::CallsEncrypted
            | Self::CallsMayBeClear
            | Self::CallsClear
            | Self::PinnedCertificate
            | Self::Relay
            | Self::CallerId
            | Self::NumberHidden
            | Self::Balance
            | Self::Minutes
            | Self::TopUp
            | Self::CallBack
            | Self::Mailbox
            | Self::Push
            | Self::DialPlan
            | Self::KnownAddress
            | Self::Unknown => false,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = &self.subject;
        match self.about {
            About::Account => write!(f, "calls as {it}"),
            About::Provider => write!(f, "says to be from {it}; nobody has checked that"),
            About::Source => write!(f, "fetched from {it}"),
            About::Proxy => write!(f, "all goes by the server {it}"),
            About::DisplayName => write!(f, "who is called sees the name {it}"),
            About::Password => f.write_str("the password comes with it"),
            About::NoPassword => f.write_str("it comes without a password"),
            About::SignallingEncrypted => f.write_str("who is called is hidden from those on the way (TLS)"),
            About::SignallingClear => {
                f.write_str("those on the way can read who is called: no TLS is asked for")
            }
            About::SignallingDisguised => {
                f.write_str("signalling is disguised (VOS), which hides no secrets")
            }
            About::CallsEncrypted => f.write_str("calls are always encrypted"),
            About::CallsMayBeClear => f.write_str("calls are encrypted where the other side can, too"),
            About::CallsClear => f.write_str("calls are not encrypted: those on the way can listen"),
            About::KeysInClear => {
                f.write_str("the keys of calls are sent where those on the way can read them")
            }
            About::PinnedCertificate => {
                write!(f, "its server is known by one certificate, whoever signed it: {it}")
            }
            About::OwnAuthority => f.write_str("it says itself who may sign its server's certificate"),
            About::OwnSigners => f.write_str("it says itself whose word on who calls is believed"),
            About::Relay => write!(f, "calls may go by the relay {it}"),
            About::CallerId => write!(f, "who is called sees the number {it}"),
            About::NumberHidden => f.write_str("who is called does not see the number"),
            About::Balance => write!(f, "what is left is asked of {it}"),
            About::Minutes => {
                write!(f, "for how long a call could be is asked of {it}, which is told the number")
            }
            About::NumbersElsewhere => {
                write!(f, "the numbers that are dialled are told to {it}, which is not the account's server")
            }
            About::TopUp => write!(f, "cards are paid in at {it}"),
            About::CardInClear => {
                write!(f, "cards are sent to {it} where those on the way can read them")
            }
            About::CallBack => write!(f, "calls back are asked of {it}"),
            About::PasswordElsewhere => {
                write!(f, "the password itself is sent to {it}, which is not the account's server")
            }
            About::PasswordInClear => {
                write!(f, "the password itself is sent to {it} where those on the way can read it")
            }
            About::Mailbox => write!(f, "messages that wait are heard by a call to {it}"),
            About::Push => write!(f, "its server may wake the phone by the push service {it}"),
            About::DialPlan => write!(f, "numbers are changed before they are called: {it}"),
            About::EmergencyChanged => write!(f, "its dial plan changes a number that calls for help: {it}"),
            About::EmergencyMade => {
                write!(f, "its dial plan makes a call for help of an ordinary number: {it}")
            }
            About::OneNumber => write!(f, "whatever is dialed, it calls {it}"),
            About::EmergencyBySip => {
                f.write_str("calls for help may go by it, and help may not be told where it is needed")
            }
            About::Default => {
                f.write_str("calls would go by it from now on, unless another account is named")
            }
            About::KnownAddress => {
                write!(f, "there is an account for {it} already; this one would be another")
            }
            About::Unknown => write!(f, "what is not known here is left out: {it}"),
        }
    }
}

/// Ordinary numbers, as people of many places dial them: what a plan makes of them shows what it is for.
const ORDINARY: [&str; 8] =
    ["+4930123456", "030123456", "0044201234567", "+14155550123", "4155550123", "5551234", "1002", "23"];
/// Beside those of the region.
const FOR_HELP: [&str; 8] = ["112", "911", "000", "110", "118", "119", "999", "08"];

pub(crate) fn notices(proposal: &Proposal, surroundings: &Surroundings<'_>) -> Vec<Notice> {
    let form = proposal.document().form();
    let Ok(account) = proposal.document().account(proposal.secrets()) else { return Vec::new() };
    let uri = account.uri.view();
    let server = host(&uri);
    let mut all = vec![Notice::new(About::Account, who(&uri))];
    let mut tell = |about: About, subject: &str| all.push(Notice::new(about, subject));
    if let Some(provider) = proposal.provider() {
        tell(About::Provider, provider);
    }
    if let Some(from) = proposal.from() {
        tell(About::Source, from);
    }
    if let Some(proxy) = &account.proxy {
        tell(About::Proxy, &host(&proxy.view()));
    }
    if let Some(name) = &account.display_name {
        tell(About::DisplayName, name.reveal());
    }
    tell(if proposal.password().is_some() { About::Password } else { About::NoPassword }, "");

    let first_hop = account.proxy.as_ref().unwrap_or(&account.uri).view();
    let carrier = match account.transport {
        sip::ua::TransportPolicy::Only(transport) => Some(transport),
        sip::ua::TransportPolicy::Auto => first_hop.transport(),
    };
    match &account.encryption {
        Encryption::Vos(_) => tell(About::SignallingDisguised, ""),
        Encryption::None if carrier.is_some_and(base::Transport::is_secure) => {
            tell(About::SignallingEncrypted, "");
        }
        Encryption::None => tell(About::SignallingClear, ""),
    }
    match account.media_encryption {
        MediaEncryption::Required => tell(About::CallsEncrypted, ""),
        MediaEncryption::Optional => tell(About::CallsMayBeClear, ""),
        // A disguise of VOS is none.
        MediaEncryption::Off => tell(About::CallsClear, ""),
    }
    if account.sdes_in_clear && account.media_encryption != MediaEncryption::Off {
        tell(About::KeysInClear, "");
    }
    if let Some(pin) = account.connection.pin {
        tell(About::PinnedCertificate, &pin.to_string()[..23]);
    }
    if form.tls_ca.is_some() {
        tell(About::OwnAuthority, "");
    }
    if !form.stir_certificates.is_empty() || form.stir.as_ref().is_some_and(|it| !it.anchors.is_empty()) {
        tell(About::OwnSigners, "");
    }
    for relay in &account.nat.turn {
        tell(About::Relay, &relay.server.host);
    }
    if let Some(service) = proposal.document().relay_service(proposal.secrets()) {
        tell(About::Relay, &web::host(service.url.expose()).unwrap_or_default());
    }
    if account.caller_id.hide {
        tell(About::NumberHidden, "");
    } else if let Some(number) = &account.caller_id.number {
        tell(About::CallerId, number.reveal());
    }
    if let Some(mailbox) = &account.mailbox {
        tell(About::Mailbox, mailbox.reveal());
    }
    if let Some(service) = form.push.as_ref().and_then(|push| push.provider.as_ref()) {
        tell(About::Push, service.as_str());
    }
    all.extend(of_provider(proposal, &server));
    let mut tell = |about: About, subject: &str| all.push(Notice::new(about, subject));
    if !form.dial_plan.is_empty() {
        let rules = form.dial_plan.len();
        tell(About::DialPlan, &format!("{rules} {}", if rules == 1 { "rule" } else { "rules" }));
        for notice in of_plan(&account.dial_plan, surroundings.region) {
            all.push(notice);
        }
    }
    let mut tell = |about: About, subject: &str| all.push(Notice::new(about, subject));
    if account.emergency {
        tell(About::EmergencyBySip, "");
    }
    if proposal.wants_default() && surroundings.has_default {
        tell(About::Default, "");
    }
    let known = |it: &String| it.parse::<sip::message::Uri>().is_ok_and(|it| same(&it.view(), &uri));
    if surroundings.accounts.iter().any(known) {
        tell(About::KnownAddress, &who(&uri));
    }
    let unknown: Vec<&str> = proposal.document().unknown().collect();
    if !unknown.is_empty() {
        tell(About::Unknown, &unknown.join(", "));
    }
    all.sort_by_key(|notice| !notice.danger);
    all
}

/// Whom it would ask for what. What is said of a password is said once of each server.
fn of_provider(proposal: &Proposal, server: &str) -> Vec<Notice> {
    let Ok(Some(provider)) = proposal.document().provider(proposal.secrets()) else { return Vec::new() };
    let mut told = Vec::new();
    let mut tell = |about: About, subject: &str| {
        let notice = Notice::new(about, subject);
        if !told.contains(&notice) {
            told.push(notice);
        }
    };
    for (about, template) in [
        (About::Balance, provider.balance.as_ref().map(|it| &it.template)),
        (About::Minutes, provider.minutes.as_ref().map(|it| &it.template)),
        (About::TopUp, provider.top_up.as_ref().map(|it| &it.template)),
        (About::CallBack, provider.call_back.as_ref().map(|it| &it.template)),
    ] {
        let Some(template) = template else { continue };
        let host = asked(&template.url);
        let clear = web::is_clear(&template.url);
        match (about, &provider.caller) {
            (About::CallBack, Some(caller)) => tell(about, &format!("{host}, to ring {caller}")),
            _ => tell(about, &host),
        }
        if about == About::Minutes && !is_related(&host, server) {
            tell(About::NumbersElsewhere, &host);
        }
        if about == About::TopUp && clear {
            tell(About::CardInClear, &host);
        }
        if template.shows_password() && clear {
            tell(About::PasswordInClear, &host);
        }
        if template.shows_password() && !is_related(&host, server) {
            tell(About::PasswordElsewhere, &host);
        }
    }
    told
}

/// Who is asked, by TLS or not.
fn asked(url: &str) -> String {
    web::host(url).or_else(|_| web::host(&url.replacen("http://", "https://", 1))).unwrap_or_default()
}

/// What a plan does that it had better not.
fn of_plan(plan: &numbers::Plan, region: Option<&str>) -> Vec<Notice> {
    let mut told = Vec::new();
    let here = region.and_then(emergency::of).unwrap_or_default().split(' ').map(|it| it.replace('?', "0"));
    let for_help = here.filter(|it| !it.is_empty()).chain(FOR_HELP.map(str::to_owned));
    let changed = for_help.map(|number| (plan.apply(&number).number, number));
    if let Some((after, before)) = changed.into_iter().find(|(after, before)| after != before) {
        told.push(Notice::new(About::EmergencyChanged, format!("{before} becomes {after}")));
    }
    let made = ORDINARY.map(|number| (number, plan.apply(number).number));
    if let Some((before, after)) = made.iter().find(|(_, after)| emergency::is_emergency(after, region)) {
        told.push(Notice::new(About::EmergencyMade, format!("{before} becomes {after}")));
    }
    let (_, first) = &made[0];
    if made.iter().all(|(_, after)| after == first) {
        told.push(Notice::new(About::OneNumber, first));
    }
    told
}

fn who(uri: &UriRef<'_>) -> String {
    format!("{} at {}", excerpt(&uri.user_decoded()), host(uri))
}

fn host(uri: &UriRef<'_>) -> String {
    uri.host.to_string().trim_matches(['[', ']']).to_ascii_lowercase()
}

fn same(one: &UriRef<'_>, other: &UriRef<'_>) -> bool {
    one.user_decoded() == other.user_decoded() && one.host.equals(other.host)
}

/// Whether both are one provider's by their names: the same, one below the other, or side by side below a name that
/// somebody owns. Where that is not sure (`a.co.uk`, `b.co.uk`) it is not said.
fn is_related(one: &str, other: &str) -> bool {
    let is_name = |it: &str| matches!(Host::read(it), Ok(Host::Name(_)));
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    if one == other {
        return true;
    }
    let owned = |it: &str| {
        let labels: Vec<&str> = it.split('.').collect();
        labels.len() > 2 || labels.len() == 2 && labels[0].len() > 3
    };
    let above = |it: &str| it.split_once('.').map(|(_, above)| above.to_owned()).unwrap_or_default();
    let (over_one, over_other) = (above(&one), above(&other));
    let below = over_one == other || over_other == one;
    let beside = over_one == over_other && owned(&over_one);
    is_name(&one)
        && is_name(&other)
        && (beside || below && owned(if over_one == other { &other } else { &one }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Offered;

    fn told(json: &str, surroundings: &Surroundings<'_>) -> Vec<Notice> {
        match Offered::read(json).unwrap() {
            Offered::Account(proposal) => proposal.notices(surroundings),
            Offered::Link(_) => panic!("{json}"),
        }
    }

    fn about(more: &str) -> Vec<(About, String)> {
        let json = format!("{{\"offhook\":1,\"uri\":\"sip:1001@sip.h.test\",\"password\":\"hush-1\"{more}}}");
        let notices = told(&json, &Surroundings::default());
        assert!(notices.iter().all(|it| !it.to_string().contains("hush")), "{notices:?}");
        notices.into_iter().map(|it| (it.about, it.subject)).collect()
    }

    #[test]
    fn who_where_and_what_is_encrypted_is_told() {
        use About::*;

        let words = |more| about(more).into_iter().map(|(about, _)| about).collect::<Vec<_>>();
        assert_eq!(words(""), [Account, Password, SignallingClear, CallsClear]);
        assert_eq!(
            words(r#","transport":"tls","srtp":"required","display_name":"Ann","provider":"Hush & Co""#)[..3],
            [Account, Provider, DisplayName]
        );
        let safe = words(r#","proxy":"sip:edge.h.test;transport=tls","srtp":"optional""#);
        assert_eq!(safe, [Account, Proxy, Password, SignallingEncrypted, CallsMayBeClear]);
        let vos = words(r#","encryption":"vos""#);
        assert_eq!(vos, [Account, Password, SignallingDisguised, CallsClear]);
        let relays = r#","nat":{"turn":[{"uri":"turn:r.test","user":"u","password":"hush-2"}]}"#;
        assert!(about(relays).contains(&(Relay, "r.test".into())));
        assert!(about(r#","mailbox":"*97""#).contains(&(Mailbox, "*97".into())));
        let push = r#","push":{"provider":"fcm","param":"p"}"#;
        assert!(about(push).contains(&(Push, "fcm".into())));
    }

    #[test]
    fn what_is_dangerous_comes_first() {
        for (more, first, subject) in [
            (r#","srtp":"optional","sdes_in_clear":true"#, About::KeysInClear, ""),
            (
                r#","balance":{"url":"http://b.h.test/?p={password}","allow_clear":true}"#,
                About::PasswordInClear,
                "b.h.test",
            ),
            (
                r#","balance":{"url":"https://evil.test/","auth":"basic"}"#,
                About::PasswordElsewhere,
                "evil.test",
            ),
            (
                r#","balance":{"url":"https://evil.test/","headers":{"X-Key":"{password}"}}"#,
                About::PasswordElsewhere,
                "evil.test",
            ),
            (
                r#","balance":{"minutes":{"url":"https://evil.test/{number}"}}"#,
                About::NumbersElsewhere,
                "evil.test",
            ),
            (
                r#","balance":{"allow_clear":true,"top_up":{"url":"http://b.h.test/{card}"}}"#,
                About::CardInClear,
                "b.h.test",
            ),
            (
                r#","balance":{"auth":"basic","callback":{"url":"https://evil.test/"}}"#,
                About::PasswordElsewhere,
                "evil.test",
            ),
            (r#","dial_plan":[{"begins":"11","prefix":"9"}]"#, About::EmergencyChanged, "112 becomes 9112"),
            (
                r#","dial_plan":[{"begins":"+49","fits":".*","replace":"110"}]"#,
                About::EmergencyMade,
                "+4930123456 becomes 110",
            ),
            (r#","dial_plan":[{"fits":"2.|.{4,}","replace":"+23212345"}]"#, About::OneNumber, "+23212345"),
            (r#","emergency":true"#, About::EmergencyBySip, ""),
        ] {
            assert_eq!(about(more)[0], (first, subject.into()), "{more}");
        }
        let same = about(r#","balance":{"url":"https://billing.sip.h.test/","auth":"basic"}"#);
        let harmless = about(r#","balance":{"vos":"billing.sip.h.test","callback":{"caller":"+49900666"}}"#);
        let told = [
            (About::Balance, "billing.sip.h.test"),
            (About::Minutes, "billing.sip.h.test"),
            (About::TopUp, "billing.sip.h.test"),
            (About::CallBack, "billing.sip.h.test, to ring +49900666"),
        ]
        .map(|(about, subject)| (about, subject.to_owned()));
        assert_eq!(harmless[harmless.len() - 4..], told);
        assert!(!same.iter().any(|(about, _)| *about == About::PasswordElsewhere), "{same:?}");
    }

    #[test]
    fn servers_of_one_name_are_one_providers_and_neighbours_under_a_country_are_not() {
        for (one, other) in
            [("sip.h.test", "sip.h.test"), ("h4ll.test", "b.h4ll.test"), ("A.h4ll.test", "b.H4LL.test")]
        {
            assert!(is_related(one, other) && is_related(other, one), "{one} {other}");
        }
        for (one, other) in
            [("a.co.uk", "b.co.uk"), ("a.test", "b.test"), ("192.0.2.1", "192.0.2.2"), ("co.uk", "a.co.uk")]
        {
            assert!(!is_related(one, other) && !is_related(other, one), "{one} {other}");
        }
    }

    #[test]
    fn what_the_phone_has_already_is_compared() {
        let mine = ["sip:1001@SIP.h.test:5060".to_owned()];
        let here = Surroundings { region: Some("DE"), accounts: &mine, has_default: true };
        let json = r#"{"offhook":1,"uri":"sip:1001@sip.h.test","default":true,"shoe":{"size":9}}"#;
        let notices = told(json, &here);
        assert_eq!((notices[0].about, notices[0].danger), (About::Default, true));
        let subject = |wanted| notices.iter().find(|it| it.about == wanted).map(|it| &*it.subject);
        assert_eq!(subject(About::KnownAddress), Some("1001 at sip.h.test"));
        assert_eq!(subject(About::Unknown), Some("shoe"));
        assert!(!told(json, &Surroundings::default()).iter().any(|it| it.about == About::Default));
    }
}
