/** The connection to a plugin that speaks one of ElizaOS's line protocols. */

import { type Agent, type AgentPluginDefinition, isObject, type Json, type JsonObject } from "@anyplug/contracts/agent";
import { AnyplugError, Code, type LogRecord } from "@anyplug/core";
import { type Dialect, drivenPlugin } from "./drive.js";
import { LineReader } from "./lines.js";
import { callOf, methodAnswer } from "./methods.js";
import { Requests } from "./requests.js";

/** What a peer is made with. */
export interface PeerOptions {
  /** Default: "messages". */
  readonly dialect?: Dialect | undefined;
  /** Default 1,000. */
  readonly maxPendingRequests?: number | undefined;
  /** Bytes that a line may have, in either direction. Default 10 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** Takes lines that are no messages, and errors that are about no request. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  /** Writes bytes to the plugin. */
  readonly write: (bytes: Uint8Array) => void;
  /** The peer broke the protocol; it is of no more use. */
  readonly onFailure: (error: AnyplugError) => void;
}

/** One end of the line, at the host. Give it what the plugin writes. */
export class LinePeer {
  readonly #options: PeerOptions;
  readonly #requests: Requests;
  readonly #reader: LineReader;
  readonly #encoder = new TextEncoder();
  readonly #maxBytes: number;
  #ready: (manifest: JsonObject) => void = () => {};
  #refused: (error: AnyplugError) => void = () => {};
  readonly #manifest: Promise<JsonObject>;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#maxBytes = options.maxMessageBytes ?? 10 << 20;
    this.#requests = new Requests({
      maxPending: options.maxPendingRequests ?? 1000,
      write: (message) => this.#write(message),
    });
    this.#reader = new LineReader(this.#maxBytes, (line) => this.#line(line));
    this.#manifest = new Promise((resolve, reject) => {
      this.#ready = resolve;
      this.#refused = reject;
    });
    // Whoever waits for the plugin hears of it.
    this.#manifest.catch(() => {});
  }

  /** Returns the plugin, once it has said what it is. Rejects when it ends before. */
  async plugin(): Promise<AgentPluginDefinition> {
    const { dialect = "messages" } = this.#options;
    const manifest = dialect === "messages" ? await this.#manifest : await this.call("getManifest", {});
    if (!isObject(manifest)) throw new AnyplugError(Code.Internal, "getManifest answered no manifest");
    return drivenPlugin(manifest, (agent, type, members) => this.#ask(agent, type, members), dialect);
  }

  /** Calls a method of a plugin that has methods, and returns its result: "generateResponse" and "reflect" are such. */
  async call(method: string, params: JsonObject, signal: AbortSignal = new AbortController().signal): Promise<Json> {
    return (await this.#requests.send(signal, (id) => ({ id, method, params })))["result"] ?? null;
  }

  /** Takes bytes that the plugin wrote. */
  data(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#options.onFailure(AnyplugError.from(error));
    }
  }

  /** The plugin has ended, for this reason. */
  ended(reason: AnyplugError): void {
    this.#reader.end();
    this.#refused(reason);
    this.#requests.end(reason);
  }

  async #ask({ signal }: Agent, type: string, members: JsonObject): Promise<JsonObject> {
    if (this.#options.dialect !== "methods") {
      return this.#requests.send(signal, (id) => ({ type, id: String(id), ...members }));
    }
    const call = callOf(type, members);
    return methodAnswer(type, await this.#requests.send(signal, (id) => ({ id, ...call })));
  }

  #write(message: JsonObject): void {
    const line = this.#encoder.encode(`${JSON.stringify(message)}\n`);
    if (line.length > this.#maxBytes) {
      const why = `the request takes ${line.length} bytes, and ${this.#maxBytes} are the limit; raise maxMessageBytes`;
      this.#requests.fail(String(message["id"]), new AnyplugError(Code.ResourceExhausted, why));
      return;
    }
    this.#options.write(line);
  }

  #line(line: string): void {
    const message = parsed(line);
    if (message === undefined) {
      this.#log("info", line);
      return;
    }
    const { type, id, error, manifest } = message;
    const key = typeof id === "number" || (typeof id === "string" && id !== "") ? String(id) : undefined;
    if (type === "ready") this.#ready(isObject(manifest) ? manifest : {});
    else if (type === "error" || (type === undefined && error !== undefined && error !== null))
      this.#failed(key, message);
    else if (key === undefined || !this.#requests.answer(key, message)) {
      // Its request was given up, or there never was one.
      this.#log("debug", `an answer that nothing waits for: ${line.slice(0, 200)}`);
    }
  }

  /** An error about no request is about the only one there is; among several nobody can tell. */
  #failed(id: string | undefined, { error, details }: JsonObject): void {
    const message = typeof error === "string" ? error : (JSON.stringify(error) ?? "no reason was given");
    const about = id ?? this.#requests.only;
    const more = details === undefined || details === null ? "" : ` (${JSON.stringify(details)})`;
    const failure = new AnyplugError(codeOf(message), message + more);
    if (about === undefined || !this.#requests.fail(about, failure)) this.#log("error", `${message}${more}`);
  }

  #log(level: LogRecord["level"], message: string): void {
    this.#options.onLog?.({ level, message, logger: "stdout", timeMs: Date.now(), fields: {} });
  }
}

/** A message is an object with a type, a method's id, or an error; anything else was printed. */
function parsed(line: string): JsonObject | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as Json;
    return isObject(value) && ("type" in value || "id" in value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(message: string): Code {
  return /^(action|provider|evaluator|service|route)[a-z ]* not found/i.test(message) ? Code.NotFound : Code.Unknown;
}
