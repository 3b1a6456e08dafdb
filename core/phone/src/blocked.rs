//! Who does not ring: the person has said so of a number, or of all who do not say who they are.
//!
//! RFC 5079 (433 for who is anonymous). Who is blocked by number is told 603 and no more: that somebody blocks them is not
//! theirs to know, and 607 (RFC 8197) would tell their provider. Knows no phone book.

use base::Redacted;
use base::number::{bare, same};

use crate::Why;
use crate::identity::Identity;

/// Numbers that are kept, at most: each caller is held against all of them.
const MOST: usize = 10_000;

/// What the person has said of callers.
#[derive(Debug, Default)]
pub(crate) struct Blocked {
    /// As they are compared.
    numbers: Vec<Redacted<String>>,
    anonymous: bool,
}

impl Blocked {
    pub(crate) fn set(&mut self, numbers: &[Redacted<String>]) {
        let all = numbers.iter().map(|number| bare(number.reveal())).filter(|number| !number.is_empty());
        self.numbers = all.take(MOST).map(Redacted::new).collect();
    }

    pub(crate) fn refuse_anonymous(&mut self, on: bool) {
        self.anonymous = on;
    }

    /// Why who calls from that address does not ring, if so, and with which status.
    pub(crate) fn refusal(&self, uri: &str, identity: Option<&Identity>) -> Option<(u16, Why)> {
        if self.has(uri) {
            return Some((603, Why::YouBlocked));
        }
        let hidden = self.anonymous && identity.is_none_or(|identity| identity.hidden);
        hidden.then_some((433, Why::YouRefuseAnonymous))
    }

    /// Whether it is the address of somebody who is blocked.
    pub(crate) fn has(&self, uri: &str) -> bool {
        if self.numbers.is_empty() {
            return false;
        }
        let address = bare(uri);
        let user = bare(address.split('@').next().unwrap_or_default());
        self.numbers.iter().map(Redacted::reveal).any(|it| same(it, &address) || same(it, &user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Said;

    fn blocked(numbers: &[&str]) -> Blocked {
        let numbers: Vec<_> = numbers.iter().map(|it| Redacted::new((*it).to_owned())).collect();
        let mut blocked = Blocked::default();
        blocked.set(&numbers);
        blocked
    }

    #[test]
    fn a_number_is_blocked_however_it_is_written_and_an_address_as_a_whole() {
        let blocked = blocked(&["0900 1234567", "sip:Spam@Evil.test", "1003", ""]);
        for uri in [
            "sip:+499001234567@offhook.test;user=phone",
            "tel:+49-900-1234567",
            "sip:spam@evil.test:5060;transport=tcp",
            "sip:1003@anywhere.test",
        ] {
            assert_eq!(blocked.refusal(uri, None), Some((603, Why::YouBlocked)), "{uri}");
        }
        for uri in ["sip:spam@good.test", "sip:11003@offhook.test", "sip:+4930123456@offhook.test", ""] {
            assert_eq!(blocked.refusal(uri, None), None, "{uri}");
        }
    }

    #[test]
    fn who_hides_rings_unless_the_person_does_not_want_it() {
        let identity = |hidden| Some(Identity { by: Said::Provider, verified: None, passport: None, hidden });
        let mut blocked = blocked(&[]);
        assert_eq!(blocked.refusal("sip:1002@offhook.test", identity(true).as_ref()), None);
        blocked.refuse_anonymous(true);
        let refusal = |hidden| blocked.refusal("sip:1002@offhook.test", identity(hidden).as_ref());
        assert_eq!((refusal(true), refusal(false)), (Some((433, Why::YouRefuseAnonymous)), None));
    }
}
