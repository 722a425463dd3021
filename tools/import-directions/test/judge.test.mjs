import { expect, test } from "@jest/globals";
import { judge } from "../judge.mjs";
import { toImport } from "../python-imports.mjs";
import { corePathsIn, dependenciesIn } from "../rust-imports.mjs";
import { specifiersOf } from "../typescript-imports.mjs";

const core = "packages/core/ts/src/session.ts";
const ipc = "packages/ipc/ts/src/channel.ts";

test("imports along the arrows are fine", () => {
  const imports = [
    { file: core, specifier: "@anyplug/protocol/wire.js", target: "generated/protocol/ts/", declared: true },
    { file: core, specifier: "./frame.js", target: "packages/core/ts/", samePackage: true },
    { file: ipc, specifier: "@anyplug/core", target: "packages/core/ts/", declared: true },
    { file: ipc, specifier: "node:child_process", declared: true },
    {
      file: "generated/ts/src/x.ts",
      specifier: "@anyplug/core/codegen/v1",
      target: "packages/core/ts/",
      declared: true,
    },
    { file: "test/matrix/x.ts", specifier: "@anyplug/sdk", target: "packages/sdk/ts/", declared: true },
  ];
  expect(judge(imports)).toEqual([]);
});

test.each([
  [ipc, "@anyplug/direct", "packages/direct/ts/", "not direct"],
  [core, "@anyplug/ipc", "packages/ipc/ts/", "not ipc"],
  [core, "@anyplug/generated/eliza.js", "generated/ts/", "not generated"],
  ["packages/host/ts/src/load.ts", "@anyplug/sdk", "packages/sdk/ts/", "not sdk"],
  ["packages/sdk/ts/src/serve.ts", "@anyplug/host", "packages/host/ts/", "not host"],
  ["generated/ts/src/x.ts", "@anyplug/core", "packages/core/ts/", "codegen/v1 alone"],
  ["generated/protocol/ts/src/x.ts", "@anyplug/core/codegen/v1", "packages/core/ts/", "not core"],
  ["packages/codec/rust/src/x.rs", "anyplug_core", "packages/core/rust/", "nothing of ours"],
  [ipc, "../../../core/ts/src/frame.js", "packages/core/ts/", "by its name"],
  [core, "node:fs", undefined, "runs in browsers"],
  [core, "buffer", undefined, "runs in browsers"],
])("%s may not import %s", (file, specifier, target, reason) => {
  expect(judge([{ file, specifier, target, declared: true }])).toEqual([expect.stringContaining(reason)]);
});

test("a package of the workspace that the manifest does not declare is refused: it would be missing once published", () => {
  const undeclared = { file: ipc, specifier: "@anyplug/core", target: "packages/core/ts/", declared: false };
  expect(judge([undeclared])).toEqual([expect.stringContaining("does not declare")]);
});

test("imports in TypeScript are found in all their forms, and not in comments or strings", () => {
  const source = `
    import type { A } from "a";
    export * from "b";
    // import "commented";
    const text = 'import "quoted"';
    type C = import("c").C;
    async function load() { return await import("d"); }
  `;
  expect(specifiersOf(source)).toEqual(["a", "b", "c", "d"]);
});

test("a crate that depends against the arrows is refused, one whose tests do is not", () => {
  const crate = (kind) => ({
    manifest_path: "/repo/packages/core/rust/Cargo.toml",
    dependencies: [{ name: "anyplug-host", kind, path: "/repo/packages/host/rust" }],
  });
  expect(judge(dependenciesIn("/repo", [crate(null)]))).toEqual([expect.stringContaining("not host")]);
  expect(judge(dependenciesIn("/repo", [crate("build")]))).toHaveLength(1);
  expect(judge(dependenciesIn("/repo", [crate("dev")]))).toEqual([]);
});

test("generated Rust names codegen::v1 of the core and nothing else", () => {
  const paths = corePathsIn("use anyplug_core::codegen::v1::Method;\nfn f() -> anyplug_core::Error {}");
  const imports = paths.map((specifier) => ({
    file: "generated/rust/src/x.rs",
    specifier,
    target: "packages/core/rust/",
  }));
  expect(judge(imports)).toEqual([expect.stringContaining("imports anyplug_core::Error")]);
});

test("generated Python names anyplug.codegen.v1 and nothing else, and the package nothing that is generated", () => {
  const generated = "generated/python/anyplug_generated/eliza.py";
  expect(judge([toImport(generated, "anyplug.codegen.v1.Method")])).toEqual([]);
  expect(judge([toImport(generated, "anyplug.codegen.v1")])).toEqual([]);
  expect(judge([toImport(generated, "betterproto2.Message")])).toEqual([]);
  expect(judge([toImport(generated, "anyplug.load_plugin")])).toHaveLength(1);
  expect(judge([toImport("packages/python/python/anyplug/_host.py", "anyplug_generated.eliza")])).toHaveLength(1);
});
