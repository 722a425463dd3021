/** Puts the files into the module that a source names by `new URL("./file", import.meta.url)`, as other bundlers do. */

import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Loader, Plugin } from "esbuild";

const address = /\bnew\s+URL\(\s*(["'])(\.{1,2}\/[^"'\n]+)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;

const loaders: Readonly<Record<string, Loader>> = { ".ts": "ts", ".mts": "ts", ".tsx": "tsx", ".jsx": "jsx" };

/** A plugin of esbuild. */
export const assets: Plugin = {
  name: "assets",
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path, namespace }) => {
      if (namespace !== "file") return undefined;
      const source = await readFile(path, "utf8");
      const imports: string[] = [];
      const contents = source.replace(address, (whole: string, _quote: string, relative: string) => {
        const file = join(dirname(path), relative);
        if (!existsSync(file) || !statSync(file).isFile()) return whole;
        const name = `__anyplugAsset${imports.length}`;
        imports.push(`import ${name} from ${JSON.stringify(`anyplug-asset:${file}`)};`);
        return name;
      });
      if (imports.length === 0) return undefined;
      const loader = loaders[extname(path)] ?? "js";
      // On the first line, so that the others keep their numbers.
      return { contents: `${imports.join(" ")} ${contents}`, loader, resolveDir: dirname(path) };
    });
    onResolve({ filter: /^anyplug-asset:/ }, ({ path }) => {
      return { path: path.slice("anyplug-asset:".length), namespace: "anyplug-asset" };
    });
    onLoad({ filter: /./, namespace: "anyplug-asset" }, async ({ path }) => {
      return { contents: assetModule(path, await readFile(path)), resolveDir: import.meta.dirname };
    });
  },
};

/** The source of a module that puts a file in place and exports its address. */
function assetModule(path: string, bytes: Buffer): string {
  const text = bytes.toString("utf8");
  const isText = Buffer.from(text, "utf8").equals(bytes);
  const contents = isText ? JSON.stringify(text) : `Uint8Array.of(${bytes.join(",")})`;
  const name = `/plugin/${basename(path)}`;
  return `import { asset } from "@anyplug/sdk/wasm/node/fs";\nexport default asset(${JSON.stringify(name)}, ${contents});\n`;
}
