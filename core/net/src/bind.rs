//! Who has a say in which network a socket uses.

use std::fmt;
use std::os::fd::BorrowedFd;

use base::NetworkId;

/// Binds sockets to a network where the machine has several: Wi-Fi and a mobile operator's, say. Without one the
/// system's routes decide. Told of every socket before it is bound to an address or connected, the resolver's as well.
pub trait Bind: fmt::Debug + Send + Sync {
    /// Binds this one to that network; to none, or the one of the day, where it is [`NetworkId::SYSTEM`]. A failure is the
    /// implementation's to know: the socket is used all the same.
    fn bind(&self, socket: BorrowedFd<'_>, network: NetworkId);
}
