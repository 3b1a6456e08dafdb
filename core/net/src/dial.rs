//! Connections being made: by us, or by others who have yet to show that they speak TLS or WebSocket.
//!
//! ```text
//!   ours:    connect -> TLS handshake -> upgrade -> Connected        each step where its transport has one
//!   theirs:             TLS handshake -> upgrade -> Connected
//! ```
//! All after `connect` together has one limit in time. Knows nothing of messages, nor of how many connections there are.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base::{NetworkId, Transport};
use tokio::net::{TcpSocket, TcpStream};

use crate::Bind;
use crate::tcp::Io;
use crate::tls::{Session, Shake, Unmade};
use crate::web::{Upgrade, Web};

/// What is read of an upgrade at once.
const ROOM: usize = 2048;

/// A connection that is there, with what lies over it.
pub(crate) struct Connected {
    pub(crate) tcp: TcpStream,
    pub(crate) tls: Option<Session>,
    pub(crate) web: Option<Web>,
    pub(crate) transport: Transport,
}

impl Connected {
    /// Nothing but TCP.
    pub(crate) fn bare(tcp: TcpStream) -> Self {
        Self { tcp, tls: None, web: None, transport: Transport::Tcp }
    }
}

/// Whom a connection is made to, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whom {
    pub(crate) network: NetworkId,
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
    /// Under TLS: whose certificate it must be; by WebSocket: who is asked for.
    pub(crate) name: Option<Arc<str>>,
}

/// What is to lie over a connection.
pub(crate) struct Over {
    pub(crate) tls: Option<Session>,
    pub(crate) web: Option<Upgrade>,
    pub(crate) transport: Transport,
    /// How long all of it may take.
    pub(crate) within: Duration,
}

/// One connection being made.
pub(crate) struct Dial {
    pub(crate) whom: Whom,
    pub(crate) accepted: bool,
    pub(crate) waker: Waker,
    connecting: Pin<Box<dyn Future<Output = Result<Connected, Unmade>> + Send>>,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dial({})", self.whom.remote)
    }
}

impl Dial {
    /// Connects from the address that our datagrams come from, when that is a concrete one.
    pub(crate) fn to(
        whom: Whom,
        from: Option<IpAddr>,
        binder: Option<Arc<dyn Bind>>,
        within: Duration,
        over: Result<Over, Unmade>,
        waker: Waker,
    ) -> Self {
        let Whom { network, remote, .. } = whom;
        let connect = async move {
            let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            if let Some(binder) = binder {
                binder.bind(socket.as_fd(), network);
            }
            if let Some(from) = from {
                socket.bind(SocketAddr::new(from, 0))?;
            }
            tokio::time::timeout(within, socket.connect(remote)).await?
        };
        let connecting = async move {
            let over = over?; // before the connection, for it may be in vain
            let tcp = connect.await.map_err(|_: io::Error| Unmade::Broken)?;
            made(tcp, over).await
        };
        Self { whom, accepted: false, waker, connecting: Box::pin(connecting) }
    }

    /// One that was accepted.
    pub(crate) fn by(
        (network, remote): (NetworkId, SocketAddr),
        tcp: TcpStream,
        over: Over,
        waker: Waker,
    ) -> Self {
        let whom = Whom { network, transport: over.transport, remote, name: None };
        Self { whom, accepted: true, waker, connecting: Box::pin(made(tcp, over)) }
    }

    pub(crate) fn poll(&mut self) -> Poll<Result<Connected, Unmade>> {
        self.connecting.as_mut().poll(&mut Context::from_waker(&self.waker))
    }
}

async fn made(tcp: TcpStream, over: Over) -> Result<Connected, Unmade> {
    let Over { mut tls, web, transport, within } = over;
    let _ = tcp.set_nodelay(true);
    let make = async {
        if let Some(session) = &mut tls {
            shake(&tcp, session).await?;
        }
        Ok::<_, Unmade>(match web {
            Some(web) => Some(upgrade(&tcp, tls.as_mut(), web).await?),
            None => None,
        })
    };
    let web = tokio::time::timeout(within, make).await.map_err(|_| Unmade::Broken)??;
    Ok(Connected { tcp, tls, web, transport })
}

async fn shake(tcp: &TcpStream, session: &mut Session) -> Result<(), Unmade> {
    loop {
        let ready = match session.shake(&mut Io(tcp))? {
            Shake::Done => return Ok(()),
            Shake::Read => tcp.readable().await,
            Shake::Write => tcp.writable().await,
        };
        ready.map_err(|_| Unmade::Broken)?;
    }
}

async fn upgrade(tcp: &TcpStream, mut tls: Option<&mut Session>, mut web: Upgrade) -> Result<Web, Unmade> {
    let mut room = [0; ROOM];
    loop {
        loop {
            let written = match tls.as_mut() {
                Some(tls) if !web.says().is_empty() => tls.write(&mut Io(tcp), web.says()),
                Some(tls) if !tls.is_flushed() => tls.flush(&mut Io(tcp)).map(|()| 0),
                None if !web.says().is_empty() => tcp.try_write(web.says()),
                Some(_) | None => break,
            };
            match written {
                Ok(len) => web.said(len),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    tcp.writable().await.map_err(|_| Unmade::Broken)?;
                }
                Err(_) => return Err(Unmade::Broken),
            }
        }
        match web.ended() {
            Some(Ok(())) => return Ok(web.into_web()),
            Some(Err(())) => return Err(Unmade::Broken),
            None => {}
        }
        // A session may have clear bytes although nothing more comes.
        let read = match tls.as_mut() {
            Some(tls) => tls.read(&mut Io(tcp), &mut room),
            None => tcp.try_read(&mut room),
        };
        match read {
            Ok(0) => return Err(Unmade::Broken),
            Ok(len) => web.came(&room[..len]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                tcp.readable().await.map_err(|_| Unmade::Broken)?;
            }
            Err(_) => return Err(Unmade::Broken),
        }
    }
}
