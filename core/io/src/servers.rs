//! Whose certificates an account's authority signs.

use phone::Account;

/// The names, as [`crate::Trusts`] knows them, of the servers that an account goes to: its first hop, its relays, and those with
/// certificates of callers' signers. Of the services beside it, their own types tell the names.
pub fn servers_of(account: &Account) -> Vec<String> {
    let first_hop = account.proxy.as_ref().unwrap_or(&account.uri).view();
    let relays = account.nat.turn.iter().map(|relay| relay.server.host.clone());
    let places = account.stir.places.iter().map(|place| place.host().to_owned());
    std::iter::once(first_hop.host.to_string()).chain(relays).chain(places).collect()
}
