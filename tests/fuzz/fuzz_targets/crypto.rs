#![no_main]
//! Any bytes at the boundary `offhook_vectors::exercise::crypto` names its promises for.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| offhook_vectors::exercise::crypto(bytes));
