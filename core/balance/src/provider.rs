//! All that one account's provider can be asked: each a template, and how its answer is read.
//!
//! Only what there is to ask: who fetches, and when, is elsewhere.

use crate::reading::Reading;
use crate::receipt::ReceiptReading;
use crate::template::Template;
use crate::time_left::TimeReading;
use crate::vos::Call;

/// What an account's provider can be asked; what it does not offer is `None`.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// What is left.
    pub balance: Option<Teller>,
    /// How long that is enough for, to a number.
    pub minutes: Option<MinutesTeller>,
    /// Takes a card: the template's places are also `{card}` and `{pin}`.
    pub top_up: Option<Errand>,
    /// Rings the person and then who is wanted: also `{caller}` and `{callee}`.
    pub call_back: Option<Errand>,
    /// Where it rings the person who says nothing else; `None`: at the account's own number.
    pub caller: Option<String>,
}

/// How one account's balance is asked for.
#[derive(Clone, Debug)]
pub struct Teller {
    /// What is asked.
    pub template: Template,
    /// How the answer is read.
    pub reading: Reading,
}

/// How the time that is left to a number is asked for.
#[derive(Clone, Debug)]
pub struct MinutesTeller {
    /// What is asked; `{number}` is the one that would be called.
    pub template: Template,
    /// How the answer is read.
    pub reading: TimeReading,
}

/// How a provider is asked to do something.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What is asked.
    pub template: Template,
    /// How the answer is read.
    pub reading: ReceiptReading,
}

impl Provider {
    /// A VOS switch's JSON interface, all of it: `https://billing.example/external/server`. It asks for no password, and is
    /// meant for a backend of the operator's: add an [`crate::Auth`] to each template where that wants one.
    pub fn vos(base: &str) -> Self {
        let errand = |call: Call| Errand { template: call.template(base), reading: ReceiptReading::VosJson };
        Self {
            balance: Some(Teller { template: Call::Customer.template(base), reading: Reading::VosJson }),
            minutes: Some(MinutesTeller {
                template: Call::AvailableTime.template(base),
                reading: TimeReading::VosJson,
            }),
            top_up: Some(errand(Call::PayByPhoneCard)),
            call_back: Some(errand(Call::CallBack)),
            caller: None,
        }
    }

    /// How each of them is asked.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let errands = [&self.top_up, &self.call_back].map(|it| it.as_ref().map(|it| &it.template));
        let balance = self.balance.as_ref().map(|it| &it.template);
        let minutes = self.minutes.as_ref().map(|it| &it.template);
        [balance, minutes].into_iter().chain(errands).flatten()
    }

    /// The same, to be changed.
    pub fn templates_mut(&mut self) -> impl Iterator<Item = &mut Template> {
        let errands =
            [&mut self.top_up, &mut self.call_back].map(|it| it.as_mut().map(|it| &mut it.template));
        let balance = self.balance.as_mut().map(|it| &mut it.template);
        let minutes = self.minutes.as_mut().map(|it| &mut it.template);
        [balance, minutes].into_iter().chain(errands).flatten()
    }
}
