const generator = ["{workspaceRoot}/tools/{generate,protoc-gen-anyplug}/**/*", "npm"];

/** The targets of the schemas, from buf.yaml. */
function schemaTargets() {
  return {
    generate: {
      command: "node tools/generate/generate.mjs",
      cache: false,
    },
    "lint-buf": { command: "buf lint", cache: true, inputs: ["schemas", "npm"] },
    "lint-breaking": {
      command: "node tools/nx-polyglot/breaking.mjs",
      cache: true,
      inputs: ["schemas", "npm", { runtime: "node tools/nx-polyglot/breaking.mjs --reference" }],
    },
    // Regenerates into a temporary folder and compares with what is committed.
    "test-generated": {
      command: "node tools/generate/generate.mjs --check",
      cache: true,
      inputs: [
        "schemas",
        ...generator,
        "{workspaceRoot}/generated/**/*",
        "{workspaceRoot}/test/{conformance,rpc-conformance}/**/*",
        "{workspaceRoot}/packages/anyplug/ts/plugin.schema.json",
      ],
      dependsOn: ["build-typescript"],
    },
  };
}

module.exports = { schemaTargets };
