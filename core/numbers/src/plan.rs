//! A dial plan: how an account's provider wants numbers.
//!
//! Rules are looked at in order, each once; the first that fits ends it unless it says to go on. So no plan runs in circles.
//! Expressions are of the linear kind. Emergency numbers do not come here. What was done can be told step by step.

use regex_lite::{Regex, RegexBuilder};

/// Rules of one plan, at most.
const MOST_RULES: usize = 64;
/// Digits that a rule may make of a number, at most.
const LONGEST: usize = 64;
/// Largest compiled expression, in bytes.
const LARGEST_REGEX: usize = 64 * 1024;

/// One rule.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// It fits numbers that begin so; empty: all.
    pub begins: String,
    /// It fits numbers that this expression fits from end to end; `None`: all.
    pub fits: Option<String>,
    /// It fits numbers of so many digits: at least, at most.
    pub length: Option<(usize, usize)>,
    /// Takes so many digits from the beginning.
    pub strip: usize,
    /// Puts this in front.
    pub prefix: String,
    /// Makes this of it instead, with `$1` for the expression's groups.
    pub replace: Option<String>,
    /// Whether the rules behind it are looked at too.
    pub go_on: bool,
}

/// A rule that cannot be used. Show it beside the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// By its place.
    #[error("rule {0}: that is no expression that can be used")]
    Expression(usize),
    /// By its place.
    #[error("rule {0}: `replace` needs an expression in `fits`")]
    ReplaceWithout(usize),
    /// There are too many.
    #[error("a dial plan has at most 64 rules")]
    TooMany,
}

/// Rules, ready for use.
#[derive(Clone, Debug, Default)]
pub struct Plan(Vec<(Rule, Option<Regex>)>);

/// What a plan made of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What is dialed.
    pub number: String,
    /// What each rule did that fitted.
    pub steps: Vec<Step>,
}

/// What one rule did. `Display` is a sentence for the person who tries the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place, from 1.
    pub rule: usize,
    /// What came to it.
    pub before: String,
    /// What left it; the same: it could not be done.
    pub after: String,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rule {}: {} becomes {}", self.rule, self.before, self.after)
    }
}

impl Plan {
    /// Of these rules, in order.
    ///
    /// # Errors
    /// - [`BadRule`]: show it beside the rule.
    pub fn new(rules: Vec<Rule>) -> Result<Self, BadRule> {
        if rules.len() > MOST_RULES {
            return Err(BadRule::TooMany);
        }
        let made = rules.into_iter().enumerate().map(|(at, rule)| {
            if rule.replace.is_some() && rule.fits.is_none() {
                return Err(BadRule::ReplaceWithout(at + 1));
            }
            let whole = rule.fits.as_ref().map(|fits| format!("^(?:{fits})$"));
            let regex = whole.map(|it| RegexBuilder::new(&it).size_limit(LARGEST_REGEX).build()).transpose();
            Ok((rule, regex.map_err(|_| BadRule::Expression(at + 1))?))
        });
        made.collect::<Result<_, _>>().map(Self)
    }

    /// What is dialed for `number`.
    pub fn apply(&self, number: &str) -> Applied {
        let mut applied = Applied { number: number.to_owned(), steps: Vec::new() };
        for (at, (rule, regex)) in self.0.iter().enumerate() {
            let before = applied.number.clone();
            if !rule.fits(regex.as_ref(), &before) {
                continue;
            }
            let after = rule.made_of(regex.as_ref(), &before);
            applied.number.clone_from(&after);
            applied.steps.push(Step { rule: at + 1, before, after });
            if !rule.go_on {
                break;
            }
        }
        applied
    }
}

impl Rule {
    fn fits(&self, regex: Option<&Regex>, number: &str) -> bool {
        let digits = number.chars().filter(char::is_ascii_digit).count();
        number.starts_with(&self.begins)
            && regex.is_none_or(|regex| regex.is_match(number))
            && self.length.is_none_or(|(least, most)| (least..=most).contains(&digits))
    }

    fn made_of(&self, regex: Option<&Regex>, number: &str) -> String {
        let made = match (&self.replace, regex) {
            (Some(replace), Some(regex)) => regex.replace(number, &**replace).into_owned(),
            _ => {
                let rest: String = number.chars().skip(self.strip).collect();
                format!("{}{rest}", self.prefix)
            }
        };
        // Nothing, or more than any number: then the rule is wrong, and the number stays.
        if made.is_empty() || made.len() > LONGEST { number.to_owned() } else { made }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(vec![
            Rule { begins: "00".into(), strip: 2, prefix: "+".into(), go_on: true, ..Rule::default() },
            Rule { fits: Some(r"0([1-9]\d+)".into()), replace: Some("+49$1".into()), ..Rule::default() },
            Rule { length: Some((7, 8)), prefix: "+4930".into(), ..Rule::default() },
            Rule { begins: "+".into(), strip: 1, prefix: "011".into(), ..Rule::default() },
        ])
        .unwrap()
    }

    #[test]
    fn the_first_rule_that_fits_is_done_and_told() {
        let dialed = |number: &str| plan().apply(number).number;
        assert_eq!(dialed("030123456"), "+4930123456");
        assert_eq!(dialed("1234567"), "+49301234567");
        assert_eq!(dialed("1002"), "1002");
        let abroad = plan().apply("0044201");
        assert_eq!(abroad.number, "01144201");
        let told: Vec<String> = abroad.steps.iter().map(Step::to_string).collect();
        assert_eq!(told, ["rule 1: 0044201 becomes +44201", "rule 4: +44201 becomes 01144201"]);
    }

    #[test]
    fn rules_that_would_run_in_circles_grow_or_explode_are_bounded() {
        let grow = Rule { prefix: "0".into(), go_on: true, ..Rule::default() };
        let dialed = Plan::new(vec![grow; MOST_RULES]).unwrap().apply("1");
        assert!(dialed.number.len() <= LONGEST && dialed.steps.len() == MOST_RULES);
        let all = Rule { strip: 9, ..Rule::default() };
        assert_eq!(Plan::new(vec![all]).unwrap().apply("112233").number, "112233");
        let slow = Rule { fits: Some("(1*)*2".into()), ..Rule::default() };
        assert!(Plan::new(vec![slow]).unwrap().apply(&"1".repeat(20_000)).steps.is_empty());
        let bad = |rule| Plan::new(vec![Rule::default(), rule]).err();
        assert_eq!(bad(Rule { fits: Some("(".into()), ..Rule::default() }), Some(BadRule::Expression(2)));
        assert_eq!(
            bad(Rule { replace: Some("1".into()), ..Rule::default() }),
            Some(BadRule::ReplaceWithout(2))
        );
        assert_eq!(Plan::new(vec![Rule::default(); 65]).err(), Some(BadRule::TooMany));
    }
}
