//! One transaction of any kind, as the layer keeps it.

use base::{FlowId, Instant};
use bytes::Bytes;

use super::branch::Token;
use super::client::Client;
use super::invite_client::InviteClient;
use super::invite_server::InviteServer;
use super::key::Key;
use super::server::Server;
use crate::message::Method;

#[derive(Debug)]
pub(super) enum Tx {
    InviteClient {
        machine: InviteClient,
        token: Token,
    },
    /// `method` to match responses; CANCEL is the layer's own, of which the user hears nothing.
    Client {
        machine: Client,
        token: Token,
        method: Method,
    },
    InviteServer {
        machine: InviteServer,
        known: Known,
    },
    Server {
        machine: Server,
        known: Known,
    },
}

/// What the layer keeps of a received request.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) key: Key,
    pub(super) merged: Option<Key>,
    pub(super) is_merged: bool,
    /// As long as a 100 may have to be made from it; else empty.
    pub(super) request: Bytes,
}

impl Tx {
    pub(super) fn flow(&self) -> FlowId {
        match self {
            Self::InviteClient { machine, .. } => machine.wire().flow,
            Self::Client { machine, .. } => machine.wire().flow,
            Self::InviteServer { machine, .. } => machine.wire.flow,
            Self::Server { machine, .. } => machine.wire.flow,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::InviteClient { machine, .. } => machine.deadline(),
            Self::Client { machine, .. } => machine.deadline(),
            Self::InviteServer { machine, .. } => machine.deadline(),
            Self::Server { machine, .. } => machine.deadline(),
        }
    }

    pub(super) fn why(&self) -> &'static str {
        match self {
            Self::InviteClient { machine, .. } => machine.why(),
            Self::Client { machine, .. } => machine.why(),
            Self::InviteServer { machine, .. } => machine.why(),
            Self::Server { machine, .. } => machine.why(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::InviteClient { machine, .. } => machine.is_over(),
            Self::Client { machine, .. } => machine.is_over(),
            Self::InviteServer { machine, .. } => machine.is_over(),
            Self::Server { machine, .. } => machine.is_over(),
        }
    }
}

impl Known {
    pub(super) fn forget_unless(&mut self, needed: bool) {
        if !needed {
            self.request = Bytes::new();
        }
    }
}
