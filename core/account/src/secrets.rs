//! What an account's document must not hold: it stands beside it, and is kept where secrets are.

use std::collections::BTreeMap;

use base::Secret;

use crate::words::Hidden;

/// The passwords, keys and tokens of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// The digest password.
    pub password: Option<Hidden>,
    /// What signalling under VOS encryption is sealed by, where that is not the password.
    pub vos_key: Option<Hidden>,
    /// The key of the certificate that is shown to a server, PEM.
    pub tls_key: Option<Hidden>,
    /// Those of relays, by `URI USER`.
    pub relays: BTreeMap<String, Hidden>,
    /// The address of the service that hands out relays: some take a key in it.
    pub relay_service: Option<Hidden>,
    /// What that is shown.
    pub relay_token: Option<Hidden>,
    /// Where the balance is asked for with another than the account's.
    pub balance_password: Option<Hidden>,
    /// What the balance's server is shown.
    pub balance_token: Option<Hidden>,
    /// Header fields to it: some are keys.
    pub balance_headers: BTreeMap<String, Hidden>,
}

/// Before the name of a relay, where secrets are kept by name.
const RELAY: &str = "relay/";
/// Before the name of a header field.
const HEADER: &str = "balance.headers/";

impl Secrets {
    /// Whether a document's field of that path is one.
    pub fn is_one(path: &str) -> bool {
        const PATHS: [&str; 6] =
            ["password", "tls_key", "vos.key", "balance.password", "balance.token", "balance.headers"];
        PATHS.contains(&path)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// By names, for a store of secrets and nowhere else.
    pub fn to_map(&self) -> BTreeMap<String, Secret<String>> {
        let mut whole = self.clone();
        let mut map = BTreeMap::new();
        for (name, slot) in whole.slots() {
            if let Some(secret) = slot.take() {
                map.insert(name.to_owned(), secret.0);
            }
        }
        map.extend(whole.relays.into_iter().map(|(name, it)| (format!("{RELAY}{name}"), it.0)));
        map.extend(whole.balance_headers.into_iter().map(|(name, it)| (format!("{HEADER}{name}"), it.0)));
        map
    }

    /// The reverse. Names of others are passed over.
    pub fn of_map(map: &BTreeMap<String, Secret<String>>) -> Self {
        let mut secrets = Self::default();
        for (name, slot) in secrets.slots() {
            *slot = map.get(name).cloned().map(Hidden);
        }
        for (name, secret) in map {
            let of = |before| name.strip_prefix(before).map(str::to_owned);
            if let Some(relay) = of(RELAY) {
                secrets.relays.insert(relay, Hidden(secret.clone()));
            } else if let Some(header) = of(HEADER) {
                secrets.balance_headers.insert(header, Hidden(secret.clone()));
            }
        }
        secrets
    }

    fn slots(&mut self) -> [(&'static str, &mut Option<Hidden>); 7] {
        [
            ("password", &mut self.password),
            ("vos.key", &mut self.vos_key),
            ("tls_key", &mut self.tls_key),
            ("relay.service", &mut self.relay_service),
            ("relay.token", &mut self.relay_token),
            ("balance.password", &mut self.balance_password),
            ("balance.token", &mut self.balance_token),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_by_name_and_shown_to_nobody() {
        let hidden = |text: &str| Hidden(Secret::new(text.into()));
        let mut secrets = Secrets { password: Some(hidden("h\u{fc}sh \"1\"")), ..Secrets::default() };
        secrets.relays.insert("turn:r.test ann".into(), hidden("hush-2"));
        secrets.balance_headers.insert("X-Key".into(), hidden("hush-3"));
        let mut map = secrets.to_map();
        assert_eq!(
            map.keys().collect::<Vec<_>>(),
            ["balance.headers/X-Key", "password", "relay/turn:r.test ann"]
        );
        map.insert("of another".into(), Secret::new("hush-4".into()));
        assert_eq!(Secrets::of_map(&map), secrets);
        assert!(!format!("{secrets:?}").contains("hush"));
        assert!(Secrets::of_map(&BTreeMap::new()).is_empty());
    }
}
