//! The fields of an account as they are written down: in a document, in a provider's answer, in a settings file.
//!
//! A [`Form`] is what was read, secrets and all; [`Form::part`] takes them out of it. Everything in it is in bounds by itself;
//! whether its fields go together is [`crate::Document::account`]'s to say.

use std::collections::BTreeMap;

use phone::{Relay, RelayWay, Server};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::purse::BalanceForm;
use crate::words::{
    CarryName, Codecs, Dtmf, Hidden, KeepaliveName, Long, NetworksName, Pin, ReliableName, Sealed,
    SessionExpires, SipUri, Srtp, SrtpKeys, Text, TransportName, Version, VosSound, VosVersion, excerpt,
};
use crate::{Document, Secrets, web};

/// STUN servers and relays of one account, each, at most: a handful is asked.
const MOST_SERVERS: usize = 8;

/// An account as it is written down. Absent is what is as usual.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    /// The form's number: 1. A document has it; a settings file need not.
    pub offhook: Option<Version>,
    /// What the person calls the account.
    pub name: Option<Text>,
    /// Who hands it out.
    #[serde(skip_serializing)]
    pub provider: Option<Text>,
    /// Whether calls are to go by it unless said otherwise.
    #[serde(skip_serializing)]
    pub default: Option<bool>,
    /// The address of record.
    pub uri: Option<SipUri>,
    /// The first hop, where it is not the address of record's domain.
    pub proxy: Option<SipUri>,
    /// The digest user name, where it is not the user of `uri`.
    pub auth_user: Option<Text>,
    /// The digest password.
    #[serde(skip_serializing)]
    pub password: Option<Hidden>,
    /// Shown to the people called.
    pub display_name: Option<Text>,
    /// Whether to be reachable over it.
    pub register: Option<bool>,
    /// How long a registration is asked for, in seconds.
    pub expires: Option<u32>,
    /// Reliable provisional responses.
    pub reliable_provisional: Option<ReliableName>,
    /// The session timer, in seconds; 0 is none.
    pub session_expires: Option<SessionExpires>,
    /// An INVITE has no offer.
    pub late_offer: Option<bool>,
    /// How its way is kept open.
    pub keepalive: Option<KeepaliveName>,
    /// Which networks may be used.
    pub networks: Option<NetworksName>,
    /// What carries SIP.
    pub transport: Option<TransportName>,
    /// Certificates (PEM; in a settings file also a file's name): the server's is one of these, or signed by one of these.
    pub tls_ca: Option<Long>,
    /// The SHA-256 of the server's certificate: it alone decides there, and `tls_ca` for relays and the provider.
    pub tls_pin: Option<Pin>,
    /// Shown to a server that asks who connects, as `tls_ca`.
    pub tls_certificate: Option<Long>,
    /// The key of `tls_certificate`.
    #[serde(skip_serializing)]
    pub tls_key: Option<Hidden>,
    /// Where on the server its WebSocket is.
    pub ws_path: Option<Text>,
    /// What may be offered, the preferred first.
    pub codecs: Option<Codecs>,
    /// How keypad digits go.
    pub dtmf: Option<Dtmf>,
    /// Nothing is sent while nobody speaks.
    pub silence_suppression: Option<bool>,
    /// Whether signalling is sealed as VOS servers have it.
    pub encryption: Option<Sealed>,
    /// What is not as VOS servers have it as a rule.
    pub vos: Option<VosForm>,
    /// Whether calls are encrypted.
    pub srtp: Option<Srtp>,
    /// How keys are agreed on.
    pub srtp_keys: Option<SrtpKeys>,
    /// Keys may stand in signalling that is not under TLS.
    pub sdes_in_clear: Option<bool>,
    /// What the people called are to see.
    pub caller_id: Option<CallerIdForm>,
    /// Whose signatures on callers' numbers are believed.
    #[serde(deserialize_with = "several")]
    pub stir_certificates: Vec<SignerForm>,
    /// And whose, by the authorities that stand for them.
    pub stir: Option<StirForm>,
    /// By what its provider may wake the phone.
    pub push: Option<PushForm>,
    /// Whether the provider is asked for messages that wait.
    pub voicemail: Option<bool>,
    /// What is called to hear them, where the provider does not say it or says it wrong.
    pub mailbox: Option<Text>,
    /// Whether the provider is told whether one is free, for those who may know.
    pub publish_presence: Option<bool>,
    /// Who is to be watched.
    #[serde(deserialize_with = "some")]
    pub watch: Vec<Text>,
    /// How its provider wants numbers.
    pub dial_plan: Vec<RuleForm>,
    /// Emergency calls may go by it.
    pub emergency: Option<bool>,
    /// How its media gets through routers.
    pub nat: Option<NatForm>,
    /// What its provider is asked: what is left, and more.
    pub balance: Option<BalanceForm>,
}

/// `vos`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct VosForm {
    /// Whom the server knows the phone as, where that is not the user name.
    pub id: Option<Text>,
    /// What signalling is sealed by, where that is not the password.
    #[serde(skip_serializing)]
    pub key: Option<Hidden>,
    /// What becomes of sound.
    pub media: Option<VosSound>,
    /// Of the vendor's format.
    pub version: Option<VosVersion>,
}

/// One rule of `dial_plan`; see [`numbers::Rule`].
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleForm {
    /// It fits numbers that begin so.
    #[serde(skip_serializing_if = "is_usual")]
    pub begins: Text,
    /// It fits numbers that this expression fits.
    pub fits: Option<Text>,
    /// It fits numbers of so many digits: at least, at most.
    pub length: Option<[usize; 2]>,
    /// Takes so many digits from the beginning.
    #[serde(skip_serializing_if = "is_usual")]
    pub strip: usize,
    /// Puts this in front.
    #[serde(skip_serializing_if = "is_usual")]
    pub prefix: Text,
    /// Makes this of it instead.
    pub replace: Option<Text>,
    /// Whether the rules behind it are looked at too.
    #[serde(skip_serializing_if = "is_usual")]
    pub go_on: bool,
}

/// `caller_id`; see [`phone::CallerId`].
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallerIdForm {
    /// The number to be seen.
    pub number: Option<Text>,
    /// Where it is said.
    pub carry: Vec<CarryName>,
    /// Nobody is to see it.
    pub hide: bool,
}

/// `push`; see [`phone::Push`]. The provider of the account says the service and whose app it is, the phone who it is there.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushForm {
    /// The service: `fcm`, `apns`, `webpush`.
    pub provider: Option<Text>,
    /// Whose app it is, as the service wants it.
    pub param: Option<Text>,
    /// What the service knows this phone by; without it nobody is told anything.
    #[serde(skip_serializing)]
    pub prid: Option<Hidden>,
}

/// `stir_certificates`: one who signs for callers; see [`phone::Signer`].
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignerForm {
    /// The certificate, as `tls_ca`.
    pub file: Long,
    /// The address that his signatures name; absent: any.
    pub url: Option<Text>,
}

/// `stir`; see [`phone::Stir`].
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StirForm {
    /// Authorities, as `tls_ca`.
    #[serde(deserialize_with = "several")]
    pub anchors: Vec<Long>,
    /// The only places that certificates are fetched from, as `HOST` or `HOST:PORT`; none: any that is public.
    #[serde(deserialize_with = "several")]
    pub hosts: Vec<Text>,
}

/// `nat`; see [`phone::Nat`].
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatForm {
    /// Servers that tell us our outside address.
    pub stun: Stun,
    /// Ways are described and checked. True where `nat` is there at all: who names servers wants them used.
    pub ice: Option<bool>,
    /// Datagrams may be tried.
    pub udp: Option<bool>,
    /// Relays.
    pub turn: Turn,
    /// Streams that both sides open at once.
    pub tcp_punch: Option<bool>,
}

/// One server or several, as `stun:HOST[:PORT]`.
#[derive(Clone, Debug, Default)]
pub struct Stun(pub Vec<Server>);

/// One relay or several, each with who we are there; or a service that hands them out.
#[derive(Clone, Default)]
pub struct Turn {
    /// As they are named.
    pub relays: Vec<RelayForm>,
    /// Instead of them.
    pub service: Option<ServiceForm>,
}

/// A relay.
#[derive(Clone)]
pub struct RelayForm {
    /// As it was written.
    pub uri: Text,
    /// Who we are there.
    pub user: Text,
    /// The password.
    pub password: Option<Hidden>,
}

/// A web service that hands out relays' passwords for a while.
#[derive(Clone)]
pub struct ServiceForm {
    /// Its address. It may hold a key.
    pub service: Hidden,
    /// What it is shown.
    pub token: Option<Hidden>,
}

/// People whom one account watches, at most.
const MOST_WATCHED: usize = 100;

/// Signers that one account believes, at most.
const MOST_SIGNERS: usize = 16;

fn several<'de, T: Deserialize<'de>, D: Deserializer<'de>>(source: D) -> Result<Vec<T>, D::Error> {
    let all = Vec::<T>::deserialize(source)?;
    if all.len() > MOST_SIGNERS {
        return Err(de::Error::custom(format!("name at most {MOST_SIGNERS}")));
    }
    Ok(all)
}

fn some<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Text>, D::Error> {
    let all = Vec::<Text>::deserialize(source)?;
    if all.len() > MOST_WATCHED {
        return Err(de::Error::custom(format!("name at most {MOST_WATCHED}")));
    }
    Ok(all)
}

/// What an account is not asked to write.
fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Form {
    /// The document, and the secrets beside it.
    pub fn part(mut self) -> (Document, Secrets) {
        let mut secrets = Secrets {
            password: self.password.take(),
            tls_key: self.tls_key.take(),
            vos_key: self.vos.as_mut().and_then(|vos| vos.key.take()),
            push_prid: self.push.as_mut().and_then(|push| push.prid.take()),
            ..Secrets::default()
        };
        if let Some(nat) = &mut self.nat {
            for relay in &mut nat.turn.relays {
                if let Some(password) = relay.password.take() {
                    secrets.relays.insert(relay.key(), password);
                }
            }
            if let Some(service) = nat.turn.service.take() {
                secrets.relay_service = Some(service.service);
                secrets.relay_token = service.token;
            }
        }
        if let Some(balance) = &mut self.balance {
            balance.part_all(&mut secrets);
        }
        (Document::of(self), secrets)
    }

    /// The reverse.
    pub(crate) fn join(&mut self, secrets: &Secrets) {
        self.password.clone_from(&secrets.password);
        self.tls_key.clone_from(&secrets.tls_key);
        if let Some(vos) = &mut self.vos {
            vos.key.clone_from(&secrets.vos_key);
        } else if secrets.vos_key.is_some() && self.encryption == Some(Sealed(true)) {
            self.vos = Some(VosForm { key: secrets.vos_key.clone(), ..VosForm::default() });
        }
        if let Some(push) = &mut self.push {
            push.prid.clone_from(&secrets.push_prid);
        }
        if let Some(nat) = &mut self.nat {
            for relay in &mut nat.turn.relays {
                relay.password = secrets.relays.get(&relay.key()).cloned();
            }
            if let (Some(service), true) = (&secrets.relay_service, nat.turn.relays.is_empty()) {
                let token = secrets.relay_token.clone();
                nat.turn.service = Some(ServiceForm { service: service.clone(), token });
            }
        }
        if let Some(balance) = &mut self.balance {
            balance.join_all(secrets);
        }
    }
}

/// Not what is in it.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form")
    }
}

/// The address of a relay's web service may hold a key.
impl std::fmt::Debug for NatForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NatForm")
    }
}

impl RelayForm {
    /// What its password is kept under: [`Secrets::relays`].
    pub fn key(&self) -> String {
        format!("{} {}", self.uri, self.user)
    }

    /// Where it is, and by what it is reached.
    pub(crate) fn place(&self) -> Option<(Server, Vec<RelayWay>)> {
        turn(self.uri.as_str())
    }

    /// The phone's; `None`: it has no password.
    pub(crate) fn relay(&self) -> Option<Relay> {
        let (server, ways) = self.place()?;
        let user = base::Redacted::new(self.user.as_str().to_owned());
        Some(Relay { server, ways, user, password: self.password.clone()?.0 })
    }
}

impl<'de> Deserialize<'de> for Stun {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            One(String),
            Many(Vec<String>),
        }
        let given = match Given::deserialize(source)? {
            Given::One(uri) => vec![uri],
            Given::Many(uris) => uris,
        };
        if given.len() > MOST_SERVERS {
            return Err(de::Error::custom(format!("name at most {MOST_SERVERS}")));
        }
        let servers = given.iter().map(|uri| {
            let unread = || format!("`{}` is not a STUN server: stun:HOST or stun:HOST:PORT", excerpt(uri));
            stun(uri).ok_or_else(|| de::Error::custom(unread()))
        });
        servers.collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Stun {
    fn serialize<S: serde::Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.collect_seq(self.0.iter().map(|server| format!("stun:{}:{}", server.host, server.port)))
    }
}

impl<'de> Deserialize<'de> for Turn {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct RawService {
            service: Hidden,
            token: Option<Hidden>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct RawRelay {
            uri: String,
            user: String,
            password: Option<Hidden>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Service(RawService),
            One(RawRelay),
            Many(Vec<RawRelay>),
        }
        let unread = |_| {
            de::Error::custom(
                "a relay is { uri, user, password }, or several of these, or { service, token }",
            )
        };
        let given = match Given::deserialize(source).map_err(unread)? {
            Given::Service(RawService { service, token }) => {
                web::host(service.0.expose()).map_err(|why| {
                    de::Error::custom(format!("the service that hands out the relay's password {why}"))
                })?;
                return Ok(Self { relays: Vec::new(), service: Some(ServiceForm { service, token }) });
            }
            Given::One(relay) => vec![relay],
            Given::Many(relays) => relays,
        };
        if given.len() > MOST_SERVERS {
            return Err(de::Error::custom(format!("name at most {MOST_SERVERS}")));
        }
        let relays = given.into_iter().map(|RawRelay { uri, user, password }| {
            turn(&uri).ok_or_else(|| {
                de::Error::custom(format!(
                    "`{}` is not a TURN server: turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]",
                    excerpt(&uri)
                ))
            })?;
            let text = |text: String| text.parse().map_err(de::Error::custom);
            Ok(RelayForm { uri: text(uri)?, user: text(user)?, password })
        });
        Ok(Self { relays: relays.collect::<Result<_, _>>()?, service: None })
    }
}

/// A service's address may hold a key: it goes with the secrets.
impl Serialize for Turn {
    fn serialize<S: serde::Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.collect_seq(
            self.relays.iter().map(|relay| BTreeMap::from([("uri", &relay.uri), ("user", &relay.user)])),
        )
    }
}

/// RFC 7064 section 3.1.
fn stun(uri: &str) -> Option<Server> {
    server(uri.strip_prefix("stun:")?, Server::STUN_PORT)
}

/// RFC 8656 section 4.
const TURNS_PORT: u16 = 5349;

/// RFC 7065 section 3.1. Without a transport: datagrams, and a stream where they do not pass.
fn turn(uri: &str) -> Option<(Server, Vec<RelayWay>)> {
    let (uri, transport) = match uri.split_once("?transport=") {
        Some((uri, transport)) => (uri, Some(transport)),
        None => (uri, None),
    };
    if let Some(rest) = uri.strip_prefix("turns:") {
        let way = matches!(transport, None | Some("tcp")).then_some(RelayWay::Tls)?;
        return Some((server(rest, TURNS_PORT)?, vec![way]));
    }
    let ways = match transport {
        None => vec![RelayWay::Udp, RelayWay::Tcp],
        Some("udp") => vec![RelayWay::Udp],
        Some("tcp") => vec![RelayWay::Tcp],
        Some(_) => return None,
    };
    Some((server(uri.strip_prefix("turn:")?, Server::STUN_PORT)?, ways))
}

/// `HOST`, `HOST:PORT`, `[IPv6]:PORT`.
pub fn server(text: &str, default_port: u16) -> Option<Server> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()?),
        Some(_) if !text.starts_with('[') => return None,
        Some(_) | None => (text, default_port),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let sound = match inside {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.len() <= 255 && host.chars().all(is_name),
    };
    (sound && port != 0).then(|| Server { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_named_as_rfc_7065_does() {
        let read = |uri: &str| turn(uri).map(|(server, ways)| (server.port, ways));
        assert_eq!(read("turn:relay.example.com"), Some((3478, vec![RelayWay::Udp, RelayWay::Tcp])));
        assert_eq!(read("turn:192.0.2.1:80?transport=tcp"), Some((80, vec![RelayWay::Tcp])));
        assert_eq!(read("turns:relay.example.com:443"), Some((443, vec![RelayWay::Tls])));
        for bad in ["stun:x", "turn:x?transport=sctp", "turns:x?transport=udp", "turn:"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
