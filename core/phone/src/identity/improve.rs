//! Who calls, known better a moment later: certificates that a caller's signatures want, asked for while it rings.
//!
//! Nothing waits for them: the call is shown at once, and once more when all is known, after three seconds at the latest.
//! Only calls that ring here make the phone ask; who is turned away or blocked learns nothing by it.

use std::collections::BTreeMap;
use std::time::Duration;

use sip::message::Message;
use stir::Address;

use super::passport::Open;
use super::{FetchId, Fetched, Invite, NotHad, Passport, Unproven};
use crate::desk::Timer;
use crate::output::Fetch;
use crate::phone::Phone;
use crate::{CallId, Output, identity};

/// Calls whose callers' signatures are not judged to their end.
pub(crate) type Unjudged = BTreeMap<CallId, Invited>;

/// How a call came.
pub(crate) struct Invited {
    message: Message,
    by_provider: bool,
    /// When, by the wall clock: a signature must have been fresh then.
    wall: Option<Duration>,
}

impl Phone {
    /// A call rings, and these are wanted to judge who calls.
    pub(crate) fn wish(&mut self, call: CallId, invite: &Invite<'_>, open: Open) {
        let Invite { message, by_provider, wall } = *invite;
        let invited = Invited { message: message.clone(), by_provider, wall };
        self.unjudged.insert(call, invited);
        for address in open.wishes {
            let (url, host) = (address.as_str().to_owned(), address.place().host().to_owned());
            // One that two accounts ask for is asked for as the first does.
            let named = self.is_named(call, &address);
            if let Some(id) = self.desk.shelf.ask(address, self.desk.now) {
                self.desk.queue.push_back(Output::Fetch(Fetch { id, url, host, named }));
            }
        }
        self.look_at_certificates();
    }

    fn is_named(&self, call: CallId, address: &Address) -> bool {
        let account = self.calls.get(&call).and_then(|call| self.accounts.get(&call.account()));
        account.is_some_and(|account| account.account().stir.places.contains(address.place()))
    }

    /// An answer came, or none will.
    pub(crate) fn fetched(&mut self, id: FetchId, answer: Result<Fetched, NotHad>) {
        self.desk.shelf.told(id, answer, self.desk.now);
        self.look_at_certificates();
    }

    /// Something was waited for long enough.
    pub(crate) fn certificates_due(&mut self) {
        self.desk.shelf.overdue(self.desk.now);
        self.look_at_certificates();
    }

    fn look_at_certificates(&mut self) {
        let Self { unjudged, calls, accounts, desk, blocked, .. } = self;
        unjudged.retain(|id, invited| {
            let Some(call) = calls.get_mut(id).filter(|call| !call.is_over()) else { return false };
            let Some(account) = accounts.get(&call.account()) else { return false };
            let Invited { message, by_provider, wall } = &*invited;
            let invite = Invite { message, by_provider: *by_provider, wall: *wall };
            let (caller, open) =
                identity::caller(&invite, &account.account().stir, &mut desk.shelf, desk.now);
            let Some(mut caller) = caller else { return false };
            // One that came and had to make room for others is not asked for a second time.
            let waits = open.waits && open.wishes.is_empty();
            if !waits && caller.identity.passport == Some(Passport::Asking) {
                caller.identity.passport = Some(Passport::Unproven(Unproven::NoCertificate(NotHad::Busy)));
            }
            let refusal = blocked.refusal(&caller.uri, Some(&caller.identity));
            call.identified(caller, refusal, desk);
            waits
        });
        match desk.shelf.next() {
            Some(at) => desk.timers.set(Timer::Certificates, at),
            None => drop(desk.timers.cancel(&Timer::Certificates)),
        }
    }
}
