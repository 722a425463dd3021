/** Numbers of JSON, exactly. */

const NUMBER = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
/** No integer type has more digits. */
const MAX_DIGITS = 20;

/** Returns whether a text is a number as JSON writes them. */
export function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** Returns the integer that a number of JSON is, also when it is written "1.0" or "1e2"; undefined when it is none, or of more than 20 digits. */
export function toInteger(text: string): bigint | undefined {
  const parts = NUMBER.exec(text);
  if (parts === null) return undefined;
  const [, sign = "", whole = "", fraction = "", power = "0"] = parts;
  const written = (whole + fraction).replace(/^0+/, "");
  const digits = written.replace(/0+$/, "");
  if (digits === "") return 0n;
  const zeros = Number(power) - fraction.length + (written.length - digits.length);
  if (zeros < 0 || digits.length + zeros > MAX_DIGITS) return undefined;
  return BigInt(sign + digits + "0".repeat(zeros));
}

/** Returns the shortest text that reads as this double: as JavaScript writes numbers, and -0 with its sign. */
export function doubleText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Returns the shortest text that reads as this float, which is shorter than that of the double of the same value. */
export function floatText(value: number): string {
  if (value === 0) return doubleText(value);
  const [mantissa = "", power = ""] = Math.abs(value).toExponential(EXACT_DIGITS).split("e");
  const all = mantissa.replace(".", "");
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Math.sign(value) * round(Math.abs(value), digits, all, Number(power));
    if (Math.fround(rounded) === value) return doubleText(rounded);
  }
  return doubleText(Math.sign(value) * round(Math.abs(value), 9, all, Number(power)));
}

/** More digits than a float has that lies in the middle between two numbers of nine digits. */
const EXACT_DIGITS = 40;

/** Rounds to so many digits: where two numbers are as near, to the even one, as Rust does and toPrecision does not. */
function round(value: number, digits: number, all: string, power: number): number {
  const isBetween = /^50*$/.test(all.slice(digits));
  if (!isBetween || Number(all[digits - 1]) % 2 !== 0) return Number(value.toPrecision(digits));
  return Number(`${all.slice(0, digits)}e${power - digits + 1}`);
}
