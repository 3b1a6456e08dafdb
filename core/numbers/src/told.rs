//! What becomes of what was typed, for the person who asks before calling, or tries a dial plan.

use crate::{Plan, Regions, Showing, Step, Typed, normal, shown};

/// All that is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who is meant: digits, or an address or name as it was typed.
    pub whom: String,
    /// Whether who calls is shown, where that was typed.
    pub showing: Option<Showing>,
    /// What is pressed once they answer.
    pub keys: Option<String>,
    /// It calls for help: it belongs to the platform's own dialer.
    pub emergency: bool,
    /// The same number from anywhere in the world, if it is one.
    pub normal: Option<String>,
    /// As people at home write it.
    pub shown: String,
    /// What is dialed, behind the plan. Emergency numbers and what is no number pass as they are.
    pub dialed: String,
    /// What each rule of the plan did that fitted.
    pub steps: Vec<Step>,
}

impl Told {
    /// Of what was typed, by an account with that plan.
    pub fn of(typed: &str, plan: &Plan, regions: &Regions) -> Self {
        let typed = Typed::of(typed);
        let emergency = regions.is_emergency(&typed.whom);
        let (dialed, steps) = if emergency || !typed.is_number() {
            (typed.whom.clone(), Vec::new())
        } else {
            let applied = plan.apply(&typed.whom);
            (applied.number, applied.steps)
        };
        Self {
            showing: typed.showing,
            emergency,
            normal: normal(&typed.whom, regions.home()),
            shown: shown(&typed.whom, regions.home()),
            keys: typed.keys,
            whom: typed.whom,
            dialed,
            steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rule;

    #[test]
    fn what_a_plan_does_is_told_and_it_leaves_help_and_names_alone() {
        let plan = Plan::new(vec![Rule { prefix: "9".into(), ..Rule::default() }]).unwrap();
        let regions = Regions::told("DE", "", "");
        let told = Told::of("#31#030 123456,7", &plan, &regions);
        assert_eq!((&*told.whom, &*told.dialed, &*told.shown), ("030123456", "9030123456", "030 123456"));
        assert_eq!((told.showing, told.keys.as_deref()), (Some(Showing::Hide), Some(",7")));
        assert_eq!(told.normal.as_deref(), Some("+4930123456"));
        assert_eq!(told.steps[0].to_string(), "rule 1: 030123456 becomes 9030123456");
        for (typed, emergency) in [("110", true), ("bob", false), ("sip:bob@x.test", false)] {
            let told = Told::of(typed, &plan, &regions);
            assert_eq!((&*told.dialed, told.emergency, told.steps.len()), (typed, emergency, 0));
        }
    }
}
