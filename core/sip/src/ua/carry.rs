//! Calls that nobody has answered yet, while the way changes that their INVITE came or went by.
//!
//! RFC 3261 sections 9.1, 12.1.1 and 18.2.2. A call to us is answered by the other way: the transaction is the same, and the
//! Contact of what is said from then on is that of the new flow. Of a call of ours only CANCEL can go there; its answers come
//! to where it was sent from. RFC 3891 section 4 forbids a caller to replace the early dialog of his own INVITE.

use base::{FlowId, NetworkId};

use super::common::Cx;
use super::flows::{Named, Toward};
use super::leg::Exchange;
use super::session::{Session, State};
use crate::message::{Form, Method};
use crate::transaction::{Hop, Source, TxId};

impl Session {
    /// The way of its INVITE may go: there will be another, or the user gives up.
    pub(super) fn loosen(&self, cx: &mut Cx<'_>) {
        if let Some((tx, _)) = self.unanswered(cx) {
            cx.common.transactions.loosen(tx);
        }
    }

    /// Whether it is that flow that an INVITE without an answer goes by.
    pub(super) fn rides_on(&self, flow: FlowId, cx: &Cx<'_>) -> bool {
        self.unanswered(cx).is_some_and(|(tx, _)| cx.common.transactions.flow_of(tx) == Some(flow))
    }

    /// What is still to be said for its INVITE goes by that network from now on: to the same neighbour where a flow leads
    /// there, else the way that `known` came. `false`: there is no such way yet, or nothing is to be said.
    pub(super) fn carry(&mut self, network: NetworkId, known: Option<&Source>, cx: &mut Cx<'_>) -> bool {
        let Some((tx, toward)) = self.unanswered(cx) else { return false };
        let same = toward.and_then(|toward| cx.common.flows.known(Toward { network, ..toward }));
        let Some(hop) = same.or_else(|| known.map(|source| source.hop())) else { return false };
        let carried = cx.common.transactions.carry(tx, hop);
        if let State::Ringing(ringing) = &mut self.state {
            let Hop { flow, transport, remote, local } = hop;
            ringing.source = Source { flow, transport, remote, local };
        }
        carried
    }

    /// Whether an offer can be made before the call is answered: one dialog has had its first exchange, and they know UPDATE.
    /// RFC 3311 section 5.1.
    pub(super) fn can_update(&self) -> bool {
        let newest = self.legs.iter().rev().find(|leg| leg.exchange == Exchange::Agreed);
        newest.is_some_and(|leg| leg.updates)
    }

    /// About how long the head of an offer is that is made now by INVITE, in the form that a long one is written in: without Via,
    /// Contact, credentials and what tells of the body. `None`: none can be made.
    pub(super) fn offer_head(&self) -> Option<usize> {
        let leg = self.legs.iter().rev().find(|leg| leg.exchange == Exchange::Agreed)?;
        let (mut draft, _) = leg.dialog.clone().request(&Method::Invite);
        self.push_abilities(&mut draft);
        self.refreshing.push_wish(&mut draft);
        Some(draft.len(Form::Slim))
    }

    /// The transaction of an INVITE that has no answer, or whose answer is not acknowledged; and whom it leads to.
    fn unanswered(&self, cx: &Cx<'_>) -> Option<(TxId, Option<Toward>)> {
        let toward = |transport, remote| {
            Some(Toward { network: NetworkId::SYSTEM, transport, remote, name: Named::NOBODY })
        };
        match &self.state {
            State::Ringing(ringing) => {
                Some((ringing.tx, toward(ringing.source.transport, ringing.source.remote)))
            }
            State::Calling(calling) | State::Cancelling(calling) => {
                let (tx, target) = cx.carrier_of(calling.out)?;
                Some((tx, toward(target.transport, target.addr)))
            }
            State::Active | State::Leaving => {
                let unacked = self.unacked.as_ref().filter(|unacked| unacked.first)?;
                Some((unacked.tx, None))
            }
            State::Over => None,
        }
    }
}
