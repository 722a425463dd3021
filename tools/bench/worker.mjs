/** The programs that measure: one process a contender, in whatever language, asked by a line of JSON for each round. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { root } from "../bootstrap/setup/paths.mjs";
import { benchPython } from "./peers.mjs";

const START_LIMIT_MS = 30_000;
const ROUND_LIMIT_MS = 60_000;
const END_LIMIT_MS = 10_000;

const commands = {
  typescript: (contender) => [process.execPath, join(root, "tools", "bench", "ts", "main.mjs"), contender],
  rust: (contender) => [join(root, "target", "fast", "anyplug-bench"), contender],
  python: (contender) => [benchPython, "-m", "anyplug_bench", contender],
};

const pythonPath = ["tools/bench/python", "packages/python/python", "generated/python"];

/** A running contender. */
export class Worker {
  #child;
  #lines;
  #errors = "";
  #problem;
  #ended;

  /** Starts the contender (such as "process:rust") of a language. */
  constructor(language, contender) {
    const [program, ...args] = commands[language](contender);
    const PYTHONPATH = pythonPath.map((path) => join(root, path)).join(":");
    const child = spawn(program, args, { cwd: root, env: { ...process.env, PYTHONPATH }, stdio: "pipe" });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("close", resolve));
    child.once("error", (error) => {
      this.#problem = error.message;
    });
    child.stdin.on("error", () => {});
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#child.pid;
  }

  /** Waits until it can be asked. */
  async ready() {
    await this.#next(START_LIMIT_MS);
  }

  /**
   * @param {string} run what to measure
   * @param {number} ms for how long
   * @returns {Promise<{ value: number, p99?: number }>}
   */
  async ask(run, ms) {
    this.#child.stdin.write(`${JSON.stringify({ run, ms })}\n`);
    const answer = await this.#next(ROUND_LIMIT_MS);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** Ends it. */
  async close() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  async #next(limit) {
    const timer = setTimeout(() => {
      this.#problem ??= `there was no answer for ${limit / 1000} s`;
      this.#child.kill("SIGKILL");
    }, limit);
    try {
      const { value, done } = await this.#lines.next();
      if (!done) return JSON.parse(value);
      await this.#ended;
      throw new Error([this.#problem ?? "the program has ended", this.#errors.trim()].filter(Boolean).join("\n"));
    } finally {
      clearTimeout(timer);
    }
  }
}
