/** A plugin's child process: started in a group of its own, watched, its output captured, and ended for good. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { AnyplugError, Code } from "@anyplug/core";
import { jsonRpcPrefix } from "./address.js";
import { LineCapture } from "./capture.js";
import { channelVariable, childEnvironment, type EnvironmentOptions, listenVariable } from "./environment.js";
import { describeExit, describeOutput, type Exit } from "./exit.js";
import { findProgram, scriptInterpreter } from "./program.js";
import { within } from "./turn.js";
import { watchdog } from "./watchdog.js";

/** Which program to start, and how. */
export interface ProcessOptions extends EnvironmentOptions {
  /** The plugin's name, for errors. */
  readonly name: string;
  /** The program and its arguments. A name without a slash is looked for in the PATH that the child gets. */
  readonly command: readonly string[];
  /** The working folder. */
  readonly cwd: string;
  /** The channel on stdin and stdout, for plugins that can have nothing else; "json-rpc": JSON-RPC is spoken there. Default: a descriptor of its own. */
  readonly stdio?: boolean | "json-rpc" | undefined;
  /** Takes each line that the plugin printed. */
  readonly onLine?: ((stream: "stdout" | "stderr", line: string) => void) | undefined;
}

/** Milliseconds that a process which closed its channel has to exit by itself. */
const exitGraceMs = 1000;
/** Milliseconds from TERM to KILL. */
const killGraceMs = 2000;
/** Milliseconds for output that a process left behind; only a grandchild in a session of its own can hold it open longer. */
const outputGraceMs = 1000;

/**
 * Starts a program.
 *
 * @throws AnyplugError NOT_FOUND when the program, its interpreter or the working folder is missing, PERMISSION_DENIED when it may not be executed,
 * INVALID_ARGUMENT when the command is empty or holds a zero byte, UNAVAILABLE when the system refuses.
 */
export async function startProcess(options: ProcessOptions): Promise<PluginProcess> {
  const [program, ...args] = options.command;
  if (program === undefined) throw failure(options, Code.InvalidArgument, "its command is empty");
  const env = childEnvironment(options);
  // A plugin of ours speaks JSON-RPC where it is told to; others know nothing of the variable.
  if (options.stdio === "json-rpc") env[listenVariable] = `${jsonRpcPrefix}stdio:`;
  else env[channelVariable] = options.stdio ? "stdio" : "fd:3,3";
  if (!existsSync(options.cwd))
    throw failure(options, Code.NotFound, `its working folder ${options.cwd} does not exist`);
  let path: string;
  try {
    path = findProgram(program, { path: env["PATH"], cwd: options.cwd });
  } catch (error) {
    const { code, message } = AnyplugError.from(error);
    throw failure(options, code, message);
  }
  const child = spawned(path, args, env, options);
  await started(child, path, options);
  return new PluginProcess(child, options);
}

function spawned(path: string, args: string[], env: Record<string, string>, options: ProcessOptions): ChildProcess {
  try {
    return spawn(path, args, {
      cwd: options.cwd,
      env,
      stdio: options.stdio ? ["pipe", "pipe", "pipe"] : ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
  } catch (error) {
    // A zero byte in an argument, or arguments and environment that are too long for the system.
    const { code, message } = error as NodeJS.ErrnoException;
    throw failure(options, code === "ERR_INVALID_ARG_VALUE" ? Code.InvalidArgument : Code.Unavailable, message, error);
  }
}

function failure(options: ProcessOptions, code: Code, why: string, cause?: unknown): AnyplugError {
  return new AnyplugError(code, `cannot start plugin "${options.name}": ${why}`, { cause });
}

/** Node tells of a failed start only in the next turn. */
async function started(child: ChildProcess, path: string, options: ProcessOptions): Promise<void> {
  if (child.pid !== undefined) {
    child.on("error", () => {});
    return;
  }
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once("error", resolve));
  for (const stream of child.stdio) stream?.destroy();
  if (error.code === "ENOENT") {
    const interpreter = scriptInterpreter(path);
    const missing = interpreter === undefined ? "its interpreter or loader" : `its interpreter ${interpreter}`;
    throw failure(options, Code.NotFound, `${path} is there, but ${missing} does not exist; install it`, error);
  }
  if (error.code === "EACCES") {
    throw failure(options, Code.PermissionDenied, `${path} may not be executed`, error);
  }
  throw failure(options, Code.Unavailable, `${path}: ${error.message}`, error);
}

/** A running plugin. It leads a process group of its own, so that ending it ends its children too. */
export class PluginProcess {
  readonly pid: number;
  /** The plugin's name, for errors. */
  readonly name: string;
  /** Whether the channel is on stdin and stdout. */
  readonly stdio: boolean;
  /** The streams of the channel: the same object for both directions, or stdout and stdin. */
  readonly channel: { readonly input: Socket; readonly output: Socket };
  /** Resolves when the process has ended and what it printed has been read. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #stderr: LineCapture;
  readonly #stdout: LineCapture;
  #ended = false;
  #exit: Exit | undefined;

  constructor(child: ChildProcess, options: ProcessOptions) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.name = options.name;
    this.stdio = options.stdio !== undefined && options.stdio !== false;
    const onLine = options.onLine ?? (() => {});
    if (!watchdog.add(this.pid)) {
      onLine(
        "stderr",
        `no watchdog: if this host is killed, plugin "${options.name}" may outlive it (/bin/sh could not be started)`,
      );
    }
    this.#stdout = new LineCapture((line) => onLine("stdout", line));
    this.#stderr = new LineCapture((line) => onLine("stderr", line));
    const outputs = [capture(child.stderr, this.#stderr)];
    if (this.stdio) {
      this.channel = { input: child.stdout as Socket, output: child.stdin as Socket };
    } else {
      outputs.push(capture(child.stdout, this.#stdout));
      const own = child.stdio[3] as Socket;
      this.channel = { input: own, output: own };
    }
    this.exited = this.#watch(outputs);
  }

  /** How the process ended, or undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Takes bytes that came on stdout in place of the channel: what a plugin in stdio mode printed before its hello. */
  printed(bytes: Uint8Array): void {
    this.#stdout.push(bytes);
  }

  /** The plugin prints no more to stdout: what is there of a line is one. */
  printedAll(): void {
    this.#stdout.end();
  }

  /** What became of the process, with the last lines it printed: "exited with status 3; its last lines …". `when` goes behind the verb: " before its hello". */
  describe(when = ""): string {
    const end = this.#exit === undefined ? `closed its channel${when} and still runs` : describeExit(this.#exit) + when;
    return end + this.lastLines();
  }

  /** The last lines that it printed, as the tail of an error message; empty when it printed none. */
  lastLines(): string {
    return describeOutput(this.#stderr.last, this.#stdout.last);
  }

  /** Sends a signal to the process and to its children. */
  signal(signal: NodeJS.Signals): void {
    if (this.#ended) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group has ended.
    }
  }

  /** Whether the process ends within that many milliseconds. */
  endsWithin(ms: number): Promise<boolean> {
    return within(this.exited, ms);
  }

  /** Waits for the process to end by itself, for a moment; then asks it by TERM, then ends it by KILL. */
  async stop(): Promise<Exit> {
    if (await this.endsWithin(exitGraceMs)) return this.exited;
    this.signal("SIGTERM");
    if (await this.endsWithin(killGraceMs)) return this.exited;
    return this.kill();
  }

  /** Ends the process and its children at once. */
  kill(): Promise<Exit> {
    this.signal("SIGKILL");
    return this.exited;
  }

  async #watch(outputs: Promise<void>[]): Promise<Exit> {
    const exit = await new Promise<Exit>((resolve) => {
      this.#child.once("exit", (status, signal) =>
        resolve({ status: status ?? undefined, signal: signal ?? undefined }),
      );
    });
    // What the plugin started goes with it. The number of a group that has ended may be used again: it is not watched any longer.
    this.signal("SIGKILL");
    this.#ended = true;
    watchdog.remove(this.pid);
    await within(Promise.all(outputs), outputGraceMs);
    this.#child.stderr?.destroy();
    if (this.stdio) this.#stdout.end();
    else this.#child.stdout?.destroy();
    this.#exit = exit;
    return exit;
  }
}

/** Resolves when the stream has ended. */
function capture(stream: Readable | null, lines: LineCapture): Promise<void> {
  if (stream === null) return Promise.resolve();
  return new Promise((resolve) => {
    stream.on("data", (bytes: Buffer) => lines.push(bytes));
    stream.on("error", () => {});
    stream.once("close", () => {
      lines.end();
      resolve();
    });
  });
}
