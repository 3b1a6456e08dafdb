//! What an account shows of itself.
//!
//! A view is told when it differs from the last; a refresh that goes well is nobody's business.

use std::time::Duration;

use super::{Registration, State};
use crate::desk::Desk;
use crate::view::{AccountState, AccountView, Step};
use crate::{Event, Why};

impl Registration {
    /// A refresh that nobody needs to know of stays `Registered`.
    pub(super) fn show_asking(&mut self, desk: &mut Desk) {
        let holds = match self.state {
            State::Registered { until } | State::Moving { until, .. } => {
                desk.now < until && self.path.is_some()
            }
            State::Off | State::Asking { .. } | State::Waiting | State::Leaving { .. } => false,
        };
        if !holds {
            self.show(desk, AccountView { step: Step::Find, ..self.plain(AccountState::Registering) });
        }
    }

    pub(super) fn show_failure(
        &mut self,
        desk: &mut Desk,
        status: Option<u16>,
        why: Why,
        retry_in: Option<Duration>,
    ) {
        let reason = Some(why);
        let view = AccountView { status, reason, retry_in, ..self.plain(AccountState::Failed) };
        self.show(desk, view);
    }

    /// A view of that state with nothing more to say.
    pub(super) fn plain(&self, state: AccountState) -> AccountView {
        let nothing =
            AccountView { expires: None, status: None, reason: None, retry_in: None, ..self.view.clone() };
        AccountView { state, ..nothing }
    }

    pub(super) fn show(&mut self, desk: &mut Desk, view: AccountView) {
        if self.view.revision == 0 || self.view != view {
            self.view = view;
            self.view.revision += 1;
            self.view.as_of = desk.now;
            desk.event(Event::Account(self.view.clone()));
        }
    }
}
