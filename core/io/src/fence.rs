//! The edge of a thread, where a panic ends: it becomes a story without personal data, and the thread goes on.
//!
//! A panic's own words may quote what was being read (a number, a URI), so only its place in the source is kept, and for
//! our threads nothing is printed. Knows nothing of what is restarted.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// `Some` on a fenced thread: where it panicked last.
    static STORY: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`.
///
/// # Errors
/// It panicked: the place in the source. What `work` was changing must be thrown away.
pub(crate) fn fenced<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            if !note(info) {
                others(info);
            }
        }));
    });
    STORY.with_borrow_mut(|story| *story = Some(String::new()));
    let done = catch_unwind(AssertUnwindSafe(work));
    let story = STORY.with_borrow_mut(Option::take).unwrap_or_default();
    done.map_err(|payload: Box<dyn Any + Send>| {
        // The payload's own drop may not panic either: forget a stranger's, free the usual two.
        if payload.is::<String>() || payload.is::<&'static str>() {
            drop(payload);
        } else {
            std::mem::forget(payload);
        }
        story
    })
}

/// Keeps the place when this thread is fenced; says whether it is.
fn note(info: &PanicHookInfo<'_>) -> bool {
    STORY.with_borrow_mut(|story| {
        if let Some(story) = story {
            *story = info.location().map_or_else(|| "unknown place".into(), ToString::to_string);
            true
        } else {
            false
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_place_and_none_of_its_words() {
        let story = fenced::<()>(|| panic!("sip:{}@example.com", "alice")).unwrap_err();
        assert!(story.contains("fence.rs:") && !story.contains("alice"), "{story}");
        assert_eq!(fenced(|| 7), Ok(7));
    }
}
