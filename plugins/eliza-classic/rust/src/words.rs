//! From a line to its words, and from the words of an answer to its text.

use crate::characters::{Stands, in_lines};
use crate::errors::InputError;

/// The longest line that is answered, in characters (Unicode scalar values).
pub const MAX_LINE_CHARACTERS: usize = 65_536;

/// Returns the line with what it counts as in place of every character.
///
/// # Errors
///
/// The line is longer than [`MAX_LINE_CHARACTERS`].
pub(crate) fn plain_of(line: &str) -> Result<String, InputError> {
    if line.len() > MAX_LINE_CHARACTERS {
        let characters = line.chars().count();
        if characters > MAX_LINE_CHARACTERS {
            return Err(InputError::new(format!(
                "the line has {characters} characters, and at most {MAX_LINE_CHARACTERS} are answered: say it in parts"
            )));
        }
    }
    let mut plain = String::with_capacity(line.len());
    for character in line.chars() {
        if let Stands::For(stands) = in_lines(character) {
            plain.push(stands);
        }
    }
    Ok(plain)
}

/// Returns the words of a plain line, a comma or a period being a word of its own. Apostrophes and hyphens count inside
/// a word only, so that a quoted keyword is found.
pub(crate) fn words_in(plain: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for spaced in plain.split(' ') {
        for piece in spaced.split_inclusive([',', '.']) {
            let (word, delimiter) = match piece.as_bytes().last() {
                Some(b',' | b'.') => piece.split_at(piece.len() - 1),
                _ => (piece, ""),
            };
            let bare = word.trim_matches(['\'', '-']);
            words.extend([bare, delimiter].into_iter().filter(|word| !word.is_empty()));
        }
    }
    words
}

/// Returns the words as one text: single spaces between them, and none before a comma or a period.
pub(crate) fn text_of(words: &[&str]) -> String {
    let mut text = String::with_capacity(words.iter().map(|word| word.len() + 1).sum());
    for word in words {
        if !text.is_empty() && !matches!(*word, "," | ".") {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{plain_of, words_in};

    #[derive(serde::Deserialize)]
    struct Case {
        line: String,
        words: Vec<String>,
    }

    #[test]
    fn lines_are_cut_into_words() {
        let shared = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/words.json")).unwrap();
        for Case { line, words } in serde_json::from_slice::<Vec<Case>>(&shared).unwrap() {
            assert_eq!(words_in(&plain_of(&line).unwrap()), words, "{line:?}");
        }
    }
}
