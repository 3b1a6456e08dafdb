//! An INVITE under way whose flow goes: its transaction is carried on by another one.
//!
//! RFC 3261 sections 17.1.3 and 17.2.3: a transaction is known by its branch, whatever way a message of it comes. What was
//! sent stays sent: answers to a request of ours go to where it came from (section 18.2.2), so only what we have still to say
//! (CANCEL, our responses) takes the other way. Knows nothing of networks.

use base::FlowId;

use super::tx::Tx;
use super::wire::Wire;
use super::{Hop, Transactions, TxId};

impl Transactions {
    /// The flow of an INVITE, ours or theirs, may go without ending it: there will be another way.
    pub fn loosen(&mut self, invite: TxId) {
        if let Some(tx @ (Tx::InviteClient { .. } | Tx::InviteServer { .. })) = self.slots.get(invite) {
            self.by_flow.remove(&(tx.flow(), invite));
        }
    }

    /// The flow that what is still said for an INVITE goes by.
    pub fn flow_of(&self, invite: TxId) -> Option<FlowId> {
        self.slots.get(invite).map(Tx::flow)
    }

    /// What is still said for an INVITE goes this way from now on. `false`: there is no such INVITE (any more).
    pub fn carry(&mut self, invite: TxId, hop: Hop) -> bool {
        self.loosen(invite);
        let wire = Wire { flow: hop.flow, to: hop.remote, reliable: hop.transport.is_reliable() };
        match self.slots.get_mut(invite) {
            Some(Tx::InviteClient { machine, .. }) => machine.wire = wire,
            Some(Tx::InviteServer { machine, .. }) => machine.wire = wire,
            Some(Tx::Client { .. } | Tx::Server { .. }) | None => return false,
        }
        self.by_flow.insert((hop.flow, invite));
        true
    }
}
