//! How a call looks to the app.

use crate::Event;
use crate::desk::Desk;
use crate::view::{CallState, CallView};

use super::{Call, Phase};

impl Call {
    /// Tells the app, if anything it can see has changed.
    pub(crate) fn show(&mut self, desk: &mut Desk) {
        let revision = self.shown.as_ref().map_or(0, |view| view.revision);
        let view = self.view(revision);
        if self.shown.as_ref() != Some(&view) {
            let view = CallView { revision: revision + 1, ..view };
            desk.event(Event::Call(view.clone()));
            self.shown = Some(view);
        }
    }

    fn view(&self, revision: u32) -> CallView {
        let (status, reason) = match (&self.ended, &self.progress) {
            (Some((_, ending)), _) => (Some(ending.status), Some(ending.reason.clone())),
            (None, Some((status, reason))) => (Some(*status), Some(reason.clone())),
            (None, None) => (None, None),
        };
        // A call that is over has nothing open: how it was stays to be seen.
        let was = self.shown.as_ref().filter(|_| self.is_over());
        CallView {
            call: self.id,
            revision,
            account: self.account,
            side: self.side,
            state: self.state(),
            remote: self.remote.clone(),
            name: self.name.clone(),
            identity: self.identity.clone().map(|it| if self.is_over() { it.at_the_end() } else { it }),
            codec: was.map_or_else(|| self.streams.codec(), |was| was.codec),
            encrypted: was.map_or_else(|| self.streams.encrypted(), |was| was.encrypted),
            bad_keys: self.talk.bad_keys(),
            no_reports: was.map_or_else(|| self.streams.lacks_reports(), |was| was.no_reports),
            path: was.map_or_else(|| self.streams.reached(), |was| was.path),
            muted: self.muted,
            keys_left: self.keys_left(),
            conference: self.conference && !self.is_over(),
            transfer: self.transferring.as_ref().map(|transferring| transferring.stage),
            on_behalf_of: self.on_behalf_of,
            status,
            reason: reason.filter(|reason| !reason.is_empty()),
            explanation: self.ended.as_ref().map(|(_, ending)| ending.explanation),
            started: self.started,
            answered: self.answered,
            ended: self.ended.as_ref().map(|(at, _)| *at),
        }
    }

    fn state(&self) -> CallState {
        match &self.phase {
            Phase::Dialling(_) => CallState::Calling,
            Phase::Outgoing(calling) if calling.hears_media() => CallState::Early,
            Phase::Outgoing(calling) if calling.rings() => CallState::Ringing,
            Phase::Outgoing(_) => CallState::Calling,
            Phase::Announced(_) => CallState::Announced,
            Phase::Incoming(alerting) if alerting.plays_media() => CallState::Early,
            Phase::Incoming(_) => CallState::Ringing,
            Phase::Up if self.held => CallState::Held,
            Phase::Up if self.remote_hold => CallState::RemoteHeld,
            Phase::Up => CallState::Active,
            Phase::Over => CallState::Ended,
        }
    }
}
