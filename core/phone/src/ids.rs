//! Names by which the app and the phone mean the same thing.
//!
//! Knows nothing of SIP's own identifiers: Call-IDs and tags never leave `sip`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// One call, from the first ring or dialled digit to its end. Never used twice in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// One account. Given by the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

/// One media stream of a call (one m-line). Given by the phone, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId(pub u32);

/// One text message on its way out. Given by the app, which counts up; what an earlier phone has left counts down from the
/// largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u32);

/// The counter that calls are numbered from, shared by the app (calls out) and the phone (calls in).
///
/// Clones draw from the same counter, so that `call()` can return an id at once while the phone runs on its own thread.
#[derive(Clone, Debug, Default)]
pub struct CallIds(Arc<AtomicU32>);

impl CallIds {
    /// A counter whose first call is 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next id.
    pub fn draw(&self) -> CallId {
        CallId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_draw_from_one_counter_that_starts_at_one() {
        let app = CallIds::new();
        let phone = app.clone();
        assert_eq!((app.draw(), phone.draw(), app.draw()), (CallId(1), CallId(2), CallId(3)));
    }
}
