//! Panics and floods on demand, for the apps' tests: plain C functions, so that the bindings are those of every build.
//!
//! Each takes the folder of a running phone. Not in a build that people get.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use base::Redacted;
use offhook_io::{Event, clock};
use phone::AccountId;

use crate::Phone;

/// The running phones of this process.
static PHONES: Mutex<BTreeMap<PathBuf, Weak<Phone>>> = Mutex::new(BTreeMap::new());

pub(crate) fn started(folder: PathBuf, phone: Weak<Phone>) {
    PHONES.lock().unwrap_or_else(PoisonError::into_inner).insert(folder, phone);
}

#[expect(unsafe_code, reason = "a C string of the caller's, as C functions take them")]
fn with(folder: *const c_char, act: impl FnOnce(&Phone)) -> bool {
    // SAFETY: the tests hand over a NUL-terminated string that outlives the call.
    let folder = unsafe { CStr::from_ptr(folder) }.to_string_lossy().into_owned();
    let phones = PHONES.lock().unwrap_or_else(PoisonError::into_inner);
    let phone = phones.get(&PathBuf::from(folder)).and_then(Weak::upgrade);
    drop(phones);
    phone.map(|phone| act(&phone)).is_some()
}

/// Makes the signalling thread panic.
#[expect(unsafe_code, reason = "exported by its name")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn offhook_testing_panic(folder: *const c_char) -> bool {
    with(folder, |phone| phone.handle.panic())
}

/// Tells `count` text messages, `per_second` of them a second, from a thread of its own. The text of each is the time it
/// was told, in nanoseconds of the monotonic clock, behind its number: `17 123456789`.
#[expect(unsafe_code, reason = "exported by its name")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn offhook_testing_flood(folder: *const c_char, count: u32, per_second: u32) -> bool {
    let every = Duration::from_secs(1) / per_second.max(1);
    let mut begun = false;
    with(folder, |phone| {
        let handle = phone.handle.injector();
        std::thread::spawn(move || {
            let start = Instant::now();
            for n in 0..count {
                std::thread::sleep((every * n).saturating_sub(start.elapsed()));
                let text = format!("{n} {}", clock::monotonic().as_nanos());
                handle(Event::Phone(phone::Event::Message {
                    account: AccountId(0),
                    from: Redacted::new(String::new()),
                    name: None,
                    text: Redacted::new(text),
                }));
            }
        });
        begun = true;
    }) && begun
}
