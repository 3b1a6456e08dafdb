//! `offhook numbers`: what becomes of a number that is typed, in words; with an account also what its dial plan makes of it.

use numbers::{Plan, Regions, Showing, as_typed};
use serde::Serialize;

use crate::accounts::{Kept, Shelf};
use crate::cli::NumbersArgs;
use crate::failure::Failure;
use crate::phone::json::say;
use crate::phone::picture::harmless;
use crate::place;

/// `"event":"number"`. Absent is what does not apply.
#[derive(Serialize)]
struct Told {
    event: &'static str,
    whom: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    showing: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<String>,
    emergency: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<String>,
    shown: String,
    as_typed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Planned>,
}

/// What an account's dial plan makes of it.
#[derive(Serialize)]
struct Planned {
    account: String,
    dialed: String,
    steps: Vec<String>,
}

/// Says it.
pub(crate) fn run(args: &NumbersArgs) -> Result<(), Failure> {
    let kept = match &args.data {
        Some(folder) => {
            let shelf = Shelf::open(&place::database(folder))?;
            match &args.account {
                Some(which) => Some(shelf.find(which)?),
                None => shelf.default()?,
            }
        }
        None => None,
    };
    tell(&args.typed, args.region.as_deref(), kept.as_ref(), args.json)
}

/// The same, for an account.
pub(crate) fn tell(
    typed: &str,
    region: Option<&str>,
    kept: Option<&Kept>,
    json: bool,
) -> Result<(), Failure> {
    let regions = Regions::told(region.unwrap_or_default(), "", "");
    let plan = kept.map(|kept| kept.document.dial_plan()).transpose();
    let plan = plan.map_err(|bad| Failure::Failed(bad.to_string()))?.unwrap_or_else(Plan::default);
    let told = numbers::Told::of(typed, &plan, &regions);
    let plan = kept.map(|kept| Planned {
        account: kept.row.name.clone(),
        dialed: told.dialed,
        steps: match told.steps.as_slice() {
            [] if told.emergency => vec!["the dial plan does not see a call for help".to_owned()],
            [] => vec!["no rule fits".to_owned()],
            steps => steps.iter().map(ToString::to_string).collect(),
        },
    });
    let told = Told {
        event: "number",
        showing: told.showing.map(|showing| match showing {
            Showing::Show => "show",
            Showing::Hide => "hide",
        }),
        emergency: told.emergency,
        normal: told.normal,
        shown: told.shown,
        as_typed: as_typed(&told.whom, regions.home()),
        keys: told.keys,
        whom: told.whom,
        plan,
    };
    if json {
        return say(&told).map_err(|error| Failure::Failed(format!("stdout is gone: {error}")));
    }
    println!("calls {}", told.shown);
    if let Some(normal) = told.normal.filter(|normal| *normal != told.whom) {
        println!("that is {normal} from anywhere");
    }
    match told.showing {
        Some("hide") => println!("who calls is not shown"),
        Some(_) => println!("who calls is shown"),
        None => {}
    }
    if let Some(keys) = told.keys {
        println!("then {keys} is pressed");
    }
    if told.emergency {
        println!("an emergency call: it belongs to the telephone's own dialer");
    } else if let Some(plan) = told.plan {
        plan.steps.iter().for_each(|step| println!("{step}"));
        println!("{} is asked for {}", harmless(&plan.account), plan.dialed);
    }
    Ok(())
}
