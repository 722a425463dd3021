const { stringArray } = require("./toml.cjs");

const python = ".venv/bin/python";

/** The Python targets, from the root's pyproject.toml: what mypy checks are the inputs. */
function pythonTargets(manifest) {
  const files = stringArray(manifest, "tool.mypy", "files");
  const paths = stringArray(manifest, "tool.mypy", "mypy_path");
  const sources = [
    ...[...files, ...paths].map((path) => `{workspaceRoot}/${path}${path.endsWith(".py") ? "" : "/**/*.{py,pyi}"}`),
    "{workspaceRoot}/pyproject.toml",
    "{workspaceRoot}/packages/python/pyproject.toml",
    "{workspaceRoot}/requirements-dev.txt",
    { runtime: `${python} --version` },
  ];
  return {
    // Copies the library that cargo built to where Python finds it; see native-module.mjs for why not maturin.
    "build-python": {
      command: "node tools/nx-polyglot/native-module.mjs",
      cache: false,
      dependsOn: ["build-rust"],
    },
    "lint-ruff": {
      command: `${python} -m ruff check . && ${python} -m ruff format --check .`,
      cache: true,
      inputs: ["{workspaceRoot}/**/*.{py,pyi}", ...sources],
    },
    "lint-mypy": { command: `${python} -m mypy`, cache: true, inputs: sources },
    // The vectors are written by a program, so that a rule is stated once; they are committed as what it writes.
    "lint-vectors": {
      command: `${python} test/vectors/build.py --check`,
      cache: true,
      inputs: ["{workspaceRoot}/test/vectors/**/*"],
    },
    // Python stands on the Rust crates: a change there can break these tests, one in TypeScript cannot.
    "test-python": {
      command: `${python} -m pytest -m "not between_languages"`,
      cache: true,
      inputs: ["python", { runtime: `${python} --version` }],
      dependsOn: ["build-python", "build-plugins"],
    },
    // Hosts written in Python load plugins of every language.
    "test-python-between": {
      command: `${python} -m pytest -m between_languages --ignore test/matrix`,
      cache: true,
      inputs: ["everything", { runtime: `${python} --version` }],
      dependsOn: ["build"],
    },
    "test-python-matrix": {
      command: "node tools/matrix/matrix.mjs --no-build --host python",
      cache: true,
      inputs: ["everything", { runtime: `${python} --version` }],
      dependsOn: ["build"],
    },
  };
}

module.exports = { pythonTargets };
