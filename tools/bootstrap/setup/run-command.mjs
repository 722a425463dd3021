import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { root } from "./paths.mjs";

const KEPT_LINES = 60;

/** A command that could not be started or did not end with status 0; `tail` has its last lines of output. */
export class CommandError extends Error {
  constructor(message, tail) {
    super(message);
    this.name = "CommandError";
    this.tail = tail;
  }
}

/**
 * Runs a command at the root of the repository, without standard input, with its output going to a log file.
 *
 * @param {string} command the program
 * @param {string[]} args its arguments
 * @param {{ log: string, onLine?: (line: string) => void, env?: object }} options `log` is the file its output is
 *   appended to; `onLine` is called with each line as it comes
 * @returns {Promise<void>} when it has ended well
 * @throws {CommandError} when it has not
 */
export async function runCommand(command, args, { log, onLine = () => {}, env = {} }) {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, "a");
  writeSync(file, `$ ${command} ${args.join(" ")}\n`);
  const tail = [];
  const take = (line) => {
    writeSync(file, `${line}\n`);
    const plain = stripVTControlCharacters(line).trim();
    if (plain === "") return;
    tail.push(line);
    if (tail.length > KEPT_LINES) tail.shift();
    onLine(plain);
  };
  try {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const reading = [readLines(child.stdout, take), readLines(child.stderr, take)];
    const [status, signal] = await once(child, "close");
    await Promise.all(reading);
    if (status !== 0) {
      const how = signal ? `was ended by ${signal}` : `ended with status ${status}`;
      throw new CommandError(`"${command} ${args.join(" ")}" ${how}`, tail);
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`"${command}" could not be started: ${error.message}`, tail);
  } finally {
    closeSync(file);
  }
}

async function readLines(stream, take) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const lines = (rest + chunk).split(/\r?\n|\r/);
    rest = lines.pop() ?? "";
    lines.forEach(take);
  });
  await once(stream, "close");
  if (rest !== "") take(rest);
}
