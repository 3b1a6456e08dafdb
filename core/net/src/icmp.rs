//! Datagrams that came back: the error queue of a UDP socket (Linux: ip(7), `IP_RECVERR`).
//!
//! An unconnected socket tells which remote an ICMP error was about only there. Elsewhere than on Linux nothing is told,
//! and a dead remote is found by the transaction's timer. Knows nothing of flows.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::Icmp;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use silent::Icmp;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::fmt;
    use std::future::Future;
    use std::io::{self, IoSliceMut};
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
    use std::os::fd::AsRawFd;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, ready};

    use nix::errno::Errno;
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
    use tokio::io::Interest;
    use tokio::net::UdpSocket;

    type Errors = Pin<Box<dyn Future<Output = ()> + Send>>;

    /// `None`: the system would not tell.
    pub(crate) struct Icmp(Option<Errors>);

    impl fmt::Debug for Icmp {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Icmp({})", self.0.is_some())
        }
    }

    impl Icmp {
        pub(crate) fn watch(socket: &Arc<UdpSocket>, v6: bool) -> Self {
            let set = if v6 {
                setsockopt(socket, sockopt::Ipv6RecvErr, &true)
            } else {
                setsockopt(socket, sockopt::Ipv4RecvErr, &true)
            };
            Self(set.is_ok().then(|| errors(socket)))
        }

        /// The remote of a datagram that came back.
        pub(crate) fn poll(&mut self, socket: &Arc<UdpSocket>, cx: &mut Context<'_>) -> Poll<SocketAddr> {
            let Some(waiting) = &mut self.0 else { return Poll::Pending };
            loop {
                ready!(waiting.as_mut().poll(cx));
                // `WouldBlock` tells tokio that the queue is empty.
                let read = socket.try_io(Interest::ERROR, || read_queue(socket));
                *waiting = errors(socket);
                if let Ok(Some(remote)) = read {
                    return Poll::Ready(remote);
                }
            }
        }
    }

    fn errors(socket: &Arc<UdpSocket>) -> Errors {
        let socket = Arc::clone(socket);
        Box::pin(async move {
            let _ = socket.ready(Interest::ERROR).await;
        })
    }

    /// One entry of the queue; `None` for one that names no remote or is no refusal.
    fn read_queue(socket: &UdpSocket) -> io::Result<Option<SocketAddr>> {
        let mut control = nix::cmsg_space!([u8; 128]);
        let mut payload = [0];
        let mut iov = [IoSliceMut::new(&mut payload)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let told = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut iov, Some(&mut control), flags)?;
        let refused = told.cmsgs()?.any(|message| match message {
            ControlMessageOwned::Ipv4RecvErr(e, _) | ControlMessageOwned::Ipv6RecvErr(e, _) => {
                let errno = Errno::from_raw(e.ee_errno.cast_signed());
                matches!(errno, Errno::ECONNREFUSED | Errno::EHOSTUNREACH | Errno::ENETUNREACH)
            }
            _ => false,
        });
        let remote = told.address.and_then(|a| {
            let v4 = a.as_sockaddr_in().map(|a| SocketAddr::V4(SocketAddrV4::from(*a)));
            v4.or_else(|| a.as_sockaddr_in6().map(|a| SocketAddr::V6(SocketAddrV6::from(*a))))
        });
        Ok(remote.filter(|_| refused))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod silent {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use tokio::net::UdpSocket;

    #[derive(Debug)]
    pub(crate) struct Icmp;

    impl Icmp {
        pub(crate) fn watch(_: &Arc<UdpSocket>, _: bool) -> Self {
            Self
        }

        pub(crate) fn poll(&mut self, _: &Arc<UdpSocket>, _: &mut Context<'_>) -> Poll<SocketAddr> {
            Poll::Pending
        }
    }
}
