/** The hash function of SLIP, by which ELIZA chooses among the rules of MEMORY. */

const chunkLength = 6;
const space = 48;

// The position of a character is its code in the 6-bit BCD of the IBM 7094; a blank here is a code without a character.
const bcd = "0123456789 ='   +ABCDEFGHI .)   -JKLMNOPQR $*    /STUVWXYZ ,(   ";

/** Returns the hash, 0 to 3, of a word's last chunk of six characters. A character without a code is a space. */
export function hashOf(word: string): number {
  const characters = [...word];
  const chunk = characters.slice(Math.floor(Math.max(0, characters.length - 1) / chunkLength) * chunkLength);
  let datum = 0n;
  for (let index = 0; index < chunkLength; index += 1) {
    const character = chunk[index] ?? " ";
    const code = character === " " ? space : bcd.indexOf(character);
    datum = (datum << 6n) | BigInt(code < 0 ? space : code);
  }
  datum = BigInt.asUintN(35, datum); // the 36th bit is the sign
  return Number((BigInt.asUintN(64, datum * datum) >> 34n) & 3n);
}
