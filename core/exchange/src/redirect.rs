//! The redirect server: numbers that live elsewhere are answered with where.
//!
//! RFC 3261 section 8.3: 302 with the new place in Contact. Knows nothing of messages: prefix in, contact out.

/// Numbers that begin with `prefix` have moved to `contact`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The beginning of the user part.
    pub prefix: String,
    /// The URI for the 302; `{number}` in it stands for the whole user part as it was dialled.
    pub contact: String,
}

/// Where `number` has moved, by the rule with the longest prefix; the first such when several are as long.
pub fn moved(rules: &[Redirect], number: &str) -> Option<String> {
    let fits = rules.iter().filter(|rule| number.starts_with(&rule.prefix));
    let best = fits.reduce(|best, rule| if rule.prefix.len() > best.prefix.len() { rule } else { best })?;
    Some(best.contact.replace("{number}", number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_says_where_a_number_has_moved() {
        let rule = |prefix: &str, contact: &str| Redirect { prefix: prefix.into(), contact: contact.into() };
        let rules =
            [rule("8", "sip:{number}@a.test"), rule("81", "sip:desk@b.test"), rule("81", "sip:late@c.test")];
        assert_eq!(moved(&rules, "8001").as_deref(), Some("sip:8001@a.test"));
        assert_eq!(moved(&rules, "8123").as_deref(), Some("sip:desk@b.test"));
        assert_eq!(moved(&rules, "7123"), None);
    }
}
