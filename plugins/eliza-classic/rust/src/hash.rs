//! The hash function of SLIP, by which ELIZA chooses among the rules of MEMORY.

const CHUNK: usize = 6;
const SPACE: u64 = 48;

/// The position of a character is its code in the 6-bit BCD of the IBM 7094; a blank here is a code without a character.
const BCD: &str = "0123456789 ='   +ABCDEFGHI .)   -JKLMNOPQR $*    /STUVWXYZ ,(   ";

/// Returns the hash, 0 to 3, of a word's last chunk of six characters. A character without a code is a space.
pub(crate) fn hash_of(word: &str) -> usize {
    let before = word.chars().count().saturating_sub(1) / CHUNK * CHUNK;
    let padded = word.chars().skip(before).chain(std::iter::repeat(' ')).take(CHUNK);
    let datum = padded.fold(0, |datum, character| datum << 6 | code_of(character));
    let magnitude = datum & ((1 << 35) - 1); // the 36th bit is the sign
    match magnitude.wrapping_mul(magnitude) >> 34 & 3 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 3,
    }
}

fn code_of(character: char) -> u64 {
    if character == ' ' {
        return SPACE;
    }
    (0..).zip(BCD.chars()).find_map(|(code, known)| (known == character).then_some(code)).unwrap_or(SPACE)
}

#[cfg(test)]
mod tests {
    use super::hash_of;

    #[derive(serde::Deserialize)]
    struct Case {
        word: String,
        hash: usize,
    }

    #[test]
    fn words_have_the_hash_of_the_ibm_7094() {
        let shared = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/hash.json")).unwrap();
        for Case { word, hash } in serde_json::from_slice::<Vec<Case>>(&shared).unwrap() {
            assert_eq!(hash_of(&word), hash, "{word:?}");
        }
    }
}
