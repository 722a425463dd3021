/** Serves a plugin to the host that the module is in. */

import {
  AnyplugError,
  type Channel,
  type ChannelReceiver,
  Code,
  Connection,
  type LogRecord,
  Router,
  type ServedNow,
} from "@anyplug/core";
import { hearPreface } from "@anyplug/ipc/preface";
import { parseConfig } from "../config.js";
import { setLogSink } from "../log.js";
import { type PluginDefinition, servicesOf } from "../plugin.js";
import { setConsoleSink, shown } from "./globals/console.js";
import { seedRandom } from "./globals/random.js";
import { startTimers, tick } from "./globals/timers.js";
import { host } from "./host.js";

/** Milliseconds that the host may take to say hello. */
const helloTimeoutMs = 30_000;

const runtime = "typescript anyplug/0.1.0 quickjs";

/** What `anyplug_call` returns. */
const outcomes = { done: 0, failed: 1, pending: 2 } as const;
/** In the method word of `anyplug_call`: what the flag HEADER of a frame is. */
const headerFlag = 2 << 16;

let receiver: ChannelReceiver | undefined;
let connection: Connection | undefined;
/** The call that is handled and was made the short way. */
let served: ServedNow | undefined;

/** The host, as a stream of bytes in each direction. */
const channel: Channel = {
  open(opened) {
    receiver = opened;
  },
  write(chunks) {
    for (const chunk of chunks) host.send(chunk);
    return true;
  },
  close() {
    const closed = receiver;
    receiver = undefined;
    queueMicrotask(() => closed?.closed(new AnyplugError(Code.Unavailable, "the plugin closed the connection")));
  },
};

/** Serves `plugin` from the first call of the host on. Called once, while the module is built. */
export function serveGuest(plugin: PluginDefinition): void {
  setLogSink(print);
  setConsoleSink((level, message) => print({ level, message, logger: "", timeMs: 0, fields: {} }));
  host.hooks(
    () => {
      seedRandom();
      startTimers();
      serve(plugin).catch(failed);
    },
    (bytes) => receiver?.data(bytes),
    (id, method, bytes) => {
      served = connection?.serveNow(id >>> 0, method & 0xffff, (method & headerFlag) !== 0, bytes);
    },
    answered,
    tick,
    failed,
    reportFailures,
  );
}

/** Says how the last call ended that was made the short way, now that all that came of it has run. */
function answered(): number {
  if (served === undefined) return outcomes.pending;
  if (served.state === "pending") served.keep();
  else host.answer(served.bytes);
  return outcomes[served.state];
}

async function serve(plugin: PluginDefinition): Promise<void> {
  const { name, version, limits } = plugin;
  const { hello, failure, channel: heard } = await hearPreface(channel, helloTimeoutMs);
  let router: Router | undefined;
  let refusal = failure;
  if (hello !== undefined) {
    try {
      const config = hello.config === "" ? {} : parseConfig(hello.config, "the configuration in the host's hello");
      router = new Router({ services: await servicesOf(plugin, config), uses: plugin.uses, grants: "all", config });
    } catch (error) {
      refusal = AnyplugError.from(error);
    }
  }
  const made = new Connection(heard, { role: "plugin", name, version, runtime, limits, router, onLog: print });
  if (refusal !== undefined) {
    if (hello !== undefined) await made.opened.catch(() => {});
    return made.close(refusal);
  }
  connection = made;
  await made.opened;
  const log = (record: LogRecord) => made.log(record);
  setLogSink(log);
  setConsoleSink((level, message) => log({ level, message, logger: "", timeMs: Date.now(), fields: {} }));
}

const levels = { trace: 1, debug: 2, info: 3, warn: 4, error: 5 } as const;

/** Writes a record to the host's log past the connection, which there is none of. */
function print({ level, message, fields }: LogRecord): void {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  host.log(new TextEncoder().encode(message + rest.join("")), levels[level]);
}

/** Promises that were rejected while nobody waited for them. */
const rejected = new Map<unknown, unknown>();

/** Something failed outside of any call: a promise was rejected without anybody waiting for it, or somebody does after all (`isHandled`). */
function failed(error: unknown, promise: unknown = {}, isHandled = 0): void {
  if (isHandled === 0) rejected.set(promise, error);
  else rejected.delete(promise);
}

/** Reports what nobody waited for, now that every job has run. */
function reportFailures(): void {
  const reasons = [...rejected.values()];
  rejected.clear();
  for (const reason of reasons) console.error("an error was not handled:", shown(reason));
}
