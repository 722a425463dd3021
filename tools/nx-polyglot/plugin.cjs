/**
 * The nx inference plugin. A manifest at the root of the repository says which tools apply, and its targets are
 * inferred from it: Cargo.toml gives the Rust ones, pyproject.toml the Python ones, tsconfig.json the TypeScript ones,
 * buf.yaml those of the schemas, package.json what is about the whole repository. They all belong to one nx project,
 * `workspace`, because each tool is run once for everything: `cargo -p` would change the features of shared
 * dependencies and compile them again, and one `tsc -b`, jest, mypy or pytest is faster than one per package.
 */
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { cargoTargets } = require("./cargo.cjs");
const { pythonTargets } = require("./python.cjs");
const { repositoryTargets } = require("./repository.cjs");
const { schemaTargets } = require("./schemas.cjs");
const { groupTargets } = require("./groups.cjs");
const { typescriptTargets } = require("./typescript.cjs");

const inferers = {
  "Cargo.toml": cargoTargets,
  "pyproject.toml": pythonTargets,
  "tsconfig.json": typescriptTargets,
  "buf.yaml": schemaTargets,
  "package.json": repositoryTargets,
};

/**
 * @param {string} root the root of the repository
 * @param {string[]} manifests the names of the manifests to infer from
 * @returns {Record<string, object>} the targets of the project `workspace`, and their groups
 */
function inferTargets(root, manifests = Object.keys(inferers).filter((name) => existsSync(join(root, name)))) {
  const targets = {};
  for (const manifest of [...manifests].sort()) {
    Object.assign(targets, inferers[manifest](readFileSync(join(root, manifest), "utf8")));
  }
  return { ...targets, ...groupTargets(targets) };
}

/** nx calls this with the manifests that it found at the root. */
function inferWorkspace(manifests, _options, { workspaceRoot }) {
  const project = { name: "workspace", targets: inferTargets(workspaceRoot, manifests) };
  return manifests.slice(0, 1).map((manifest) => [manifest, { projects: { ".": project } }]);
}

module.exports = {
  name: "nx-polyglot",
  inferTargets,
  createNodesV2: [`{${Object.keys(inferers).join(",")}}`, inferWorkspace],
};
