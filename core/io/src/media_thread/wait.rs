//! How the media thread waits: for its next tick, and, while a way is being found, for whatever comes first.
//!
//! In a call the tick is soon enough for everything, and each wake costs. Before it is up, questions go to servers and checks to
//! the other side, one after the other, and each would wait twice: to be sent, and to be heard. So while a stream's way is open
//! the thread also wakes for orders and packets. Knows nothing of what either says.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError, sync_channel};

use base::Instant;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::socket::Moment;
use super::{Desk, ToMedia};
use crate::clock;

/// Wakes before one tick; what is more waits for it: a flood is no reason to hurry.
const HURRIES: usize = 16;

/// Wakes the thread where it sleeps on sockets.
#[derive(Debug)]
struct Bell {
    listened_for: AtomicBool,
    rope: UnixStream,
}

/// Gives the thread its orders.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    orders: SyncSender<ToMedia>,
    bell: Arc<Bell>,
}

impl Sender {
    /// Gives an order. False: too many wait, or the thread is gone.
    pub(crate) fn try_send(&self, order: ToMedia) -> bool {
        let given = self.orders.try_send(order).is_ok();
        self.ring();
        given
    }

    /// Gives an order, and waits where too many do.
    #[cfg(test)]
    pub(super) fn send(&self, order: ToMedia) {
        self.orders.send(order).expect("the thread lives");
        self.ring();
    }

    fn ring(&self) {
        if self.bell.listened_for.swap(false, Ordering::SeqCst) {
            // A bell that cannot be rung has been rung, or nobody is there.
            let _ = (&self.bell.rope).write(&[1]);
        }
    }
}

/// What the thread was told and has not done.
#[derive(Debug)]
pub(super) struct Orders {
    told: Receiver<ToMedia>,
    bell: Arc<Bell>,
    rung: UnixStream,
}

impl Orders {
    pub(super) fn recv(&self) -> Result<ToMedia, RecvError> {
        self.told.recv()
    }

    pub(super) fn try_recv(&self) -> Result<ToMedia, TryRecvError> {
        self.told.try_recv()
    }

    /// From now on the bell is rung for an order; one that came before must be looked for once more.
    fn listen(&self) {
        self.bell.listened_for.store(true, Ordering::SeqCst);
    }

    fn listen_no_more(&self) {
        self.bell.listened_for.store(false, Ordering::SeqCst);
        // Always: it may have been rung a moment after it was last looked at.
        let _ = (&self.rung).read(&mut [0; 8]);
    }
}

/// A way to give orders, at most so many at a time.
pub(super) fn channel(room: usize) -> io::Result<(Sender, Orders)> {
    let (sender, receiver) = sync_channel(room);
    let (rope, rung) = UnixStream::pair()?;
    rope.set_nonblocking(true)?;
    rung.set_nonblocking(true)?;
    let bell = Arc::new(Bell { listened_for: AtomicBool::new(false), rope });
    Ok((Sender { orders: sender, bell: Arc::clone(&bell) }, Orders { told: receiver, bell, rung }))
}

impl Desk {
    /// Sleeps until a tick is due.
    pub(super) fn wait_until(&mut self, at: Instant, orders: &Orders) {
        for _ in 0..HURRIES {
            if !self.streams.values().any(super::Stream::is_hurried) {
                break;
            }
            orders.listen();
            let first = orders.try_recv().ok();
            let comes = first.is_some() || self.sleep_on_sockets(at, orders);
            orders.listen_no_more();
            if !comes {
                break;
            }
            for order in first.into_iter().chain(std::iter::from_fn(|| orders.try_recv().ok())) {
                self.told(order);
            }
            self.hear_in_haste();
        }
        clock::sleep_until(at);
    }

    /// Whether something came.
    fn sleep_on_sockets(&self, at: Instant, orders: &Orders) -> bool {
        let mut fds = vec![PollFd::new(orders.rung.as_fd(), PollFlags::POLLIN)];
        for stream in self.streams.values().filter(|stream| stream.is_hurried()) {
            stream.waits_for(&mut fds);
        }
        // In whole milliseconds: the rest is slept without the sockets.
        let most = at.since(clock::now()).as_millis();
        poll(&mut fds, PollTimeout::try_from(most).unwrap_or(PollTimeout::ZERO)) != Ok(0)
    }

    fn hear_in_haste(&mut self) {
        let present = Moment::read();
        for (media, stream) in self.streams.iter_mut().filter(|(_, stream)| stream.is_hurried()) {
            stream.hear_in_haste(&mut self.reader, self.tap.as_mut(), present);
            stream.tell_news(*media, &self.news);
        }
    }
}
