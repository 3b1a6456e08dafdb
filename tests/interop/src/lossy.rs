//! A link that loses datagrams by count, so that a real stranger has to repeat itself, the same way every time.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A relay on loopback in front of one server, for one client.
pub struct LossyRelay {
    /// Where the client sends to.
    pub port: u16,
    lost: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LossyRelay {
    /// Starts a relay to `server` that loses the first of every `period` datagrams, each way.
    pub fn start(server: u16, period: u32) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback takes a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout can be set");
        let port = socket.local_addr().expect("a bound socket has an address").port();
        let (lost, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (lost, stop) = (Arc::clone(&lost), Arc::clone(&stop));
            move || relay(&socket, SocketAddr::from(([127, 0, 0, 1], server)), period, &lost, &stop)
        });
        Self { port, lost, stop, thread: Some(thread) }
    }

    /// How many datagrams it has lost.
    pub fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }
}

fn relay(socket: &UdpSocket, server: SocketAddr, period: u32, lost: &AtomicU32, stop: &AtomicBool) {
    let mut client = None;
    let mut counts = [0u32; 2];
    let mut datagram = vec![0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut datagram) else { continue };
        let to = if from == server {
            client
        } else {
            client = Some(from);
            Some(server)
        };
        let count = &mut counts[usize::from(from == server)];
        *count += 1;
        if *count % period == 1 {
            lost.fetch_add(1, Ordering::Relaxed);
        } else if let Some(to) = to {
            let _ = socket.send_to(&datagram[..length], to);
        }
    }
}

impl Drop for LossyRelay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
