//! One bound UDP socket: one flow for all remotes.
//!
//! Sends at once or not at all: SIP repeats what is lost. Knows nothing of what it carries.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::task::{Context, Poll, Waker, ready};

use base::NetworkId;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use crate::Bind;
use crate::icmp::Icmp;

/// Asked of the system for each direction; it gives what its own limit allows.
const BUFFER: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Udp {
    socket: std::sync::Arc<UdpSocket>,
    icmp: Icmp,
    /// The network it goes by.
    pub(crate) network: NetworkId,
    /// As bound: the address may be the unspecified one.
    pub(crate) bound: SocketAddr,
    /// It was bound beside the usual one of its network.
    pub(crate) further: bool,
    /// What is sent anew leaves from here, where there is a choice.
    pub(crate) in_use: bool,
    pub(crate) waker: Waker,
}

/// What polling a socket gave.
pub(crate) enum Udping {
    Datagram { len: usize, from: SocketAddr },
    NobodyThere(SocketAddr),
}

impl Udp {
    pub(crate) fn bind(
        network: NetworkId,
        addr: SocketAddr,
        binder: Option<&dyn Bind>,
        waker: Waker,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if let Some(binder) = binder {
            binder.bind(socket.as_fd(), network);
        }
        if addr.is_ipv6() {
            socket.set_only_v6(true)?; // the IPv4 socket beside it wants the same port
        }
        socket.set_nonblocking(true)?;
        // Less than asked for is no reason to fail.
        let _ = socket.set_recv_buffer_size(BUFFER);
        let _ = socket.set_send_buffer_size(BUFFER);
        socket.bind(&addr.into())?;
        let socket = std::sync::Arc::new(UdpSocket::from_std(socket.into())?);
        let icmp = Icmp::watch(&socket, addr.is_ipv6());
        let bound = socket.local_addr()?;
        Ok(Self { bound, further: false, in_use: true, socket, icmp, network, waker })
    }

    /// Reads one datagram into `room`, or learns of one that came back.
    pub(crate) fn poll(&mut self, room: &mut [u8]) -> Poll<Udping> {
        let mut cx = Context::from_waker(&self.waker);
        if let Poll::Ready(remote) = self.icmp.poll(&self.socket, &mut cx) {
            return Poll::Ready(Udping::NobodyThere(remote));
        }
        loop {
            // An error here is the runtime's end; the socket is silent from then on.
            if ready!(self.socket.poll_recv_ready(&mut cx)).is_err() {
                return Poll::Pending;
            }
            match self.socket.try_recv_from(room) {
                Ok((0, _)) => {}
                Ok((len, from)) => return Poll::Ready(Udping::Datagram { len, from }),
                // Both kinds of refusal (nothing there; an ICMP error told here) are settled by polling again.
                Err(_) => {}
            }
        }
    }

    /// Gives one datagram to the system.
    pub(crate) fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        // Not through tokio: it would refuse until its first round has told that the socket is writable.
        let socket = SockRef::from(&*self.socket);
        let to = SockAddr::from(to);
        // The first error may be an old one, of another remote, that the system tells at the next chance.
        socket.send_to(bytes, &to).or_else(|_| socket.send_to(bytes, &to)).map(|_| ())
    }
}

/// The socket of that network that reaches `remote`: one bound to loopback does not reach beyond it.
pub(crate) fn toward<F: Copy>(
    sockets: &BTreeMap<F, Udp>,
    network: NetworkId,
    remote: SocketAddr,
) -> Option<(F, &Udp)> {
    let fits_at_all = |udp: &Udp| udp.network == network && udp.bound.is_ipv4() == remote.is_ipv4();
    let of_family = || sockets.iter().filter(|(_, udp)| fits_at_all(udp));
    let fits = |udp: &Udp| {
        udp.bound.ip().is_unspecified() || udp.bound.ip().is_loopback() == remote.ip().is_loopback()
    };
    let in_use = of_family().find(|(_, udp)| fits(udp) && udp.in_use);
    in_use
        .or_else(|| of_family().find(|(_, udp)| fits(udp)))
        .or_else(|| of_family().next())
        .map(|(flow, udp)| (*flow, udp))
}
