/**
 * The picture of docs and DESIGN as a table: what the shipped sources of each layer may import of ours. Tests may import
 * what they like. A layer is where a folder lies, so that a new package falls under the rules by itself.
 */
export const LAYERS = [
  { name: "codec", folder: /^packages\/codec\//, mayImport: [] },
  { name: "protocol", folder: /^generated\/protocol\//, mayImport: ["codec"] },
  { name: "generated", folder: /^generated\//, mayImport: ["protocol", "core", "python"] },
  { name: "core", folder: /^packages\/core\//, mayImport: ["codec", "protocol"] },
  // What transports within one process share.
  { name: "threads", folder: /^packages\/threads\//, mayImport: ["core"] },
  // Transports: none may import another.
  { name: "direct", folder: /^packages\/direct\//, mayImport: ["core", "protocol", "threads"] },
  { name: "ipc", folder: /^packages\/ipc\//, mayImport: ["core", "protocol"] },
  { name: "instrument", folder: /^packages\/wasm\/instrument\//, mayImport: [] },
  { name: "ffi", folder: /^packages\/ffi\//, mayImport: ["core", "protocol", "threads"] },
  { name: "wasm", folder: /^packages\/wasm\//, mayImport: ["core", "protocol", "threads"] },
  { name: "json", folder: /^packages\/json\//, mayImport: ["core", "protocol"] },
  // No transport: a peer's services behind a direct link or a channel, and the other way round.
  { name: "jsonrpc", folder: /^packages\/jsonrpc\//, mayImport: ["core", "protocol", "json", "direct", "ipc"] },
  // Schemas of ours, each with a small library for both sides.
  { name: "contracts", folder: /^packages\/contracts\//, mayImport: ["core", "generated", "json", "direct"] },
  {
    name: "elizaos",
    folder: /^packages\/elizaos\//,
    mayImport: ["core", "generated", "contracts", "ipc", "ffi", "host", "sdk"],
  },
  // What loads and what is loaded: neither may import the other.
  {
    name: "host",
    folder: /^packages\/host\//,
    mayImport: ["core", "protocol", "threads", "jsonrpc", "direct", "ipc", "wasm", "ffi"],
  },
  { name: "macros", folder: /^packages\/macros\//, mayImport: [] },
  {
    name: "sdk",
    folder: /^packages\/sdk\//,
    mayImport: ["core", "protocol", "jsonrpc", "direct", "ipc", "ffi", "macros"],
  },
  // Puts the SDK into modules, by its address alone.
  { name: "wasm-build", folder: /^packages\/wasm-build\//, mayImport: ["protocol", "sdk"] },
  {
    name: "anyplug",
    folder: /^packages\/anyplug\//,
    mayImport: [
      "core",
      "protocol",
      "json",
      "jsonrpc",
      "direct",
      "ipc",
      "wasm",
      "ffi",
      "contracts",
      "elizaos",
      "host",
      "sdk",
      "macros",
    ],
  },
  // In Python the contracts and what stands on them are parts of the one package.
  {
    name: "contracts",
    folder: /^packages\/python\/python\/anyplug\/(agent|elizaos)\//,
    mayImport: ["core", "generated", "python"],
  },
  {
    name: "python",
    folder: /^packages\/python\//,
    mayImport: ["core", "protocol", "json", "jsonrpc", "direct", "ipc", "wasm", "ffi", "host", "sdk", "anyplug"],
  },
  {
    name: "plugins",
    folder: /^plugins\//,
    mayImport: ["generated", "core", "json", "contracts", "sdk", "anyplug", "python"],
  },
  {
    name: "examples",
    folder: /^examples\//,
    mayImport: ["generated", "core", "json", "contracts", "direct", "host", "sdk", "anyplug", "python", "plugins"],
  },
  // It measures all of it, from within as users do and from without.
  { name: "bench", folder: /^tools\/bench\//, mayImport: "everything" },
  { name: "tools", folder: /^tools\//, mayImport: ["protocol"] },
  { name: "test", folder: /^test\//, mayImport: "everything" },
];

/** Of the core, generated code sees this alone: npm subpath, Rust module, Python module. */
export const CODEGEN_ONLY = {
  layer: "generated",
  of: ["core", "python"],
  allowed: /^(@anyplug\/core\/codegen\/v1|anyplug_core::codegen::v1|anyplug\.codegen\.v1)$/,
};

/** These run in browsers. */
export const WITHOUT_NODE = ["protocol", "generated", "core", "json", "jsonrpc", "wasm"];

/** Returns the layer that a path relative to the root of the repository lies in, or undefined. */
export function layerOf(path) {
  return LAYERS.find(({ folder }) => folder.test(path));
}
