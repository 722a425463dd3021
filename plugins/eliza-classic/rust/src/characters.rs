//! What each character counts as.
//!
//! Written out, not taken from the runtime: the Unicode versions of Node, Rust and Python differ, and an answer may not.

/// First and last character, and what stands for each between them in a line: a space ends a word, a comma or a period
/// ends a clause, and nothing means that the character is left out. A character that is not listed is part of a word.
/// In order, for a binary search.
#[rustfmt::skip] // a range a line
const REPLACED: &[(u32, u32, &str)] = &[
    (0x0000, 0x0020, " "), // controls, space
    (0x0021, 0x0021, "."), // !
    (0x0022, 0x0026, " "), // " # $ % &
    (0x0028, 0x002B, " "), // ( ) * +
    (0x002F, 0x002F, " "), // /
    (0x003A, 0x003B, "."), // : ;
    (0x003C, 0x003E, " "), // < = >
    (0x003F, 0x003F, "."), // ?
    (0x0040, 0x0040, " "), // @
    (0x005B, 0x005F, " "), // [ \ ] ^ _
    (0x0060, 0x0060, "'"), // `
    (0x007B, 0x00A0, " "), // { | } ~, controls, no-break space
    (0x00A1, 0x00A1, "."), // inverted !
    (0x00A2, 0x00A9, " "),
    (0x00AB, 0x00AC, " "),
    (0x00AD, 0x00AD, ""), // soft hyphen
    (0x00AE, 0x00B1, " "),
    (0x00B4, 0x00B4, "'"), // acute accent
    (0x00B6, 0x00B6, " "),
    (0x00B8, 0x00B8, " "),
    (0x00BB, 0x00BB, " "),
    (0x00BF, 0x00BF, "."), // inverted ?
    (0x00D7, 0x00D7, " "),
    (0x00F7, 0x00F7, " "),
    (0x02BC, 0x02BC, "'"), // modifier letter apostrophe
    (0x037E, 0x037E, "."), // Greek question mark
    (0x0589, 0x0589, "."), // Armenian full stop
    (0x060C, 0x060C, ","), // Arabic comma
    (0x061B, 0x061B, "."), // Arabic semicolon
    (0x061F, 0x061F, "."), // Arabic question mark
    (0x06D4, 0x06D4, "."), // Urdu full stop
    (0x0964, 0x0965, "."), // danda
    (0x1680, 0x1680, " "),
    (0x2000, 0x200A, " "), // spaces
    (0x200B, 0x200F, ""), // zero width, direction marks
    (0x2010, 0x2011, "-"), // hyphens
    (0x2012, 0x2015, "."), // dashes
    (0x2016, 0x2017, " "),
    (0x2018, 0x2019, "'"), // curly apostrophes
    (0x201A, 0x201A, " "),
    (0x201B, 0x201B, "'"),
    (0x201C, 0x2025, " "), // quotation marks
    (0x2026, 0x2026, "."), // ellipsis
    (0x2027, 0x2029, " "),
    (0x202A, 0x202E, ""), // direction marks
    (0x202F, 0x2031, " "),
    (0x2032, 0x2032, "'"), // prime
    (0x2033, 0x203B, " "),
    (0x203C, 0x203D, "."),
    (0x203E, 0x2046, " "),
    (0x2047, 0x2049, "."),
    (0x204A, 0x205F, " "),
    (0x2060, 0x206F, ""),
    (0x20A0, 0x20FF, " "), // currency
    (0x2190, 0x2BFF, " "), // arrows, boxes, symbols, dingbats
    (0x2E00, 0x2E7F, " "),
    (0x3000, 0x3000, " "),
    (0x3001, 0x3001, ","), // ideographic comma
    (0x3002, 0x3002, "."), // ideographic full stop
    (0x3003, 0x3004, " "),
    (0x3008, 0x3020, " "), // brackets
    (0x3030, 0x3030, " "),
    (0x303D, 0x303F, " "),
    (0xD800, 0xDFFF, " "), // a surrogate without its other half
    (0xFE00, 0xFE0F, ""), // variation selectors
    (0xFE10, 0xFE1F, " "),
    (0xFE30, 0xFE6F, " "),
    (0xFEFF, 0xFEFF, ""), // byte order mark
    (0xFF01, 0xFF01, "."), // from here, fullwidth punctuation
    (0xFF02, 0xFF06, " "),
    (0xFF07, 0xFF07, "'"),
    (0xFF08, 0xFF0B, " "),
    (0xFF0C, 0xFF0C, ","),
    (0xFF0D, 0xFF0D, "-"),
    (0xFF0E, 0xFF0E, "."),
    (0xFF0F, 0xFF0F, " "),
    (0xFF1A, 0xFF1B, "."),
    (0xFF1C, 0xFF1E, " "),
    (0xFF1F, 0xFF1F, "."),
    (0xFF20, 0xFF20, " "),
    (0xFF3B, 0xFF3F, " "),
    (0xFF40, 0xFF40, "'"),
    (0xFF5B, 0xFF60, " "),
    (0xFF61, 0xFF61, "."),
    (0xFF62, 0xFF63, " "),
    (0xFF64, 0xFF64, ","),
    (0xFF65, 0xFF65, " "),
    (0xFFF0, 0xFFFF, " "), // replacement character
    (0x1F000, 0x1FAFF, " "), // pictures
    (0xE0000, 0xE0FFF, ""), // tags, variation selectors
];

/// First and last small letter, the step between them, and the distance to the capital: Latin, Greek, Cyrillic, Armenian.
/// Letters without a capital of one character (as the German sharp s) stay as they are. In order, for a binary search.
#[rustfmt::skip] // a range a line
const CAPITALS: &[(u32, u32, u32, i32)] = &[
    (0x0061, 0x007A, 1, -32),
    (0x00E0, 0x00F6, 1, -32),
    (0x00F8, 0x00FE, 1, -32),
    (0x00FF, 0x00FF, 1, 121),
    (0x0101, 0x012F, 2, -1),
    (0x0133, 0x0137, 2, -1),
    (0x013A, 0x0148, 2, -1),
    (0x014B, 0x0177, 2, -1),
    (0x017A, 0x017E, 2, -1),
    (0x01A1, 0x01A1, 1, -1),
    (0x01B0, 0x01B0, 1, -1),
    (0x01CE, 0x01DC, 2, -1),
    (0x01DF, 0x01EF, 2, -1),
    (0x01F9, 0x021F, 2, -1),
    (0x0223, 0x0233, 2, -1),
    (0x03AC, 0x03AC, 1, -38),
    (0x03AD, 0x03AF, 1, -37),
    (0x03B1, 0x03C1, 1, -32),
    (0x03C2, 0x03C2, 1, -31),
    (0x03C3, 0x03CB, 1, -32),
    (0x03CC, 0x03CC, 1, -64),
    (0x03CD, 0x03CE, 1, -63),
    (0x0430, 0x044F, 1, -32),
    (0x0450, 0x045F, 1, -80),
    (0x0461, 0x0481, 2, -1),
    (0x048B, 0x04BF, 2, -1),
    (0x04C2, 0x04CE, 2, -1),
    (0x04D1, 0x052F, 2, -1),
    (0x0561, 0x0586, 1, -48),
    (0x1E01, 0x1E95, 2, -1),
    (0x1EA1, 0x1EFF, 2, -1),
];

/// What stands for a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// The character is left out.
    Nothing,
    /// This one does, which can be itself.
    For(char),
}

/// What a character of a line counts as.
pub(crate) fn in_lines(character: char) -> Stands {
    if character.is_ascii_alphanumeric() {
        return Stands::For(character.to_ascii_uppercase());
    }
    let code = u32::from(character);
    if let Some((first, last, stands)) = REPLACED.get(REPLACED.partition_point(|(_, last, _)| *last < code))
        && (*first..=*last).contains(&code)
    {
        return stands.chars().next().map_or(Stands::Nothing, Stands::For);
    }
    Stands::For(capital(code).unwrap_or(character))
}

/// What a character of a script's word counts as. Scripts keep their punctuation.
pub(crate) fn in_scripts(character: char) -> char {
    match in_lines(character) {
        Stands::Nothing | Stands::For(' ' | ',' | '.') => character,
        Stands::For(stands) => stands,
    }
}

fn capital(code: u32) -> Option<char> {
    let (first, last, step, distance) = CAPITALS.get(CAPITALS.partition_point(|(_, last, _, _)| *last < code))?;
    let small = (*first..=*last).contains(&code) && (code - first).is_multiple_of(*step);
    small.then(|| code.checked_add_signed(*distance).and_then(char::from_u32)).flatten()
}
