/** A plugin that is served at an address, by a program that no host started. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { interpreter, readManifest, splitCommand } from "@anyplug/host";

/** What one side shows to the other over TLS. */
export function certificatesOf(side: "host" | "plugin"): { certificate: string; key: string; ca: string } {
  const path = (name: string) => fileURLToPath(new URL(`../../certificates/${name}`, import.meta.url));
  return { certificate: path(`${side}.pem`), key: path(`${side}.key`), ca: path("authority.pem") };
}

/** The program, and where it serves. */
export class Served {
  readonly #program: ChildProcess;
  readonly #folder: string;
  readonly address: string;

  private constructor(program: ChildProcess, folder: string, address: string) {
    this.#program = program;
    this.#folder = folder;
    this.address = address;
  }

  /** Starts the plugin's command, and waits until it says where it is. */
  static async start(path: string, transport: "unix" | "tcp" | "tls"): Promise<Served> {
    const { manifest, folder } = readManifest(path);
    const [name = "", ...args] = splitCommand(manifest.interop?.ipcCommand ?? "");
    const own = mkdtempSync(join(tmpdir(), "anyplug-matrix-"));
    const listen = transport === "unix" ? `unix:${own}/plugin.sock` : `${transport}://127.0.0.1:0`;
    const { certificate, key, ca } = certificatesOf("plugin");
    const tls = { ANYPLUG_TLS_CERTIFICATE: certificate, ANYPLUG_TLS_KEY: key, ANYPLUG_TLS_CA: ca };
    const program = spawn(interpreter(name, folder, {}), args, {
      cwd: folder,
      env: { ...process.env, ...tls, ANYPLUG_LISTEN: listen },
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: program.stdout })) {
      const [, address] = / at (\S+)$/.exec(line) ?? [];
      if (address !== undefined) return new Served(program, own, `${address}#${manifest.name}`);
    }
    throw new Error(`${path} ended without saying where it is served`);
  }

  /** Asks the program to end, which it does with status 0, and leaves nothing behind. */
  async stop(): Promise<void> {
    this.#program.kill("SIGTERM");
    const [status] = this.#program.exitCode === null ? await once(this.#program, "exit") : [this.#program.exitCode];
    rmSync(this.#folder, { recursive: true });
    if (status !== 0) throw new Error(`the server ended with ${status}`);
  }
}
