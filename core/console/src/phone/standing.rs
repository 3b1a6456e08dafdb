//! One account as it is run: the phone's, and who is asked and trusted beside it.
//!
//! From a settings file, where certificates may be files' names, or from what is stored, where they are not.

use std::fs;

use account::words::Hidden;
use account::{BadField, Document, Form, Secrets};
use base::{ClientCertificate, Secret};
use offhook_io::{Trust, Unusable, client_certificate};
use phone::Account;
use sip::ua::TransportPolicy;

use crate::config::parts::NOT_IN_THIS_BUILD;
use crate::failure::Failure;
#[cfg(feature = "rest")]
use offhook_io::balance::Provider;

#[cfg(feature = "rest")]
pub(crate) use offhook_io::Service;

/// None in this build.
#[cfg(not(feature = "rest"))]
#[derive(Debug)]
pub(crate) enum Service {}

/// An account, and what is run for it.
pub(crate) struct Standing {
    pub(crate) account: Account,
    /// Who hands out its relays.
    pub(crate) service: Option<Service>,
    /// Who is asked what is left, and more.
    #[cfg(feature = "rest")]
    pub(crate) provider: Option<Provider>,
    /// Whose certificates are accepted beside those whom the platform trusts, by the servers' names.
    pub(crate) authorities: Vec<(String, Trust)>,
}

/// Where certificates and keys may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// As text, or in a file of that name.
    Anywhere,
    /// As text: a name would be a stranger's.
    Inside,
}

impl Standing {
    /// Of a settings file.
    pub(crate) fn of_form(mut form: Form) -> Result<Self, Failure> {
        if form.uri.is_none() {
            return Err(Failure::Usage(
                "which account? give --uri, or --config with `uri` under [account], or --data with a stored one"
                    .into(),
            ));
        }
        let sentence = |failure| match failure {
            // They stand beside the account as a rule.
            NotMade::Field(bad) if ["balance.", "nat."].iter().any(|it| bad.field.starts_with(it)) => {
                Failure::Usage(bad.to_string())
            }
            NotMade::Field(bad) => Failure::Usage(format!("[account] {bad}")),
            NotMade::File(sentence) => Failure::Usage(sentence),
        };
        inline(&mut form).map_err(sentence)?;
        let (document, secrets) = form.part();
        Self::made(&document, &secrets, Kept::Anywhere).map_err(sentence)
    }

    /// Of what is stored.
    pub(crate) fn of(document: &Document, secrets: &Secrets) -> Result<Self, String> {
        Self::made(document, secrets, Kept::Inside).map_err(|failure| match failure {
            NotMade::Field(bad) => bad.to_string(),
            NotMade::File(sentence) => sentence,
        })
    }

    fn made(document: &Document, secrets: &Secrets, kept: Kept) -> Result<Self, NotMade> {
        let form = document.form();
        let mut account = document.account(secrets)?;
        if account.connection.pin.is_some() && !cfg!(feature = "tls") {
            return Err(bad("tls_pin", format!("it is {NOT_IN_THIS_BUILD}")));
        }
        if let TransportPolicy::Only(transport) = account.transport
            && transport.is_secure()
            && !cfg!(feature = "tls")
        {
            return Err(bad("transport", format!("`{transport}` is {NOT_IN_THIS_BUILD}")));
        }
        account.connection.certificate = shown(form, secrets, kept)?;
        #[cfg(feature = "rest")]
        let provider = document.provider(secrets)?;
        let service = service(document, secrets)?;
        let mut authorities = Vec::new();
        if let Some(ca) = &form.tls_ca {
            let (name, pem) = pem("tls_ca", ca.as_str(), kept)?;
            let trust =
                Trust::authority(pem.expose()).map_err(|error| NotMade::File(format!("{name}: {error}")))?;
            #[cfg_attr(not(feature = "rest"), expect(unused_mut, reason = "there are no others"))]
            let mut hosts = offhook_io::servers_of(&account);
            #[cfg(feature = "rest")]
            hosts.extend(service.iter().map(|service| service.host().to_owned()));
            #[cfg(feature = "rest")]
            hosts.extend(provider.iter().flat_map(offhook_io::provider_hosts));
            authorities.extend(hosts.into_iter().map(|host| (host, trust.clone())));
        }
        Ok(Self {
            account,
            service,
            #[cfg(feature = "rest")]
            provider,
            authorities,
        })
    }

    /// Whose certificates it accepts. `platform`: what all accounts share of whom the platform trusts.
    #[cfg(feature = "rest")]
    pub(crate) fn trusts(&self, platform: &offhook_io::Trusts) -> offhook_io::Trusts {
        let mut trusts = platform.clone();
        self.authorities.iter().for_each(|(host, trust)| trusts.set(host, trust.clone()));
        trusts
    }
}

/// Why an account cannot be run.
enum NotMade {
    Field(BadField),
    File(String),
}

impl From<BadField> for NotMade {
    fn from(bad: BadField) -> Self {
        Self::Field(bad)
    }
}

fn bad(field: &str, why: impl ToString) -> NotMade {
    NotMade::Field(BadField { field: field.to_owned(), why: why.to_string() })
}

#[cfg(feature = "rest")]
fn service(document: &Document, secrets: &Secrets) -> Result<Option<Service>, NotMade> {
    let Some(named) = document.relay_service(secrets) else { return Ok(None) };
    let made = Service::new(named.url.expose().clone(), named.token);
    made.map(Some).map_err(|error| bad("nat.turn", error))
}

#[cfg(not(feature = "rest"))]
fn service(document: &Document, secrets: &Secrets) -> Result<Option<Service>, NotMade> {
    match document.relay_service(secrets) {
        Some(_) => Err(bad("nat.turn", format!("a service is {NOT_IN_THIS_BUILD}"))),
        None => Ok(None),
    }
}

/// Puts what files hold in place of their names, where it is said whose signatures are believed: an account has the text.
fn inline(form: &mut Form) -> Result<(), NotMade> {
    let signers = form.stir_certificates.iter_mut().map(|it| ("stir_certificates", &mut it.file));
    let anchors = form.stir.iter_mut().flat_map(|it| &mut it.anchors).map(|it| ("stir.anchors", it));
    for (field, text) in signers.chain(anchors) {
        let (name, read) = pem(field, text.as_str(), Kept::Anywhere)?;
        let read = String::from_utf8_lossy(read.expose()).into_owned();
        *text = read.parse().map_err(|why| bad(field, format!("{name}: {why}")))?;
    }
    Ok(())
}

/// What is shown to a server that asks who connects.
fn shown(form: &Form, secrets: &Secrets, kept: Kept) -> Result<Option<ClientCertificate>, NotMade> {
    let (Some(certificate), Some(Hidden(key))) = (&form.tls_certificate, &secrets.tls_key) else {
        return Ok(None);
    };
    let (name, chain) = pem("tls_certificate", certificate.as_str(), kept)?;
    let (key_name, key) = pem("tls_key", key.expose(), kept)?;
    client_certificate(chain.expose(), key.expose()).map(Some).map_err(|why| {
        let of = if why == Unusable::Certificate { name } else { key_name };
        NotMade::File(format!("{of}: {why}"))
    })
}

/// What it is called in a sentence, and what it holds: the text itself, or the file that it names.
fn pem(field: &str, text: &str, kept: Kept) -> Result<(String, Secret<Vec<u8>>), NotMade> {
    if kept == Kept::Inside || text.trim_start().starts_with("-----BEGIN ") {
        return Ok((field.to_owned(), Secret::new(text.as_bytes().to_vec())));
    }
    let read = fs::read(text).map_err(|error| NotMade::File(format!("{text}: cannot be read: {error}")))?;
    Ok((text.to_owned(), Secret::new(read)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(config: &str) -> Result<Standing, String> {
        let form: Form = toml::from_str(&format!("uri = \"sip:1001@offhook.test\"\n{config}")).unwrap();
        Standing::of_form(form).map_err(|failure| failure.to_string())
    }

    #[cfg(feature = "tls")]
    #[test]
    fn whose_signatures_are_believed_may_stand_in_files_and_what_is_wrong_with_them_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let pem = rcgen::generate_simple_self_signed(vec!["carrier.test".to_owned()]).unwrap().cert.pem();
        let (good, bad) = (write("good.pem", &pem), write("bad.pem", "hello"));
        let stir = |file: &str| {
            format!("stir_certificates = [{{ file = \"{file}\" }}]\nstir = {{ anchors = [\"{file}\"] }}")
        };
        let stir_of = |file: &str| made(&stir(file)).map(|standing| standing.account.stir);
        let found = stir_of(&good).unwrap();
        assert!(found.signers.len() == 1 && !found.anchors.is_empty() && found.places.is_empty());
        for (file, told) in
            [(&*bad, "stir.anchors: it is no certificate"), ("/nowhere.pem", "/nowhere.pem: cannot be read")]
        {
            let why = stir_of(file).unwrap_err();
            assert!(why.contains(told), "{why}");
        }
    }
}
