//! An account's relays (TURN), as the account screen has them, and how they become the phone's.
//!
//! RFC 7065 for how a relay is named, RFC 8656 section 4 for its ports. A password is kept apart from the settings, beside
//! the server and the user that it is for, so that it never goes to another. Knows nothing of how a relay is used.

use base::{Redacted, Secret};
use phone::{AccountId, Command, Relay, RelayWay, Server};
use serde::{Deserialize, Serialize};

use crate::account::{LONGEST, bad, server_at};
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

/// A password, and what it is for.
#[derive(Debug)]
pub(crate) struct RelayPassword {
    pub(crate) server: String,
    pub(crate) user: String,
    pub(crate) password: Secret<String>,
}

impl RelayPassword {
    pub(crate) fn is_for(&self, relay: &RelaySettings) -> bool {
        self.server == relay.server.trim() && self.user == relay.user.trim()
    }
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
        let settings = &store.get(account).ok_or(PhoneError::NoAccount)?.relays;
        let Some(relay) = settings.get(relay as usize) else {
            return Err(PhoneError::BadArgument { sentence: "there is no such relay".into() });
        };
        // What was lost is typed again, one after the other.
        let mut known = store.relay_passwords(account).unwrap_or_default();
        let Some(password) = password.filter(|it| !it.is_empty()) else {
            let is_known = known.iter().any(|it| it.is_for(relay));
            return if is_known { Ok(()) } else { Err(bad(Field::RelayPassword, BadSetting::Missing)) };
        };
        if password.len() > LONGEST {
            return Err(bad(Field::RelayPassword, BadSetting::TooLong));
        }
        known.retain(|it| !it.is_for(relay) && settings.iter().any(|relay| it.is_for(relay)));
        let (server, user) = (relay.server.trim().to_owned(), relay.user.trim().to_owned());
        known.push(RelayPassword { server, user, password: Secret::new(password) });
        store.set_relay_passwords(account, &known)?;
        let relays = relays(settings, &known)?;
        self.handle.command(Command::Relays(AccountId(account), relays));
        self.log.note(format!("account {account} has another password at a relay"));
        Ok(())
    }
}

/// The phone's relays. One whose password is not known would only refuse us, and is left out.
///
/// # Errors
/// `BadSetting`: mark the field and say why. `TooLong`: more relays than anybody has.
pub(crate) fn relays(settings: &[RelaySettings], known: &[RelayPassword]) -> Result<Vec<Relay>, PhoneError> {
    if settings.len() > MOST {
        return Err(PhoneError::TooLong);
    }
    let mut relays = Vec::new();
    for relay in settings {
        let rungs = ladder(relay)?;
        if let Some(known) = known.iter().find(|it| it.is_for(relay)) {
            relays.extend(rungs.into_iter().map(|(server, ways)| Relay {
                server,
                ways,
                user: Redacted::new(known.user.clone()),
                password: known.password.clone(),
            }));
        }
    }
    Ok(relays)
}

fn ladder(relay: &RelaySettings) -> Result<Vec<(Server, Vec<RelayWay>)>, PhoneError> {
    let user = relay.user.trim();
    if user.len() > LONGEST {
        return Err(bad(Field::RelayUser, BadSetting::TooLong));
    }
    if user.chars().any(char::is_control) {
        return Err(bad(Field::RelayUser, BadSetting::Unusable));
    }
    let typed = relay.server.trim();
    if typed.is_empty() {
        return Err(bad(Field::Relay, BadSetting::Missing));
    }
    if typed.len() > LONGEST {
        return Err(bad(Field::Relay, BadSetting::TooLong));
    }
    let (bare, transport) = named(typed, relay.transport);
    let (host, port) = server_at(bare).ok_or_else(|| bad(Field::Relay, BadSetting::Unusable))?;
    if user.is_empty() {
        return Err(bad(Field::RelayUser, BadSetting::Missing));
    }
    let at = |usual: u16| Server { host: host.clone(), port: port.unwrap_or(usual) };
    Ok(match transport {
        Transport::Udp => vec![(at(Server::STUN_PORT), vec![RelayWay::Udp])],
        Transport::Tcp => vec![(at(Server::STUN_PORT), vec![RelayWay::Tcp])],
        Transport::Tls => vec![(at(TLS_PORT), vec![RelayWay::Tls])],
        Transport::Automatic => {
            let mut ladder = vec![(at(Server::STUN_PORT), vec![RelayWay::Udp, RelayWay::Tcp])];
            let tls = match port {
                Some(port @ (TLS_PORT | HTTPS_PORT)) => vec![port],
                Some(_) | None => vec![TLS_PORT, HTTPS_PORT],
            };
            ladder.extend(
                tls.into_iter().map(|port| (Server { host: host.clone(), port }, vec![RelayWay::Tls])),
            );
            ladder
        }
    })
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

    fn password(server: &str) -> RelayPassword {
        RelayPassword { server: server.into(), user: "ann".into(), password: Secret::new("secret".into()) }
    }

    fn read(server: &str, transport: Transport) -> Result<Vec<(u16, Vec<RelayWay>)>, PhoneError> {
        let read = relays(&[relay(server, transport)], &[password(server)])?;
        assert!(read.iter().all(|it| it.user.reveal() == "ann" && it.password.expose() == "secret"));
        Ok(read.into_iter().map(|it| (it.server.port, it.ways)).collect())
    }

    #[test]
    fn a_relay_is_reached_by_what_was_chosen_or_by_whatever_passes() {
        use RelayWay::{Tcp, Tls, Udp};
        for (server, transport, wanted) in [
            ("relay.test", Transport::Udp, vec![(3478, vec![Udp])]),
            ("relay.test:80", Transport::Tcp, vec![(80, vec![Tcp])]),
            ("192.0.2.1", Transport::Tls, vec![(5349, vec![Tls])]),
            ("turns:relay.test:443", Transport::Automatic, vec![(443, vec![Tls])]),
            ("turn:[2001:db8::1]:3479?transport=tcp", Transport::Automatic, vec![(3479, vec![Tcp])]),
            (
                "turn:relay.test",
                Transport::Automatic,
                vec![(3478, vec![Udp, Tcp]), (5349, vec![Tls]), (443, vec![Tls])],
            ),
            ("relay.test:443", Transport::Automatic, vec![(443, vec![Udp, Tcp]), (443, vec![Tls])]),
        ] {
            assert_eq!(read(server, transport), Ok(wanted), "{server}");
        }
    }

    #[test]
    fn what_cannot_be_used_names_its_field() {
        let at = |settings: RelaySettings| match relays(&[settings], &[]) {
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
        assert!(matches!(relays(&many, &[]), Err(PhoneError::TooLong)));
    }

    #[test]
    fn a_password_goes_to_the_relay_and_the_user_that_it_is_for_and_to_no_other() {
        let of = |known| relays(&[relay(" relay.test ", Transport::Udp)], &[known]).unwrap().len();
        assert_eq!(of(password("relay.test")), 1);
        assert_eq!(of(password("relay.example")), 0);
        assert_eq!(of(RelayPassword { user: "bob".into(), ..password("relay.test") }), 0);
    }
}
