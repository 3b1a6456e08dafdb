//! What may stand in a text that somebody else has written and a person reads.

/// Whether nobody sees that character and it works all the same: control characters, which steer a screen, line separators, and
/// marks that turn the direction of what follows (Unicode UAX 9 section 2). Joiners are not of these: names need them.
///
/// ```
/// # use offhook_base::text::is_unseen;
/// assert!(is_unseen('\u{202e}') && is_unseen('\u{1b}'));
/// assert!(!is_unseen('\u{200d}') && !is_unseen('ش'));
/// ```
pub fn is_unseen(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
