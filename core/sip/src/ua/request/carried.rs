//! How a request under way is carried: its transaction, and whom that leads to.
//!
//! Knows nothing of what is made of it: see [`crate::ua::carry`].

use super::{Cx, OutId, Stage};
use crate::locate::Target;
use crate::transaction::TxId;

impl Cx<'_> {
    /// What carries a request that was sent and is not answered.
    pub(in crate::ua) fn carrier_of(&self, id: OutId) -> Option<(TxId, Target)> {
        match self.common.requests.by_id.get(&id)?.stage {
            Stage::Sent { tx, target } => Some((tx, target)),
            Stage::Locating | Stage::Opening(_) | Stage::Asked | Stage::Answered { .. } => None,
        }
    }
}
