#![no_main]
//! Any bytes as a presence or dialog document: read or not, and what is read says no more than fits a screen.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(phone::presence::Document::Presence(told)) = phone::presence::Document::read(bytes) {
        let note = told.note.map(base::Redacted::into_inner).unwrap_or_default();
        assert!(note.chars().count() <= 200 && !note.chars().any(char::is_control));
    }
});
