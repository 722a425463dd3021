const sources = [
  "{workspaceRoot}/{generated,packages,plugins,examples,tools,test}/**/*.{ts,mts,cts}",
  "{workspaceRoot}/{generated,packages,plugins,examples,tools,test}/**/{package,tsconfig}.json",
  "{workspaceRoot}/tsconfig*.json",
  "npm",
];

// ES modules in jest need this flag; passed to node itself so that it does not leak into the children of tests.
const runJest = "node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js";

/** Tests that need what another language builds, from the root. */
const betweenLanguages = ["test/", "examples/", "tools/protoc-gen-anyplug/test/hostile"];
const others = betweenLanguages.map((path) => `'<rootDir>/${path}'`).join(" ");

/** The TypeScript targets, from the solution file tsconfig.json: each of its references is built to its `dist`. */
function typescriptTargets(solution) {
  const projects = JSON.parse(solution).references.map((reference) => reference.path);
  return {
    "build-typescript": {
      command: "tsc -b",
      cache: true,
      inputs: sources,
      outputs: projects.map((path) => `{workspaceRoot}/${path}/dist`),
    },
    "lint-typescript": {
      command: "tsc -p tsconfig.test.json",
      cache: true,
      inputs: sources,
      dependsOn: ["build-typescript"],
    },
    "test-typescript": {
      command: `${runJest} --testPathIgnorePatterns /node_modules/ /dist/ /target/ ${others}`,
      cache: true,
      inputs: ["typescript", "npm"],
      dependsOn: ["build-typescript"],
    },
    // Hosts written in TypeScript load plugins of every language, and tools write all three.
    "test-typescript-between": {
      command: `${runJest} --testPathIgnorePatterns /node_modules/ /dist/ /target/ '<rootDir>/test/matrix/ts/matrix.test.ts' ${betweenLanguages.map((path) => `./${path}`).join(" ")}`,
      cache: true,
      inputs: ["everything", "npm"],
      dependsOn: ["build", "examples-rust"],
    },
    "test-typescript-matrix": {
      command: "node tools/matrix/matrix.mjs --no-build --host typescript",
      cache: true,
      inputs: ["everything", "npm"],
      dependsOn: ["build", "examples-rust"],
    },
  };
}

module.exports = { typescriptTargets };
