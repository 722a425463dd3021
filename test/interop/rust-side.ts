/** A session of the Rust core: packages/core/rust/examples/session_driver.rs, which answers a line with a line. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Answer, JsonEvent, JsonSession, Operation, Side } from "./step.js";

const program = fileURLToPath(new URL("../../target/fast/examples/session_driver", import.meta.url));

interface Waiting {
  readonly resolve: (answer: Line) => void;
  readonly reject: (error: Error) => void;
}

interface Line extends Answer {
  readonly output?: string;
  readonly event?: JsonEvent | null;
}

/** Lines are written together once a turn: many questions cost one round trip. */
export class RustSide implements Side {
  readonly language = "rust";
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #waiting: Waiting[] = [];
  #lines = "";
  #failure: Error | undefined;

  constructor() {
    if (!existsSync(program)) {
      throw new Error(`${program} is not there: run "cargo build --workspace --profile fast --examples"`);
    }
    const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once("close", () => resolve()));
    child.once("exit", (status, signal) =>
      this.#fail(new Error(`the driver ended: status ${status}, signal ${signal}`)),
    );
    child.once("error", (error) => this.#fail(error));
    child.stdin?.on("error", (error) => this.#fail(error));
    if (child.stdout === null) throw new Error("the driver has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line) as Line);
    });
  }

  async begin(session: JsonSession): Promise<void> {
    const { fails } = await this.#ask({ session: { ...session, version: "1", runtime: "test", uses: [] } });
    if (fails !== undefined) throw new Error(`the session cannot begin: ${fails.message}`);
  }

  perform(operation: Operation): Promise<Answer> {
    return this.#ask(operation);
  }

  async receive(bytes: Uint8Array): Promise<void> {
    await this.#ask({ receive: Buffer.from(bytes).toString("hex") });
  }

  async output(): Promise<Uint8Array> {
    const { output } = await this.#ask({ output: true });
    return Buffer.from(output ?? "", "hex");
  }

  async event(): Promise<JsonEvent | null> {
    const { event } = await this.#ask({ event: true });
    return event ?? null;
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#closed;
  }

  #ask(question: object): Promise<Line> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#lines === "") queueMicrotask(() => this.#flush());
    this.#lines += `${JSON.stringify(question)}\n`;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #flush(): void {
    this.#child.stdin?.write(this.#lines);
    this.#lines = "";
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
