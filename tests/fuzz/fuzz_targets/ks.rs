#![no_main]
//! Any bytes at the boundary `offhook_vectors::exercise::{ks, disguise}` name its promises for.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    offhook_vectors::exercise::ks(bytes);
    offhook_vectors::exercise::disguise(bytes);
});
