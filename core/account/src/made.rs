//! A document made into what the phone and its runtime take.
//!
//! Whether its fields go together is judged here; each alone was judged when it was read.

use balance::Provider;
use base::{Redacted, Secret, Transport};
use numbers::{Plan, Rule};
use phone::{Account, Anchors, CallerId, Connection, Encryption, Nat, Place, Push, Signer, Stir, Tcp, Vos};
use sip::message::Uri;
use sip::ua::TransportPolicy;

use crate::Secrets;
use crate::document::{BadField, Document};
use crate::form::{CallerIdForm, Form, NatForm, PushForm, RuleForm, SignerForm, StirForm};
use crate::words::{Hidden, Text};

/// For how long a registration may be asked, in seconds: a week.
const LONGEST_REGISTRATION: u32 = 604_800;

/// The longest that a push service knows a phone by, in bytes: it goes with every registration.
pub const LONGEST_PRID: usize = 1024;

/// Who hands out the account's relays. Its address may hold a key.
#[derive(Clone, Debug)]
pub struct RelayService {
    /// Where it is.
    pub url: Secret<String>,
    /// What it is shown.
    pub token: Option<Secret<String>>,
}

impl Document {
    /// The phone's account. The certificate that it shows is the runtime's to read: [`Form::tls_certificate`].
    ///
    /// # Errors
    /// [`BadField`]: show its sentence.
    pub fn account(&self, secrets: &Secrets) -> Result<Account, BadField> {
        let mut form = self.form().clone();
        form.join(secrets);
        made(form, secrets)
    }

    /// The address of record.
    ///
    /// # Errors
    /// [`BadField`]: it has none.
    pub fn uri(&self) -> Result<&Uri, BadField> {
        self.form().uri.as_ref().map(|uri| &uri.0).ok_or_else(no_uri)
    }

    /// How it wants numbers.
    ///
    /// # Errors
    /// [`BadField`]: show its sentence.
    pub fn dial_plan(&self) -> Result<Plan, BadField> {
        plan(&self.form().dial_plan)
    }

    /// What its provider can be asked: what is left, and more; `None`: nothing.
    ///
    /// # Errors
    /// [`BadField`]: show its sentence.
    pub fn provider(&self, secrets: &Secrets) -> Result<Option<Provider>, BadField> {
        let mut form = self.form().clone();
        form.join(secrets);
        form.balance.map(|it| it.provider().map_err(|bad| bad.within("balance"))).transpose()
    }

    /// Who hands out its relays, where they are not named.
    pub fn relay_service(&self, secrets: &Secrets) -> Option<RelayService> {
        let mut form = self.form().clone();
        form.join(secrets);
        let service = form.nat?.turn.service?;
        Some(RelayService { url: service.service.0.clone(), token: service.token.map(|it| it.0) })
    }
}

fn no_uri() -> BadField {
    BadField::new("uri", "an account needs an address, such as sip:1001@sip.example.com")
}

fn made(form: Form, secrets: &Secrets) -> Result<Account, BadField> {
    let uri = form.uri.ok_or_else(no_uri)?.0;
    let mut account = Account::new(uri, secret(form.password).unwrap_or_default());
    account.proxy = form.proxy.map(|uri| uri.0);
    account.auth_user = form.auth_user.map(|it| Redacted::new(it.into_inner()));
    account.display_name = form.display_name.map(|it| Redacted::new(it.into_inner()));
    account.push = form.push.map(push).transpose()?.flatten();
    account.voicemail = form.voicemail.unwrap_or(false);
    account.mailbox = form.mailbox.map(|it| Redacted::new(it.into_inner()));
    account.publish_presence = form.publish_presence.unwrap_or(false);
    account.dial_plan = plan(&form.dial_plan)?;
    account.emergency = form.emergency.unwrap_or(false);
    account.caller_id = caller_id(form.caller_id)?;
    account.stir = stir(&form.stir_certificates, form.stir.unwrap_or_default())?;
    account.register = form.register.unwrap_or(account.register);
    account.late_offer = form.late_offer.unwrap_or(false);
    account.expires = match form.expires {
        Some(0) => return Err(BadField::new("expires", "nobody registers for no time")),
        Some(seconds) if seconds > LONGEST_REGISTRATION => {
            return Err(BadField::new("expires", "a registration lasts a week at most: 604800 seconds"));
        }
        Some(seconds) => seconds,
        None => account.expires,
    };
    account.session_expires = form.session_expires.map_or(account.session_expires, |timer| timer.0);
    account.codecs = form.codecs.map_or(account.codecs, |codecs| codecs.0);
    account.digits = form.dtmf.map_or(account.digits, |dtmf| dtmf.0);
    account.media_encryption = form.srtp.map_or(account.media_encryption, |srtp| srtp.0);
    account.media_encryption_by = form.srtp_keys.map_or(account.media_encryption_by, |by| by.0);
    account.sdes_in_clear = form.sdes_in_clear.unwrap_or(false);
    account.nat = form.nat.map(nat).transpose()?.unwrap_or_default();
    account.silence_suppression = form.silence_suppression.unwrap_or(false);
    account.keepalive = form.keepalive.map_or(account.keepalive, |name| name.0);
    account.networks = form.networks.map_or(account.networks, |name| name.0);
    account.reliable_provisional = form.reliable_provisional.map_or(account.reliable_provisional, |it| it.0);
    account.connection = Connection {
        pin: form.tls_pin.map(|pin| pin.0),
        certificate: None,
        path: form.ws_path.map(crate::words::Text::into_inner).unwrap_or_default(),
    };
    if form.tls_certificate.is_some() != secrets.tls_key.is_some() {
        return Err(BadField::new("tls_certificate", "it needs its tls_key, and the reverse"));
    }
    let transport = form.transport.and_then(|name| name.0);
    match (form.encryption.is_some_and(|it| it.0), form.vos) {
        (true, vos) => {
            // Datagrams only, and never anything else.
            if transport.is_some_and(|transport| transport != Transport::Udp) {
                return Err(BadField::new("transport", "VOS encryption goes by UDP only"));
            }
            let vos = vos.unwrap_or_default();
            account.encryption = Encryption::Vos(Vos {
                id: vos.id.map(|it| Redacted::new(it.into_inner())),
                key: secret(vos.key),
                media: vos.media.unwrap_or_default().0,
            });
        }
        (false, None) => {}
        (false, Some(_)) => return Err(BadField::new("vos", "it needs encryption = \"vos\"")),
    }
    account.transport = transport.map_or(account.transport, TransportPolicy::Only);
    Ok(account)
}

fn secret(hidden: Option<Hidden>) -> Option<Secret<String>> {
    hidden.map(|it| it.0)
}

fn nat(form: NatForm) -> Result<Nat, BadField> {
    let udp = form.udp.unwrap_or(true);
    let without = || BadField::new("nat.turn", "a relay's password is missing");
    let turn = form.turn.relays.iter().map(|relay| relay.relay().ok_or_else(without));
    Ok(Nat {
        ice: form.ice.unwrap_or(true),
        turn: turn.collect::<Result<_, _>>()?,
        stun: form.stun.0,
        udp,
        tcp_punch: match form.tcp_punch {
            Some(false) => Tcp::Never,
            Some(true) if !udp => Tcp::Always,
            Some(true) | None => Tcp::IfBlocked,
        },
    })
}

fn caller_id(form: Option<CallerIdForm>) -> Result<CallerId, BadField> {
    let Some(form) = form else { return Ok(CallerId::default()) };
    if form.number.as_ref().is_some_and(|number| !phone::is_number(number.as_str())) {
        return Err(BadField::new("caller_id", "a number is digits, with a + before them or not"));
    }
    Ok(CallerId {
        number: form.number.map(|it| Redacted::new(it.into_inner())),
        carry: form.carry.into_iter().map(|name| name.0).collect(),
        hide: form.hide,
    })
}

/// `None`: the phone has not said yet what the service knows it by.
fn push(form: PushForm) -> Result<Option<Push>, BadField> {
    let Some(provider) = form.provider.map(Text::into_inner) else {
        return Err(BadField::new("push.provider", "by which service? fcm, apns or webpush"));
    };
    let is_word = |it: u8| it.is_ascii_alphanumeric() || b".-".contains(&it);
    if provider.is_empty() || !provider.bytes().all(is_word) {
        return Err(BadField::new("push.provider", "a service is one word, such as fcm, apns or webpush"));
    }
    if form.prid.as_ref().is_some_and(|prid| prid.0.expose().len() > LONGEST_PRID) {
        return Err(BadField::new("push.prid", "it is longer than 1024 bytes"));
    }
    let param = form.param.map(Text::into_inner);
    Ok(form.prid.map(|prid| Push { provider, param, prid: prid.0 }))
}

fn stir(signers: &[SignerForm], form: StirForm) -> Result<Stir, BadField> {
    let signer = |it: &SignerForm| {
        let read = Signer::read(it.file.as_str().as_bytes(), it.url.as_ref().map(ToString::to_string));
        read.map_err(|why| BadField::new("stir_certificates", why))
    };
    let mut anchors = Anchors::default();
    for pem in &form.anchors {
        let read = Anchors::read(pem.as_str().as_bytes());
        anchors = anchors.and(&read.map_err(|why| BadField::new("stir.anchors", why))?);
    }
    let place = |it: &Text| {
        let read = it.as_str().parse::<Place>();
        read.map_err(|_| BadField::new("stir.hosts", "a host is written as HOST or HOST:PORT"))
    };
    Ok(Stir {
        signers: signers.iter().map(signer).collect::<Result<_, _>>()?,
        anchors,
        places: form.hosts.iter().map(place).collect::<Result<_, _>>()?,
    })
}

fn plan(rules: &[RuleForm]) -> Result<Plan, BadField> {
    let text = |it: &Option<crate::words::Text>| it.clone().map(crate::words::Text::into_inner);
    let rules = rules.iter().map(|rule| Rule {
        begins: rule.begins.as_str().to_owned(),
        fits: text(&rule.fits),
        length: rule.length.map(|[least, most]| (least, most)),
        strip: rule.strip,
        prefix: rule.prefix.as_str().to_owned(),
        replace: text(&rule.replace),
        go_on: rule.go_on,
    });
    Plan::new(rules.collect()).map_err(|error| BadField::new("dial_plan", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_woken_by_the_accounts_service_once_it_has_said_who_it_is_there() {
        let text = r#"{"offhook":1,"uri":"sip:a@b.test","push":{"provider":"fcm","param":"p"}}"#;
        let (document, mut secrets) = Document::read(text).unwrap();
        assert!(document.account(&secrets).unwrap().push.is_none());
        secrets.push_prid = Some(Hidden(Secret::new("token".into())));
        let push = document.account(&secrets).unwrap().push.unwrap();
        assert_eq!(
            (&*push.provider, push.param.as_deref(), &**push.prid.expose()),
            ("fcm", Some("p"), "token")
        );
        for (more, field) in [(r"{}", "push.provider"), (r#"{"provider":"a;b"}"#, "push.provider")] {
            let text = format!(r#"{{"offhook":1,"uri":"sip:a@b.test","push":{more}}}"#);
            let (document, secrets) = Document::read(&text).unwrap();
            assert_eq!(document.account(&secrets).unwrap_err().field, field);
        }
        secrets.push_prid = Some(Hidden(Secret::new("x".repeat(1025))));
        assert_eq!(document.account(&secrets).unwrap_err().field, "push.prid");
    }

    #[test]
    fn whose_signatures_are_believed_comes_with_their_keys_authorities_and_places() {
        let (document, secrets) = Document::read(include_str!("whole.json")).unwrap();
        let mut plain = document.form().clone();
        plain.encryption = None;
        plain.vos = None;
        plain.tls_pin = None;
        let stir = Document::of(plain).account(&secrets).unwrap().stir;
        let [signer] = &stir.signers[..] else { panic!("{stir:?}") };
        assert_eq!((signer.info.as_deref(), signer.key.len()), (Some("https://cert.example.com/1"), 65));
        assert!(!stir.anchors.is_empty());
        let places: Vec<_> = stir.places.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["cert.example.com", "cert.example.com:8443"]);
    }
}
