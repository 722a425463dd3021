/** Serves the page and its plugins to a browser on this machine. */

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A file by its path. */
type Files = Readonly<Record<string, { readonly type: string; readonly content: string | Uint8Array }>>;

/** Returns the files of the page: its script, and modules, from a path or in bytes. */
export function filesOf(script: string, modules: Readonly<Record<string, string | Uint8Array>>): Files {
  const wasm = Object.entries(modules).map(([name, module]) => {
    const content = typeof module === "string" ? readFileSync(module) : module;
    return [`/${name}`, { type: "application/wasm", content }] as const;
  });
  return {
    "/": {
      type: "text/html",
      content: `<!doctype html><title>anyplug</title><script type="module" src="page.js"></script>`,
    },
    "/page.js": { type: "text/javascript", content: script },
    ...Object.fromEntries(wasm),
  };
}

/** A site on a port of its own. */
export class Site implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  static async serve(files: Files): Promise<Site> {
    const server = createServer((request, response) => {
      const file = files[request.url ?? ""];
      if (file === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": file.type }).end(file.content);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Site(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
