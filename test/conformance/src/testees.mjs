/** The programs that are tested: each reads and writes messages by the codec of its language, as users of anyplug do. */
import { join, resolve } from "node:path";
import process from "node:process";

export const root = resolve(import.meta.dirname, "../../..");

const paths = ["packages/python/python", "generated/python", "test/conformance/python"];

export const testees = [
  { language: "TypeScript", words: [process.execPath, join(root, "test/conformance/ts/dist/main.js")], env: {} },
  { language: "Rust", words: [join(root, "target/fast/conformance-testee")], env: {} },
  {
    language: "Python",
    words: [join(root, ".venv/bin/python"), join(root, "test/conformance/python/testee.py")],
    env: { PYTHONPATH: paths.map((path) => join(root, path)).join(":") },
  },
];
