/**
 * Lays out the TypeScript that ts-proto writes, which has its lines but no order in their margins: brackets are counted.
 * Formatters do this better, at twice the time of all the rest.
 */
export function tidy(source: string): string {
  const result: string[] = [];
  const margins = new Margins();
  let comment = false;
  /** ts-proto ends the members of interfaces with commas. */
  let inInterface = false;
  for (const line of joined(source)) {
    if (comment || line.startsWith("/*")) {
      comment = !line.includes("*/");
      result.push(`${margins.now()}${line.startsWith("*") ? " " : ""}${line}`);
      continue;
    }
    const last = result.at(-1) ?? "";
    if (line === "") {
      if (last !== "" && !/[[({]$/.test(last)) result.push("");
      continue;
    }
    const { text, closedFirst, change } = read(line);
    if (closedFirst > 0 && last === "") result.pop();
    margins.close(closedFirst);
    if (margins.atTop()) inInterface = text.startsWith("export interface");
    const member = inInterface && !margins.atTop() && text.endsWith(",");
    result.push(`${margins.now(isLabel(text))}${member ? `${text.slice(0, -1)};` : text}`);
    margins.open(change + closedFirst, isLabel(text));
  }
  return `${result.join("\n").trimEnd()}\n`;
}

function isLabel(text: string): boolean {
  return /^(case .+|default):( \{)?$/.test(text);
}

/** A line that opens brackets sets what follows two spaces in, however many it opens; so does a `case`. */
class Margins {
  /** For each line that is open, its brackets, and whether a `case` without brackets was seen in it. */
  readonly #lines: { brackets: number; labelled: boolean }[] = [];

  atTop(): boolean {
    return this.#lines.length === 0;
  }

  now(label = false): string {
    const labels = this.#lines.filter(({ labelled }) => labelled).length;
    const own = label && this.#lines.at(-1)?.labelled === true ? 1 : 0;
    return "  ".repeat(this.#lines.length + labels - own);
  }

  close(brackets: number): void {
    for (let left = brackets; left > 0; left--) {
      const line = this.#lines.at(-1);
      if (line === undefined) return;
      line.brackets--;
      if (line.brackets === 0) this.#lines.pop();
    }
  }

  /** @param change how many more brackets a line opens than it closes, those at its beginning apart */
  open(change: number, label: boolean): void {
    const line = this.#lines.at(-1);
    if (change > 0) this.#lines.push({ brackets: change, labelled: false });
    else if (change < 0) this.close(-change);
    else if (label && line !== undefined) line.labelled = true;
  }
}

/** What is in one pair of parentheses, or goes on with an operator, in one line. */
function joined(source: string): string[] {
  const lines = source.split("\n").map((line) => line.trim());
  const result: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    let line = lines[index] ?? "";
    if (line.endsWith("(") && !line.startsWith("*")) {
      const end = closing(lines, index);
      if (end !== undefined) {
        line += lines.slice(index + 1, end + 1).join(" ");
        index = end;
      }
    }
    const goesOn = /^(\?|:|&&|\|\|) /.test(line) && result.length > 0;
    if (goesOn) result.push(`${result.pop()} ${line}`);
    else if (line.endsWith("; }") && !line.includes("{")) result.push(line.slice(0, -2), "}");
    else result.push(line);
  }
  return result;
}

/** The line that closes the parenthesis at the end of a line, if there are no statements and comments between. */
function closing(lines: readonly string[], from: number): number | undefined {
  for (let at = from + 1; at < lines.length && at < from + 12; at++) {
    const line = lines[at] ?? "";
    if (line.startsWith(")")) return at;
    if (/[{}]|=>|\/\/|\/\*|^$/.test(line) || line.endsWith("(")) return undefined;
  }
  return undefined;
}

interface Line {
  readonly text: string;
  /** How many brackets it closes at its beginning. */
  readonly closedFirst: number;
  /** How many more it opens than it closes. */
  readonly change: number;
}

const opening = new Set("([{");
const closers = new Set(")]}");

/** Counts brackets outside of text, puts text between double quotes, and takes superfluous spaces away. */
function read(line: string): Line {
  let text = "";
  let depth = 0;
  let closedFirst = 0;
  let beginning = true;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === '"' || character === "'" || character === "`") {
      let end = at + 1;
      while (end < line.length && line.charAt(end) !== character) end += line.charAt(end) === "\\" ? 2 : 1;
      const content = line.slice(at + 1, end);
      text += character === "'" && !/["\\]/.test(content) ? `"${content}"` : line.slice(at, end + 1);
      at = end;
      beginning = false;
      continue;
    }
    if (character === "/" && line.charAt(at + 1) === "/") {
      text += line.slice(at);
      break;
    }
    if (character === " " && (/[ (]$/.test(text) || line.charAt(at + 1) === ")")) continue;
    if (character === ")" && text.endsWith(",")) text = text.slice(0, -1);
    if (/[{,]$/.test(text) && !/[ })\]]/.test(character)) text += " ";
    if (character === "}" && text !== "" && !/[{ }]$/.test(text)) text += " ";
    text += character;
    if (opening.has(character)) depth++;
    else if (closers.has(character)) {
      depth--;
      if (beginning) closedFirst++;
    }
    if (!closers.has(character)) beginning = false;
  }
  return { text, closedFirst, change: depth };
}
