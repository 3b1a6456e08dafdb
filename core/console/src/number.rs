//! `offhook numbers`: what becomes of a number that is typed, in words.

use numbers::{Plan, Regions, Showing, as_typed};
use serde::Serialize;

use crate::cli::NumbersArgs;
use crate::failure::Failure;
use crate::phone::json::say;

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
}

/// Says it.
pub(crate) fn run(args: &NumbersArgs) -> Result<(), Failure> {
    let regions = Regions::told(args.region.as_deref().unwrap_or_default(), "", "");
    let told = numbers::Told::of(&args.typed, &Plan::default(), &regions);
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
    };
    if args.json {
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
    }
    Ok(())
}
