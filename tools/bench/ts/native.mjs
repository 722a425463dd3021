/** Plugins that are shared libraries in this process. */
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "anyplug";
import { contender, latency, operation } from "./clock.mjs";
import { checked, each, SIZES } from "./native-raw.mjs";

/** In Rust by the SDK, and in C by the header alone, which shows what the host costs. */
const plugins = { rust: ["plugins/bench-plugin/rust", Bench], c: ["plugins/test-plugin/c", Test] };

/** @param {string} language "rust" or "c" */
export async function start(language, name) {
  if (name === "ffi-stream") return conversation(language);
  const [folder, service] = plugins[language];
  const plugin = await loadPlugin(folder, { transport: "ffi" });
  const runs = name === "ffi-sync" ? syncEchoes(plugin.syncClient(service)) : echoes(plugin.client(service));
  return contender(runs, () => plugin.close());
}

const echoes = (client) =>
  each((data, batch) => (ms) => latency(ms, async () => checked((await client.echo({ data })).data, data), batch));

const syncEchoes = (client) => each((data) => (ms) => operation(ms, () => checked(client.echo({ data }).data, data)));

/** A stream that is open: the plugin answers each message, in Rust by a thread of its own, in C before it returns. */
async function conversation(language) {
  const plugin = await loadPlugin(`plugins/test-plugin/${language}`, { transport: "ffi" });
  const messages = new Mailbox();
  const answers = plugin.client(Test).converse(messages)[Symbol.asyncIterator]();
  const data = new Uint8Array(SIZES.echo64).fill(7);
  const call = async () => {
    messages.put({ data });
    checked((await answers.next()).value.data, data);
  };
  const close = async () => {
    await answers.return();
    await plugin.close();
  };
  return contender({ message64: (ms) => latency(ms, call) }, close);
}

/** Gives what is put into it, one at a time. */
class Mailbox {
  #message;
  #take;

  [Symbol.asyncIterator]() {
    return this;
  }

  put(value) {
    const take = this.#take;
    this.#take = undefined;
    if (take === undefined) this.#message = value;
    else take({ value, done: false });
  }

  next() {
    const value = this.#message;
    this.#message = undefined;
    if (value !== undefined) return Promise.resolve({ value, done: false });
    return new Promise((resolve) => {
      this.#take = resolve;
    });
  }
}
