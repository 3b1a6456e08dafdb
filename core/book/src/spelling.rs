//! The ways in which a name may be typed: as it is, and where it is Chinese, by its sounds and by their first letters.
//!
//! One reading of each Han letter (its most common); words begin behind whatever is neither letter nor digit, and each
//! Han letter is a word.

use pinyin::ToPinyin as _;

use crate::contact::LONGEST_NAME;
use crate::fold::fold_with_places;

/// One way.
#[derive(Debug, Default)]
pub(crate) struct Spelling {
    /// Folded.
    pub(crate) text: String,
    /// For each byte of it: where in the name the letter begins that it is of.
    pub(crate) places: Vec<usize>,
    /// Where in it words begin.
    pub(crate) starts: Vec<usize>,
}

impl Spelling {
    /// As `name` stands.
    fn plain(name: &str) -> Self {
        let (text, places) = fold_with_places(name);
        let mut starts = Vec::new();
        let mut in_word = false;
        for (at, letter) in text.char_indices() {
            let part = letter.is_alphanumeric();
            if part && (!in_word || is_han(letter)) {
                starts.push(at);
            }
            in_word = part;
        }
        Self { text, places, starts }
    }

    /// `spell` gives what stands for a Han letter.
    fn by_sound(name: &str, spell: impl Fn(&str) -> &str) -> Self {
        let mut spelling = Self::default();
        let mut in_word = false;
        let mut one = [0; 4];
        for (at, letter) in name.char_indices() {
            let sound = letter.to_pinyin().map(pinyin::Pinyin::plain);
            let (folded, _) = fold_with_places(sound.map_or(&*letter.encode_utf8(&mut one), &spell));
            let part = folded.chars().next().is_some_and(char::is_alphanumeric);
            if part && (!in_word || sound.is_some()) {
                spelling.starts.push(spelling.text.len());
            }
            in_word = part;
            spelling.text.push_str(&folded);
            spelling.places.resize(spelling.text.len(), at);
        }
        spelling
    }
}

/// All ways to type `name`, the plainest first.
pub(crate) fn spellings(name: &str) -> Vec<Spelling> {
    let end = name.char_indices().nth(LONGEST_NAME).map_or(name.len(), |(at, _)| at);
    let name = &name[..end];
    let mut ways = vec![Spelling::plain(name)];
    if name.chars().any(is_han) {
        ways.push(Spelling::by_sound(name, |sound| sound));
        ways.push(Spelling::by_sound(name, |sound| sound.get(..1).unwrap_or(sound)));
    }
    ways
}

const fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}
