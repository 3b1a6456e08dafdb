#![no_main]
//! Whatever is scanned, pasted or fetched for an account: it is read or refused, and what is taken is read again.

use account::{Answer, Document, Offered, Surroundings};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let proposal = match Offered::read(text) {
        Ok(Offered::Account(proposal)) => *proposal,
        Ok(Offered::Link(link)) => {
            let answer = Answer { content_type: Some("application/json"), body: text.as_bytes() };
            assert!(link.answered(answer).is_err());
            return;
        }
        Err(why) => return assert!(why.to_string().len() < 2000),
    };
    assert!(proposal.notices(&Surroundings::default()).len() < 64);
    let (document, secrets) = proposal.take();
    let (again, none) = Document::read(&document.to_json()).expect("what was written is read");
    assert!(none.is_empty() && again.account(&secrets).is_ok());
});
