/** Serves the published plugin as its user would, by `anyplug-elizaos MODULE`; here the module lies in the folder of the peers. */
import { join } from "node:path";

process.chdir(join(import.meta.dirname, "..", "peers"));
process.argv.splice(2, Infinity, "@elizaos/plugin-eliza-classic");
await import("../../../packages/elizaos/ts/dist/program.js");
