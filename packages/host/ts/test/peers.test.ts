/** Who is at the other end of a Unix socket: programs of other users are refused, on both sides. Root alone can be another user, for a moment. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, implement } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { definePlugin, listen } from "@anyplug/sdk";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { loadPlugin } from "../src/index.js";
import { failure } from "./fixture/plugins.js";

const nobody = 65_534;
const own = process.geteuid?.() ?? 0;
const withRoot = own === 0 ? test : test.skip;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "anyplug-peers-"));
  chmodSync(folder, 0o755);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a script in the folder as nobody. */
function asNobody(script: string): ChildProcess {
  const become = `process.setgroups([]); process.setgid(${nobody}); process.setuid(${nobody});`;
  const program = `const net = require("node:net"); ${become} ${script}`;
  return spawn(process.execPath, ["-e", program], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
}

/** All that it prints. */
async function output(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) text += chunk;
  return text;
}

withRoot("a served plugin says nothing to another user's program (needs root)", async () => {
  const unused = { fail: () => ({}), count: () => [], sum: () => ({}), converse: () => [], wait: () => ({}) };
  const more = { waitReport: () => ({}), askHost: () => ({}), harm: () => ({}) };
  const service = implement(Test, { ...unused, ...more, echo: ({ text }) => ({ text }) });
  const plugin = definePlugin({ name: "private", version: "1", services: [service] });
  await using server = await listen(plugin, { listen: `unix:${folder}/x.sock` });
  // As somebody may have done by mistake.
  chmodSync(`${folder}/x.sock`, 0o666);
  const stranger = asNobody(`const socket = net.connect("x.sock");
    socket.on("connect", () => console.log("connected")).on("data", () => console.log("data"));
    socket.on("error", () => {}).on("close", () => console.log("closed"));`);
  expect(await output(stranger)).toBe("connected\nclosed\n");
  await using loaded = await loadPlugin(server.address);
  expect((await loaded.client(Test).echo({ text: "mine" })).text).toBe("mine");
});

withRoot("a host does not talk to another user's server (needs root)", async () => {
  chmodSync(folder, 0o777);
  const stranger = asNobody(
    'net.createServer().listen("x.sock", () => console.log("listening")); process.stdin.resume();',
  );
  if (stranger.stdout !== null) await once(stranger.stdout, "data");
  const address = `unix:${folder}/x.sock`;
  chmodSync(folder, 0o755);
  await failure(loadPlugin(address), Code.PermissionDenied, /belongs to user 65534; expected user 0 or root/);
  // The file is put right, and the server is who it is.
  chownSync(`${folder}/x.sock`, own, -1);
  await failure(loadPlugin(address), Code.PermissionDenied, /the peer is user 65534; expected user 0 or root/);
  stranger.kill();
  await once(stranger, "close");
});
