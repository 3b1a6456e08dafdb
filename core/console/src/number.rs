//! `offhook numbers`: what becomes of a number that is typed, in words.

use numbers::{Showing, Typed, as_typed, emergency, normal, shown};
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
    let region = args.region.as_deref();
    let typed = Typed::of(&args.typed);
    let told = Told {
        event: "number",
        showing: typed.showing.map(|showing| match showing {
            Showing::Show => "show",
            Showing::Hide => "hide",
        }),
        emergency: emergency::is_emergency(&typed.whom, region),
        normal: normal(&typed.whom, region),
        shown: shown(&typed.whom, region),
        as_typed: as_typed(&typed.whom, region),
        keys: typed.keys,
        whom: typed.whom,
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
