//! The sockets of NAT behaviour discovery: two fresh ones, for as long as it takes.
//!
//! RFC 5780. Carries out what `nat`'s [`Discovery`] wants sent and tells it what came; what to ask and what to make of it is
//! that one's.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant as Clock};

use base::{Instant, NetworkId, Rng};
use nat::behaviour::{Behaviour, Discovery, Side};

use crate::udp::{Udp, Udping};
use crate::{Bind, local_toward};

/// What lies between a host and a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// Our address, as it is here.
    pub local: SocketAddr,
    /// What the server and our questions told of the router.
    pub behaviour: Behaviour,
}

/// Asks a STUN server about the router between us, from `from` or from the address that the system has toward it. Takes as long
/// as a way back and forth or two; where something is filtered 5.5 s, which is also how long a server is given to answer.
///
/// # Errors
/// There is no way to the server from here, or no socket is to be had. A server that does not answer is no error: then
/// [`Behaviour::blocked`] is true.
pub async fn discover(
    server: SocketAddr,
    from: Option<IpAddr>,
    rng: Rng,
    binder: Option<&dyn Bind>,
) -> io::Result<Between> {
    // A concrete address: with the unspecified one nobody could tell whether it is translated.
    let host = from.map_or_else(|| local_toward(server.ip()), Ok)?;
    let bind = || Udp::bind(NetworkId::SYSTEM, SocketAddr::new(host, 0), binder, Waker::noop().clone());
    let mut sockets = [bind()?, bind()?];
    let locals = [sockets[0].bound, sockets[1].bound];

    let began = Clock::now();
    let now = || Instant::from_nanos(began.elapsed().as_nanos() as u64);
    let mut discovery = Discovery::new(server, locals, rng, now());
    let (mut room, mut heard) = ([0; 1024], false);
    loop {
        while let Some(datagram) = discovery.poll_send() {
            // What cannot be sent is not answered; a way that is not there at all was found out above.
            let _ = sockets[datagram.from as usize].send(datagram.to, &datagram.bytes);
        }
        if let Some(behaviour) = discovery.result() {
            return Ok(Between { local: locals[0], behaviour: *behaviour });
        }
        let wait = discovery.next_wake().map_or(Duration::ZERO, |wake| wake.at.since(now()));
        match tokio::time::timeout(wait, next(&mut sockets, &mut room)).await {
            Ok((side, Udping::Datagram { len, from })) => {
                heard |= discovery.received(side, from, &room[..len], now());
            }
            // Nobody is at that port, or a router says so for all that it drops.
            Ok((_, Udping::NobodyThere(remote))) if remote == server && !heard => {
                let behaviour = Behaviour { blocked: true, ..Behaviour::default() };
                return Ok(Between { local: locals[0], behaviour });
            }
            Ok((_, Udping::NobodyThere(_))) => {}
            Err(_) => discovery.due(now()),
        }
    }
}

/// What comes next at either.
async fn next(sockets: &mut [Udp; 2], room: &mut [u8]) -> (Side, Udping) {
    poll_fn(|cx| {
        for (socket, side) in sockets.iter_mut().zip([Side::First, Side::Second]) {
            socket.waker.clone_from(cx.waker());
            if let Poll::Ready(came) = socket.poll(room) {
                return Poll::Ready((side, came));
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use nat::behaviour::Dependence;
    use nat::stun::{Message, Writer, attribute};
    use tokio::net::UdpSocket;

    use super::*;

    /// A server with one address that sees everybody at `seen`; as they are without.
    async fn serve(socket: UdpSocket, seen: Option<SocketAddr>) {
        let mut room = [0; 1024];
        loop {
            let (len, from) = socket.recv_from(&mut room).await.unwrap();
            let request = Message::read(&room[..len]).unwrap();
            let answer = Writer::success(&request)
                .hidden_address(attribute::XOR_MAPPED_ADDRESS, seen.unwrap_or(from))
                .unsigned();
            socket.send_to(&answer, from).await.unwrap();
        }
    }

    async fn discovered(seen: Option<SocketAddr>) -> (Between, SocketAddr) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = socket.local_addr().unwrap();
        tokio::select! {
            () = serve(socket, seen) => unreachable!("it serves on"),
            found = discover(server, None, Rng::from_number(1), None) => (found.unwrap(), server),
        }
    }

    #[tokio::test]
    async fn a_server_with_one_address_tells_that_nothing_is_translated() {
        let (found, _) = discovered(None).await;
        assert_eq!(found.behaviour.mapped, Some(found.local));
        assert_eq!((found.behaviour.translated, found.behaviour.filtering), (Some(false), None));
    }

    #[tokio::test]
    async fn who_is_seen_elsewhere_is_behind_a_router_and_its_mapping_is_unknown() {
        let elsewhere: SocketAddr = "127.0.0.9:9".parse().unwrap();
        let (found, _) = discovered(Some(elsewhere)).await;
        assert_eq!((found.behaviour.mapped, found.behaviour.translated), (Some(elsewhere), Some(true)));
        assert_eq!(found.behaviour.mapping, None::<Dependence>);
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[tokio::test]
    async fn a_server_that_is_not_there_is_not_waited_for() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = socket.local_addr().unwrap();
        drop(socket);
        let began = Clock::now();
        let found = discover(server, None, Rng::from_number(1), None).await.unwrap();
        assert!(found.behaviour.blocked && found.behaviour.mapped.is_none());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_an_error() {
        let from = Some("192.0.2.1".parse().unwrap());
        let found = discover("127.0.0.1:3478".parse().unwrap(), from, Rng::from_number(1), None).await;
        assert_eq!(found.err().map(|error| error.kind()), Some(io::ErrorKind::AddrNotAvailable));
    }
}
