/** The targets that are about the repository as a whole, from the root's package.json. */
function repositoryTargets() {
  return {
    "lint-biome": {
      command: "biome check --error-on-warnings .",
      cache: true,
      inputs: [
        "{workspaceRoot}/**/*.{ts,mts,cts,js,mjs,cjs,json,jsonc}",
        "!{workspaceRoot}/generated/**",
        "!{workspaceRoot}/test/vectors/**",
        "npm",
      ],
    },
    "lint-imports": {
      command: "node tools/import-directions/check.mjs",
      cache: true,
      inputs: [
        "{workspaceRoot}/tools/import-directions/**/*",
        "{workspaceRoot}/**/*.{ts,mts,rs,py,pyi}",
        "{workspaceRoot}/**/{Cargo.toml,package.json}",
        "npm",
      ],
    },
    // Plugins in C, and the libraries that test/ffi and test/elizaos are about.
    "build-c": {
      command: "node tools/nx-polyglot/c-libraries.mjs",
      cache: true,
      inputs: [
        "{workspaceRoot}/packages/ffi/include/**/*",
        "{workspaceRoot}/plugins/*/c/**/*",
        "{workspaceRoot}/test/{ffi,elizaos/library}/{c/**/*,cases.json}",
        "{workspaceRoot}/tools/nx-polyglot/{c-libraries,plugin-files}.mjs",
        { runtime: "cc --version" },
      ],
      outputs: [
        "{workspaceRoot}/plugins/test-plugin/c/bin",
        "{workspaceRoot}/test/ffi/bin",
        "{workspaceRoot}/test/elizaos/library/bin",
      ],
    },
    // The plugin in Go, where there is a Go.
    "build-go": {
      command: "node tools/nx-polyglot/go-libraries.mjs",
      cache: true,
      inputs: [
        "{workspaceRoot}/packages/ffi/include/**/*",
        "{workspaceRoot}/plugins/*/go/**/*",
        "{workspaceRoot}/tools/nx-polyglot/{go-libraries,plugin-files}.mjs",
        { runtime: "go version || /usr/local/go/bin/go version || true" },
      ],
      outputs: ["{workspaceRoot}/plugins/test-plugin/go/bin"],
    },
    // The official suite of protobuf against the codecs of the three languages.
    "test-conformance": {
      command: "node test/conformance/run.mjs",
      cache: true,
      inputs: ["everything", "npm"],
      dependsOn: ["build"],
    },
    // The RPC suite of Connect, with clients and servers of the three languages.
    "test-rpc-conformance": {
      command: "node test/rpc-conformance/run.mjs",
      cache: true,
      inputs: ["everything", "npm"],
      dependsOn: ["build"],
    },
    // A published ElizaOS, in TypeScript and Python, beside ours.
    "test-elizaos": {
      command: "node test/elizaos/run.mjs",
      cache: true,
      inputs: ["everything", "npm"],
      dependsOn: ["build"],
    },
    // The snippets of the README are files that other steps build, lint and run.
    "lint-readme": {
      command: "node tools/readme/snippets.mjs --check",
      cache: true,
      inputs: [
        "{workspaceRoot}/README.md",
        "{workspaceRoot}/tools/readme/**/*",
        "{workspaceRoot}/{proto,examples,plugins}/**/*",
      ],
    },
  };
}

module.exports = { repositoryTargets };
