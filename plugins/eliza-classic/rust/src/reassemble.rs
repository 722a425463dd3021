//! Reassemblies: the words of an answer, some of them from the line.

use crate::script::Part;

/// Returns the words that the parts stand for, given the line's words and the bounds that `decompose` found.
pub(crate) fn reassemble<'a>(parts: &'a [Part], words: &[&'a str], bounds: &[usize]) -> Vec<&'a str> {
    let mut result = Vec::with_capacity(parts.len() + words.len());
    for part in parts {
        match part {
            Part::Word(word) => result.push(&**word),
            Part::Number(number) => {
                if let Some(&[start, end]) = bounds.get(number - 1..=*number) {
                    result.extend_from_slice(words.get(start..end).unwrap_or_default());
                }
            }
        }
    }
    result
}
