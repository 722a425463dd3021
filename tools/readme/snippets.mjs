// The snippets of README.md and docs/jsonrpc.md are files that the tests build and run. `node tools/readme/snippets.mjs` copies the files
// into the pages; with --check it fails when one differs.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);
const SNIPPET = /(<!-- file: (\S+) -->\n```\w+\n)([\s\S]*?)(```\n)/g;

/**
 * Returns `text` with the content of each named file between its fences, and the names of the files that differed.
 *
 * @param {string} text the Markdown
 * @param {(path: string) => string} read returns a file's content, by its path from the root
 */
export function fillSnippets(text, read) {
  const stale = [];
  const filled = text.replace(SNIPPET, (whole, open, path, body, close) => {
    const content = read(path);
    if (content === body) return whole;
    stale.push(path);
    return open + content + close;
  });
  return { filled, stale };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const page of ["README.md", "docs/jsonrpc.md"]) {
    const place = new URL(page, root);
    const { filled, stale } = fillSnippets(readFileSync(place, "utf8"), (path) =>
      readFileSync(new URL(path, root), "utf8"),
    );
    if (process.argv.includes("--check") && stale.length > 0) {
      console.error(`${page} differs from ${stale.join(", ")}: run node tools/readme/snippets.mjs`);
      process.exit(1);
    }
    writeFileSync(place, filled);
  }
}
