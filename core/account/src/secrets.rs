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
    /// What a push service knows this phone by.
    pub push_prid: Option<Hidden>,
    /// Those of relays, by `URI USER`.
    pub relays: BTreeMap<String, Hidden>,
    /// The address of the service that hands out relays: some take a key in it.
    pub relay_service: Option<Hidden>,
    /// What that is shown.
    pub relay_token: Option<Hidden>,
    /// With which the balance is asked for.
    pub balance: AskSecrets,
    /// With which is asked for how long a call could be.
    pub balance_minutes: AskSecrets,
    /// With which a card is paid in.
    pub balance_top_up: AskSecrets,
    /// With which a call back is asked for.
    pub balance_callback: AskSecrets,
}

/// What one table of `balance` must not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskSecrets {
    /// Where it is asked with another than the account's.
    pub password: Option<Hidden>,
    /// What its server is shown.
    pub token: Option<Hidden>,
    /// Header fields to it: some are keys.
    pub headers: BTreeMap<String, Hidden>,
}

/// Before the name of a relay, where secrets are kept by name.
const RELAY: &str = "relay/";
/// Between the path of a table of `balance` and the name of a header field.
const HEADER: &str = ".headers/";
/// The tables of `balance`, by their paths in a document.
const ASKS: [&str; 4] = ["balance", "balance.minutes", "balance.top_up", "balance.callback"];

impl Secrets {
    /// Whether a document's field of that path is one.
    pub fn is_one(path: &str) -> bool {
        let (table, name) = path.rsplit_once('.').unwrap_or(("", path));
        ["password", "tls_key", "vos.key", "push.prid"].contains(&path)
            || ASKS.contains(&table) && ["password", "token", "headers"].contains(&name)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// By names, for a store of secrets and nowhere else.
    pub fn to_map(&self) -> BTreeMap<String, Secret<String>> {
        let mut map = BTreeMap::new();
        let mut put = |name: String, secret: Option<&Hidden>| {
            if let Some(secret) = secret {
                map.insert(name, secret.0.clone());
            }
        };
        for (name, slot) in self.clone().slots() {
            put(name.to_owned(), slot.as_ref());
        }
        for (name, secret) in &self.relays {
            put(format!("{RELAY}{name}"), Some(secret));
        }
        for (table, asks) in self.asks() {
            put(format!("{table}.password"), asks.password.as_ref());
            put(format!("{table}.token"), asks.token.as_ref());
            for (name, secret) in &asks.headers {
                put(format!("{table}{HEADER}{name}"), Some(secret));
            }
        }
        map
    }

    /// The reverse. Names of others are passed over.
    pub fn of_map(map: &BTreeMap<String, Secret<String>>) -> Self {
        let of = |name: &str| map.get(name).cloned().map(Hidden);
        let all_of = |before: &str| {
            let all = map.iter().filter_map(|(name, it)| Some((name.strip_prefix(before)?, it)));
            all.map(|(name, it)| (name.to_owned(), Hidden(it.clone()))).collect()
        };
        let mut secrets = Self { relays: all_of(RELAY), ..Self::default() };
        for (name, slot) in secrets.slots() {
            *slot = of(name);
        }
        for (table, asks) in secrets.asks_mut() {
            asks.password = of(&format!("{table}.password"));
            asks.token = of(&format!("{table}.token"));
            asks.headers = all_of(&format!("{table}{HEADER}"));
        }
        secrets
    }

    /// Those of the tables of `balance`, by their paths in a document.
    pub(crate) fn asks(&self) -> [(&'static str, &AskSecrets); 4] {
        let [balance, minutes, top_up, callback] = ASKS;
        [
            (balance, &self.balance),
            (minutes, &self.balance_minutes),
            (top_up, &self.balance_top_up),
            (callback, &self.balance_callback),
        ]
    }

    fn asks_mut(&mut self) -> [(&'static str, &mut AskSecrets); 4] {
        let [balance, minutes, top_up, callback] = ASKS;
        [
            (balance, &mut self.balance),
            (minutes, &mut self.balance_minutes),
            (top_up, &mut self.balance_top_up),
            (callback, &mut self.balance_callback),
        ]
    }

    fn slots(&mut self) -> [(&'static str, &mut Option<Hidden>); 6] {
        [
            ("password", &mut self.password),
            ("vos.key", &mut self.vos_key),
            ("tls_key", &mut self.tls_key),
            ("push.prid", &mut self.push_prid),
            ("relay.service", &mut self.relay_service),
            ("relay.token", &mut self.relay_token),
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
        secrets.balance.headers.insert("X-Key".into(), hidden("hush-3"));
        secrets.balance_top_up.headers.insert("X.headers/Y".into(), hidden("hush-5"));
        secrets.balance_callback.token = Some(hidden("hush-6"));
        let mut map = secrets.to_map();
        assert_eq!(
            map.keys().collect::<Vec<_>>(),
            [
                "balance.callback.token",
                "balance.headers/X-Key",
                "balance.top_up.headers/X.headers/Y",
                "password",
                "relay/turn:r.test ann"
            ]
        );
        map.insert("of another".into(), Secret::new("hush-4".into()));
        assert_eq!(Secrets::of_map(&map), secrets);
        assert!(!format!("{secrets:?}").contains("hush"));
        assert!(Secrets::of_map(&BTreeMap::new()).is_empty());
    }
}
