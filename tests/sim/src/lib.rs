//! A world in virtual time: phones, exchanges and strangers, and between them links as bad as asked for.
//!
//! Everything is drawn from one seed, so a run that fails can be run again: `OFFHOOK_SEED=N`. Knows no clock or socket.

mod exchange;
mod legs;
mod link;
mod nat;
mod node;
mod phone;
mod picture;
pub mod relay;
pub mod servers;
mod sound;
mod stranger;
mod wire;
mod world;

pub use crate::exchange::users;
pub use crate::phone::{ACCOUNT, Handset, account, insisted, insisting};
pub use link::Link;
pub use nat::{
    Alg, Allows, Dependence, Hairpin, Kind, Looks, Nat, NatBox, Parcel, Pooling, Ports, Tampering,
    Unsolicited, Verdict, Why,
};
pub use stranger::{Datagram, Heard, Stranger, sdp};
pub use wire::{Arrival, Fate, NetworkId, NodeId, Reason, Socket, Tag, Wire};
pub use world::World;
