//! Whatever is scanned: no panic, a bounded answer, no secret in it, and what is taken is read again as it was written.

use offhook_account::{Answer, Document, Offered, Surroundings};
use proptest::prelude::*;

const WHOLE: &str = include_str!("../src/whole.json");

fn is_seen(text: &str) -> bool {
    !text.chars().any(|it| {
        it.is_control() || ('\u{202a}'..='\u{202e}').contains(&it) || ('\u{2066}'..='\u{2069}').contains(&it)
    })
}

fn exercise(text: &str) {
    let proposal = match Offered::read(text) {
        Ok(Offered::Account(proposal)) => *proposal,
        Ok(Offered::Link(link)) => {
            let answer = Answer { content_type: Some("application/json"), body: text.as_bytes() };
            assert!(link.answered(answer).is_err(), "a link is no document");
            return;
        }
        Err(why) => {
            let told = why.to_string();
            assert!(told.len() < 2000 && is_seen(&told), "{told:?}");
            return;
        }
    };
    let here = Surroundings { region: Some("DE"), ..Surroundings::default() };
    for notice in proposal.notices(&here) {
        let told = notice.to_string();
        assert!(told.len() < 2000 && is_seen(&told) && !told.contains("hush"), "{told:?}");
    }
    let (document, secrets) = proposal.take();
    let json = document.to_json();
    let (again, none) = Document::read(&json).expect("what was written is read");
    assert!(none.is_empty() && again.to_json() == json);
    assert!(again.account(&secrets).is_ok(), "what was shown can be used");
}

#[test]
fn the_whole_document_is_a_proposal() {
    // All of it at once does not go together: TLS and VOS.
    exercise(WHOLE);
    let lines = WHOLE.lines().filter(|line| !line.contains("tls_") && !line.contains("vos"));
    let fitting = lines.collect::<Vec<_>>().join("\n");
    assert!(matches!(Offered::read(&fitting), Ok(Offered::Account(_))));
    exercise(&fitting);
}

proptest! {
    #[test]
    fn a_document_with_anything_in_it_is_read_or_refused_in_words(
        at in 0..WHOLE.len(),
        put in "\\PC{0,4}|[\\x00-\\x7f]{0,4}|\u{202e}|null|-1|1e309|\\[\\]|\\{\\}",
        gone in 0usize..8,
        without_tls in any::<bool>(),
    ) {
        let text: String = if without_tls {
            WHOLE.lines().filter(|line| !line.contains("tls_") && !line.contains("vos")).collect()
        } else {
            WHOLE.into()
        };
        let at = at.min(text.len());
        let end = (at + gone).min(text.len());
        exercise(&format!("{}{put}{}", &text[..at], &text[end..]));
    }

    #[test]
    fn an_address_with_anything_in_it_is_read_or_refused_in_words(
        scheme in "sip:|sips:|SIP:|offhook:provision\\?url=|https://|http://|\"x\" <sip:",
        rest in "\\PC{0,40}|[a-z0-9:@;=.%\\[\\]-]{0,40}",
    ) {
        exercise(&format!("{scheme}{rest}"));
    }
}
