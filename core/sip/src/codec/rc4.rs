//! The stream cipher that [`super::vos`] is made of, after its public description of 1994.
//!
//! No secrecy is left in it: whoever wants secrets kept takes TLS. Knows nothing of what it covers.

use zeroize::Zeroizing;

/// Writes `text`, covered or uncovered by the key stream's beginning, to the end of `out`.
///
/// `key` must not be empty. Its bytes are numbers of 0 to 255, whatever text they are; of a longer one 256 count.
pub(super) fn cover(key: &[u8], text: &[u8], out: &mut Vec<u8>) {
    // What it is made into tells the key: wiped when dropped.
    let mut state: Zeroizing<[u8; 256]> = Zeroizing::new(std::array::from_fn(|at| at as u8));
    let mut other = 0_u8;
    for (at, key) in (0..256).zip(key.iter().cycle()) {
        other = other.wrapping_add(state[at]).wrapping_add(*key);
        state.swap(at, usize::from(other));
    }
    let (mut at, mut other) = (0_u8, 0_u8);
    out.extend(text.iter().map(|byte| {
        at = at.wrapping_add(1);
        let here = state[usize::from(at)];
        other = other.wrapping_add(here);
        let there = state[usize::from(other)];
        state[usize::from(at)] = there;
        state[usize::from(other)] = here;
        byte ^ state[usize::from(here.wrapping_add(there))]
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_text_is_covered_as_everybody_covers_it() {
        let mut out = b"before".to_vec();
        cover(b"Key", b"Plaintext", &mut out);
        assert_eq!(out, *b"before\xbb\xf3\x16\xe8\xd9\x40\xaf\x0a\xd3");
        let mut back = Vec::new();
        cover(b"Key", &out[6..], &mut back);
        assert_eq!(back, b"Plaintext");
    }

    #[test]
    fn key_bytes_are_unsigned_and_256_of_them_count() {
        let covered = |key: &[u8]| {
            let mut out = Vec::new();
            cover(key, &[0; 16], &mut out);
            out
        };
        // RFC 6229 section 2; the second key's stream is of a program that was written apart from this one.
        assert_eq!(
            covered(&[1, 2, 3, 4, 5]),
            *b"\xb2\x39\x63\x05\xf0\x3d\xc0\x27\xcc\xc3\x52\x4a\x0a\x11\x18\xa8"
        );
        assert!(covered("Schl\u{fc}ssel".as_bytes()).starts_with(b"\x66\xbc\x38\x4f\xda\x33\xf5\x6a"));
        let long = [0x5a; 300];
        assert_eq!(covered(&long), covered(&long[..256]));
        assert_eq!(covered(b"ab"), covered(b"abab"), "it is repeated until it is long enough");
    }
}
