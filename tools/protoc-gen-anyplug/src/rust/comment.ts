/**
 * Doc comments that rustdoc reads as text: what looks like a link, a tag or an example to be compiled is made harmless.
 * Markdown that stays harmless, such as lists and code in backticks, is left.
 */
export function docComment(lines: readonly string[]): string[] {
  let fenced = false;
  return lines.map((line) => {
    const fence = /^\s*(```+|~~~+)\s*(.*)$/.exec(line);
    if (fence !== null) {
      fenced = !fenced;
      // Without a language, or with Rust, rustdoc would compile and run the block as a test.
      return `/// ${fenced && /^(rust|should_panic|no_run|ignore|compile_fail|edition.*)?$/.test(fence[2] ?? "") ? "```text" : line.trim()}`;
    }
    return `/// ${fenced ? line : sanitized(line)}`.trimEnd();
  });
}

/** Four spaces before a line would make it code, which rustdoc runs; three do not. */
function sanitized(line: string): string {
  return line
    .replace(/^\s{4,}/, "   ")
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : escaped(part)))
    .join("");
}

function escaped(text: string): string {
  return text.replace(/(?<!\\)[[\]<]/g, "\\$&").replace(/https?:\/\/[^\s)\]>\\]*[^\s)\]>\\.,;:]/g, "<$&>");
}
