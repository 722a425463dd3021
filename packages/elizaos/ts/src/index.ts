/**
 * ElizaOS's line protocols, both ways: `loadLinePlugin` makes a plugin that speaks one of them a plugin of an agent; `LineServer` serves a plugin of an agent to a host that
 * speaks one, and `serveElizaos` does so on the standard streams. `loadLibraryPlugin` loads a shared library with ElizaOS's C ABI. `ElizaosBridge` registers a plugin of ours with ElizaOS's own TypeScript runtime, and `publishedPlugin` makes a plugin that was written for that runtime one of
 * any agent's.
 */

export { type Dialect, drivenPlugin } from "./drive.js";
export { LibraryPlugin, loadLibraryPlugin } from "./library.js";
export { LineReader } from "./lines.js";
export { type LineLoadOptions, LinePlugin, loadLinePlugin } from "./load.js";
export { descriptionOf, manifestOf } from "./manifest.js";
export { LinePeer, type PeerOptions } from "./peer.js";
export { type BridgeOptions, ElizaosBridge } from "./runtime/bridge.js";
export { publishedPlugin } from "./runtime/published.js";
export type { ElizaPlugin, ElizaRuntime } from "./runtime/types.js";
export { LineServer, type ServeOptions } from "./serve.js";
export { type StdioOptions, serveElizaos } from "./stdio.js";
