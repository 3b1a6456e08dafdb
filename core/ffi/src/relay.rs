//! An account's relays (TURN), as the account screen has them, and how they become the phone's.
//!
//! RFC 7065 for how a relay is named, RFC 8656 section 4 for its ports. A password is kept apart from the settings, beside
//! the server and the user that it is for, so that it never goes to another. Knows nothing of how a relay is used.

use std::collections::BTreeMap;

use account::words::Hidden;
use account::{Document, RelayForm};
use base::{Redacted, Secret};
use phone::{AccountId, Command, Relay, RelayWay, Server};
use serde::{Deserialize, Serialize};

use crate::account::LONGEST;
use crate::document::{bad, in_brackets, server_at};
use crate::error::{BadSetting, Field, PhoneError};
use crate::{Phone, Transport};

/// Nobody has more.
const MOST: usize = 4;
/// TURN under TLS.
const TLS_PORT: u16 = 5349;
/// What is open where nothing else is.
const HTTPS_PORT: u16 = 443;

/// A relay: carries a call's sound where nothing else does. Its password goes its own way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct RelaySettings {
    /// Its name or address, with a port if it has one of its own; or all of it (`turns:relay.example.com:443`).
    pub server: String,
    /// How it is reached. `Automatic`: by datagrams, where they do not pass by TCP, where that does not either by TLS.
    pub transport: Transport,
    /// The user name there.
    pub user: String,
}

/// Relays' passwords: the settings have none.
#[uniffi::export]
impl Phone {
    /// Keeps the password of the account's `relay`, by its place in the settings, from 0; without one it is not used. None
    /// or an empty one: as it was.
    ///
    /// # Errors
    /// - `NoAccount`; `BadArgument`: the settings have no such relay.
    /// - `BadSetting`: mark the field and say why. `Missing`: there never was one, or it was lost.
    /// - `Secrets`: it cannot be kept: say so.
    pub fn set_relay_password(
        &self,
        account: u32,
        relay: u32,
        password: Option<String>,
    ) -> Result<(), PhoneError> {
        self.require_open()?;
        let store = self.store();
        let document = store.document(account)?;
        let named: &[RelayForm] = document.form().nat.as_ref().map_or(&[], |nat| &nat.turn.relays);
        let Some(relay) = named.get(relay as usize) else {
            return Err(PhoneError::BadArgument { sentence: "there is no such relay".into() });
        };
        // What was lost is typed again, one after the other.
        let mut secrets = store.secrets(account).ok().flatten().unwrap_or_default();
        let Some(password) = password.filter(|it| !it.is_empty()) else {
            let is_known = secrets.relays.contains_key(&relay.key());
            return if is_known { Ok(()) } else { Err(bad(Field::RelayPassword, BadSetting::Missing)) };
        };
        if password.len() > LONGEST {
            return Err(bad(Field::RelayPassword, BadSetting::TooLong));
        }
        secrets.relays.insert(relay.key(), Hidden(Secret::new(password)));
        store.keep_secrets(account, &secrets)?;
        let relays = relays(named, &secrets.relays);
        self.handle.command(Command::Relays(AccountId(account), relays));
        self.log.note(format!("account {account} has another password at a relay"));
        Ok(())
    }
}

impl RelaySettings {
    /// As the screen shows one of a document.
    pub(crate) fn of(form: &RelayForm) -> Self {
        let uri = form.uri.to_string();
        let (server, transport) = named(&uri, Transport::Automatic);
        Self { server: server.to_owned(), transport, user: form.user.to_string() }
    }

    /// As a document names it.
    fn form(&self) -> Result<RelayForm, PhoneError> {
        let Read { host, port, transport } = self.read()?;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let (scheme, rest) = match transport {
            Transport::Automatic => ("turn", ""),
            Transport::Udp => ("turn", "?transport=udp"),
            Transport::Tcp => ("turn", "?transport=tcp"),
            Transport::Tls => ("turns", ""),
        };
        let unusable = |field| bad(field, BadSetting::Unusable);
        let uri = format!("{scheme}:{}{port}{rest}", in_brackets(host));
        Ok(RelayForm {
            uri: uri.parse().map_err(|_| unusable(Field::Relay))?,
            user: self.user.trim().parse().map_err(|_| unusable(Field::RelayUser))?,
            password: None,
        })
    }

    fn read(&self) -> Result<Read, PhoneError> {
        let user = self.user.trim();
        crate::document::sound(Field::RelayUser, user)?;
        let typed = self.server.trim();
        if typed.is_empty() {
            return Err(bad(Field::Relay, BadSetting::Missing));
        }
        if typed.len() > LONGEST {
            return Err(bad(Field::Relay, BadSetting::TooLong));
        }
        let (bare, transport) = named(typed, self.transport);
        let (host, port) = server_at(bare).ok_or_else(|| bad(Field::Relay, BadSetting::Unusable))?;
        if user.is_empty() {
            return Err(bad(Field::RelayUser, BadSetting::Missing));
        }
        Ok(Read { host, port, transport })
    }
}

/// A relay as it was typed.
struct Read {
    /// Its name or bare address.
    host: String,
    port: Option<u16>,
    transport: Transport,
}

/// As a document names them.
///
/// # Errors
/// `BadSetting`: mark the field and say why. `TooLong`: more relays than anybody has.
pub(crate) fn forms(settings: &[RelaySettings]) -> Result<Vec<RelayForm>, PhoneError> {
    if settings.len() > MOST {
        return Err(PhoneError::TooLong);
    }
    settings.iter().map(RelaySettings::form).collect()
}

/// The phone's relays, with the passwords that are known. One whose password is not would only refuse us, and is left out.
pub(crate) fn relays(named: &[RelayForm], known: &BTreeMap<String, Hidden>) -> Vec<Relay> {
    let mut relays = Vec::new();
    for relay in named {
        let (Some(password), Ok(read)) = (known.get(&relay.key()), RelaySettings::of(relay).read()) else {
            continue;
        };
        relays.extend(read.ladder().into_iter().map(|(server, ways)| Relay {
            server,
            ways,
            user: Redacted::new(relay.user.to_string()),
            password: password.0.clone(),
        }));
    }
    relays
}

/// The relay of a document that a server and a user, as they were typed, mean.
pub(crate) fn meant<'a>(document: &'a Document, server: &str, user: &str) -> Option<&'a RelayForm> {
    let at = |typed: &str| server_at(named(typed.trim(), Transport::Automatic).0);
    let same =
        |it: &&RelayForm| it.user.as_str() == user.trim() && at(&RelaySettings::of(it).server) == at(server);
    document.form().nat.as_ref()?.turn.relays.iter().find(same)
}

impl Read {
    fn ladder(&self) -> Vec<(Server, Vec<RelayWay>)> {
        let at = |usual: u16| Server { host: self.host.clone(), port: self.port.unwrap_or(usual) };
        match self.transport {
            Transport::Udp => vec![(at(Server::STUN_PORT), vec![RelayWay::Udp])],
            Transport::Tcp => vec![(at(Server::STUN_PORT), vec![RelayWay::Tcp])],
            Transport::Tls => vec![(at(TLS_PORT), vec![RelayWay::Tls])],
            Transport::Automatic => {
                let mut ladder = vec![(at(Server::STUN_PORT), vec![RelayWay::Udp, RelayWay::Tcp])];
                let tls = match self.port {
                    Some(port @ (TLS_PORT | HTTPS_PORT)) => vec![port],
                    Some(_) | None => vec![TLS_PORT, HTTPS_PORT],
                };
                let by_tls = |port| (Server { host: self.host.clone(), port }, vec![RelayWay::Tls]);
                ladder.extend(tls.into_iter().map(by_tls));
                ladder
            }
        }
    }
}

/// What a URI says of the transport stands above what was chosen. RFC 7065 section 3.1.
fn named(typed: &str, chosen: Transport) -> (&str, Transport) {
    if let Some(rest) = typed.strip_prefix("turns:") {
        return (rest.strip_suffix("?transport=tcp").unwrap_or(rest), Transport::Tls);
    }
    let Some(rest) = typed.strip_prefix("turn:") else { return (typed, chosen) };
    match rest.split_once("?transport=") {
        Some((rest, "udp")) => (rest, Transport::Udp),
        Some((rest, "tcp")) => (rest, Transport::Tcp),
        Some(_) | None => (rest, chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(server: &str, transport: Transport) -> RelaySettings {
        RelaySettings { server: server.into(), transport, user: "ann".into() }
    }

    fn password(key: &str) -> BTreeMap<String, Hidden> {
        BTreeMap::from([(key.to_owned(), Hidden(Secret::new("secret".into())))])
    }

    /// By a port, and ways to it.
    type Reached = (u16, Vec<RelayWay>);

    /// As a document names it, and what becomes of it there.
    fn read(server: &str, transport: Transport) -> Result<(String, Vec<Reached>), PhoneError> {
        let forms = forms(&[relay(server, transport)])?;
        let read = relays(&forms, &password(&forms[0].key()));
        assert!(read.iter().all(|it| it.user.reveal() == "ann" && it.password.expose() == "secret"));
        Ok((forms[0].uri.to_string(), read.into_iter().map(|it| (it.server.port, it.ways)).collect()))
    }

    #[test]
    fn a_relay_is_reached_by_what_was_chosen_or_by_whatever_passes() {
        use RelayWay::{Tcp, Tls, Udp};
        for (server, transport, named, wanted) in [
            ("relay.test", Transport::Udp, "turn:relay.test?transport=udp", vec![(3478, vec![Udp])]),
            ("relay.test:80", Transport::Tcp, "turn:relay.test:80?transport=tcp", vec![(80, vec![Tcp])]),
            ("192.0.2.1", Transport::Tls, "turns:192.0.2.1", vec![(5349, vec![Tls])]),
            ("turns:relay.test:443", Transport::Automatic, "turns:relay.test:443", vec![(443, vec![Tls])]),
            (
                "turn:[2001:db8::1]:3479?transport=tcp",
                Transport::Automatic,
                "turn:[2001:db8::1]:3479?transport=tcp",
                vec![(3479, vec![Tcp])],
            ),
            (
                "turn:relay.test",
                Transport::Automatic,
                "turn:relay.test",
                vec![(3478, vec![Udp, Tcp]), (5349, vec![Tls]), (443, vec![Tls])],
            ),
            (
                "relay.test:443",
                Transport::Automatic,
                "turn:relay.test:443",
                vec![(443, vec![Udp, Tcp]), (443, vec![Tls])],
            ),
        ] {
            assert_eq!(read(server, transport), Ok((named.to_owned(), wanted)), "{server}");
        }
    }

    #[test]
    fn a_relay_of_a_document_is_shown_as_it_was_chosen() {
        for (server, transport) in [
            ("relay.test", Transport::Automatic),
            ("relay.test:80", Transport::Tcp),
            ("[2001:db8::1]:3479", Transport::Udp),
            ("192.0.2.1", Transport::Tls),
        ] {
            let typed = relay(server, transport);
            assert_eq!(RelaySettings::of(&typed.form().unwrap()), typed);
        }
    }

    #[test]
    fn what_cannot_be_used_names_its_field() {
        let at = |settings: RelaySettings| match forms(&[settings]) {
            Err(PhoneError::BadSetting { field, .. }) => Some(field),
            _ => None,
        };
        for server in ["", "a b", "turn:", "relay.test:99999", "turn:relay.test?transport=sctp", "x;y"] {
            assert_eq!(at(relay(server, Transport::Automatic)), Some(Field::Relay), "{server}");
        }
        let user = |user: &str| RelaySettings { user: user.into(), ..relay("relay.test", Transport::Udp) };
        for name in ["", "a\nb", &"x".repeat(300)] {
            assert_eq!(at(user(name)), Some(Field::RelayUser), "{name}");
        }
        let many = vec![user("ann"); MOST + 1];
        assert!(matches!(forms(&many), Err(PhoneError::TooLong)));
    }

    #[test]
    fn a_password_goes_to_the_relay_and_the_user_that_it_is_for_and_to_no_other() {
        let forms = forms(&[relay(" relay.test ", Transport::Udp)]).unwrap();
        let of = |key: &str| relays(&forms, &password(key)).len();
        assert_eq!(of("turn:relay.test?transport=udp ann"), 1);
        assert_eq!(of("turn:relay.example?transport=udp ann"), 0);
        assert_eq!(of("turn:relay.test?transport=udp bob"), 0);
    }
}
