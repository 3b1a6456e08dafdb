//! Words as they are compared: without case and without marks, so that `jose` finds `José` and `strasse` `Straße`.
//!
//! Unicode's compatibility decomposition (UAX #15) less its combining marks, and the few letters that are written
//! otherwise where they are missing. Knows no language: a Turkish and an English `i` are one.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// `text` folded. Digits and what stands between them stay as they are.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let plain = text.chars().flat_map(char::to_lowercase).nfkd().filter(|letter| !is_combining_mark(*letter));
    for letter in plain {
        put(letter, &mut folded);
    }
    folded
}

/// The same, and for each of its bytes the letter of `text` that it is of, as the byte at which that begins.
pub(crate) fn fold_with_places(text: &str) -> (String, Vec<usize>) {
    let (mut folded, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
    let mut one = [0; 4];
    for (at, letter) in text.char_indices() {
        folded.push_str(&fold(letter.encode_utf8(&mut one)));
        places.resize(folded.len(), at);
    }
    (folded, places)
}

fn put(letter: char, folded: &mut String) {
    match letter {
        'ß' => folded.push_str("ss"),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'þ' => folded.push_str("th"),
        'ð' | 'đ' => folded.push('d'),
        'ø' => folded.push('o'),
        'ł' => folded.push('l'),
        'ħ' => folded.push('h'),
        'ı' => folded.push('i'),
        'ς' => folded.push('σ'), // Greek writes it so at a word's end
        // Marks of the direction of writing, and joiners: nobody types them.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
        letter => folded.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_marks_and_letters_of_their_own_do_not_keep_words_apart() {
        let pairs = [
            ("José", "jose"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("İstanbul", "istanbul"),
            ("ılık", "ilik"),
            ("Łódź", "lodz"),
            ("Ærø", "aero"),
            ("Ёлка", "елка"),
            ("Οδυσσεύς", "οδυσσευσ"),
            ("ﬁle", "file"),
            ("\u{200f}דוד", "דוד"),
            ("+49 30 123", "+49 30 123"),
        ];
        for (written, folded) in pairs {
            assert_eq!(fold(written), folded, "{written}");
        }
    }

    #[test]
    fn each_folded_letter_knows_where_it_came_from() {
        let (folded, places) = fold_with_places("aßÉb");
        assert_eq!((&*folded, places), ("asseb", vec![0, 1, 1, 3, 5]));
    }
}
