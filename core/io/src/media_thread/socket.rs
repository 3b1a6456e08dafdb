//! RTP's and RTCP's sockets, and when what they read arrived.
//!
//! An even port and the next (RFC 3550 section 11). The kernel stamps each datagram, so that reading once a tick still tells
//! jitter and round trip to the microsecond. Knows nothing of what is in a packet.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use base::{Instant, NetworkId};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
use nix::sys::time::{TimeSpec, TimeValLike as _};
use offhook_net::Bind;
use socket2::{Domain, Protocol, Socket, Type};

use crate::clock;

/// Longest datagram read whole; a longer one is cut, and then no codec knows its length.
const ROOM: usize = 2048;
/// How often another pair of ports is tried.
const TRIES: usize = 32;
/// Expedited forwarding (RFC 3246, RFC 4594 section 4.1) in the upper six bits.
const EXPEDITED: u32 = 46 << 2;

/// The two sockets of one stream.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    /// Of the RTP socket, with a concrete address.
    pub(super) local: SocketAddr,
}

impl Sockets {
    /// `bind`: where to listen, perhaps the unspecified address; `shown`: the address that others are told.
    pub(super) fn bind(
        bind: IpAddr,
        shown: IpAddr,
        binder: Option<&dyn Bind>,
        network: NetworkId,
    ) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            let any = open(bind, 0, binder, network)?;
            let port = any.local_addr()?.port();
            // The other of the pair: the next for an even port, the one before for an odd one.
            match open(bind, port ^ 1, binder, network) {
                Ok(other) => {
                    let (rtp, rtcp) = if port % 2 == 0 { (any, other) } else { (other, any) };
                    let local = SocketAddr::new(shown, port & !1);
                    return Ok(Self { rtp, rtcp, local });
                }
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Where RTCP is read.
    pub(super) fn local_rtcp(&self) -> SocketAddr {
        SocketAddr::new(self.local.ip(), self.local.port() + 1)
    }
}

fn open(ip: IpAddr, port: u16, binder: Option<&dyn Bind>, network: NetworkId) -> io::Result<UdpSocket> {
    let addr = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if let Some(binder) = binder {
        binder.bind(socket.as_fd(), network);
    }
    socket.set_nonblocking(true)?;
    // Neither is worth failing a call for.
    let _ = match addr {
        SocketAddr::V4(_) => socket.set_tos_v4(EXPEDITED),
        SocketAddr::V6(_) => socket.set_tclass_v6(EXPEDITED),
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::ReceiveTimestampns, &true);
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) wall: Duration,
}

impl Moment {
    pub(super) fn read() -> Self {
        Self { now: clock::now(), wall: clock::wall() }
    }

    /// The moment that the wall clock showed `wall`, a little before this one.
    fn before(self, wall: Duration) -> Self {
        // A stamp from the future, or long past, is a wall clock that was set meanwhile.
        let ago = self.wall.checked_sub(wall).filter(|ago| *ago < Duration::from_secs(5)).unwrap_or_default();
        let nanos = self.now.as_nanos().saturating_sub(ago.as_nanos() as u64);
        Self { now: Instant::from_nanos(nanos), wall: self.wall.saturating_sub(ago) }
    }
}

/// What all sockets are read with; nothing is allocated per packet.
#[derive(Debug)]
pub(super) struct Reader {
    room: Box<[u8]>,
    control: Vec<u8>,
}

/// A datagram.
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) from: SocketAddr,
    pub(super) at: Moment,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { room: vec![0; ROOM].into_boxed_slice(), control: nix::cmsg_space!(TimeSpec) }
    }

    /// The next datagram that waits in `socket`, if any.
    pub(super) fn read(&mut self, socket: &UdpSocket, present: Moment) -> Option<Datagram<'_>> {
        let mut iov = [IoSliceMut::new(&mut self.room)];
        let control = Some(self.control.as_mut_slice());
        let got =
            recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut iov, control, MsgFlags::MSG_DONTWAIT).ok()?;
        let stamp = got.cmsgs().ok().and_then(|mut messages| messages.find_map(stamp));
        let at = stamp.map_or(present, |wall| present.before(wall));
        let length = got.bytes;
        let from = got.address.and_then(|a| {
            let v4 = a.as_sockaddr_in().map(|a| SocketAddr::V4(SocketAddrV4::from(*a)));
            v4.or_else(|| a.as_sockaddr_in6().map(|a| SocketAddr::V6(SocketAddrV6::from(*a))))
        })?;
        Some(Datagram { bytes: &self.room[..length], from, at })
    }
}

fn stamp(message: ControlMessageOwned) -> Option<Duration> {
    match message {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        ControlMessageOwned::ScmTimestampns(at) => {
            u64::try_from(at.num_nanoseconds()).ok().map(Duration::from_nanos)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn a_pair_is_an_even_port_and_the_next_in_both_families() {
        for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let pair = Sockets::bind(ip, ip, None, NetworkId::SYSTEM).unwrap();
            assert_eq!(pair.local, pair.rtp.local_addr().unwrap());
            assert_eq!(pair.local_rtcp(), pair.rtcp.local_addr().unwrap());
            assert_eq!(pair.local.port() % 2, 0);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_datagram_read_late_still_tells_when_it_came() {
        let ip = Ipv4Addr::LOCALHOST.into();
        let pair = Sockets::bind(ip, ip, None, NetworkId::SYSTEM).unwrap();
        let mut reader = Reader::new();
        // The kernel begins to stamp a moment after the first socket on the machine has asked for it.
        let stamped = (0..50).any(|_| {
            let before = clock::now();
            pair.rtcp.send_to(b"packet", pair.local).unwrap();
            let after = clock::now();
            clock::sleep_until(after + Duration::from_millis(10));
            let got = reader.read(&pair.rtp, Moment::read()).unwrap();
            assert_eq!((got.bytes, got.from), (&b"packet"[..], pair.local_rtcp()));
            let slack = Duration::from_millis(2);
            got.at.now + slack >= before && got.at.now <= after + slack
        });
        assert!(stamped, "when it came, not when it was read");
        assert!(reader.read(&pair.rtp, Moment::read()).is_none());
    }
}
