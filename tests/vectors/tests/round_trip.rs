//! What is read and written again reads as the same message, in both forms; and nothing breaks the readers.

use offhook_vectors::{Mutator, TORTURE, exercise};
use sip::message::{Form, Message};

#[test]
fn every_torture_message_survives_reading_and_writing() {
    let mut read = 0;
    for (_, bytes) in TORTURE {
        if let Ok(message) = Message::read(bytes) {
            exercise::round_trip(&message, Form::Full);
            exercise::round_trip(&message, Form::Compact);
            read += 1;
        }
    }
    assert_eq!(read, 48, "all but bigcode and test");
}

/// `OFFHOOK_MUTANTS=1000000` for the long run.
#[test]
fn mutated_torture_messages_never_panic() {
    let count = std::env::var("OFFHOOK_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000_usize);
    let seed = std::env::var("OFFHOOK_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(4475);
    let (mut mutator, mut mutant) = (Mutator::new(seed), Vec::new());
    for n in 0..count {
        let (name, original) = TORTURE[n % TORTURE.len()];
        let (_, other) = TORTURE[n * 7 / 3 % TORTURE.len()];
        mutator.mutate(original, other, &mut mutant);
        let outcome = std::panic::catch_unwind(|| {
            exercise::message(&mutant);
            exercise::stream(&mutant);
            exercise::uri(&mutant);
            exercise::telephone_event(&mutant);
        });
        assert!(outcome.is_ok(), "seed {seed}, mutant {n} of {name}: \"{}\"", mutant.escape_ascii());
    }
}

#[test]
fn mutated_lines_of_keys_never_panic() {
    let seeds = [
        &include_bytes!("../../fuzz/seeds/crypto/rfc4568")[..],
        include_bytes!("../../fuzz/seeds/crypto/gcm"),
    ];
    let (mut mutator, mut mutant) = (Mutator::new(4568), Vec::new());
    for n in 0..20_000 {
        mutator.mutate(seeds[n % 2], seeds[(n + 1) % 2], &mut mutant);
        let outcome = std::panic::catch_unwind(|| exercise::crypto(&mutant));
        assert!(outcome.is_ok(), "mutant {n}: \"{}\"", mutant.escape_ascii());
    }
}
