/** ELIZA as a plugin: the engine behind ElizaService. */

import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type {
  ChatRequest,
  ChatResponse,
  ReplyRequest,
  ReplyResponse,
  ReplyStreamRequest,
  ReplyStreamResponse,
  TranscriptRequest,
  TranscriptResponse,
} from "@anyplug/generated/eliza_classic/v1/eliza.js";
import { type ElizaHandler, Eliza as ElizaService } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { AnyplugError, Code, definePlugin, implement, type PluginConfig, type PluginDefinition } from "@anyplug/sdk";
import { Eliza } from "./eliza.js";
import { InputError, ScriptError } from "./errors.js";
import { parseScript } from "./parse.js";
import { Sessions } from "./sessions.js";

/** The plugin. Its configuration may give the script: `script`, its text, or `script_path`, the absolute path of a file. */
export const plugin: PluginDefinition = definePlugin({
  name: "eliza-classic",
  version: "0.1.0",
  services: async (config) => [implement(ElizaService, new Handler(await elizaOf(config)))],
});

class Handler implements ElizaHandler {
  readonly #eliza: Eliza;
  readonly #sessions: Sessions;

  constructor(eliza: Eliza) {
    this.#eliza = eliza;
    this.#sessions = new Sessions(eliza);
  }

  reply({ sessionId, text }: ReplyRequest): ReplyResponse {
    return { text: accepted(() => this.#sessions.reply(sessionId, text)) };
  }

  *replyStream({ sessionId, text }: ReplyStreamRequest): Iterable<ReplyStreamResponse> {
    const reply = accepted(() => this.#sessions.reply(sessionId, text));
    for (const word of reply.split(" ")) yield { text: word };
  }

  async transcript(requests: AsyncIterable<TranscriptRequest>): Promise<TranscriptResponse> {
    const session = this.#eliza.newSession();
    const exchanges: { text: string; reply: string }[] = [];
    for await (const { text } of requests) exchanges.push({ text, reply: accepted(() => session.reply(text)) });
    return { exchanges };
  }

  async *chat(requests: AsyncIterable<ChatRequest>): AsyncIterable<ChatResponse> {
    const session = this.#eliza.newSession();
    for await (const { text } of requests) yield { text: accepted(() => session.reply(text)) };
  }
}

/** Returns the answer; what the engine refuses is the caller's to correct. */
function accepted(answer: () => string): string {
  try {
    return answer();
  } catch (error) {
    throw error instanceof InputError ? new AnyplugError(Code.InvalidArgument, error.message) : error;
  }
}

async function elizaOf(config: PluginConfig): Promise<Eliza> {
  const script = textOf(config, "script");
  const path = textOf(config, "script_path");
  if (script !== undefined && path !== undefined) {
    throw new AnyplugError(Code.InvalidArgument, "config: expected script or script_path, got both");
  }
  if (script !== undefined) return parsed("config.script", script);
  if (path !== undefined && !isAbsolute(path)) {
    const expected = `config.script_path: expected an absolute path, got "${path}"`;
    const why = "the folder that a plugin works in depends on how it is loaded";
    throw new AnyplugError(Code.InvalidArgument, `${expected}: ${why}`);
  }
  return path === undefined ? new Eliza() : parsed(`config.script_path: ${path}`, await read(path));
}

function textOf(config: PluginConfig, name: string): string | undefined {
  const value = config[name] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  const message = `config.${name}: expected text, got ${JSON.stringify(value)}`;
  throw new AnyplugError(Code.InvalidArgument, message);
}

async function read(path: string): Promise<string> {
  const unreadable = (reason: string) =>
    new AnyplugError(Code.InvalidArgument, `config.script_path: ${path} cannot be read: ${reason}`);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(reasonOf(error));
  });
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unreadable("it is not UTF-8");
  }
}

/** The system's words, as the other languages give them: "ENOENT: no such file or directory, open 'x'" has a code before and a call behind. */
function reasonOf({ message }: Error): string {
  const [, reason] = /^[A-Z0-9]+: (.*), \w+( '.*')?$/s.exec(message) ?? [];
  return reason === undefined ? message : reason.charAt(0).toUpperCase() + reason.slice(1);
}

function parsed(place: string, script: string): Eliza {
  try {
    return new Eliza(parseScript(script));
  } catch (error) {
    throw error instanceof ScriptError ? new AnyplugError(Code.InvalidArgument, `${place}: ${error.message}`) : error;
  }
}
