/** What each byte is in a literal of bytes, which is alike in Rust and Python. */
const characters = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[ !#-[\]-~]/.test(character) ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
});

/**
 * Bytes as the text of a literal, in pieces for lines of this width.
 *
 * @param leadingSpace what a space at the beginning of a line is, where a plain one would be skipped
 */
export function byteText(bytes: Uint8Array, width: number, leadingSpace = " "): string[] {
  const lines: string[] = [];
  let line = "";
  for (const byte of bytes) {
    line += byte === 0x20 && line === "" ? leadingSpace : characters[byte];
    if (line.length < width) continue;
    lines.push(line);
    line = "";
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}
