//! By which kind of way a call's sound goes, as a word for the app to translate.

pub use nat::path::Reached;

/// How the other side of a call is reached. The straightest that carries is taken.
#[uniffi::remote(Enum)]
pub enum Reached {
    Host,
    ServerReflexive,
    PeerReflexive,
    TcpPunched,
    Relayed,
}
