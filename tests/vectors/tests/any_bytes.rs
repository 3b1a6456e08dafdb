//! Any bytes at all where sound comes in: a short turn of what the fuzzers do for longer.

use base::Rng;
use offhook_vectors::exercise;

/// Buffers of random length and content, with runs of one byte that random bytes never have.
fn buffers(seed: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = Rng::from_number(seed);
    (0..200).map(move |_| {
        let mut bytes = vec![0; rng.below(2000) as usize];
        rng.fill(&mut bytes);
        let (a, b) = (rng.below(bytes.len() as u64) as usize, rng.below(bytes.len() as u64) as usize);
        let value = rng.bits() as u8;
        bytes[a.min(b)..a.max(b)].fill(value);
        bytes
    })
}

#[test]
fn decoders_and_encoders_keep_their_word_on_any_bytes() {
    buffers(1).for_each(|bytes| exercise::g722(&bytes));
    buffers(2).for_each(|bytes| exercise::gsm(&bytes));
    buffers(3).for_each(|bytes| exercise::comfort_noise(&bytes));
}
