/** A plugin of an agent, served by ElizaOS's line protocols to a host that speaks one of them. */

import {
  type AgentPeer,
  isObject,
  type Json,
  type JsonObject,
  type Memory,
  Registration,
  type State,
} from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";
import { LineReader } from "./lines.js";
import { manifestOf } from "./manifest.js";
import { messageOf, resultIn } from "./methods.js";
import { bodyFrom, memoryFrom, stateFrom } from "./values.js";

/** How a plugin is served. */
export interface ServeOptions {
  /** Writes bytes to the host. */
  readonly write: (bytes: Uint8Array) => void;
  /** Bytes that a line of the host may have. Default 10 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** Milliseconds that the plugin may take for one answer. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** A plugin at the end of a line. Requests are answered as they are done, many at once. */
export class LineServer {
  readonly #plugin: Registration;
  readonly #options: ServeOptions;
  readonly #reader: LineReader;
  readonly #encoder = new TextEncoder();
  readonly #running = new Set<Promise<void>>();

  private constructor(plugin: Registration, options: ServeOptions) {
    this.#plugin = plugin;
    this.#options = options;
    this.#reader = new LineReader(options.maxMessageBytes ?? 10 << 20, (line) => this.#begin(line));
  }

  /** Tells the host that the plugin is ready, and what it has. Give what the host writes to `data`. */
  static async start(peer: AgentPeer, options: ServeOptions): Promise<LineServer> {
    const server = new LineServer(await Registration.of(peer), options);
    server.#write({ type: "ready", manifest: server.#manifest() });
    return server;
  }

  /** Takes bytes that the host wrote. */
  data(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#write({ type: "error", id: "", error: AnyplugError.from(error).message });
    }
  }

  /** Waits until all requests that came are answered. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #begin(line: string): void {
    const running = this.#line(line).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #line(line: string): Promise<void> {
    let request: Json;
    try {
      request = JSON.parse(line) as Json;
    } catch (error) {
      const details = error instanceof Error ? error.message : String(error);
      this.#write({ type: "error", id: "", error: "Parse error", details });
      return;
    }
    if (!isObject(request)) this.#write({ type: "error", id: "", error: "Invalid request: expected an object" });
    else if (typeof request["method"] === "string" && request["type"] === undefined) {
      await this.#called(request["method"], request);
    } else await this.#asked(request);
  }

  async #asked(request: JsonObject): Promise<void> {
    const id = request["id"] ?? "";
    try {
      this.#write({ ...(await this.#answer(request)), id });
    } catch (error) {
      this.#write({ type: "error", id, error: AnyplugError.from(error).message });
    }
  }

  async #called(method: string, { id = null, params }: JsonObject): Promise<void> {
    try {
      this.#write({ id, result: await this.#result(method, isObject(params) ? params : {}) });
    } catch (error) {
      this.#write({ id, error: AnyplugError.from(error).message });
    }
  }

  async #result(method: string, params: JsonObject): Promise<Json> {
    if (method === "getManifest") return this.#manifest();
    if (method === "generateResponse") return this.#plugin.generate("TEXT_LARGE", params["input"] ?? null, () => {});
    const message = messageOf(method, params);
    if (message === undefined) throw new AnyplugError(Code.Unimplemented, `Unknown method: ${method}`);
    return resultIn(method, await this.#answer(message));
  }

  async #answer(request: JsonObject): Promise<JsonObject> {
    const type = request["type"];
    const answer = typeof type === "string" && Object.hasOwn(answers, type) ? answers[type] : undefined;
    if (answer === undefined) throw new AnyplugError(Code.Unimplemented, `Unknown request type: ${type}`);
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? 30_000);
    return answer(this.#plugin, request, signal);
  }

  #manifest(): JsonObject {
    return manifestOf(this.#plugin.description, "typescript");
  }

  #write(message: JsonObject): void {
    this.#options.write(this.#encoder.encode(`${JSON.stringify(message)}\n`));
  }
}

type Answer = (plugin: Registration, request: JsonObject, signal: AbortSignal) => Promise<JsonObject>;

const answers: Readonly<Record<string, Answer>> = {
  "plugin.init": async (plugin, { config }, signal) => {
    const type = "plugin.init.result";
    try {
      await plugin.init({ id: "", name: "elizaos" }, isObject(config) ? config : {}, { signal });
      return { type, success: true };
    } catch (error) {
      return { type, success: false, error: AnyplugError.from(error).message };
    }
  },
  "action.validate": async (plugin, request, signal) => {
    const { name, message, state } = about(request, "action");
    const valid =
      has(plugin.description.actions, name) && (await plugin.validateAction(name, message, state, { signal }));
    return { type: "validate.result", valid };
  },
  "action.invoke": async (plugin, request, signal) => {
    const { name, message, state, options } = about(request, "action");
    const type = "action.result";
    if (!has(plugin.description.actions, name)) {
      return { type, result: { success: false, error: `Action not found: ${name}` } };
    }
    const result = plugin.invokeAction(name, { message, state, options }, { signal });
    return {
      type,
      result: await result.catch((error) => ({ success: false, error: AnyplugError.from(error).message })),
    };
  },
  "provider.get": async (plugin, request, signal) => {
    const { name, message, state } = about(request, "provider");
    const found = has(plugin.description.providers, name);
    const {
      text = null,
      values = null,
      data = null,
    } = found ? await plugin.getProvider(name, message, state, { signal }) : {};
    return { type: "provider.result", result: { text, values, data } };
  },
  "evaluator.validate": async (plugin, request, signal) => {
    const { name, message, state } = about(request, "evaluator");
    const found = has(plugin.description.evaluators, name);
    return {
      type: "validate.result",
      valid: found && (await plugin.validateEvaluator(name, message, state, { signal })),
    };
  },
  "evaluator.invoke": async (plugin, request, signal) => {
    const { name, message, state, options } = about(request, "evaluator");
    if (!has(plugin.description.evaluators, name)) return { type: "action.result", result: null };
    return {
      type: "action.result",
      result: await plugin.invokeEvaluator(name, { message, state, options }, { signal }),
    };
  },
  "service.start": (plugin, request, signal) => served(request, (type) => plugin.startService(type, { signal })),
  "service.stop": (plugin, request, signal) => served(request, (type) => plugin.stopService(type, { signal })),
  "route.handle": async (plugin, request, signal) => {
    const inner = isObject(request["request"]) ? { ...request, ...request["request"] } : request;
    const { path = "", method = "GET", params, query, headers, body } = inner;
    const answer = await plugin.handleRoute(
      {
        path: String(path),
        method: String(method).toUpperCase(),
        params: new Map(fields(params).map(({ name, value }) => [name, value])),
        query: fields(query),
        headers: fields(headers),
        body: bytesOf(body),
      },
      { signal },
    );
    const kept = Object.fromEntries(answer.headers.map(({ name, value }) => [name, value]));
    const told = { status: answer.status, headers: kept, body: bodyFrom(answer.body) };
    // `result` for peers of the other spelling.
    return { type: "route.response", ...told, result: told };
  },
};

function about(request: JsonObject, key: string): { name: string; message: Memory; state: State; options: JsonObject } {
  const { [key]: name, memory, state, options } = request;
  if (typeof name !== "string")
    throw new AnyplugError(Code.InvalidArgument, `${key}: expected text, got ${JSON.stringify(name)}`);
  return { name, message: memoryFrom(memory), state: stateFrom(state), options: isObject(options) ? options : {} };
}

function has(descriptions: readonly { readonly name: string }[], name: string): boolean {
  return descriptions.some((one) => one.name === name);
}

async function served(request: JsonObject, run: (type: string) => Promise<void>): Promise<JsonObject> {
  const type = String(request["serviceType"] ?? request["service"] ?? "");
  await run(type);
  return { type: "service.response", service: type, serviceType: type, success: true };
}

/** An object of texts, or of lists of them, as fields. */
function fields(value: Json | undefined): { name: string; value: string }[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    (Array.isArray(member) ? member : [member]).map((one) => ({ name, value: String(one) })),
  );
}

function bytesOf(body: Json | undefined): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array(0);
  return new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
}
