const { stringArray } = require("./toml.cjs");

const profile = "--workspace --profile fast --locked";

/** The Rust targets, from the workspace's Cargo.toml: its members are the inputs. */
function cargoTargets(manifest) {
  const members = stringArray(manifest, "workspace", "members");
  const crates = [
    ...members.map((member) => `{workspaceRoot}/${member}/**/*.{rs,toml}`),
    "{workspaceRoot}/Cargo.toml",
    "{workspaceRoot}/Cargo.lock",
    "{workspaceRoot}/rust-toolchain.toml",
    "{workspaceRoot}/.cargo/**/*",
    { runtime: "rustc --version" },
  ];
  return {
    // Not cached by nx: cargo knows better what is current, and its target folder is far too large to copy.
    "build-rust": { command: `cargo build ${profile}`, cache: false },
    // Copies the programs and shared libraries of plugins into their folders.
    "build-plugins": {
      command: "node tools/nx-polyglot/plugin-programs.mjs && node tools/nx-polyglot/plugin-libraries.mjs",
      cache: false,
      dependsOn: ["build-rust"],
    },
    // Not cached by nx, as above. After the other build, because cargo runs one at a time.
    "build-wasm": { command: "node tools/nx-polyglot/plugin-modules.mjs", cache: false, dependsOn: ["build-rust"] },
    "build-instrumenter": {
      command: "node tools/nx-polyglot/instrumenter.mjs",
      cache: false,
      dependsOn: ["build-rust"],
    },
    // Programs that tests in other languages drive; `cargo build` alone leaves them out.
    "examples-rust": { command: `cargo build ${profile} --examples`, cache: false, dependsOn: ["build-rust"] },
    "lint-rustfmt": {
      command: "cargo fmt --all --check",
      cache: true,
      inputs: [...crates, "{workspaceRoot}/rustfmt.toml"],
    },
    "lint-clippy": {
      command: `cargo clippy ${profile} --all-targets -- -D warnings`,
      cache: true,
      inputs: [...crates, "{workspaceRoot}/clippy.toml"],
    },
    // What of the SDK and the instrumenter is for modules alone.
    "lint-clippy-wasm": {
      command:
        "cargo clippy --locked --profile wasm --target wasm32-unknown-unknown --lib -p anyplug-sdk -p eliza-classic -p anyplug-instrument -- -D warnings",
      cache: true,
      inputs: [...crates, "{workspaceRoot}/clippy.toml"],
      dependsOn: ["build-wasm"],
    },
    "test-rust": {
      command: `cargo test ${profile} --no-fail-fast -- --skip between_languages`,
      cache: true,
      inputs: ["rust", { runtime: "rustc --version" }],
      dependsOn: ["build-rust"],
    },
    // Hosts written in Rust load plugins of every language, so that a change anywhere can break these tests.
    "test-rust-between": {
      command: `cargo test ${profile} --no-fail-fast --tests -- between_languages --skip between_languages::matrix`,
      cache: true,
      inputs: ["everything", { runtime: "rustc --version" }],
      dependsOn: ["build"],
    },
    "test-rust-matrix": {
      command: "node tools/matrix/matrix.mjs --no-build --host rust",
      cache: true,
      inputs: ["everything", { runtime: "rustc --version" }],
      dependsOn: ["build"],
    },
  };
}

module.exports = { cargoTargets };
