//! Where numbers are of, by what the person has set, what the SIM card says and what the network around says.
//!
//! At home numbers are written and read: there the card's country stands above the network's, so that a phone abroad still
//! dials its own. For help one calls where one is: an emergency number of any of them is one (3GPP TS 22.101 section 10.1: a
//! card brings its own, a network tells its own).

use crate::emergency::{is_emergency, is_emergency_anywhere};

/// Regions, each of two letters, upper case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions([Option<String>; 3]);

impl Regions {
    /// As they are told; what is no two letters is passed over.
    pub fn told(setting: &str, card: &str, network: &str) -> Self {
        Self([setting, card, network].map(|told| {
            let told = told.trim();
            let is_one = told.len() == 2 && told.bytes().all(|letter| letter.is_ascii_alphabetic());
            is_one.then(|| told.to_ascii_uppercase())
        }))
    }

    /// Where numbers without a country are of.
    pub fn home(&self) -> Option<&str> {
        self.0.iter().flatten().next().map(String::as_str)
    }

    /// Whether `number`, as it was typed, calls for help in one of them. Where none is known: wherever a phone is, and no
    /// other number, for an office's exchange may have the others as extensions.
    pub fn is_emergency(&self, number: &str) -> bool {
        let mut known = self.0.iter().flatten();
        is_emergency_anywhere(number) || known.any(|region| is_emergency(number, Some(region)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_is_what_was_set_then_the_cards_then_the_networks_country() {
        for (setting, card, network, home) in [
            ("de", "US", "FR", Some("DE")),
            ("", "us", "FR", Some("US")),
            ("Germany", "", " fr ", Some("FR")),
            ("", "1", "\u{e9}", None),
        ] {
            assert_eq!(Regions::told(setting, card, network).home(), home);
        }
    }

    #[test]
    fn help_is_called_by_the_numbers_of_home_and_of_where_the_phone_is() {
        let abroad = Regions::told("", "DE", "GB");
        for (number, expected) in
            [("110", true), ("999", true), ("112", true), ("000", false), ("1002", false)]
        {
            assert_eq!(abroad.is_emergency(number), expected, "{number}");
        }
        assert!(!Regions::default().is_emergency("110") && Regions::default().is_emergency("911"));
    }
}
