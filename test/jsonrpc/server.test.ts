/** A JSON-RPC client calls a plugin of every language that we serve, on its standard streams and on a socket: the cases of server.json. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Program, programs } from "./programs.js";
import { byId, fitted, written } from "./text.js";

interface Case {
  readonly name: string;
  readonly errorsFirst?: boolean;
  readonly in: readonly unknown[];
  readonly out: Readonly<Record<string, readonly unknown[]>>;
  readonly framing?: "lines" | "headers";
  /** Goes before the lines: a text, so many times. */
  readonly repeat?: { readonly text: string; readonly times: number };
}

const { cases } = JSON.parse(readFileSync(new URL("server.json", import.meta.url), "utf8")) as { cases: Case[] };
const folder = mkdtempSync(join(tmpdir(), "anyplug-jsonrpc-"));

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(programs)("a plugin in $language", (program) => {
  const path = join(folder, program.language);
  let server: ChildProcess;

  beforeAll(async () => {
    server = start(program, `json-rpc+unix:${path}`);
    const { stdout } = server;
    await new Promise((resolve) => stdout?.once("data", resolve));
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => server.once("close", resolve));
    server.kill("SIGTERM");
    await ended;
  });

  test("the socket is its user's alone", () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.each(cases)("$name", async (one) => {
    const socket: Duplex = connect({ path, allowHalfOpen: true });
    write(socket, one);
    expectAnswers(await collected(socket), one);
  });

  test.each(cases.filter(({ name }) => /what a plugin prints|given back|header|time limit/.test(name)))(
    "on its standard streams: $name",
    async (one) => {
      const child = start(program, "json-rpc+stdio:");
      if (child.stdin === null || child.stdout === null) throw new Error("the streams are pipes");
      const exit = new Promise((resolve) => child.once("exit", resolve));
      write(child.stdin, one);
      expectAnswers(await collected(child.stdout), one);
      expect(await exit).toBe(0);
    },
  );
});

function start({ command: [program, ...args], cwd }: Program, listen: string): ChildProcess {
  return spawn(program, args, {
    cwd,
    env: { ...process.env, ANYPLUG_LISTEN: listen },
    stdio: ["pipe", "pipe", "ignore"],
  });
}

function write(stream: Writable, { in: lines, framing, repeat }: Case): void {
  if (repeat !== undefined) stream.write(`${repeat.text.repeat(repeat.times)}\n`);
  for (const line of lines) stream.write(written(line, framing));
  stream.end();
}

function rank(answer: unknown): number {
  return typeof answer === "object" && answer !== null && "error" in answer ? 0 : 1;
}

function expectAnswers(read: Buffer, { out, errorsFirst }: Case): void {
  const found = byId(read);
  // Two answers of one id, which nothing orders.
  if (errorsFirst) for (const answers of Object.values(found)) answers.sort((a, b) => rank(a) - rank(b));
  expect(fitted(found, out)).toEqual(out);
}

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
