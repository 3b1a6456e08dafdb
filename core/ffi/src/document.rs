//! An account screen's settings as the account's document, and the document as the phone's account.
//!
//! The document is `core/account`'s, the same that the console keeps and a backup has. RFC 3261 section 19.1.1 for what may
//! stand in a URI. What is not on the screen stays in the document as it was. Knows nothing of where either is kept.

use std::str::FromStr;

use account::words::{
    CarryName, CodecName, Codecs, Dtmf, Hidden, NetworksName, Sealed, SipUri, Srtp, SrtpKeys, Text,
    TransportName,
};
use account::{BadField, CallerIdForm, Document, Form, NatForm, RuleForm, Secrets, Unreadable};
use offhook_io::numbers::Plan;
use phone::{Account, DigitsBy, Keepalive, KeysBy, NetworkPolicy, Server};

use crate::account::{
    AccountSettings, CallerIdSettings, DialRule, Encryption, KeypadBy, LONGEST, NetworkLimit, Transport,
};
use crate::certificate;
use crate::error::{BadSetting, Field, PhoneError};
use crate::media_encryption::{MediaEncryption, MediaKeys};
use crate::relay::{self, RelaySettings};

/// More digits than a number has: a rule's bound that bounds nothing.
const UNBOUNDED: usize = 255;

impl AccountSettings {
    /// As the screen shows a document.
    pub(crate) fn of(document: &Document) -> Self {
        let form = document.form();
        let text = |it: &Option<Text>| it.as_ref().map(ToString::to_string).unwrap_or_default();
        let said =
            |uri: &Option<SipUri>| uri.as_ref().and_then(|uri| uri.0.view().transport()).map(Transport::of);
        let transport = form.transport.and_then(|it| it.0).map(Transport::of);
        let user = form.uri.as_ref().and_then(|uri| uri.0.view().user.map(|it| it.replace("%23", "#")));
        let nat = form.nat.as_ref();
        let stun = nat.and_then(|nat| nat.stun.0.first());
        let codecs = form.codecs.iter().flat_map(|codecs| &codecs.0);
        Self {
            number: user.unwrap_or_default(),
            server: form.uri.as_ref().map(place).unwrap_or_default(),
            proxy: form.proxy.as_ref().map(place).unwrap_or_default(),
            auth_user: text(&form.auth_user),
            display_name: text(&form.display_name),
            transport: transport.or(said(&form.proxy)).or(said(&form.uri)).unwrap_or_default(),
            register: form.register.unwrap_or(true),
            ice: nat.and_then(|nat| nat.ice).unwrap_or(true),
            stun: stun.map(|it| format!("{}:{}", it.host, it.port)).unwrap_or_default(),
            publish_presence: form.publish_presence.unwrap_or(false),
            encryption: form.encryption.filter(|it| it.0).map(|_| Encryption::Vos),
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
            relays: nat.iter().flat_map(|nat| &nat.turn.relays).map(RelaySettings::of).collect(),
            codecs: codecs.map(|codec| CodecName(*codec).to_string()).collect(),
            keypad: match form.dtmf.map(|it| it.0).unwrap_or_default() {
                DigitsBy::Auto => None,
                DigitsBy::Events => Some(KeypadBy::Events),
                DigitsBy::Info => Some(KeypadBy::Info),
                DigitsBy::Tones => Some(KeypadBy::Tones),
            },
            dial_plan: form.dial_plan.iter().map(DialRule::of).collect(),
            caller_id: form.caller_id.as_ref().map(CallerIdSettings::of),
            networks: match form.networks.map_or(NetworkPolicy::Any, |it| it.0) {
                NetworkPolicy::Any => None,
                NetworkPolicy::AskRoaming => Some(NetworkLimit::AskRoaming),
                NetworkPolicy::WifiOnly => Some(NetworkLimit::WifiOnly),
            },
            media_udp: nat.and_then(|nat| nat.udp).unwrap_or(true),
            silence_suppression: form.silence_suppression.unwrap_or(false),
            voicemail: form.voicemail.unwrap_or(false),
            mailbox: text(&form.mailbox),
            emergency: form.emergency.unwrap_or(false),
            expires_s: form.expires,
        }
    }

    /// The document that these make of the one that was `before`, or of none.
    ///
    /// # Errors
    /// `BadSetting`: mark the field and say why. `TooLong`: more of something than anybody has.
    pub(crate) fn document(&self, before: Option<&Document>) -> Result<Document, PhoneError> {
        let empty = Document::default();
        let shown = before.map(Self::of);
        let before = before.unwrap_or(&empty);
        let mut form = before.form().clone();
        let is_another = |field: fn(&Self) -> &str| {
            shown.as_ref().is_none_or(|shown| field(shown).trim() != field(self).trim())
        };
        let moved = is_another(|it| &it.number) || is_another(|it| &it.server) || is_another(|it| &it.proxy);
        let by_another = shown.as_ref().is_none_or(|shown| shown.transport != self.transport);
        // An address may name its transport, too: it is written anew.
        if moved || by_another {
            form.uri = Some(self.uri()?);
            form.proxy = self.proxy()?;
        }
        if by_another || self.transport != Transport::Automatic {
            form.transport = self.transport.chosen().map(|it| TransportName(Some(it)));
        }
        form.auth_user = text(Field::AuthUser, &self.auth_user)?;
        form.display_name = text(Field::DisplayName, &self.display_name)?;
        form.mailbox = text(Field::Mailbox, &self.mailbox)?;
        put(&mut form.register, self.register, true);
        put(&mut form.publish_presence, self.publish_presence, false);
        put(&mut form.silence_suppression, self.silence_suppression, false);
        put(&mut form.voicemail, self.voicemail, false);
        put(&mut form.emergency, self.emergency, false);
        form.expires = self.expires_s;
        put(&mut form.encryption, Sealed(self.encryption.is_some()), Sealed(false));
        if self.encryption.is_some() {
            form.transport = None;
        } else {
            form.vos = None;
        }
        let srtp = match self.media_encryption {
            None => phone::MediaEncryption::Off,
            Some(MediaEncryption::Optional) => phone::MediaEncryption::Optional,
            Some(MediaEncryption::Required) => phone::MediaEncryption::Required,
        };
        put(&mut form.srtp, Srtp(srtp), Srtp(phone::MediaEncryption::Off));
        let keys = match self.media_keys {
            None => KeysBy::Both,
            Some(MediaKeys::Sdes) => KeysBy::Sdes,
            Some(MediaKeys::Dtls) => KeysBy::Dtls,
        };
        put(&mut form.srtp_keys, SrtpKeys(keys), SrtpKeys(KeysBy::Both));
        form.codecs = self.codecs()?;
        form.dtmf = self.keypad.map(|by| {
            Dtmf(match by {
                KeypadBy::Events => DigitsBy::Events,
                KeypadBy::Info => DigitsBy::Info,
                KeypadBy::Tones => DigitsBy::Tones,
            })
        });
        form.dial_plan = forms(&self.dial_plan)?;
        form.caller_id = self.caller_id.as_ref().map(CallerIdSettings::form).transpose()?;
        form.networks = self.networks.map(|limit| {
            NetworksName(match limit {
                NetworkLimit::AskRoaming => NetworkPolicy::AskRoaming,
                NetworkLimit::WifiOnly => NetworkPolicy::WifiOnly,
            })
        });
        let nat = form.nat.get_or_insert_default();
        nat.ice = Some(self.ice);
        put(&mut nat.udp, self.media_udp, true);
        if is_another(|it| &it.stun) {
            self.set_stun(nat)?;
        }
        if shown.as_ref().is_none_or(|shown| shown.relays != self.relays) {
            nat.turn.relays = relay::forms(&self.relays)?;
        }
        readable(before.with(form).0)
    }

    /// The address of record.
    fn uri(&self) -> Result<SipUri, PhoneError> {
        let number = self.number.trim();
        let number = number.strip_prefix("sip:").unwrap_or(number);
        let (user, host) = match number.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => (number, self.server.trim()),
        };
        for (field, text) in [(Field::Number, &self.number), (Field::Server, &self.server)] {
            sound(field, text)?;
        }
        if user.is_empty() {
            return Err(bad(Field::Number, BadSetting::Missing));
        }
        let host_field = if number.contains('@') { Field::Number } else { Field::Server };
        if host.is_empty() {
            return Err(bad(Field::Server, BadSetting::Missing));
        }
        let user: String = user.chars().filter(|c| *c != ' ').collect::<String>().replace('#', "%23");
        // Other scripts would have to be escaped, and nobody's account is named so.
        if !user.is_ascii() || SipUri::from_str(&format!("sip:{user}@offhook.invalid")).is_err() {
            return Err(bad(Field::Number, BadSetting::Unusable));
        }
        server(host, Some(&user)).ok_or_else(|| bad(host_field, BadSetting::Unusable))
    }

    /// The first hop, where it is not the address of record's own.
    fn proxy(&self) -> Result<Option<SipUri>, PhoneError> {
        sound(Field::Proxy, &self.proxy)?;
        let (field, text) = match (self.proxy.trim(), self.server.trim()) {
            // A whole address beside a server: the server is how to get there.
            ("", at) if self.number.contains('@') && !self.number.ends_with(&format!("@{at}")) => {
                (Field::Server, at)
            }
            ("", _) => return Ok(None),
            (proxy, _) => (Field::Proxy, proxy),
        };
        if text.is_empty() {
            return Ok(None);
        }
        server(text, None).map(Some).ok_or_else(|| bad(field, BadSetting::Unusable))
    }

    /// The screen has the first of several.
    fn set_stun(&self, nat: &mut NatForm) -> Result<(), PhoneError> {
        let typed = self.stun.trim();
        sound(Field::Stun, typed)?;
        if typed.is_empty() {
            nat.stun.0.clear();
            return Ok(());
        }
        let read = server_at(typed.strip_prefix("stun:").unwrap_or(typed));
        let (host, port) = read.ok_or_else(|| bad(Field::Stun, BadSetting::Unusable))?;
        let server = Server { host: in_brackets(host), port: port.unwrap_or(Server::STUN_PORT) };
        match nat.stun.0.first_mut() {
            Some(first) => *first = server,
            None => nat.stun.0.push(server),
        }
        Ok(())
    }

    fn codecs(&self) -> Result<Option<Codecs>, PhoneError> {
        let mut codecs = Vec::new();
        for name in &self.codecs {
            let CodecName(codec) = name.parse().map_err(|_| bad(Field::Codecs, BadSetting::Unusable))?;
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        Ok(Some(Codecs(codecs)).filter(|it| !it.0.is_empty()))
    }
}

impl Transport {
    /// Of WebSockets the screen knows whether they are under TLS, and as long as that stays they do.
    fn of(transport: base::Transport) -> Self {
        match transport {
            base::Transport::Udp => Self::Udp,
            base::Transport::Tcp => Self::Tcp,
            base::Transport::Tls => Self::Tls,
            base::Transport::Ws | base::Transport::Wss => Self::Automatic,
        }
    }

    const fn chosen(self) -> Option<base::Transport> {
        match self {
            Self::Automatic => None,
            Self::Udp => Some(base::Transport::Udp),
            Self::Tcp => Some(base::Transport::Tcp),
            Self::Tls => Some(base::Transport::Tls),
        }
    }
}

impl DialRule {
    fn of(rule: &RuleForm) -> Self {
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let [least, most] = rule.length.unwrap_or([0, UNBOUNDED]);
        Self {
            begins: rule.begins.to_string(),
            fits: rule.fits.as_ref().map(ToString::to_string).unwrap_or_default(),
            least: Some(number(least)).filter(|_| least > 0),
            most: Some(number(most)).filter(|_| most < UNBOUNDED),
            strip: number(rule.strip),
            prefix: rule.prefix.to_string(),
            replace: rule.replace.as_ref().map(ToString::to_string),
            go_on: rule.go_on,
        }
    }

    fn form(&self) -> Result<RuleForm, PhoneError> {
        let length = [self.least.map_or(0, |it| it as usize), self.most.map_or(UNBOUNDED, |it| it as usize)];
        let text = |it: &str| text(Field::DialPlan, it);
        // Empty is something else than none: it leaves nothing of the number.
        let replace = self.replace.as_deref().map(|it| Ok::<_, PhoneError>(text(it)?.unwrap_or_default()));
        Ok(RuleForm {
            begins: text(&self.begins)?.unwrap_or_default(),
            fits: text(&self.fits)?,
            length: Some(length).filter(|it| *it != [0, UNBOUNDED]),
            strip: self.strip as usize,
            prefix: text(&self.prefix)?.unwrap_or_default(),
            replace: replace.transpose()?,
            go_on: self.go_on,
        })
    }
}

impl CallerIdSettings {
    fn of(form: &CallerIdForm) -> Self {
        Self {
            number: form.number.as_ref().map(ToString::to_string).unwrap_or_default(),
            carry: form.carry.iter().map(|it| it.0).collect(),
            hide: form.hide,
        }
    }

    fn form(&self) -> Result<CallerIdForm, PhoneError> {
        let mut carry: Vec<_> = self.carry.clone();
        carry.sort_unstable();
        carry.dedup();
        let number = text(Field::CallerId, &self.number)?;
        Ok(CallerIdForm { number, carry: carry.into_iter().map(CarryName).collect(), hide: self.hide })
    }
}

/// The phone's account, with what of it is secret.
///
/// # Errors
/// `BadSetting`: mark the field and say why.
pub(crate) fn account(document: &Document, secrets: &Secrets) -> Result<Account, PhoneError> {
    if secrets.password.as_ref().is_some_and(|it| it.0.expose().len() > LONGEST) {
        return Err(bad(Field::Password, BadSetting::TooLong));
    }
    let account = made(document, secrets)?;
    if account.is_sealed() && account.password.expose().is_empty() {
        return Err(bad(Field::Password, BadSetting::Missing));
    }
    Ok(account)
}

/// The phone's account as far as whom it calls goes, and who is known there: without its secrets.
///
/// # Errors
/// `BadSetting`: as for [`account()`].
pub(crate) fn caller(document: &Document) -> Result<Account, PhoneError> {
    made(document, &Secrets::default())
}

fn made(document: &Document, secrets: &Secrets) -> Result<Account, PhoneError> {
    let mut form = document.form().clone();
    let nat = form.nat.get_or_insert_default();
    // A relay whose password is not known is left out, where the document's own reading refuses the account.
    let named = std::mem::take(&mut nat.turn.relays);
    let shown = form.tls_certificate.take();
    let in_a_pocket = form.keepalive.is_none();
    let own = Secrets { tls_key: None, ..secrets.clone() };
    let mut account = document.with(form).0.account(&own).map_err(of_field)?;
    if in_a_pocket {
        account.keepalive = Keepalive::Thrifty;
    }
    account.nat.turn = relay::relays(&named, &secrets.relays);
    // One that cannot be read is shown no more than one that never was: the server will say so.
    account.connection.certificate = shown
        .zip(secrets.tls_key.as_ref())
        .and_then(|(chain, Hidden(key))| certificate::shown(chain.as_str(), key));
    Ok(account)
}

/// A plan that is being typed.
///
/// # Errors
/// `BadSetting`: mark the field and say why.
pub(crate) fn plan(rules: &[DialRule]) -> Result<Plan, PhoneError> {
    let form = Form { dial_plan: forms(rules)?, ..Form::default() };
    Document::default().with(form).0.dial_plan().map_err(of_field)
}

fn forms(rules: &[DialRule]) -> Result<Vec<RuleForm>, PhoneError> {
    rules.iter().map(DialRule::form).collect()
}

/// Where the account's server is: another one is another server.
pub(crate) fn is_at_the_same(one: &Document, other: &Document) -> bool {
    let at = |it: &Document| [&it.form().uri, &it.form().proxy].map(|uri| uri.as_ref().map(place));
    at(one) == at(other)
}

/// `1001@sip.example.com`: what an account is called until the person does otherwise.
pub(crate) fn address(document: &Document) -> String {
    let Ok(uri) = document.uri() else { return String::new() };
    let uri = uri.view();
    format!("{}@{}", uri.user_decoded(), uri.host)
}

/// The document, if it can be read again once it is kept.
///
/// # Errors
/// `TooLong`: it is more than any account's. `BadSetting`: as for [`account()`].
pub(crate) fn readable(document: Document) -> Result<Document, PhoneError> {
    match Document::read(&document.to_json()) {
        Ok(_) => Ok(document),
        Err(Unreadable::Field(bad)) => Err(of_field(bad)),
        Err(_) => Err(PhoneError::TooLong),
    }
}

/// Which field of the screen it is.
pub(crate) fn of_field(bad: BadField) -> PhoneError {
    let field = match bad.field.as_str() {
        "uri" => Field::Number,
        "proxy" => Field::Proxy,
        "auth_user" => Field::AuthUser,
        "display_name" => Field::DisplayName,
        "mailbox" => Field::Mailbox,
        "password" | "vos.key" => Field::Password,
        "nat.stun" => Field::Stun,
        "nat.turn" => Field::Relay,
        "codecs" => Field::Codecs,
        "dial_plan" => Field::DialPlan,
        "caller_id" => Field::CallerId,
        "expires" => Field::Expires,
        name if name.starts_with("balance") => Field::Balance,
        _ => {
            return PhoneError::BadSetting {
                field: Field::Other,
                why: BadSetting::Unusable,
                sentence: bad.to_string(),
            };
        }
    };
    PhoneError::BadSetting { field, why: BadSetting::Unusable, sentence: bad.why }
}

pub(crate) fn bad(field: Field, why: BadSetting) -> PhoneError {
    PhoneError::BadSetting { field, why, sentence: why.to_string() }
}

/// A server as typed, to its name or bare address and its port.
pub(crate) fn server_at(typed: &str) -> Option<(String, Option<u16>)> {
    let uri = server(typed, None)?;
    let uri = uri.0.view();
    Some((uri.host.to_string().trim_matches(['[', ']']).to_owned(), uri.port))
}

/// As a bare IPv6 address stands before a port.
pub(crate) fn in_brackets(host: String) -> String {
    if host.contains(':') { format!("[{host}]") } else { host }
}

/// A text without what nobody sees in it, that is no longer than any that works.
pub(crate) fn sound(field: Field, given: &str) -> Result<(), PhoneError> {
    if given.len() > LONGEST {
        return Err(bad(field, BadSetting::TooLong));
    }
    Text::<LONGEST>::from_str(given).map(drop).map_err(|_| bad(field, BadSetting::Unusable))
}

/// None: it is empty.
pub(crate) fn text(field: Field, given: &str) -> Result<Option<Text>, PhoneError> {
    let given = given.trim();
    sound(field, given)?;
    let text = given.parse().map_err(|_| bad(field, BadSetting::Unusable))?;
    Ok(Some(text).filter(|_| !given.is_empty()))
}

/// A server as typed, to a URI of it; none: it is no server.
fn server(typed: &str, user: Option<&str>) -> Option<SipUri> {
    let host = typed.strip_prefix("sip:").unwrap_or(typed);
    if host.is_empty() || !host.is_ascii() || host.contains(['@', ';', '?', ' ', '/', '<', '>', '"']) {
        return None;
    }
    // A bare IPv6 address is typed without its brackets.
    let host = match host.parse::<std::net::Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]"),
        Err(_) => host.to_owned(),
    };
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    format!("sip:{user}{host}").parse().ok()
}

/// `host:port`, or `host`.
fn place(uri: &SipUri) -> String {
    let uri = uri.0.view();
    let port = uri.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", uri.host)
}

/// What is as usual stays unwritten.
fn put<T: PartialEq>(slot: &mut Option<T>, value: T, usual: T) {
    if slot.as_ref().unwrap_or(&usual) != &value {
        *slot = Some(value);
    }
}

#[cfg(test)]
mod tests;
