/** Loads a plugin that is a shared library with ElizaOS's C ABI, and connects it to an agent. */

import {
  type Agent,
  type AgentPlugin,
  type AgentPluginDefinition,
  isObject,
  type JsonObject,
  localPeer,
} from "@anyplug/contracts/agent";
import { AnyplugError, Code, type Implementation } from "@anyplug/core";
import { ElizaosLibrary } from "@anyplug/ffi";
import { locateLibrary } from "@anyplug/host";
import { drivenPlugin } from "./drive.js";
import { functionAnswer, functionOf, jsonOf, type Returned, withoutFunction } from "./functions.js";

const manifestFunction = "elizaos_get_manifest";
/** Milliseconds that the end of calls is waited for that run when the library is closed. */
const endTimeoutMs = 5000;

/** A loaded plugin: register it with an agent. */
export class LibraryPlugin implements AsyncDisposable {
  /** What it is: its own manifest, with functions that ask it. */
  readonly definition: AgentPluginDefinition;
  /** Resolves when it was closed. */
  readonly closed: Promise<AnyplugError>;
  readonly #library: ElizaosLibrary;
  #isClosing = false;
  #onClosed: (reason: AnyplugError) => void = () => {};

  /** Made by `loadLibraryPlugin`. */
  constructor(library: ElizaosLibrary, manifest: JsonObject) {
    this.#library = library;
    this.definition = drivenPlugin(manifest, (agent, type, members) => this.#ask(agent, type, members), "methods");
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
  }

  /** Returns the plugin as an agent registers it. */
  for(agent: { readonly name: string; readonly services: readonly Implementation[] }): AgentPlugin {
    const link = localPeer(this.definition, agent, () => {});
    return { client: (service) => link.client(service), closed: this.closed };
  }

  /** Ends it: calls that were made may end, for 5 s; then the library is unloaded, as soon as none is within it. Calls afterwards fail with UNAVAILABLE. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await inTime(this.#library.close());
    this.#onClosed(this.#wasClosed());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask({ signal }: Agent, type: string, members: JsonObject): Promise<JsonObject> {
    const { name, texts } = functionOf(type, members);
    if (this.#isClosing) throw this.#wasClosed();
    const answer = this.#library.exports(name) ? undefined : withoutFunction(type, members);
    if (answer !== undefined) return answer;
    try {
      return functionAnswer(type, await unlessAborted(signal, this.#library.call(name, texts, signal)));
    } catch (error) {
      const { code, message } = AnyplugError.from(error);
      throw new AnyplugError(code, `plugin "${this.definition.name}": ${message}`, { cause: error });
    }
  }

  #wasClosed(): AnyplugError {
    return new AnyplugError(Code.Unavailable, `plugin "${this.definition.name}" was closed`);
  }
}

/**
 * Loads a plugin that is a shared library with ElizaOS's C ABI: a folder with a plugin.json whose `interop.sharedLibPath` names it, that file, or the library itself. It runs in this process, which it can
 * do what it likes with. Its functions are called one at a time, in threads of Node's; a call that does not return keeps those behind it waiting, and cannot be ended.
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is no such file, INVALID_ARGUMENT for a manifest that is wrong or a file that is no library, FAILED_PRECONDITION for a manifest that names no library,
 * and for a library that is for another machine, has no such ABI or answers no manifest.
 */
export async function loadLibraryPlugin(path: string): Promise<LibraryPlugin> {
  const file = await locateLibrary(path);
  const library = await ElizaosLibrary.open(file);
  try {
    return new LibraryPlugin(library, manifestIn(await library.call(manifestFunction, [])));
  } catch (error) {
    await library.close();
    throw new AnyplugError(Code.FailedPrecondition, `${file}: ${AnyplugError.from(error).message}`, { cause: error });
  }
}

/** The manifest, without what the ABI has no functions for. Throws what is wrong with it. */
function manifestIn(returned: Returned): JsonObject {
  if (typeof returned !== "object") throw new Error(`${manifestFunction} returned null`);
  const manifest = jsonOf(manifestFunction, returned);
  if (!isObject(manifest)) throw new Error(`${manifestFunction} returned no manifest: it is no object`);
  const { services: _, routes: __, ...rest } = manifest;
  const { name, error } = manifest;
  if (typeof name === "string" && name !== "") return rest;
  const told = typeof error === "string" ? error : JSON.stringify(error ?? null);
  const why = told === "null" ? "it has no name" : told;
  throw new Error(`${manifestFunction} returned no manifest: ${why}`);
}

async function unlessAborted<Result>(signal: AbortSignal, calling: Promise<Result>): Promise<Result> {
  // It may fail when nobody waits any more.
  calling.catch(() => {});
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(AnyplugError.from(signal.reason, Code.Cancelled));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
  aborted.catch(() => {});
  try {
    return await Promise.race([calling, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function inTime(ending: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, endTimeoutMs);
  });
  await Promise.race([ending, late]);
  clearTimeout(timer);
}
