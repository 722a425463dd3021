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
/** That of `npm run matrix`. */
const matrix = "test/matrix/ts/matrix.test.ts";
const inRoot = (paths) => paths.map((path) => `'<rootDir>/${path}'`).join(" ");
/** Jest takes all that follows it as a pattern, too. */
const ignored = "--testPathIgnorePatterns /node_modules/ /dist/ /target/";

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
    // The engine of plugins as WebAssembly modules, from what npm has.
    "build-wasm-engine": {
      command: "node packages/wasm-build/ts/engine/build.mjs",
      cache: true,
      inputs: ["{workspaceRoot}/packages/wasm-build/ts/engine/**/*", "npm"],
      outputs: ["{workspaceRoot}/packages/wasm-build/ts/dist-engine"],
    },
    // A plugin that needs nothing of ours.
    "build-assemblyscript": {
      command: "node examples/greeter/assemblyscript/build.mjs",
      cache: true,
      inputs: [
        "{workspaceRoot}/examples/greeter/assemblyscript/assembly/**/*",
        "{workspaceRoot}/examples/greeter/assemblyscript/build.mjs",
        "npm",
      ],
      outputs: ["{workspaceRoot}/examples/greeter/assemblyscript/bin"],
    },
    // Not cached by nx: it takes a second a plugin.
    "build-wasm-typescript": {
      command: "node tools/nx-polyglot/typescript-modules.mjs",
      cache: false,
      dependsOn: ["build-typescript", "build-wasm-engine"],
    },
    "lint-typescript": {
      command: "tsc -p tsconfig.test.json",
      cache: true,
      inputs: sources,
      dependsOn: ["build-typescript"],
    },
    "test-typescript": {
      command: `${runJest} ${ignored} ${inRoot(betweenLanguages)}`,
      cache: true,
      inputs: ["typescript", "npm", "{workspaceRoot}/packages/wasm/instrument/**/*"],
      // Of Rust, @anyplug/wasm has the instrumenter.
      dependsOn: ["build-typescript", "build-instrumenter", "build-wasm-engine"],
    },
    // Hosts written in TypeScript load plugins of every language, and tools write all three.
    "test-typescript-between": {
      command: `${runJest} ${betweenLanguages.map((path) => `./${path}`).join(" ")} ${ignored} ${inRoot([matrix])}`,
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
