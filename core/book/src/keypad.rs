//! Which key of a telephone a letter is on.
//!
//! Latin: ITU-T E.161 section 3.1.3 (option A). Greek, Cyrillic, Hebrew and Arabic: as ETSI ES 202 130 lays them out, which
//! is how keypads with those letters are printed. Han is spelled first (`spelling`).

/// The key of a folded letter; a digit is its own; `None`: it is on none.
#[expect(clippy::match_same_arms, reason = "each script is a table of its own")]
pub(crate) const fn key(letter: char) -> Option<u8> {
    Some(match letter {
        '0'..='9' => letter as u8,
        'a'..='c' | 'α'..='γ' | 'а'..='г' | 'ґ' => b'2',
        'd'..='f' | 'δ'..='ζ' | 'д'..='з' | 'є' => b'3',
        'g'..='i' | 'η'..='ι' | 'и'..='л' | 'і' => b'4',
        'j'..='l' | 'κ'..='μ' | 'м'..='п' => b'5',
        'm'..='o' | 'ν'..='ο' | 'р'..='у' | 'ў' => b'6',
        'p'..='s' | 'π'..='σ' | 'ф'..='ч' => b'7',
        't'..='v' | 'τ'..='φ' | 'ш'..='ы' => b'8',
        'w'..='z' | 'χ'..='ω' | 'ь'..='я' => b'9',
        // Hebrew, final forms beside the others.
        '\u{5d3}'..='\u{5d5}' => b'2',
        '\u{5d0}'..='\u{5d2}' => b'3',
        '\u{5dd}'..='\u{5e0}' => b'4',
        '\u{5d9}'..='\u{5dc}' => b'5',
        '\u{5d6}'..='\u{5d8}' => b'6',
        '\u{5e8}'..='\u{5ea}' => b'7',
        '\u{5e5}'..='\u{5e7}' => b'8',
        '\u{5e1}'..='\u{5e4}' => b'9',
        // Arabic.
        '\u{628}'..='\u{62b}' => b'2',
        '\u{621}'..='\u{627}' => b'3',
        '\u{633}'..='\u{636}' => b'4',
        '\u{62f}'..='\u{632}' => b'5',
        '\u{62c}'..='\u{62e}' => b'6',
        '\u{646}'..='\u{64a}' => b'7',
        '\u{641}'..='\u{645}' => b'8',
        '\u{637}'..='\u{63a}' => b'9',
        _ => return None,
    })
}
