//! An account that somebody hands out: read from a link or a QR code, shown, and taken only by a second word.
//!
//! ```text
//!  text --read--> Link --fetched by the runtime--> answered --> Proposal --notices--> a person --take--> Document, Secrets
//!    '--------------------------------------------------------^
//! ```
//! Three forms: a link (`https://...`, or `offhook:provision?url=...`) to a document, the document itself, and an address
//! as other softphones write it. All of it is a stranger's: bounded, and nothing in it is done. Knows no HTTP.

use std::fmt;

use base::Secret;
use sip::message::unescape;

use crate::document::{BadField, Document, MAX_DOCUMENT, Unreadable};
use crate::form::Form;
use crate::notice::{Notice, notices};
use crate::words::{Hidden, Text, is_hidden};
use crate::{Secrets, sip_uri, web};

/// What a link of ours begins with.
const SCHEME: &str = "offhook:";

/// What a text turned out to be.
#[derive(Debug)]
pub enum Offered {
    /// It is to be fetched first.
    Link(Link),
    /// It is all there.
    Account(Box<Proposal>),
}

/// Where an account is to be had. The address may hold a token: it is shown to nobody.
#[derive(Clone, Debug)]
pub struct Link {
    url: Secret<String>,
    host: String,
}

/// What came back for a link.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The `Content-Type` header field.
    pub content_type: Option<&'a str>,
    /// At most [`MAX_DOCUMENT`] bytes; longer ones need not be read to their end.
    pub body: &'a [u8],
}

/// What the phone has already: for the notices.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// Where it is, as ISO 3166 has it: which numbers are for emergencies.
    pub region: Option<&'a str>,
    /// The addresses of its accounts: `sip:1001@sip.example.com`.
    pub accounts: &'a [String],
    /// Whether calls go by one of them unless said otherwise.
    pub has_default: bool,
}

/// Why no account can be made of it. `Display` is a sentence for a person; no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not a form that is known.
    #[error(
        "that is no account: it is a link (https://...), a document in JSON, or an address (sip:user@host)"
    )]
    Unknown,
    /// A link that must not or cannot be asked.
    #[error("the link to the account {0}")]
    Link(&'static str),
    /// An address of a server.
    #[error("the address names a server, and nobody there: sip:user@host")]
    Nobody,
    /// An address that cannot be one.
    #[error("the address of the account cannot be used: is it whole?")]
    Address,
    /// What the link led to is a page.
    #[error("the link leads to a web page, and to no account")]
    Page,
    /// What the link led to is of another kind.
    #[error("the link leads to something that says it is no JSON")]
    NotJson,
    /// What the link led to is not UTF-8.
    #[error("the link leads to something that is no text")]
    NotText,
    /// Not an account's document.
    #[error(transparent)]
    Document(#[from] Unreadable),
    /// Its fields do not go together.
    #[error("the account cannot be used: {0}")]
    Field(#[from] BadField),
}

/// An account that nobody has taken yet.
#[derive(Clone)]
pub struct Proposal {
    document: Document,
    secrets: Secrets,
    provider: Option<Text>,
    default: bool,
    /// The server that it was fetched from.
    from: Option<String>,
}

impl Offered {
    /// Reads what was scanned, pasted or opened.
    ///
    /// # Errors
    /// [`Unusable`]: show its sentence.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        if text.len() > MAX_DOCUMENT {
            return Err(Unreadable::TooLong.into());
        }
        let text = text.trim().trim_start_matches('\u{feff}');
        if text.starts_with('{') {
            return Proposal::of_json(text, None).map(Self::account);
        }
        if text.get(..SCHEME.len()).is_some_and(|it| it.eq_ignore_ascii_case(SCHEME)) {
            return ours(&text[SCHEME.len()..]).map(Self::Link);
        }
        if text.contains("://") && !text.contains(['<', ' ']) {
            return Link::to(text.to_owned()).map(Self::Link);
        }
        if sip_uri::is_one(text) {
            return Proposal::of(sip_uri::read(text)?, None).map(Self::account);
        }
        Err(Unusable::Unknown)
    }

    fn account(proposal: Proposal) -> Self {
        Self::Account(Box::new(proposal))
    }
}

/// `provision?url=https%3A%2F%2F...`, or with the address as it is.
fn ours(link: &str) -> Result<Link, Unusable> {
    const INCOMPLETE: Unusable = Unusable::Link("must be offhook:provision?url=https://HOST/PATH");
    let link = link.trim_start_matches('/');
    let (what, query) = link.split_once('?').ok_or(INCOMPLETE)?;
    if !what.trim_end_matches('/').eq_ignore_ascii_case("provision") {
        return Err(INCOMPLETE);
    }
    let at = if query.starts_with("url=") { 0 } else { query.find("&url=").ok_or(INCOMPLETE)? + 1 };
    let url = &query[at + "url=".len()..];
    // Written as it is, an address goes to the end: what looks like another field is its own.
    if url.contains("://") {
        return Link::to(url.to_owned());
    }
    Link::to(unescape(url.split('&').next().unwrap_or_default()).into_owned())
}

impl Link {
    fn to(url: String) -> Result<Self, Unusable> {
        let url = Secret::new(url);
        let host = web::host(url.expose()).map_err(Unusable::Link)?;
        Ok(Self { url, host })
    }

    /// Whom to ask, with whatever the link says for a token.
    pub const fn url(&self) -> &Secret<String> {
        &self.url
    }

    /// The server's name, to be shown before it is asked.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What is made of the answer.
    ///
    /// # Errors
    /// [`Unusable`]: show its sentence.
    pub fn answered(&self, answer: Answer<'_>) -> Result<Proposal, Unusable> {
        if answer.body.len() > MAX_DOCUMENT {
            return Err(Unreadable::TooLong.into());
        }
        let text = str::from_utf8(answer.body).map_err(|_| Unusable::NotText)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') {
            return Err(Unusable::Page);
        }
        let kind = answer.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
            return Err(if kind == "text/html" { Unusable::Page } else { Unusable::NotJson });
        }
        Proposal::of_json(text, Some(self.host.clone()))
    }
}

impl Proposal {
    fn of_json(text: &str, from: Option<String>) -> Result<Self, Unusable> {
        let (document, secrets) = Document::read(text)?;
        Self::made(document, secrets, from)
    }

    fn of(form: Form, from: Option<String>) -> Result<Self, Unusable> {
        let (document, secrets) = form.part();
        Self::made(document, secrets, from)
    }

    fn made(mut document: Document, secrets: Secrets, from: Option<String>) -> Result<Self, Unusable> {
        let (provider, default) = document.take_offer();
        let proposal = Self { document, secrets, provider, default, from };
        // A stranger names no file of ours.
        let form = proposal.document.form();
        let named = [("tls_ca", &form.tls_ca), ("tls_certificate", &form.tls_certificate)];
        let named = named.into_iter().filter_map(|(field, pem)| Some((field, pem.as_ref()?)));
        let signers = form.stir_certificates.iter().map(|signer| ("stir_certificates", &signer.file));
        let anchors = form.stir.iter().flat_map(|it| &it.anchors).map(|pem| ("stir.anchors", pem));
        for (field, pem) in named.chain(signers).chain(anchors) {
            if !pem.as_str().trim_start().starts_with("-----BEGIN ") {
                return Err(BadField::new(field, "it is no certificate in PEM").into());
            }
        }
        if proposal.password().is_some_and(|it| it.expose().chars().any(is_hidden)) {
            return Err(BadField::new("password", "it has characters that nobody can type").into());
        }
        let account = proposal.document.account(&proposal.secrets)?;
        if account.uri.view().user.is_none_or(str::is_empty) {
            return Err(Unusable::Nobody);
        }
        proposal.document.provider(&proposal.secrets)?;
        Ok(proposal)
    }

    /// What a person must know before taking it, the gravest first.
    pub fn notices(&self, surroundings: &Surroundings<'_>) -> Vec<Notice> {
        notices(self, surroundings)
    }

    /// The account as it would be, without its secrets.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The password is in it: nobody need type one.
    pub const fn password(&self) -> Option<&Secret<String>> {
        match &self.secrets.password {
            Some(password) => Some(&password.0),
            None => None,
        }
    }

    /// One that a person has typed, in place of what came with it.
    pub fn set_password(&mut self, password: Secret<String>) {
        self.secrets.password = Some(Hidden(password));
    }

    pub(crate) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Who says to hand it out; nobody has checked that.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_ref().map(Text::as_str)
    }

    /// The server that it was fetched from; `None`: it was all in the text.
    pub fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }

    /// Calls are to go by it unless said otherwise.
    pub const fn wants_default(&self) -> bool {
        self.default
    }

    /// What to call it until the person does otherwise.
    pub fn name(&self) -> String {
        let form = self.document.form();
        let named = form.name.as_ref().or(self.provider.as_ref()).map(ToString::to_string);
        named
            .or_else(|| form.uri.as_ref().map(|uri| uri.to_string().replacen("sip:", "", 1)))
            .unwrap_or_default()
    }

    /// The account, to be kept. What this program does not know of it is left out.
    pub fn take(self) -> (Document, Secrets) {
        (self.document.without_unknown(), self.secrets)
    }
}

/// Not what is in it.
impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proposal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Result<String, Unusable> {
        match Offered::read(text)? {
            Offered::Link(link) => Ok(link.url().expose().clone()),
            Offered::Account(_) => panic!("{text}"),
        }
    }

    fn answered(content_type: Option<&str>, body: &[u8]) -> Result<Proposal, Unusable> {
        let Ok(Offered::Link(link)) = Offered::read("https://prov.test/a?token=hush") else {
            panic!("a link")
        };
        assert!(!format!("{link:?}").contains("hush"));
        link.answered(Answer { content_type, body })
    }

    const ACCOUNT: &str = r#"{"offhook":1,"uri":"sip:1001@h.test","password":"hush","shoe":9}"#;

    #[test]
    fn a_link_is_plain_or_inside_one_of_ours() {
        let plain = "https://prov.test/a?user=1&token=x";
        for text in [
            plain,
            " https://prov.test/a?user=1&token=x\n",
            "offhook:provision?url=https%3A%2F%2Fprov.test%2Fa%3Fuser%3D1%26token%3Dx",
            "OFFHOOK:provision?url=https://prov.test/a?user=1&token=x",
            "offhook://provision/?v=1&url=https%3a%2f%2fprov.test%2fa%3fuser%3d1%26token%3dx&z=1",
        ] {
            assert_eq!(link(text).as_deref(), Ok(plain), "{text}");
        }
    }

    #[test]
    fn a_link_by_which_others_could_read_or_change_the_account_is_refused_in_words() {
        for text in
            ["http://prov.test/a?token=hush", "offhook:provision?url=http%3A%2F%2Fprov.test%2F%3Fhush"]
        {
            let told = link(text).unwrap_err().to_string();
            assert!(told.contains("anybody on the way") && !told.contains("hush"), "{told}");
        }
        for text in [
            "offhook:provision",
            "offhook:call?url=https://h.test",
            "offhook:provision?url=file:///etc/passwd",
            "offhook:provision?url=",
            "ftp://h.test/a",
            "https://user:hush@h.test/",
            "https://h.test/\u{202e}",
        ] {
            assert!(matches!(link(text), Err(Unusable::Link(_))), "{text}");
        }
        for text in ["", "1001", "tel:112", "WIFI:S:x;P:hush;;", "BEGIN:VCARD", "<sip:a@b.test"] {
            assert_eq!(Offered::read(text).unwrap_err(), Unusable::Unknown, "{text}");
        }
        assert!(Offered::read(&"x".repeat(MAX_DOCUMENT + 1)).is_err());
    }

    #[test]
    fn what_a_link_leads_to_must_say_that_it_is_json_and_be_an_account() {
        let proposal = answered(Some("application/json; charset=utf-8"), ACCOUNT.as_bytes()).unwrap();
        assert_eq!((proposal.from(), proposal.name().as_str()), (Some("prov.test"), "1001@h.test"));
        assert!(answered(Some("application/vnd.offhook+json"), ACCOUNT.as_bytes()).is_ok());
        assert!(answered(Some("APPLICATION/JSON"), format!("\u{feff}{ACCOUNT}").as_bytes()).is_ok());
        let refused = |kind, body: &[u8]| answered(kind, body).unwrap_err();
        assert_eq!(refused(None, ACCOUNT.as_bytes()), Unusable::NotJson);
        assert_eq!(refused(Some("text/plain"), ACCOUNT.as_bytes()), Unusable::NotJson);
        assert_eq!(refused(Some("text/html"), b"login"), Unusable::Page);
        assert_eq!(refused(Some("application/json"), b"<!doctype html>"), Unusable::Page);
        assert_eq!(refused(Some("application/json"), b"\xff\xfe"), Unusable::NotText);
        assert!(matches!(refused(Some("application/json"), b"{}"), Unusable::Document(_)));
    }

    #[test]
    fn an_account_is_taken_with_its_secrets_and_without_what_is_not_known() {
        let (document, secrets) = answered(Some("application/json"), ACCOUNT.as_bytes()).unwrap().take();
        assert!(!document.to_json().contains("shoe"));
        let account = document.account(&secrets).unwrap();
        assert_eq!(
            (account.uri.to_string().as_str(), &**account.password.expose()),
            ("sip:1001@h.test", "hush")
        );
    }

    #[test]
    fn an_account_that_could_not_be_used_is_not_even_shown() {
        for (more, why) in [
            (r#""encryption":"vos","transport":"tls""#, "transport: VOS"),
            (r#""tls_ca":"/etc/passwd""#, "tls_ca: it is no certificate"),
            (r#""stir":{"anchors":["/etc/passwd"]}"#, "stir.anchors: it is no certificate"),
            (r#""stir":{"hosts":["https://cr.test"]}"#, "stir.hosts: a host is written as"),
            (r#""nat":{"turn":{"uri":"turn:r.test","user":"u"}}"#, "password is missing"),
            (r#""balance":{"url":"http://b.test/{password}"}"#, "balance.url: "),
            (r#""dial_plan":[{"fits":"("}]"#, "dial_plan: rule 1"),
            (r#""password":"a\u0000b""#, "password: "),
        ] {
            let text = format!(r#"{{"offhook":1,"uri":"sip:1001@h.test",{more}}}"#);
            let told = Offered::read(&text).unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        }
        let nobody = Offered::read(r#"{"offhook":1,"uri":"sip:h.test"}"#).unwrap_err();
        assert_eq!(nobody, Unusable::Nobody);
    }

    #[test]
    fn nothing_of_a_proposal_is_in_what_is_printed_of_it() {
        let Ok(Offered::Account(proposal)) = Offered::read("sip:1001:hush@h.test;transport=tls") else {
            panic!("an account")
        };
        assert_eq!(proposal.password().map(|it| &**it.expose()), Some("hush"));
        assert!(!format!("{proposal:?} {:?}", proposal.secrets()).contains("hush"));
        assert!(proposal.notices(&Surroundings::default()).iter().all(|it| !it.to_string().contains("hush")));
    }
}
