/**
 * The nx inference plugin. A manifest at the root of the repository says which tools apply, and its targets are
 * inferred from it: Cargo.toml gives the Rust ones, pyproject.toml the Python ones, tsconfig.json the TypeScript ones,
 * buf.yaml those of the schemas. They all belong to one nx project, `workspace`, because each tool is run once for
 * everything: `cargo -p` would change the features of shared dependencies and compile them again, and one `tsc -b`,
 * jest, mypy or pytest is faster than one per package.
 */
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { cargoTargets } = require("./cargo.cjs");
const { pythonTargets } = require("./python.cjs");
const { schemaTargets } = require("./schemas.cjs");
const { groupTargets } = require("./groups.cjs");
const { typescriptTargets } = require("./typescript.cjs");

const inferers = {
  "Cargo.toml": cargoTargets,
  "pyproject.toml": pythonTargets,
  "tsconfig.json": typescriptTargets,
  "buf.yaml": schemaTargets,
};

/** nx calls this with the manifests found at the root; it returns the `workspace` project with all targets. */
function inferWorkspace(manifests, _options, { workspaceRoot }) {
  const targets = {};
  for (const manifest of [...manifests].sort()) {
    const text = readFileSync(join(workspaceRoot, manifest), "utf8");
    Object.assign(targets, inferers[manifest](text));
  }
  Object.assign(targets, groupTargets(targets));
  return manifests.slice(0, 1).map((manifest) => [manifest, { projects: { ".": { name: "workspace", targets } } }]);
}

module.exports = {
  name: "nx-polyglot",
  createNodesV2: [`{${Object.keys(inferers).join(",")}}`, inferWorkspace],
};
