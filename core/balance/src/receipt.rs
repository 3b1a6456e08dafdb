//! What came of something that a provider was asked to do: a card paid in, a call back.
//!
//! Nobody is told that it was done unless the answer says so. What it says of itself is kept to a line, and with a card's
//! number and PIN taken out: providers quote what they refuse.

use crate::json::Json;
use crate::place::{self, Place};
use crate::reading::Unread;
use crate::template::About;
use crate::vos;

/// Letters of a provider's own words that are shown.
const LONGEST_WORDS: usize = 200;

/// It was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The provider says that it is done. `false`: it only has answered, and its words are for the person to judge.
    pub certain: bool,
    /// What it says, in its own words.
    pub words: Option<String>,
}

/// How such an answer is read.
#[derive(Clone, Debug)]
pub enum ReceiptReading {
    /// A VOS switch's JSON: its code is 0.
    VosJson,
    /// By places.
    At {
        /// Something stands there when it is done.
        done: Place,
        /// It is this, letters' case aside; `None`: whatever it is, unless it is `false`, `null`, 0 or nothing.
        is: Option<String>,
        /// Where the words stand, whether it is done or not.
        words: Option<Place>,
    },
    /// A VOS switch's, JSON with `success`, `ok` or `error` in it, `0|...`; or words that are not understood.
    Auto,
}

impl ReceiptReading {
    /// Reads the answer to what was asked.
    ///
    /// # Errors
    /// - [`Unread::Refused`]: it is not done; show its sentence.
    /// - else: whether it is done is not known; say that, and look at the balance.
    pub fn read(&self, answer: &[u8], about: &About) -> Result<Receipt, Unread> {
        let read = self.judge(&place::text(answer)?);
        let line = |words: String| {
            let words = without(about, &words);
            let line: String =
                words.trim().chars().filter(|it| !it.is_control()).take(LONGEST_WORDS).collect();
            Some(line).filter(|it| !it.is_empty())
        };
        match read {
            Ok(Receipt { certain, words }) => Ok(Receipt { certain, words: words.and_then(line) }),
            Err(Unread::Refused { code, words }) => Err(Unread::Refused {
                code,
                words: line(words).unwrap_or_else(|| "it does not say why".into()),
            }),
            Err(other) => Err(other),
        }
    }

    fn judge(&self, text: &str) -> Result<Receipt, Unread> {
        match self {
            Self::VosJson => of_switch(Json::of(text)?),
            Self::At { done, is, words } => {
                let words = words.as_ref().and_then(|place| place.find(text).ok());
                let says = match done.find(text) {
                    Err(Unread::NoSuchField) => None,
                    says => Some(says?),
                };
                let fits = says.is_some_and(|says| match is {
                    Some(is) => says.trim().eq_ignore_ascii_case(is.trim()),
                    None => is_yes(&says),
                });
                let refused = |words| Unread::Refused { code: 0, words };
                if fits {
                    Ok(Receipt { certain: true, words })
                } else {
                    Err(refused(words.unwrap_or_default()))
                }
            }
            Self::Auto if text.starts_with('{') => {
                let answer = Json::of(text)?;
                if answer.at("/retCode").is_some() { of_switch(answer) } else { usual(answer) }
            }
            Self::Auto => match vos::coded(text) {
                Err(Unread::NoSuchField) => Ok(Receipt { certain: false, words: Some(text.to_owned()) }),
                coded => coded.map(|words| Receipt { certain: true, words: Some(words.to_owned()) }),
            },
        }
    }
}

fn of_switch(answer: Json<'_>) -> Result<Receipt, Unread> {
    vos::refusal(answer)?;
    Ok(Receipt { certain: true, words: None })
}

/// As most interfaces say it.
fn usual(answer: Json<'_>) -> Result<Receipt, Unread> {
    let find = |names: &[&str]| names.iter().find_map(|name| answer.at(name)).map(Json::as_it_stands);
    let words = find(&["/message", "/msg", "/error/message", "/error_description", "/description"]);
    let error = find(&["/error", "/errors"]).filter(|it| is_yes(it) && it != "[]" && it != "{}");
    let verdict = find(&["/success", "/ok", "/done"]);
    match (error, verdict) {
        (Some(error), _) => {
            // An object of theirs is nothing to read out.
            let plain = Some(error).filter(|it| !it.starts_with(['{', '[']) && it != "true");
            Err(Unread::Refused { code: 0, words: words.or(plain).unwrap_or_default() })
        }
        (None, Some(verdict)) if !is_yes(&verdict) => {
            Err(Unread::Refused { code: 0, words: words.unwrap_or_default() })
        }
        (None, verdict) => Ok(Receipt { certain: verdict.is_some(), words }),
    }
}

fn is_yes(says: &str) -> bool {
    let says = says.trim();
    !["", "0", "false", "no", "null", "nil"].iter().any(|no| says.eq_ignore_ascii_case(no))
}

/// Words without the card's number and its PIN, whole or as their letters stand in groups.
fn without(about: &About, words: &str) -> String {
    let About::Card(card) = about else { return words.to_owned() };
    let mut hidden = words.to_owned();
    for secret in [&card.number, &card.pin] {
        let letters: Vec<char> = secret.expose().chars().filter(|it| !is_between(*it)).collect();
        if !letters.is_empty() {
            hidden = cut(&hidden, &letters);
        }
    }
    hidden
}

fn is_between(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '.' | '/')
}

fn cut(words: &str, letters: &[char]) -> String {
    let words: Vec<char> = words.chars().collect();
    let (mut kept, mut at) = (String::new(), 0);
    while at < words.len() {
        if let Some(end) = ends(&words, at, letters) {
            kept.push_str("***");
            at = end;
        } else {
            kept.push(words[at]);
            at += 1;
        }
    }
    kept
}

/// Where those letters, which begin there, end.
fn ends(words: &[char], from: usize, letters: &[char]) -> Option<usize> {
    let mut at = from;
    for (place, letter) in letters.iter().enumerate() {
        while place > 0 && words.get(at).is_some_and(|it| is_between(*it)) {
            at += 1;
        }
        if words.get(at)? != letter {
            return None;
        }
        at += 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use base::Secret;

    use super::*;
    use crate::template::Card;

    fn card() -> About {
        let secret = |text: &str| Secret::new(text.to_owned());
        About::Card(Card { number: secret("1234-5678"), pin: secret("0042") })
    }

    /// `yes`, `maybe` or the refusal, each with its words.
    fn read(reading: &ReceiptReading, answer: &str) -> String {
        match reading.read(answer.as_bytes(), &card()) {
            Ok(it) => format!(
                "{}{}",
                if it.certain { "yes" } else { "maybe" },
                it.words.map(|it| format!(": {it}")).unwrap_or_default()
            ),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn it_is_done_when_the_answer_says_so_and_only_then() {
        for (answer, told) in [
            (r#"{"retCode":0,"callIdentifier":"x"}"#, "yes"),
            (
                r#"{"retCode":-10007,"exception":"Not found"}"#,
                "the provider refuses (-10007): it is not known there",
            ),
            (r#"{"retCode":-5,"exception":"Card is used up"}"#, "the provider refuses (-5): Card is used up"),
            (r#"{"success":true,"message":"5 EUR added"}"#, "yes: 5 EUR added"),
            (r#"{"success":false,"message":"No such card"}"#, "the provider refuses: No such card"),
            (r#"{"success":"0"}"#, "the provider refuses: it does not say why"),
            (r#"{"error":{"message":"Locked"}}"#, "the provider refuses: Locked"),
            (r#"{"ok":true,"error":"Locked"}"#, "the provider refuses: Locked"),
            (r#"{"ok":true,"error":null,"errors":[]}"#, "yes"),
            (r#"{"hello":1}"#, "maybe"),
            ("0|thanks", "yes: thanks"),
            ("-3|no", "the provider refuses (-3): no"),
            ("Your card was not found\r\n", "maybe: Your card was not found"),
            ("", "maybe"),
            (
                "<html>",
                "the answer is a web page: is the address right, and does this network want a login first?",
            ),
            ("{", "the answer is not in the form that was expected"),
        ] {
            assert_eq!(read(&ReceiptReading::Auto, answer), told, "{answer}");
        }
        assert_eq!(read(&ReceiptReading::VosJson, r#"{"retCode":0}"#), "yes");
        assert_eq!(read(&ReceiptReading::VosJson, r#"{"ok":true}"#), Unread::NoSuchField.to_string());
    }

    #[test]
    fn it_is_judged_by_the_places_that_were_said() {
        let at = |done: Place, is: Option<&str>, words: Option<Place>| ReceiptReading::At {
            done,
            is: is.map(Into::into),
            words,
        };
        let json = at(Place::Json("/state".into()), Some("Paid"), Some(Place::Json("/text".into())));
        assert_eq!(read(&json, r#"{"state":"PAID","text":"5 more"}"#), "yes: 5 more");
        assert_eq!(read(&json, r#"{"state":"open","text":"used"}"#), "the provider refuses: used");
        assert_eq!(read(&json, "{}"), "the provider refuses: it does not say why");
        assert_eq!(read(&json, "paid"), Unread::NotSo.to_string());
        let any = at(Place::Xml("r/id".into()), None, None);
        assert_eq!(
            (read(&any, "<r><id>7</id></r>"), read(&any, "<r><id>0</id></r>")),
            ("yes".into(), "the provider refuses: it does not say why".into())
        );
        let text = at(Place::text("(?i)^accepted").unwrap(), None, Some(Place::Whole));
        assert_eq!(read(&text, "Accepted. 5 EUR"), "yes: Accepted. 5 EUR");
        assert_eq!(read(&text, "Rejected."), "the provider refuses: Rejected.");
    }

    #[test]
    fn what_a_provider_quotes_of_a_card_is_taken_out_however_it_groups_it() {
        for (answer, told) in [
            ("card 1234-5678 is used", "maybe: card *** is used"),
            ("card 12345678/0042 is used", "maybe: card ***/*** is used"),
            ("1234 5678", "maybe: ***"),
            (r#"{"success":false,"message":"PIN 0042 is wrong"}"#, "the provider refuses: PIN *** is wrong"),
            (r#"{"retCode":-1,"exception":"12 34 56 78 ?"}"#, "the provider refuses (-1): *** ?"),
        ] {
            assert_eq!(read(&ReceiptReading::Auto, answer), told, "{answer}");
        }
        let long = format!("{}\u{7}{}", "a".repeat(150), "b".repeat(150));
        assert_eq!(read(&ReceiptReading::Auto, &long).len(), "maybe: ".len() + LONGEST_WORDS);
    }
}
