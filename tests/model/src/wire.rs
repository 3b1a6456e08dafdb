//! The wire between two ends: what is under way, and what a hostile network does with it.

use bytes::Bytes;

/// Messages under way one way.
#[derive(Debug, Default)]
pub struct Wire {
    under_way: Vec<Bytes>,
    /// Whether it keeps order and loses nothing, as a stream does.
    reliable: bool,
}

impl Wire {
    /// An empty one.
    pub fn new(reliable: bool) -> Self {
        Self { under_way: Vec::new(), reliable }
    }

    /// Puts a message on it.
    pub fn send(&mut self, bytes: Bytes) {
        self.under_way.push(bytes);
    }

    /// Delivers one: any of them, or the oldest of a stream.
    pub fn deliver(&mut self, which: usize) -> Option<Bytes> {
        let at = if self.reliable { 0 } else { which % self.under_way.len().max(1) };
        (at < self.under_way.len()).then(|| self.under_way.remove(at))
    }

    /// Loses one; a stream loses none.
    pub fn lose(&mut self, which: usize) {
        if !self.reliable {
            self.deliver(which);
        }
    }

    /// Puts a copy of one beside it; a stream repeats none.
    pub fn repeat(&mut self, which: usize) {
        if !self.reliable && !self.under_way.is_empty() {
            let copy = self.under_way[which % self.under_way.len()].clone();
            self.under_way.push(copy);
        }
    }

    /// The flow broke: all is lost.
    pub fn cut(&mut self) {
        self.under_way.clear();
    }
}
