//! Which pair of addresses can talk: STUN, TURN, ICE, hole punching.
//!
//! Machines that are told the bytes, the time and the randomness, and say what to send. Knows no SIP, no SDP and no codec:
//! candidates are values here, and whoever writes descriptions (`phone`) carries them over.

pub mod address;
pub mod behaviour;
mod candidate;
pub mod channel;
pub mod framing;
pub mod ice;
pub mod path;
pub mod punch;
pub mod stun;
pub mod turn;

pub use base::nat64;
pub use candidate::{BadCandidate, Candidate, Carrier, Kind, TcpType};
