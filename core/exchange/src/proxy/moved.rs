//! A phone that moves while it rings: what is still to be said of its INVITE, a CANCEL as a rule, goes where it is now.
//!
//! RFC 3261 section 9.1 sends a CANCEL where the INVITE went; nobody is there any more. The transaction stays the same, and
//! the phone knows it by its branch (section 17.2.3). Answers are taken from wherever they come (section 18.1.2).

use sip::transaction::{Hop, Source};

use super::context::Context;
use super::target::Next;
use super::{Desk, Proxy};
use crate::bindings::{Binding, Way};

/// The ways that a REGISTER from `source` has ended, if it has made one of its own as well.
pub(crate) fn left(before: &[Binding], after: &[Binding], source: &Source) -> Vec<Way> {
    let is_here = |way: &Way| way.remote == source.remote && way.transport == source.transport;
    if !after.iter().filter_map(|it| it.way.as_ref()).any(is_here) {
        return Vec::new();
    }
    let stands = |way: &Way| after.iter().any(|it| it.way.is_some_and(|other| other.remote == way.remote));
    before.iter().filter_map(|it| it.way).filter(|way| !is_here(way) && !stands(way)).collect()
}

impl Proxy {
    /// What goes by one of the ways `left`, goes to `source` from now on.
    pub(crate) fn follow(&mut self, left: &[Way], source: &Source, desk: &mut Desk<'_>) {
        if left.is_empty() {
            return;
        }
        let hop = source.hop();
        let is_left =
            |old: &Hop| left.iter().any(|way| way.remote == old.remote && way.transport == old.transport);
        for branch in self.contexts.values_mut().flat_map(Context::branches_mut) {
            if let Next::Flow(old) = branch.target.next
                && is_left(&old)
                && let Some(tx) = branch.tx
            {
                branch.target.next = Next::Flow(hop);
                desk.transactions.carry(tx, hop);
            }
        }
    }
}
