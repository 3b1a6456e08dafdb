//! An account that somebody hands out, by a link or a QR code: shown first, taken only then.
//!
//! What is read, and what is dangerous in it, is the crate `account`'s to say; here it becomes an account of this phone.

use std::sync::Arc;

use base::Secret;
use offhook_io::{Trusts, fetch};
use phone::KeysBy;

use crate::account::AccountSettings;
use crate::error::PhoneError;
use crate::media_encryption::{MediaEncryption, MediaKeys};
use crate::relay::RelaySettings;
use crate::{Phone, Transport};

pub use account::About;

/// What a line of a proposal is about: translate it; the line has it in English.
#[uniffi::remote(Enum)]
pub enum About {
    Account,
    Provider,
    Source,
    Proxy,
    DisplayName,
    Password,
    NoPassword,
    SignallingEncrypted,
    SignallingClear,
    SignallingDisguised,
    CallsEncrypted,
    CallsMayBeClear,
    CallsClear,
    KeysInClear,
    PinnedCertificate,
    OwnAuthority,
    OwnSigners,
    Relay,
    CallerId,
    NumberHidden,
    Balance,
    Minutes,
    NumbersElsewhere,
    TopUp,
    CardInClear,
    CallBack,
    Push,
    PasswordElsewhere,
    PasswordInClear,
    DialPlan,
    EmergencyChanged,
    EmergencyMade,
    OneNumber,
    EmergencyBySip,
    Default,
    KnownAddress,
    Unknown,
}

/// Why a text or a link is no account: show the sentence. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ProposalError {
    /// It is none, or one that cannot be used.
    #[error("{sentence}")]
    Unusable {
        /// For a person.
        sentence: String,
    },
    /// What the link leads to cannot be had.
    #[error("{sentence}")]
    NotFetched {
        /// For a person.
        sentence: String,
    },
}

/// An account that nobody has taken yet. Its secrets stay inside.
#[derive(uniffi::Object)]
pub struct Proposal {
    inner: account::Proposal,
    lines: Vec<ProposalLine>,
}

/// What a person is shown of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Proposed {
    /// What to call the account until the person does otherwise.
    pub name: String,
    /// Its address: `sip:1001@sip.example.com`.
    pub address: String,
    /// The server that it was fetched from; none: it was all in the text.
    pub from: Option<String>,
    /// Who says to hand it out; nobody has checked that.
    pub provider: Option<String>,
    /// The password comes with it; else ask for it.
    pub has_password: bool,
    /// Calls are to go by it unless said otherwise.
    pub wants_default: bool,
    /// What to know before taking it, the gravest first.
    pub lines: Vec<ProposalLine>,
    /// Settings that this phone does not keep yet, by their names in the document.
    pub left_out: Vec<String>,
}

/// One thing to know.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ProposalLine {
    /// What it is about.
    pub about: About,
    /// Of it: an address, a server, a number; may be empty.
    pub subject: String,
    /// Show it so that it is not missed.
    pub danger: bool,
    /// All of it, in English.
    pub sentence: String,
}

#[uniffi::export]
impl Proposal {
    /// What a person is shown.
    pub fn shown(&self) -> Proposed {
        Proposed {
            name: self.inner.name(),
            address: self.inner.document().uri().map(ToString::to_string).unwrap_or_default(),
            from: self.inner.from().map(str::to_owned),
            provider: self.inner.provider().map(str::to_owned),
            has_password: self.inner.password().is_some(),
            wants_default: self.inner.wants_default(),
            lines: self.lines.clone(),
            left_out: self.left_out(),
        }
    }
}

impl std::fmt::Debug for Proposal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proposal")
    }
}

#[uniffi::export]
impl Phone {
    /// Reads what was scanned, pasted or opened: a link (which is fetched), a document, or an address. Nothing is changed by
    /// it. It may take five seconds: not for the main thread.
    ///
    /// # Errors
    /// [`ProposalError`]: show its sentence.
    pub fn preview(&self, text: String) -> Result<Arc<Proposal>, ProposalError> {
        let unusable = |why: account::Unusable| ProposalError::Unusable { sentence: why.to_string() };
        let text = Secret::new(text);
        let inner = match account::Offered::read(text.expose()).map_err(unusable)? {
            account::Offered::Account(proposal) => *proposal,
            account::Offered::Link(link) => {
                let fetched = fetch(link.url(), account::MAX_DOCUMENT, &Trusts::default())
                    .map_err(|why| ProposalError::NotFetched { sentence: why.to_string() })?;
                let content_type = fetched.content_type.as_deref();
                let answer = account::Answer { content_type, body: fetched.body.expose() };
                link.answered(answer).map_err(unusable)?
            }
        };
        let accounts: Vec<String> = self.accounts().into_iter().map(|view| view.uri).collect();
        let surroundings =
            account::Surroundings { region: None, accounts: &accounts, has_default: !accounts.is_empty() };
        let lines = inner.notices(&surroundings).into_iter().map(|notice| ProposalLine {
            about: notice.about,
            danger: notice.danger,
            sentence: notice.to_string(),
            subject: notice.subject,
        });
        let lines = lines.collect();
        Ok(Arc::new(Proposal { inner, lines }))
    }

    /// Adds the account of a proposal and returns its id, as `add_account` does. `password`: typed by the person, in place
    /// of one that came with it.
    ///
    /// # Errors
    /// As for `add_account`.
    pub fn take(&self, proposal: Arc<Proposal>, password: Option<String>) -> Result<u32, PhoneError> {
        let settings = proposal.settings();
        let (document, secrets) = proposal.inner.clone().take();
        let own = secrets.password.map(|it| it.0.expose().clone()).unwrap_or_default();
        // It registers once all of it is there.
        let quiet = AccountSettings { register: false, ..settings.clone() };
        let id = self.add_account(quiet, password.filter(|it| !it.is_empty()).unwrap_or(own))?;
        let rest = || {
            let relays = document.form().nat.iter().flat_map(|nat| &nat.turn.relays);
            for (at, relay) in relays.take(settings.relays.len()).enumerate() {
                let password = secrets.relays.get(&format!("{} {}", relay.uri, relay.user));
                let password = password.map(|it| it.0.expose().clone());
                self.set_relay_password(id, at as u32, password)?;
            }
            if let Some(pin) = document.form().tls_pin {
                self.store().trust(id, pin.0)?;
            }
            self.change_account(id, settings, None)
        };
        let done: Result<(), PhoneError> = rest();
        if let Err(error) = done {
            // Half an account is none.
            let _ = self.remove_account(id);
            return Err(error);
        }
        Ok(id)
    }
}

/// The names of those that [`AccountSettings`] has.
const KEPT: [&str; 15] = [
    "offhook",
    "name",
    "uri",
    "proxy",
    "auth_user",
    "display_name",
    "transport",
    "register",
    "publish_presence",
    "encryption",
    "srtp",
    "srtp_keys",
    "tls_pin",
    "nat.ice",
    "nat.turn",
];

impl Proposal {
    /// As the account screen has it.
    fn settings(&self) -> AccountSettings {
        let form = self.inner.document().form();
        let text =
            |it: &Option<account::words::Text>| it.as_ref().map(ToString::to_string).unwrap_or_default();
        let place = |uri: &account::words::SipUri| {
            let uri = uri.0.view();
            let port = uri.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{port}", uri.host)
        };
        let nat = form.nat.as_ref();
        let said =
            |uri: &Option<account::words::SipUri>| uri.as_ref().and_then(|uri| uri.0.view().transport());
        let transport = form.transport.and_then(|it| it.0).or(said(&form.proxy)).or(said(&form.uri));
        let stun = nat.and_then(|nat| nat.stun.0.first());
        AccountSettings {
            number: form
                .uri
                .as_ref()
                .and_then(|uri| uri.0.view().user.map(str::to_owned))
                .unwrap_or_default(),
            server: form.uri.as_ref().map(place).unwrap_or_default(),
            proxy: form.proxy.as_ref().map(place).unwrap_or_default(),
            auth_user: text(&form.auth_user),
            display_name: text(&form.display_name),
            transport: match transport {
                Some(base::Transport::Udp) => Transport::Udp,
                Some(base::Transport::Tcp) => Transport::Tcp,
                Some(base::Transport::Tls) => Transport::Tls,
                Some(base::Transport::Ws | base::Transport::Wss) | None => Transport::Automatic,
            },
            register: form.register.unwrap_or(true),
            publish_presence: form.publish_presence.unwrap_or(false),
            ice: nat.and_then(|nat| nat.ice).unwrap_or(true),
            stun: stun.map(|it| format!("{}:{}", it.host, it.port)).unwrap_or_default(),
            encryption: form.encryption.filter(|it| it.0).map(|_| crate::account::Encryption::Vos),
            media_encryption: match form.srtp.map(|it| it.0).unwrap_or_default() {
                phone::MediaEncryption::Off => None,
                phone::MediaEncryption::Optional => Some(MediaEncryption::Optional),
                phone::MediaEncryption::Required => Some(MediaEncryption::Required),
            },
            media_keys: match form.srtp_keys.map(|it| it.0).unwrap_or_default() {
                KeysBy::Both => None,
                KeysBy::Sdes => Some(MediaKeys::Sdes),
                KeysBy::Dtls => Some(MediaKeys::Dtls),
            },
            relays: nat
                .iter()
                .flat_map(|nat| &nat.turn.relays)
                .map(|relay| RelaySettings {
                    server: relay.uri.to_string(),
                    transport: Transport::Automatic,
                    user: relay.user.to_string(),
                })
                .collect(),
        }
    }

    /// What the settings have no place for.
    fn left_out(&self) -> Vec<String> {
        let document = self.inner.document();
        let form = document.form();
        let web_socket =
            matches!(form.transport.and_then(|it| it.0), Some(base::Transport::Ws | base::Transport::Wss));
        let one_server = form.nat.as_ref().is_some_and(|nat| nat.stun.0.len() == 1);
        let kept = |name: &String| {
            KEPT.contains(&&**name) && !(name == "transport" && web_socket)
                || name == "nat.stun" && one_server
        };
        document.names().into_iter().filter(|name| !kept(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Secrets;

    fn phone(folder: &tempfile::TempDir, secrets: &Arc<Secrets>) -> Arc<Phone> {
        Phone::start(crate::tests::config(folder), secrets.clone(), None).unwrap()
    }

    #[test]
    fn an_account_is_shown_and_taken_only_by_a_second_word() {
        let (folder, secrets) = (tempfile::tempdir().unwrap(), Arc::<Secrets>::default());
        let phone = phone(&folder, &secrets);
        let text = r#"{"offhook":1,"name":"Work","uri":"sip:1001@127.0.0.1:9","password":"hush-1","register":false,
            "transport":"tcp","srtp":"required","codecs":["opus"],"tls_pin":"0007","provider":"Example"}"#;
        let text = text.replace("0007", &"07".repeat(32));
        let proposal = phone.preview(text).unwrap();
        let shown = proposal.shown();
        assert_eq!((shown.name.as_str(), shown.has_password, shown.from.is_none()), ("Work", true, true));
        assert_eq!(shown.left_out, ["codecs"]);
        assert!(shown.lines.iter().any(|line| line.about == About::CallsEncrypted && !line.danger));
        assert!(!format!("{shown:?} {proposal:?}").contains("hush") && phone.accounts().is_empty());

        let id = phone.take(proposal, None).unwrap();
        let settings = phone.account_settings(id).unwrap();
        assert_eq!((&*settings.number, &*settings.server), ("1001", "127.0.0.1:9"));
        assert_eq!((settings.transport, settings.register), (Transport::Tcp, false));
        assert_eq!(settings.media_encryption, Some(MediaEncryption::Required));
        assert_eq!(phone.store().connection(id).pin, Some(base::Fingerprint([7; 32])));
        assert_eq!(phone.store().password(id).unwrap().unwrap().expose(), "hush-1");
    }

    #[test]
    fn an_address_of_another_softphone_is_an_account_and_anything_else_is_told_in_words() {
        let (folder, secrets) = (tempfile::tempdir().unwrap(), Arc::<Secrets>::default());
        let phone = phone(&folder, &secrets);
        let proposal = phone.preview("sips:ann@127.0.0.1:9".into()).unwrap();
        assert!(!proposal.shown().has_password);
        let id = phone.take(proposal, Some("hush-2".into())).unwrap();
        assert_eq!(phone.account_settings(id).unwrap().transport, Transport::Tls);
        assert_eq!(phone.store().password(id).unwrap().unwrap().expose(), "hush-2");
        let Err(ProposalError::Unusable { sentence }) = phone.preview("http://h.test/a?t=hush".into()) else {
            panic!("not in clear")
        };
        assert!(sentence.contains("anybody on the way") && !sentence.contains("hush"), "{sentence}");
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let fetched = phone.preview(format!("http://{closed}/a"));
        assert!(matches!(fetched, Err(ProposalError::NotFetched { .. })), "{fetched:?}");
    }
}
