//! The local conference: calls that the user has merged, and what a command about one of them means for all.
//!
//! Three-way calling as in RFC 5359 section 2.10, the end-point server of RFC 4353 section 6.2: this phone is the focus
//! and mixes, each call is a participant; but there is no conference URI, and nobody is told. There is one at a time,
//! held, resumed and muted as a whole. Fewer than two calls are no conference. Knows nothing of how voices are mixed.

use crate::call::Call;
use crate::phone::Phone;
use crate::{CallId, Refusal};

/// The most other sides in it.
const MAX_PARTIES: usize = 3;

impl Phone {
    /// Merges the call that is up with the youngest other one, whether on hold or up too.
    pub(crate) fn merge(&mut self) -> Result<(), Refusal> {
        let up = self.calls.values().find(|call| call.is_talking()).ok_or(Refusal::WrongState)?;
        let is_other = |call: &Call| {
            call.id() != up.id() && call.is_up() && !(call.in_conference() && up.in_conference())
        };
        let other = self.calls.values().rev().find(|call| is_other(call)).ok_or(Refusal::WrongState)?;
        let (up, other) = (up.id(), other.id());
        self.merge_with(up, other)
    }

    /// Merges these two, and whoever is in the conference already. Nobody in it is on hold then.
    pub(crate) fn merge_with(&mut self, call: CallId, other: CallId) -> Result<(), Refusal> {
        for id in [call, other] {
            self.calls.get(&id).ok_or(Refusal::NoSuchCall)?.may_merge()?;
        }
        if call == other {
            return Err(Refusal::WrongState);
        }
        let is_party = |it: &Call| it.id() == call || it.id() == other || it.in_conference();
        if self.calls.values().filter(|it| is_party(it)).count() > MAX_PARTIES {
            return Err(Refusal::TooManyCalls);
        }
        // The microphone stays as the user has it now.
        let muted = |it: Option<&Call>| it.filter(|it| it.is_talking()).map(Call::is_muted);
        let muted = muted(self.calls.get(&call)).or_else(|| muted(self.calls.get(&other))).unwrap_or(false);
        for party in self.calls.values_mut().filter(|it| is_party(it)) {
            // Refused is what is so already.
            let _ = party.set_mute(muted, &mut self.desk);
            party.set_conference(true, &mut self.desk);
            let _ = party.set_hold(false, &mut self.desk);
        }
        self.hold_others(call);
        Ok(())
    }

    /// Takes one call out of the conference, to be talked to alone; the others go on hold.
    pub(crate) fn split(&mut self, call: CallId) -> Result<(), Refusal> {
        let it = self.calls.get_mut(&call).ok_or(Refusal::NoSuchCall)?;
        if !it.in_conference() {
            return Err(Refusal::WrongState);
        }
        it.set_conference(false, &mut self.desk);
        let _ = it.set_hold(false, &mut self.desk);
        self.hold_others(call);
        Ok(())
    }

    /// Holds (true) or resumes a call, and with it the conference that it is in.
    pub(crate) fn hold(&mut self, call: CallId, on: bool) -> Result<(), Refusal> {
        self.with_company(call, |it, desk| it.set_hold(on, desk))
    }

    /// Mutes (true) or unmutes a call, and with it the conference that it is in.
    pub(crate) fn mute(&mut self, call: CallId, on: bool) -> Result<(), Refusal> {
        self.with_company(call, |it, desk| it.set_mute(on, desk))
    }

    /// Refused only if all of them refuse.
    fn with_company(
        &mut self,
        call: CallId,
        act: impl Fn(&mut Call, &mut crate::desk::Desk) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let together = self.calls.get(&call).ok_or(Refusal::NoSuchCall)?.in_conference();
        let company = self.calls.values_mut().filter(|it| it.id() == call || together && it.in_conference());
        company.map(|it| act(it, &mut self.desk)).fold(Err(Refusal::WrongState), Result::or)
    }

    /// A call whose other side is sent elsewhere is no part of the conference any more.
    pub(crate) fn leave_conference(&mut self, call: CallId) {
        if let Some(it) = self.calls.get_mut(&call).filter(|it| it.in_conference()) {
            it.set_conference(false, &mut self.desk);
        }
    }

    /// A call that takes the place of a participant is one: they were put through to somebody else.
    pub(crate) fn succeed(&mut self) {
        let heirs = self.calls.values().filter(|it| it.is_talking() && !it.in_conference());
        let heir = heirs.into_iter().find_map(|it| {
            let old = self.calls.get(&it.on_behalf_of()?)?;
            (old.in_conference() && !old.wants_hold()).then(|| (it.id(), old.id()))
        });
        if let Some((heir, old)) = heir {
            self.leave_conference(old);
            if let Some(heir) = self.calls.get_mut(&heir) {
                heir.set_conference(true, &mut self.desk);
            }
        }
    }

    /// One alone is no conference.
    pub(crate) fn dissolve(&mut self) {
        let mut parties = self.calls.values_mut().filter(|it| it.in_conference());
        if let (Some(last), None) = (parties.next(), parties.next()) {
            last.set_conference(false, &mut self.desk);
        }
    }
}
