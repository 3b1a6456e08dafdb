//! An account that somebody hands out, by a link or a QR code: shown first, taken only then.
//!
//! What is read, and what is dangerous in it, is the crate `account`'s to say; here it becomes an account of this phone.

use std::sync::Arc;

use account::words::Hidden;
use base::Secret;
use offhook_io::{Trusts, fetch};

use crate::Phone;
use crate::error::PhoneError;

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
    Mailbox,
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
    /// Settings that this phone does not act upon yet, by their names in the document.
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
        let accounts: Vec<String> = self.account_list().into_iter().map(|it| it.uri).collect();
        let home = self.regions().home().map(str::to_owned);
        let (region, has_default) = (home.as_deref(), !accounts.is_empty());
        let surroundings = account::Surroundings { region, accounts: &accounts, has_default };
        let lines = inner.notices(&surroundings).into_iter().map(|notice| ProposalLine {
            about: notice.about,
            danger: notice.danger,
            sentence: notice.to_string(),
            subject: notice.subject,
        });
        let lines = lines.collect();
        Ok(Arc::new(Proposal { inner, lines }))
    }

    /// Adds the account of a proposal and returns its id, as `add_account` does; by its name, and as the default where it wants to
    /// be. `password`: typed by the person, in place of one that came with it.
    ///
    /// # Errors
    /// As for `add_account`.
    pub fn take(&self, proposal: Arc<Proposal>, password: Option<String>) -> Result<u32, PhoneError> {
        let (name, default) = (proposal.inner.name(), proposal.inner.wants_default());
        let (document, mut secrets) = proposal.inner.clone().take();
        if let Some(password) = password.filter(|it| !it.is_empty()) {
            secrets.password = Some(Hidden(Secret::new(password)));
        }
        self.add(name, &document, &secrets, default)
    }
}

/// Fields of a document that are kept and not acted upon yet.
const IDLE: [&str; 1] = ["vos.version"];

impl Proposal {
    fn left_out(&self) -> Vec<String> {
        let document = self.inner.document();
        let is_idle = |name: &String| IDLE.contains(&&**name);
        document.names().into_iter().filter(is_idle).chain(document.unknown().map(str::to_owned)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Secrets;
    use crate::{MediaEncryption, Transport};

    fn phone(folder: &tempfile::TempDir, secrets: &Arc<Secrets>) -> Arc<Phone> {
        Phone::start(crate::tests::config(folder), secrets.clone(), None).unwrap()
    }

    fn made(phone: &Phone, id: u32) -> phone::Account {
        let store = phone.store();
        let secrets = store.secrets(id).unwrap().unwrap();
        crate::document::account(store.document(id).unwrap(), &secrets).unwrap()
    }

    #[test]
    fn an_account_is_shown_and_taken_only_by_a_second_word() {
        let (folder, secrets) = (tempfile::tempdir().unwrap(), Arc::<Secrets>::default());
        let phone = phone(&folder, &secrets);
        let text = r#"{"offhook":1,"name":"Work","uri":"sip:1001@127.0.0.1:9","password":"hush-1","register":false,
            "transport":"tcp","srtp":"required","codecs":["opus"],"tls_pin":"0007","provider":"Example","default":true,"colour":"blue"}"#;
        let text = text.replace("0007", &"07".repeat(32));
        let proposal = phone.preview(text).unwrap();
        let shown = proposal.shown();
        assert_eq!((shown.name.as_str(), shown.has_password, shown.from.is_none()), ("Work", true, true));
        assert_eq!(shown.left_out, ["colour"]);
        assert!(shown.lines.iter().any(|line| line.about == About::CallsEncrypted && !line.danger));
        assert!(!format!("{shown:?} {proposal:?}").contains("hush") && phone.accounts().is_empty());

        let first = phone.preview("sip:1000@127.0.0.1:9".into()).unwrap();
        let first = phone.take(first, Some("hush-0".into())).unwrap();
        let id = phone.take(proposal, None).unwrap();
        let list = phone.account_list();
        let [one, work] = &*list else { panic!("{list:?}") };
        assert_eq!((one.account, one.default, &*work.name, work.default), (first, false, "Work", true));
        let settings = phone.account_settings(id).unwrap();
        assert_eq!((&*settings.number, &*settings.server), ("1001", "127.0.0.1:9"));
        assert_eq!((settings.transport, settings.register), (Transport::Tcp, false));
        assert_eq!(settings.media_encryption, Some(MediaEncryption::Required));
        assert_eq!(settings.codecs, ["opus"]);
        let account = made(&phone, id);
        assert_eq!(account.connection.pin, Some(base::Fingerprint([7; 32])));
        assert_eq!(account.password.expose(), "hush-1");
    }

    #[test]
    fn an_address_of_another_softphone_is_an_account_and_anything_else_is_told_in_words() {
        let (folder, secrets) = (tempfile::tempdir().unwrap(), Arc::<Secrets>::default());
        let phone = phone(&folder, &secrets);
        let proposal = phone.preview("sips:ann@127.0.0.1:9".into()).unwrap();
        assert!(!proposal.shown().has_password);
        let id = phone.take(proposal, Some("hush-2".into())).unwrap();
        assert_eq!(phone.account_settings(id).unwrap().transport, Transport::Tls);
        assert_eq!(made(&phone, id).password.expose(), "hush-2");
        let Err(ProposalError::Unusable { sentence }) = phone.preview("http://h.test/a?t=hush".into()) else {
            panic!("not in clear")
        };
        assert!(sentence.contains("anybody on the way") && !sentence.contains("hush"), "{sentence}");
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let fetched = phone.preview(format!("http://{closed}/a"));
        assert!(matches!(fetched, Err(ProposalError::NotFetched { .. })), "{fetched:?}");
    }
}
