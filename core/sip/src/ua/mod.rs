//! The user-agent core: calls, transfers, subscriptions and single requests, over whatever flows there are.
//!
//! RFC 3261 sections 8, 12, 13, 14 and 15, and the extensions each file names. Session descriptions are opaque here, and
//! what to do about a call is the user's to say: this is the part of a phone that knows the rules of the road.
//!
//! ```text
//!   commands --> Agent --> Session, Subscription (one machine each)      what is going on
//!                  ^           |  requests to send
//!                  |           v
//!               replies <-- Requests: locate, flow, digest, failover     one request until it is settled
//!                              |
//!                              v
//!                          Transactions --> Orders                       bytes on flows
//! ```

mod agent;
mod carry;
mod cause;
mod common;
mod dispatch;
mod flows;
mod info;
mod invite_in;
mod invite_out;
mod leg;
mod news;
mod offer_answer;
mod outside;
mod profile;
mod reliable;
mod request;
mod session;
mod single;
mod subscription;
#[cfg(test)]
mod tests;
mod timer;
mod transfer;

pub use agent::Agent;
pub use flows::FlowUp;
pub use news::{
    Busy, By, Cause, Failure, Invite, News, Outcome, Party, ReferTo, Sdp, Subscribe, SubscriptionState,
};
pub use profile::{
    AgentConfig, ContactAddress, Profile, ProfileId, ReferId, Reliable, RequestId, SessionId, SubscriptionId,
    TransportPolicy, Way,
};
