/** Bundles the page, for a browser. */

import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** The page's script, with what it weighs. */
export interface Bundle {
  readonly code: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** The packages that it is made of. */
  readonly packages: readonly string[];
}

/** Returns the page as one script. What is of Node in it would fail here: there is nothing that stands for it. */
export async function bundlePage(entry: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const code = outputFiles[0]?.text ?? "";
  const packages = new Set(
    Object.keys(metafile.inputs).map(
      (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path.split("/").slice(0, 2).join("/"),
    ),
  );
  return { code, bytes: Buffer.byteLength(code), gzipBytes: gzipSync(code).length, packages: [...packages].sort() };
}
