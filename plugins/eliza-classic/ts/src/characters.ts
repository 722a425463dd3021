/**
 * What each character counts as.
 *
 * Written out, not taken from the runtime: the Unicode versions of Node, Rust and Python differ, and an answer may not.
 */

/**
 * First and last character, and what stands for each between them in a line: a space ends a word, a comma or a period
 * ends a clause, and nothing means that the character is left out. A character that is not listed is part of a word.
 */
// biome-ignore format: a range a line
const replaced: readonly (readonly [number, number, string])[] = [
  [0x0000, 0x0020, " "], // controls, space
  [0x0021, 0x0021, "."], // !
  [0x0022, 0x0026, " "], // " # $ % &
  [0x0028, 0x002b, " "], // ( ) * +
  [0x002f, 0x002f, " "], // /
  [0x003a, 0x003b, "."], // : ;
  [0x003c, 0x003e, " "], // < = >
  [0x003f, 0x003f, "."], // ?
  [0x0040, 0x0040, " "], // @
  [0x005b, 0x005f, " "], // [ \ ] ^ _
  [0x0060, 0x0060, "'"], // `
  [0x007b, 0x00a0, " "], // { | } ~, controls, no-break space
  [0x00a1, 0x00a1, "."], // inverted !
  [0x00a2, 0x00a9, " "],
  [0x00ab, 0x00ac, " "],
  [0x00ad, 0x00ad, ""], // soft hyphen
  [0x00ae, 0x00b1, " "],
  [0x00b4, 0x00b4, "'"], // acute accent
  [0x00b6, 0x00b6, " "],
  [0x00b8, 0x00b8, " "],
  [0x00bb, 0x00bb, " "],
  [0x00bf, 0x00bf, "."], // inverted ?
  [0x00d7, 0x00d7, " "],
  [0x00f7, 0x00f7, " "],
  [0x02bc, 0x02bc, "'"], // modifier letter apostrophe
  [0x037e, 0x037e, "."], // Greek question mark
  [0x0589, 0x0589, "."], // Armenian full stop
  [0x060c, 0x060c, ","], // Arabic comma
  [0x061b, 0x061b, "."], // Arabic semicolon
  [0x061f, 0x061f, "."], // Arabic question mark
  [0x06d4, 0x06d4, "."], // Urdu full stop
  [0x0964, 0x0965, "."], // danda
  [0x1680, 0x1680, " "],
  [0x2000, 0x200a, " "], // spaces
  [0x200b, 0x200f, ""], // zero width, direction marks
  [0x2010, 0x2011, "-"], // hyphens
  [0x2012, 0x2015, "."], // dashes
  [0x2016, 0x2017, " "],
  [0x2018, 0x2019, "'"], // curly apostrophes
  [0x201a, 0x201a, " "],
  [0x201b, 0x201b, "'"],
  [0x201c, 0x2025, " "], // quotation marks
  [0x2026, 0x2026, "."], // ellipsis
  [0x2027, 0x2029, " "],
  [0x202a, 0x202e, ""], // direction marks
  [0x202f, 0x2031, " "],
  [0x2032, 0x2032, "'"], // prime
  [0x2033, 0x203b, " "],
  [0x203c, 0x203d, "."],
  [0x203e, 0x2046, " "],
  [0x2047, 0x2049, "."],
  [0x204a, 0x205f, " "],
  [0x2060, 0x206f, ""],
  [0x20a0, 0x20ff, " "], // currency
  [0x2190, 0x2bff, " "], // arrows, boxes, symbols, dingbats
  [0x2e00, 0x2e7f, " "],
  [0x3000, 0x3000, " "],
  [0x3001, 0x3001, ","], // ideographic comma
  [0x3002, 0x3002, "."], // ideographic full stop
  [0x3003, 0x3004, " "],
  [0x3008, 0x3020, " "], // brackets
  [0x3030, 0x3030, " "],
  [0x303d, 0x303f, " "],
  [0xd800, 0xdfff, " "], // a surrogate without its other half
  [0xfe00, 0xfe0f, ""], // variation selectors
  [0xfe10, 0xfe1f, " "],
  [0xfe30, 0xfe6f, " "],
  [0xfeff, 0xfeff, ""], // byte order mark
  [0xff01, 0xff01, "."], // from here, fullwidth punctuation
  [0xff02, 0xff06, " "],
  [0xff07, 0xff07, "'"],
  [0xff08, 0xff0b, " "],
  [0xff0c, 0xff0c, ","],
  [0xff0d, 0xff0d, "-"],
  [0xff0e, 0xff0e, "."],
  [0xff0f, 0xff0f, " "],
  [0xff1a, 0xff1b, "."],
  [0xff1c, 0xff1e, " "],
  [0xff1f, 0xff1f, "."],
  [0xff20, 0xff20, " "],
  [0xff3b, 0xff3f, " "],
  [0xff40, 0xff40, "'"],
  [0xff5b, 0xff60, " "],
  [0xff61, 0xff61, "."],
  [0xff62, 0xff63, " "],
  [0xff64, 0xff64, ","],
  [0xff65, 0xff65, " "],
  [0xfff0, 0xffff, " "], // replacement character
  [0x1f000, 0x1faff, " "], // pictures
  [0xe0000, 0xe0fff, ""], // tags, variation selectors
];

/**
 * First and last small letter, the step between them, and the distance to the capital: Latin, Greek, Cyrillic, Armenian.
 * Letters without a capital of one character (as the German sharp s) stay as they are.
 */
// biome-ignore format: a range a line
const capitals: readonly (readonly [number, number, number, number])[] = [
  [0x0061, 0x007a, 1, -32],
  [0x00e0, 0x00f6, 1, -32],
  [0x00f8, 0x00fe, 1, -32],
  [0x00ff, 0x00ff, 1, 121],
  [0x0101, 0x012f, 2, -1],
  [0x0133, 0x0137, 2, -1],
  [0x013a, 0x0148, 2, -1],
  [0x014b, 0x0177, 2, -1],
  [0x017a, 0x017e, 2, -1],
  [0x01a1, 0x01a1, 1, -1],
  [0x01b0, 0x01b0, 1, -1],
  [0x01ce, 0x01dc, 2, -1],
  [0x01df, 0x01ef, 2, -1],
  [0x01f9, 0x021f, 2, -1],
  [0x0223, 0x0233, 2, -1],
  [0x03ac, 0x03ac, 1, -38],
  [0x03ad, 0x03af, 1, -37],
  [0x03b1, 0x03c1, 1, -32],
  [0x03c2, 0x03c2, 1, -31],
  [0x03c3, 0x03cb, 1, -32],
  [0x03cc, 0x03cc, 1, -64],
  [0x03cd, 0x03ce, 1, -63],
  [0x0430, 0x044f, 1, -32],
  [0x0450, 0x045f, 1, -80],
  [0x0461, 0x0481, 2, -1],
  [0x048b, 0x04bf, 2, -1],
  [0x04c2, 0x04ce, 2, -1],
  [0x04d1, 0x052f, 2, -1],
  [0x0561, 0x0586, 1, -48],
  [0x1e01, 0x1e95, 2, -1],
  [0x1ea1, 0x1eff, 2, -1],
];

/** What a character of a line counts as, where that is not itself. */
export const inLines: ReadonlyMap<string, string> = table();

/** What a character of a script's word counts as, where that is not itself. Scripts keep their punctuation. */
export const inScripts: ReadonlyMap<string, string> = new Map(
  [...inLines].filter(([, stands]) => stands !== "" && stands !== " " && stands !== "," && stands !== "."),
);

function table(): Map<string, string> {
  const result = new Map<string, string>();
  for (const [first, last, stands] of replaced) {
    for (let code = first; code <= last; code += 1) result.set(String.fromCodePoint(code), stands);
  }
  for (const [first, last, step, distance] of capitals) {
    for (let code = first; code <= last; code += step) {
      result.set(String.fromCodePoint(code), String.fromCodePoint(code + distance));
    }
  }
  return result;
}

/** Returns how many characters (Unicode code points) a text has. Half a surrogate pair counts as one. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
