import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { keyOf } from "./memory.mjs";

const NAME = "Builds";
const INPUT_FOLDERS = [".cargo", "generated", "packages", "plugins", "examples", "tools", "proto"];
const INPUT_FILES = /^(Cargo\.(toml|lock)|package(-lock)?\.json|tsconfig.*\.json|nx\.json|rust-toolchain\.toml)$/;
const NOT_INPUTS = new Set(["node_modules", "dist", "target", "__pycache__"]);

/** What the builds put among the sources: the native module of Python, the programs of Rust plugins. */
const BUILT = /(\.abi3\.so|\/rust\/bin)$/;

/** Everything that is built: TypeScript, Rust and the native module of Python, by the nx target `build`. */
export function builds(root, memory) {
  const key = () => keyOf(...inputs(root).flatMap((path) => [path, readFileSync(path)]));
  return {
    name: NAME,
    why: "TypeScript, Rust, Python",
    isCurrent: () => memory.isCurrent(NAME, key()),
    run: async ({ command }) => {
      const before = key();
      const nx = join(root, "node_modules", ".bin", "nx");
      await command(nx, ["run", "workspace:build", "--outputStyle=stream-without-prefixes"], {
        FORCE_COLOR: "0",
        CARGO_TERM_COLOR: "never",
      });
      memory.remember(NAME, before, outputs(root));
    },
  };
}

function inputs(root) {
  const top = readdirSync(root).filter((name) => INPUT_FILES.test(name));
  return [...top.map((name) => join(root, name)), ...INPUT_FOLDERS.flatMap((name) => files(join(root, name)))];
}

/** Every file below `folder` that people write, in a stable order. */
function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (NOT_INPUTS.has(entry.name) || BUILT.test(path)) return [];
      return entry.isDirectory() ? files(path) : [path];
    });
}

function outputs(root) {
  const { references } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  const dist = references.map(({ path }) => join(root, path, "dist"));
  const programs = ["plugins", "examples"].flatMap((parent) =>
    folders(join(root, parent)).map((folder) => join(folder, "rust", "bin")),
  );
  const library = process.platform === "darwin" ? "lib_native.dylib" : "lib_native.so";
  const rust = ["eliza-host", "rust-loads-all", library].map((name) => join(root, "target", "fast", name));
  const native = join(root, "packages", "python", "python", "anyplug", "_native.abi3.so");
  return [...[...dist, ...programs].flatMap(tree), ...rust, native];
}

function folders(parent) {
  const entries = readdirSync(parent, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(parent, name));
}

function tree(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  return stats.isDirectory() ? readdirSync(path).flatMap((name) => tree(join(path, name))) : [path];
}
