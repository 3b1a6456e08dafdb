//! What one end of a dialog must do: count its requests, judge the peer's, aim at the peer's last known contact.
//!
//! RFC 3261 section 12.2.

/// One end.
#[derive(Clone, Debug)]
pub struct EndModel {
    /// Number of the last request sent.
    sent: u32,
    /// Highest number heard.
    heard: Option<u32>,
    /// The peer's contact.
    pub target: String,
    /// Proxies on the way to the peer, nearest first.
    pub path: Vec<String>,
}

impl EndModel {
    /// An end whose last request had number `sent`, and that heard `heard`.
    pub fn new(sent: u32, heard: Option<u32>, target: &str, path: Vec<String>) -> Self {
        Self { sent, heard, target: target.to_owned(), path }
    }

    /// The number that the next request must have.
    pub fn next_number(&mut self) -> u32 {
        self.sent += 1;
        self.sent
    }

    /// Whether a request of that number is in its turn; remembers it if so.
    pub fn hear(&mut self, number: u32) -> bool {
        let in_turn = self.heard.is_none_or(|heard| number >= heard);
        if in_turn {
            self.heard = Some(number);
        }
        in_turn
    }
}
