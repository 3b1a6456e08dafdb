//! What is around the demo's call: what it cost, who the called person saw, and what both logs say of it afterwards.

use std::fmt;
#[cfg(feature = "rest")]
use std::time::Duration;

#[cfg(feature = "rest")]
use base::Secret;
#[cfg(feature = "rest")]
use offhook_io::balance::{Amount, Balance, Known, Provider, Reading, Teller, Template};
#[cfg(feature = "rest")]
use offhook_io::{Customer, Trusts};
use phone::{CallView, Said};
use serde::Serialize;

use super::NUMBERS;
#[cfg(feature = "rest")]
use super::stage::password;
use crate::failure::Failure;
use crate::history::{Call, History};

/// What the caller has chosen to be seen by.
pub(super) const SHOWN_NUMBER: &str = "+4930123456";
/// What the called person's phone book calls that number.
pub(super) const CONTACT: &str = "Ann Miller";
/// What the caller has to begin with, in what, and what a minute costs.
pub(super) const FUNDS: &str = "10.00";
pub(super) const CURRENCY: &str = "EUR";
pub(super) const RATE: &str = "0.60";

/// All that is looked at beside what was heard.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Around {
    /// Whether the call cost what it had to; absent: this build cannot ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) balance_ok: Option<bool>,
    /// Before the call, and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) balance: Option<[String; 2]>,
    pub(crate) caller_id_ok: bool,
    pub(crate) caller_id: CallerSeen,
    pub(crate) history_ok: bool,
    /// The newest row of the caller's log, and of the called's.
    pub(crate) history: [Option<Call>; 2],
}

/// Who the called person saw.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CallerSeen {
    number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
}

impl CallerSeen {
    /// By the called phone's view of the call.
    pub(super) fn of(view: &CallView) -> Self {
        let remote: Result<sip::message::Uri, _> = view.remote.reveal().parse();
        let number = remote.ok().and_then(|uri| uri.view().user.map(str::to_owned)).unwrap_or_default();
        let name = view.name.as_ref().map(|name| name.reveal().clone());
        Self { number, name, by: view.identity.as_ref().map(|identity| identity.by.word()) }
    }

    /// The chosen number, and the exchange stands for it.
    fn is_chosen(&self) -> bool {
        self.number == SHOWN_NUMBER && self.by == Some(Said::Provider.word())
    }
}

/// What was asked before the call and after it.
#[cfg(feature = "rest")]
pub(super) type Funds = [Balance; 2];
#[cfg(not(feature = "rest"))]
pub(super) type Funds = ();

/// Asks the exchange what the caller has left.
#[cfg(feature = "rest")]
pub(super) fn funds(http: std::net::SocketAddr) -> Result<Balance, Failure> {
    let template = Template::get(format!("http://{http}/balance?user={{user}}"));
    let known = Known {
        user: NUMBERS[0].to_owned(),
        password: Secret::new(password(NUMBERS[0])),
        account: NUMBERS[0].to_owned(),
        number: NUMBERS[0].to_owned(),
    };
    let teller = Teller { template, reading: Reading::Auto };
    let provider = Provider { balance: Some(teller), ..Provider::default() };
    let asked = Customer { provider, known, trusts: Trusts::default() }.balance();
    let told = asked.expect("it is asked for").map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(told.balance)
}

impl Around {
    /// Of the call that is over. `encrypted`: the word that both logs are to have.
    #[cfg_attr(
        not(feature = "rest"),
        expect(clippy::trivially_copy_pass_by_ref, reason = "with it there is something behind it")
    )]
    pub(super) fn look(
        seen: CallerSeen,
        funds: &Funds,
        logs: [&std::path::Path; 2],
        encrypted: &str,
    ) -> Result<Self, Failure> {
        let [caller, called] = logs.map(|log| History::newest(log, 1).map(History::into_newest));
        let history = [caller.map_err(Failure::Failed)?, called.map_err(Failure::Failed)?];
        #[cfg(feature = "rest")]
        let (balance_ok, balance) = {
            let said = |funds: &Balance| {
                let currency = funds.currency.as_deref().unwrap_or_default();
                format!("{} {currency}", funds.amount.to_decimals(2)).trim_end().to_owned()
            };
            let talked = history[0].as_ref().map(Call::talked).unwrap_or_default();
            (Some(is_charged(funds, talked)), Some([said(&funds[0]), said(&funds[1])]))
        };
        #[cfg(not(feature = "rest"))]
        let (balance_ok, balance) = {
            let () = funds;
            (None, None)
        };
        Ok(Self {
            balance_ok,
            balance,
            caller_id_ok: seen.is_chosen(),
            caller_id: seen,
            history_ok: are_logged(&history, encrypted),
            history,
        })
    }

    pub(super) fn ok(&self) -> bool {
        self.balance_ok != Some(false) && self.caller_id_ok && self.history_ok
    }

    /// What is wrong first, as a sentence.
    pub(super) fn complaint(&self) -> Option<&'static str> {
        if self.balance_ok == Some(false) {
            Some("the call did not cost what it had to")
        } else if !self.caller_id_ok {
            Some("the caller was not seen by the chosen number")
        } else if !self.history_ok {
            Some("the logs do not say what was")
        } else {
            None
        }
    }
}

/// Whether that long a call made that difference. The exchange counts by its own clock, each begun second.
#[cfg(feature = "rest")]
fn is_charged([before, after]: &Funds, talked: Duration) -> bool {
    let (Ok(funds), Ok(rate)) = (FUNDS.parse::<Amount>(), RATE.parse::<Amount>()) else { return false };
    let seconds = u32::try_from(talked.as_secs()).unwrap_or(u32::MAX);
    let cost = before.amount.minus(after.amount);
    before.amount == funds
        && cost >= rate.for_seconds(seconds.saturating_sub(1).max(1))
        && cost <= rate.for_seconds(seconds.saturating_add(2))
}

/// Whether both logs have the call, each from its side.
fn are_logged(history: &[Option<Call>; 2], encrypted: &str) -> bool {
    let [Some(caller), Some(called)] = history else { return false };
    let whole = |call: &Call| call.is_whole() && call.encrypted.as_deref() == Some(encrypted);
    let of = |call: &Call| (call.word(), call.number.clone(), call.name.clone(), call.why.clone());
    let text = |it: &str| Some(it.to_owned());
    whole(caller)
        && whole(called)
        && of(caller) == ("out", NUMBERS[1].to_owned(), None, text("YouEnded"))
        && of(called) == ("in", SHOWN_NUMBER.to_owned(), text(CONTACT), text("TheyEnded"))
}

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = |ok: bool| if ok { "ok" } else { "WRONG" };
        let seen = &self.caller_id;
        let name = seen.name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
        let by = seen.by.map(|by| format!(", by {by}")).unwrap_or_default();
        writeln!(
            f,
            "caller ID {}: {} sees {}{name}{by}",
            verdict(self.caller_id_ok),
            NUMBERS[1],
            seen.number
        )?;
        if let (Some(ok), Some([before, after])) = (self.balance_ok, &self.balance) {
            writeln!(f, "balance {}: {before} before the call, {after} after it", verdict(ok))?;
        }
        writeln!(f, "call logs {}:", verdict(self.history_ok))?;
        for (number, call) in NUMBERS.iter().zip(&self.history) {
            let line = call.as_ref().map_or_else(|| "nothing".to_owned(), Call::sentence);
            writeln!(f, "  {number}  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn around(ok: bool) -> Around {
        Around {
            balance_ok: Some(ok),
            balance: Some(["10.00 EUR".into(), "9.97 EUR".into()]),
            caller_id_ok: true,
            caller_id: CallerSeen { number: SHOWN_NUMBER.into(), name: None, by: Some("pai") },
            history_ok: true,
            history: [None, None],
        }
    }

    #[cfg(feature = "rest")]
    #[test]
    fn a_call_costs_each_begun_second_and_neither_nothing_nor_much_more() {
        let funds = |amount: &str| Balance {
            amount: amount.parse().unwrap(),
            currency: None,
            overdraft: None,
            valid_until: None,
        };
        let charged = |after: &str| is_charged(&[funds("10.00"), funds(after)], Duration::from_millis(3200));
        assert!(charged("9.96") && charged("9.97") && charged("9.95"));
        assert!(!charged("10.00") && !charged("9.90"));
        assert!(!is_charged(&[funds("9.00"), funds("8.96")], Duration::from_millis(3200)));
    }

    #[test]
    fn a_caller_is_seen_only_by_the_chosen_number_and_by_the_exchanges_word() {
        let seen = |number: &str, by| CallerSeen { number: number.into(), name: None, by };
        assert!(seen(SHOWN_NUMBER, Some("pai")).is_chosen());
        assert!(!seen("1001", Some("pai")).is_chosen() && !seen(SHOWN_NUMBER, Some("from")).is_chosen());
    }

    #[test]
    fn logs_that_lack_the_call_are_wrong() {
        assert!(!are_logged(&[None, None], "none"));
        let mut around = around(true);
        around.history_ok = false;
        assert!(!around.ok() && around.complaint().unwrap().contains("logs"));
        assert!(around.to_string().contains("call logs WRONG"));
    }
}
