import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { createInterface as createPrompt } from "node:readline/promises";
import { root } from "../setup/paths.mjs";
import { styleFor } from "../setup/style.mjs";
import { hostCommand, LANGUAGES } from "./languages.mjs";

const HINT = "An empty line starts a new session, /switch chooses again, /quit or Ctrl-D ends.";

/**
 * Connects standard input and output with the host program: a line in, a reply out.
 *
 * @param {{ host: string, plugin: string, transport?: string }} choice who talks
 * @returns {Promise<number>} the status to end with
 */
export async function pipeConversation(choice) {
  const child = spawnHost(choice, "inherit");
  const forward = (signal) => child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
  try {
    const [status] = await once(child, "close");
    return status ?? 1;
  } catch (error) {
    console.error(`The ${choice.host} host could not be started: ${error.message}`);
    return 1;
  }
}

/**
 * Talks with a person at a terminal.
 *
 * @param {{ host: string, plugin: string, transport?: string } | undefined} choice who talks; undefined asks
 * @returns {Promise<number>} the status to end with
 */
export async function converse(choice) {
  const prompt = createPrompt({ input: process.stdin, output: process.stdout });
  const ended = new AbortController();
  prompt.on("close", () => ended.abort());
  prompt.on("SIGINT", () => prompt.close());
  const ask = async (question) => {
    try {
      return await prompt.question(question, { signal: ended.signal });
    } catch {
      return undefined; // Ctrl-D or Ctrl-C
    }
  };
  try {
    let next = choice ?? (await choose(ask));
    while (next !== undefined) {
      const outcome = await talk(next, ask);
      if (outcome !== "switch") return outcome;
      next = await choose(ask);
    }
    return 0;
  } finally {
    prompt.close();
  }
}

async function choose(ask) {
  console.log("\nTalk to ELIZA.");
  const host = await chooseLanguage(ask, "Which language is the host in?");
  if (host === undefined) return undefined;
  const plugin = await chooseLanguage(ask, "And the plugin?");
  return plugin === undefined ? undefined : { host, plugin };
}

async function chooseLanguage(ask, question) {
  const options = LANGUAGES.map((name, index) => `${index + 1} ${name}`).join(", ");
  for (;;) {
    const answer = await ask(`${question} (${options}) [1] `);
    if (answer === undefined) return undefined;
    const language = languageOf(answer);
    if (language !== undefined) return language;
    console.log(`That is none of ${options}.`);
  }
}

/** Returns the language that an answer means: a number, a name or the beginning of one; nothing means the first. */
export function languageOf(answer) {
  const text = answer.trim().toLowerCase();
  if (text === "") return LANGUAGES[0];
  return LANGUAGES[Number(text) - 1] ?? LANGUAGES.find((name) => name.startsWith(text));
}

async function talk(choice, ask) {
  const style = styleFor(process.stdout);
  const child = spawnHost(choice, "pipe");
  const ended = once(child, "close").then(
    ([status, signal]) => `ended with ${signal ?? `status ${status}`}`,
    (error) => `could not be started: ${error.message}`,
  );
  child.stdin.on("error", () => {}); // reported by `ended`
  const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  console.log(`\n${style.bold(`${choice.host} host, ${choice.plugin} plugin.`)} ${style.dim(HINT)}`);
  try {
    for (;;) {
      const line = await ask("> ");
      if (line === undefined || line.trim() === "/quit") return 0;
      if (line.trim() === "/switch") return "switch";
      child.stdin.write(`${line}\n`);
      if (line === "") {
        console.log(style.dim("A new session."));
        continue;
      }
      const { value, done } = await replies.next();
      if (done) {
        console.error(style.red(`The ${choice.host} host ${await ended}.`));
        return 1;
      }
      console.log(style.bold(value));
    }
  } finally {
    child.stdin.end();
    await ended;
  }
}

function spawnHost({ host, plugin, transport }, input) {
  const [program, ...args] = hostCommand(host, root);
  const options = transport === undefined ? [] : ["--transport", transport];
  const stdio = input === "inherit" ? "inherit" : ["pipe", "pipe", "inherit"];
  return spawn(program, [...args, "--plugin", plugin, ...options], { cwd: root, stdio });
}
