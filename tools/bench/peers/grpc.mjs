/** grpc-js over a Unix socket, or TCP, with the benchmark's own schema. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { contender, LARGE, measurements, SMALL } from "../ts/clock.mjs";
import { definition } from "./grpc-definition.mjs";

const data = { [SMALL]: Buffer.alloc(SMALL, 7), [LARGE]: Buffer.alloc(LARGE, 7) };
const { BenchService } = loadPackageDefinition(definition).anyplug.bench.v1;

export async function start(how) {
  const { client, close } = await connect(how);
  const echo = (size, on = client) =>
    new Promise((resolve, reject) => {
      on.Echo({ data: data[size] }, (error, response) => {
        if (error !== null) reject(error);
        else if (response.data.length !== size) reject(new Error("an echo of another size"));
        else resolve(response);
      });
    });
  const runs = measurements({
    messages: 200,
    echo,
    async stream(count, size) {
      let messages = 0;
      for await (const _ of client.Count({ count, size })) messages += 1;
      return messages;
    },
  });
  const load = async () => {
    const start = performance.now();
    const other = await connect(how);
    await echo(SMALL, other.client);
    const value = performance.now() - start;
    await other.close();
    return { value };
  };
  return contender({ ...runs, load }, close);
}

async function connect(how) {
  const folder = mkdtempSync(join(tmpdir(), "anyplug-bench-"));
  const listen = how === "tcp" ? "127.0.0.1:0" : `unix:${join(folder, "socket")}`;
  const child = spawn(process.execPath, [join(import.meta.dirname, "grpc-server.mjs"), listen], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [address] = await once(createInterface({ input: child.stdout }), "line");
  const client = new BenchService(address, credentials.createInsecure());
  const close = async () => {
    client.close();
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  return { client, close };
}
