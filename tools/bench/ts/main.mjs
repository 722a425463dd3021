/** What `npm run bench` measures in Node: one contender a process, which runs what it is asked to on standard input and answers a line of JSON on standard output. */
import process from "node:process";
import { createInterface } from "node:readline";

const modules = {
  process: () => import("./host.mjs"),
  direct: () => import("./host.mjs"),
  unix: () => import("./served.mjs"),
  tcp: () => import("./served.mjs"),
  agent: () => import("./agent.mjs"),
  line: () => import("./line.mjs"),
  wasm: () => import("./modules.mjs"),
  "wasm-sync": () => import("./modules.mjs"),
  "direct-eliza": () => import("./modules.mjs"),
  "wasm-raw": () => import("./modules-raw.mjs"),
  ffi: () => import("./native.mjs"),
  "ffi-sync": () => import("./native.mjs"),
  "ffi-stream": () => import("./native.mjs"),
  "ffi-raw": () => import("./native-raw.mjs"),
  napi: () => import("./native-raw.mjs"),
  raw: () => import("./raw.mjs"),
  plain: () => import("./plain.mjs"),
  codecs: () => import("../peers/codecs.mjs"),
  codegen: () => import("./codegen.mjs"),
  extism: () => import("../peers/extism.mjs"),
  mcp: () => import("../peers/mcp.mjs"),
  jsonrpc: () => import("../peers/jsonrpc.mjs"),
  grpc: () => import("../peers/grpc.mjs"),
};

const [name, how] = (process.argv[2] ?? "").split(":");
const { start } = await modules[name]();
const contender = await start(how, name);
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { run, ms } = JSON.parse(line);
  try {
    say(await contender.run(run, ms));
  } catch (error) {
    say({ error: error.stack ?? String(error) });
  }
}
await contender.close();
process.exit(0);

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
