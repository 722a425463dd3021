/** Makes one script of a plugin and all that it imports. */

import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildFailure, build, type BuildOptions as EsbuildOptions, formatMessages, type Plugin } from "esbuild";
import { assets } from "./assets.js";
import { BuildError } from "./error.js";

const require = createRequire(import.meta.url);

/** What stands for a module of Node; others are not there. */
const ofNode: Readonly<Record<string, string>> = {
  buffer: require.resolve("buffer/"),
  events: require.resolve("events/"),
  fs: fileURLToPath(import.meta.resolve("@anyplug/sdk/wasm/node/fs")),
  "fs/promises": fileURLToPath(import.meta.resolve("@anyplug/sdk/wasm/node/fs-promises")),
  path: fileURLToPath(import.meta.resolve("pathe")),
  timers: fileURLToPath(import.meta.resolve("@anyplug/sdk/wasm/node/timers")),
  "timers/promises": fileURLToPath(import.meta.resolve("@anyplug/sdk/wasm/node/timers-promises")),
};

/** Globals that cost more than most plugins want to pay, and the modules that have them: they are put in where the name is used. */
const ofOthers: Readonly<Record<string, string>> = {
  Buffer: "buffer",
  URL: "url",
  URLSearchParams: "url",
  structuredClone: "clone",
};

/**
 * Returns the script.
 *
 * @throws BuildError (rejects) with esbuild's messages.
 */
export async function bundlePlugin(entry: string): Promise<string> {
  const marks = Object.fromEntries(Object.keys(ofOthers).map((name) => [name, `anyplugGlobal${name}`]));
  const script = await bundle(entry, { define: marks });
  const used = Object.entries(ofOthers).filter(([name]) => script.includes(`anyplugGlobal${name}`));
  if (used.length === 0) return script;
  const modules = new Set(used.map(([, name]) => fileURLToPath(new URL(`inject/${name}.js`, import.meta.url))));
  return bundle(entry, { inject: [...modules] });
}

async function bundle(
  entry: string,
  { define, inject = [] }: Pick<EsbuildOptions, "define" | "inject">,
): Promise<string> {
  const plugin = JSON.stringify(resolve(entry));
  const contents = `import { run } from "@anyplug/sdk/wasm";\nimport * as plugin from ${plugin};\nglobalThis.anyplugPlugin = run(plugin);\n`;
  try {
    const { outputFiles } = await build({
      // From where the plugin finds it, so that both have the same SDK.
      stdin: { contents, resolveDir: dirname(resolve(entry)), sourcefile: "anyplug-wasm.ts" },
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      // As Node finds them, and what a package has for a module before the rest.
      mainFields: ["module", "main"],
      conditions: ["anyplug-wasm", "module", "import"],
      target: "es2023",
      supported: { using: false },
      charset: "utf8",
      legalComments: "none",
      define: { "process.env.NODE_ENV": '"production"', ...define },
      inject,
      plugins: [nodeModules, assets],
      logLevel: "silent",
    });
    return outputFiles[0]?.text ?? "";
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw new BuildError((await formatMessages(error.errors, { kind: "error" })).join("").trimEnd());
  }
}

/** Leads modules of Node to what stands for them. */
const nodeModules: Plugin = {
  name: "node-modules",
  setup({ onResolve }) {
    onResolve({ filter: /^(node:)?[a-z_]+(\/promises)?$/ }, ({ path }) => {
      const name = path.replace(/^node:/, "");
      const found = ofNode[name];
      if (found !== undefined) return { path: found, sideEffects: false };
      if (!path.startsWith("node:")) return undefined;
      const there = Object.keys(ofNode).join(", ");
      const text = `${path} is not there in a WebAssembly module; of Node there are ${there}`;
      return { errors: [{ text }] };
    });
  },
};

function isFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error;
}
