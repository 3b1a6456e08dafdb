//! What a user types in for an account, and how it becomes the phone's.
//!
//! RFC 3261 section 19.1.1 for what may stand in a URI. Knows nothing of where it is kept.

use base::{Redacted, Secret};
use phone::{Account, Keepalive, Server};
use serde::{Deserialize, Serialize};
use sip::message::Uri;
use sip::ua::TransportPolicy;

use crate::error::{BadSetting, Field, PhoneError};
use crate::media_encryption::{self, MediaEncryption, MediaKeys};
use crate::relay::{RelayPassword, RelaySettings, relays};

/// Longer than any name, number or server that works.
pub(crate) const LONGEST: usize = 255;

/// One account, as the account screen has it. The password goes its own way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct AccountSettings {
    /// The number or user name, or the whole address (`1001@sip.example.com`).
    pub number: String,
    /// The server's name or address, with a port if it needs one. With a whole address in `number` it may be empty.
    pub server: String,
    /// The outbound proxy, as `server`; empty: none.
    #[uniffi(default = "")]
    pub proxy: String,
    /// The digest user name where it is not the number; empty: it is.
    #[uniffi(default = "")]
    pub auth_user: String,
    /// Shown to the people called; empty: nothing.
    #[uniffi(default = "")]
    pub display_name: String,
    /// How the server is reached.
    pub transport: Transport,
    /// Whether to be reachable over this account.
    #[uniffi(default = true)]
    pub register: bool,
    /// Whether calls look for the straightest way to the other side (ICE). Who knows none of that is called as ever.
    #[uniffi(default = true)]
    #[serde(default = "yes")]
    pub ice: bool,
    /// Who says under which address the world sees us, as `server` (port 3478 where none is named); empty: nobody.
    #[uniffi(default = "")]
    #[serde(default)]
    pub stun: String,
    /// Whether the server is told whether the user is free, for those who may know.
    #[uniffi(default = false)]
    #[serde(default)]
    pub publish_presence: bool,
    /// How signalling is hidden from those on the way. With anything but `None`, `transport` means nothing.
    #[uniffi(default = None)]
    #[serde(default)]
    pub encryption: Option<Encryption>,
    /// Whether calls are encrypted; none: never, and who insists on it is refused.
    #[uniffi(default = None)]
    #[serde(default)]
    pub media_encryption: Option<MediaEncryption>,
    /// How both sides come to the keys; none: as the other side and the transport have it.
    #[uniffi(default = None)]
    #[serde(default)]
    pub media_keys: Option<MediaKeys>,
    /// Who carries a call's sound where nothing else does; their passwords by [`crate::Phone::set_relay_password`].
    #[uniffi(default = [])]
    #[serde(default)]
    pub relays: Vec<RelaySettings>,
}

/// How signalling is hidden from those on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum Encryption {
    /// As VOS servers have it, by UDP to port 5070 where none is named; the key is the password. It gets through networks that
    /// block SIP, and keeps no secrets. Not tried against a live server.
    Vos,
}

/// What an account that was kept before there was a choice does.
const fn yes() -> bool {
    true
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
pub enum Transport {
    /// As the server's name says, UDP if it says nothing.
    #[default]
    Automatic,
    /// UDP only.
    Udp,
    /// TCP only.
    Tcp,
    /// TLS only: nobody on the way reads who is called.
    Tls,
}

impl AccountSettings {
    /// The phone's account.
    ///
    /// # Errors
    /// `BadSetting`: mark the field and say why.
    pub(crate) fn account(
        &self,
        password: Secret<String>,
        of_relays: &[RelayPassword],
    ) -> Result<Account, PhoneError> {
        let texts = [
            (Field::Number, &self.number),
            (Field::Server, &self.server),
            (Field::Proxy, &self.proxy),
            (Field::AuthUser, &self.auth_user),
            (Field::DisplayName, &self.display_name),
        ];
        for (field, text) in texts {
            if text.len() > LONGEST {
                return Err(bad(field, BadSetting::TooLong));
            }
            if text.chars().any(char::is_control) {
                return Err(bad(field, BadSetting::Unusable));
            }
        }
        if password.expose().len() > LONGEST {
            return Err(bad(Field::Password, BadSetting::TooLong));
        }
        let mut account = Account::new(self.uri()?, password);
        account.proxy = self.proxy()?;
        account.auth_user = given(&self.auth_user).map(Redacted::new);
        account.display_name = given(&self.display_name).map(Redacted::new);
        account.register = self.register;
        account.publish_presence = self.publish_presence;
        // It lives in a pocket.
        account.keepalive = Keepalive::Thrifty;
        account.nat.ice = self.ice;
        account.nat.stun.extend(self.stun_server()?);
        if let Some(Encryption::Vos) = self.encryption {
            account.encryption = phone::Encryption::Vos(phone::Vos::default());
            if account.password.expose().is_empty() {
                return Err(bad(Field::Password, BadSetting::Missing));
            }
        }
        media_encryption::set(self.media_encryption, self.media_keys, &mut account);
        account.nat.turn = relays(&self.relays, of_relays)?;
        account.transport = match self.transport {
            Transport::Automatic => TransportPolicy::Auto,
            Transport::Udp => TransportPolicy::Only(base::Transport::Udp),
            Transport::Tcp => TransportPolicy::Only(base::Transport::Tcp),
            Transport::Tls => TransportPolicy::Only(base::Transport::Tls),
        };
        Ok(account)
    }

    /// The phone's account as far as whom it calls goes: what it calls with is not looked at.
    ///
    /// # Errors
    /// `BadSetting`: as for [`Self::account`].
    pub(crate) fn caller(&self) -> Result<Account, PhoneError> {
        Ok(Account::new(self.uri()?, Secret::new(String::new())))
    }

    /// The address of record.
    fn uri(&self) -> Result<Uri, PhoneError> {
        let number = self.number.trim();
        let number = number.strip_prefix("sip:").unwrap_or(number);
        let (user, host) = match number.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => (number, self.server.trim()),
        };
        if user.is_empty() {
            return Err(bad(Field::Number, BadSetting::Missing));
        }
        let host_field = if number.contains('@') { Field::Number } else { Field::Server };
        if host.is_empty() {
            return Err(bad(Field::Server, BadSetting::Missing));
        }
        let user: String = user.chars().filter(|c| *c != ' ').collect::<String>().replace('#', "%23");
        // Other scripts would have to be escaped, and nobody's account is named so.
        if !user.is_ascii() || format!("sip:{user}@offhook.invalid").parse::<Uri>().is_err() {
            return Err(bad(Field::Number, BadSetting::Unusable));
        }
        server(host, Some(&user)).ok_or_else(|| bad(host_field, BadSetting::Unusable))
    }

    fn stun_server(&self) -> Result<Option<Server>, PhoneError> {
        let Some(typed) = given(&self.stun) else { return Ok(None) };
        if typed.len() > LONGEST {
            return Err(bad(Field::Stun, BadSetting::TooLong));
        }
        let read = server_at(typed.strip_prefix("stun:").unwrap_or(&typed));
        let (host, port) = read.ok_or_else(|| bad(Field::Stun, BadSetting::Unusable))?;
        Ok(Some(Server { host, port: port.unwrap_or(Server::STUN_PORT) }))
    }

    /// The first hop, where it is not the address of record's own.
    fn proxy(&self) -> Result<Option<Uri>, PhoneError> {
        let (field, text) = match given(&self.proxy) {
            Some(proxy) => (Field::Proxy, proxy),
            // A whole address beside a server: the server is how to get there.
            None => match given(&self.server) {
                Some(at) if self.number.contains('@') && !self.number.ends_with(&format!("@{at}")) => {
                    (Field::Server, at)
                }
                _ => return Ok(None),
            },
        };
        server(&text, None).map(Some).ok_or_else(|| bad(field, BadSetting::Unusable))
    }
}

/// A server as typed, to a URI of it; none: it is no server.
fn server(typed: &str, user: Option<&str>) -> Option<Uri> {
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

/// A server as typed, to its name or bare address and its port.
pub(crate) fn server_at(typed: &str) -> Option<(String, Option<u16>)> {
    let uri = server(typed, None)?;
    let uri = uri.view();
    Some((uri.host.to_string().trim_matches(['[', ']']).to_owned(), uri.port))
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) fn bad(field: Field, why: BadSetting) -> PhoneError {
    PhoneError::BadSetting { field, why, sentence: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(number: &str, server: &str) -> AccountSettings {
        AccountSettings {
            number: number.into(),
            server: server.into(),
            proxy: String::new(),
            auth_user: String::new(),
            display_name: String::new(),
            transport: Transport::Automatic,
            register: true,
            ice: true,
            stun: String::new(),
            publish_presence: false,
            encryption: None,
            media_encryption: None,
            media_keys: None,
            relays: Vec::new(),
        }
    }

    #[test]
    fn an_account_under_vos_needs_a_password_to_seal_by() {
        let settings = AccountSettings { encryption: Some(Encryption::Vos), ..settings("1001", "sip.test") };
        let account = settings.account(Secret::new("secret".into()), &[]).unwrap();
        assert!(account.is_sealed());
        let refused = settings.account(Secret::new(String::new()), &[]);
        assert!(matches!(refused, Err(PhoneError::BadSetting { field: Field::Password, .. })));
    }

    #[test]
    fn whether_calls_are_encrypted_and_by_which_keys_is_the_accounts() {
        use phone::{KeysBy, MediaEncryption as Encryption};

        let set = |media_encryption, media_keys| {
            let settings = AccountSettings { media_encryption, media_keys, ..settings("1001", "sip.test") };
            let account = settings.account(Secret::new(String::new()), &[]).unwrap();
            (account.media_encryption, account.media_encryption_by, account.sdes_in_clear)
        };
        let insists = set(Some(MediaEncryption::Required), Some(MediaKeys::Dtls));
        assert_eq!(set(None, None), (Encryption::Off, KeysBy::Both, false));
        assert_eq!(
            set(Some(MediaEncryption::Optional), Some(MediaKeys::Sdes)),
            (Encryption::Optional, KeysBy::Sdes, false)
        );
        assert_eq!(insists, (Encryption::Required, KeysBy::Dtls, false));
    }

    fn read(number: &str, server: &str) -> Result<(String, Option<String>), PhoneError> {
        let account = settings(number, server).account(Secret::new(String::new()), &[])?;
        Ok((account.uri.to_string(), account.proxy.map(|proxy| proxy.to_string())))
    }

    #[test]
    fn a_stun_server_is_named_as_a_server_is() {
        let stun = |typed: &str| {
            let settings = AccountSettings { stun: typed.into(), ..settings("1001", "sip.test") };
            settings.account(Secret::new(String::new()), &[]).map(|account| account.nat.stun)
        };
        let at = |host: &str, port| vec![Server { host: host.into(), port }];
        assert_eq!(stun("").unwrap(), []);
        assert_eq!(stun("stun.test").unwrap(), at("stun.test", 3478));
        assert_eq!(stun("stun:192.0.2.1:3479").unwrap(), at("192.0.2.1", 3479));
        assert_eq!(stun("2001:db8::1").unwrap(), at("2001:db8::1", 3478));
        assert!(matches!(stun("a b"), Err(PhoneError::BadSetting { field: Field::Stun, .. })));
    }

    #[test]
    fn number_and_server_become_an_address_of_record() {
        for (number, server, uri, proxy) in [
            ("1001", " sip.example.com ", "sip:1001@sip.example.com", None),
            ("+49 30 1234", "192.0.2.1:5070", "sip:+49301234@192.0.2.1:5070", None),
            ("1001", "2001:db8::1", "sip:1001@[2001:db8::1]", None),
            ("ann@example.com", "", "sip:ann@example.com", None),
            ("sip:ann@example.com", "example.com", "sip:ann@example.com", None),
            ("ann@example.com", "edge.example.com", "sip:ann@example.com", Some("sip:edge.example.com")),
        ] {
            assert_eq!(read(number, server), Ok((uri.into(), proxy.map(Into::into))), "{number} {server}");
        }
    }

    #[test]
    fn what_cannot_be_used_names_its_field() {
        for (number, server, at) in [
            ("", "example.com", Field::Number),
            ("1001", "", Field::Server),
            ("1001", "exa mple", Field::Server),
            ("1001", "example.com;transport=tcp", Field::Server),
            ("10\r\n01", "example.com", Field::Number),
            ("10>01", "example.com", Field::Number),
            ("\u{1f4de}", "example.com", Field::Number),
            ("1001", "\u{1f4de}.example", Field::Server),
            (&"1".repeat(300), "example.com", Field::Number),
        ] {
            let refused = read(number, server);
            assert!(
                matches!(refused, Err(PhoneError::BadSetting { field, .. }) if field == at),
                "{refused:?}"
            );
        }
    }
}
