/** Reads JSON text (RFC 8259). `JSON.parse` rounds long numbers, keeps only the last of two members of a name, and takes half characters. */

import { AnyplugError, Code } from "@anyplug/core";
import { type Json, JsonNumber, JsonObject } from "./json.js";

/** How deep arrays and objects may be nested in each other. More than any message within its own limit takes. */
const MAX_NESTING = 256;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** The characters of a string up to one that means something. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a string may not hold
const PLAIN = /[^"\\\u0000-\u001f\ud800-\udfff]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * Returns what a JSON text says.
 *
 * @throws AnyplugError with INVALID_ARGUMENT, naming line and column, when it is none, and when it is nested deeper than 256 levels.
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    this.#space();
    switch (this.#text[this.#position]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#space();
    if (this.#position < this.#text.length) throw this.#fault("expected the end");
  }

  #object(depth: number): JsonObject {
    const members: [string, Json][] = [];
    this.#open(depth);
    if (this.#take("}")) return new JsonObject(members);
    do {
      this.#space();
      if (this.#text[this.#position] !== '"') throw this.#fault("expected a member's name in quotes");
      const name = this.#string();
      if (!this.#take(":")) throw this.#fault("expected a colon");
      members.push([name, this.value(depth + 1)]);
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#fault("expected a comma or the object's end");
    return new JsonObject(members);
  }

  #array(depth: number): Json[] {
    const elements: Json[] = [];
    this.#open(depth);
    if (this.#take("]")) return elements;
    do elements.push(this.value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) throw this.#fault("expected a comma or the array's end");
    return elements;
  }

  #open(depth: number): void {
    if (depth >= MAX_NESTING) throw this.#fault(`nested deeper than ${MAX_NESTING} levels`);
    this.#position++;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#position)) throw this.#fault("expected a value");
    this.#position += word.length;
    return value;
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#position;
    const found = NUMBER.exec(this.#text);
    if (found === null) throw this.#fault("expected a value");
    this.#position += found[0].length;
    return new JsonNumber(found[0]);
  }

  #string(): string {
    this.#position++;
    let read = "";
    for (;;) {
      PLAIN.lastIndex = this.#position;
      const plain = PLAIN.exec(this.#text)?.[0] ?? "";
      this.#position += plain.length;
      read = read === "" ? plain : read + plain;
      const character = this.#text[this.#position];
      if (character === '"') {
        this.#position++;
        return read;
      }
      if (character === "\\") read += this.#escape();
      else if (character === undefined) throw this.#fault("a string without an end");
      else if (character < " ") throw this.#fault("a control character in a string: write it as an escape");
      else read += this.#pair(character.charCodeAt(0));
    }
  }

  #escape(): string {
    const letter = this.#text[this.#position + 1] ?? "";
    if (letter === "u") return this.#escapedCharacter();
    const character = ESCAPES[letter];
    if (character === undefined) throw this.#fault("an escape that JSON does not have");
    this.#position += 2;
    return character;
  }

  /** Two code units of the text that are one character. */
  #pair(high: number): string {
    const low = this.#text.charCodeAt(this.#position + 1);
    if (!isHigh(high) || !isLow(low)) throw this.#fault("half of a surrogate pair");
    this.#position += 2;
    return String.fromCharCode(high, low);
  }

  #escapedCharacter(): string {
    const high = this.#hex(this.#position);
    if (!isHigh(high) && !isLow(high)) {
      this.#position += 6;
      return String.fromCharCode(high);
    }
    const isPair = isHigh(high) && this.#text.startsWith("\\u", this.#position + 6);
    const low = isPair ? this.#hex(this.#position + 6) : 0;
    if (!isLow(low)) throw this.#fault("half of a surrogate pair");
    this.#position += 12;
    return String.fromCharCode(high, low);
  }

  /** The code unit of the escape at a place. */
  #hex(position: number): number {
    const digits = this.#text.slice(position + 2, position + 6);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) throw this.#fault("expected four hexadecimal digits after \\u");
    return Number.parseInt(digits, 16);
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#position] !== character) return false;
    this.#position++;
    return true;
  }

  #space(): void {
    for (;;) {
      const character = this.#text[this.#position];
      if (character !== " " && character !== "\n" && character !== "\r" && character !== "\t") return;
      this.#position++;
    }
  }

  #fault(told: string): AnyplugError {
    const before = this.#text.slice(0, this.#position).split("\n");
    const column = [...(before.at(-1) ?? "")].length + 1;
    return new AnyplugError(Code.InvalidArgument, `line ${before.length}, column ${column} of the JSON: ${told}`);
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
