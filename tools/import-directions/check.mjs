/** `node tools/import-directions/check.mjs`: fails, naming each, if an import of the repository points the wrong way. */
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { judge } from "./judge.mjs";
import { pythonImports } from "./python-imports.mjs";
import { rustImports } from "./rust-imports.mjs";
import { typescriptImports } from "./typescript-imports.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const imports = [...typescriptImports(root), ...rustImports(root), ...pythonImports(root)];
const problems = judge(imports);
for (const problem of problems) console.error(problem);
const ours = imports.filter(({ target, samePackage }) => target !== undefined && !samePackage);
console.log(`${ours.length} imports between our packages, ${problems.length} in the wrong direction`);
process.exitCode = problems.length === 0 ? 0 : 1;
