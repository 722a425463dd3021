/**
 * A host that talks to ELIZA in any of the three languages.
 *
 * With `--cell` it prints one cell of the matrix as JSON; otherwise it answers each line of standard input, and an empty line starts a new session.
 */

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Eliza, type ElizaClient } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { AnyplugError, loadPlugin, type Plugin, type TransportName } from "anyplug";

const folders = { typescript: "ts", python: "python", rust: "rust" } as const;
const transports = ["direct", "process", "stdio", "wasm", "ffi"] as const;
const warmUp = 200;
const calls = 1000;
const usage = "usage: main.js --plugin typescript|python|rust [--transport direct|process|stdio|wasm|ffi] [--cell]";

type Language = keyof typeof folders;

interface Arguments {
  readonly language: Language;
  readonly transport: TransportName;
  readonly cell: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: { plugin: { type: "string" }, transport: { type: "string" }, cell: { type: "boolean", default: false } },
  });
  const language = oneOf(Object.keys(folders) as Language[], "--plugin", values.plugin);
  const usual = language === "typescript" ? "direct" : "process";
  return { language, transport: oneOf(transports, "--transport", values.transport ?? usual), cell: values.cell };
}

function oneOf<T extends string>(choices: readonly T[], name: string, value: string | undefined): T {
  const choice = choices.find((each) => each === value);
  if (choice === undefined) throw new TypeError(`${name}: expected ${choices.join(", ")}, got ${value ?? "nothing"}`);
  return choice;
}

/** Returns the answer to the paper's first line, and the median time of a call in microseconds. */
async function measure(plugin: Plugin): Promise<{ reply: string; p50_us: number }> {
  const eliza = plugin.client(Eliza);
  const { text: reply } = await eliza.reply({ text: "Men are all alike.", sessionId: randomUUID() });
  const times = new Float64Array(warmUp + calls);
  for (let call = 0; call < times.length; call++) {
    const start = performance.now();
    await eliza.reply({ text: "Men are all alike.", sessionId: "timing" });
    times[call] = performance.now() - start;
  }
  const median = times.subarray(warmUp).sort()[calls / 2] ?? 0;
  return { reply, p50_us: Math.round(median * 10_000) / 10 };
}

async function converse(eliza: ElizaClient): Promise<void> {
  let sessionId = randomUUID();
  for await (const text of createInterface({ input: process.stdin })) {
    if (text === "") sessionId = randomUUID();
    else console.log((await eliza.reply({ text, sessionId })).text);
  }
}

async function run({ language, transport, cell }: Arguments): Promise<void> {
  const folder = new URL(`../../../../plugins/eliza-classic/${folders[language]}/`, import.meta.url);
  const names = { host: "typescript", plugin: language, transport };
  try {
    await using plugin = await loadPlugin(folder, { transport });
    if (cell) console.log(JSON.stringify({ ...names, ok: true, ...(await measure(plugin)) }));
    else await converse(plugin.client(Eliza));
  } catch (reason) {
    const error = AnyplugError.from(reason).toString();
    if (cell) console.log(JSON.stringify({ ...names, ok: false, reply: null, p50_us: null, error }));
    else console.error(error);
    process.exitCode = 1;
  }
}

try {
  await run(readArguments());
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  process.exitCode = 2;
}
