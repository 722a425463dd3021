/** The routes of an agent's plugins, served over HTTP. */

import type { AddressInfo } from "node:net";
import { AnyplugError, Code, codeName } from "@anyplug/core";
import { type ServerType, serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Owned, RouteDescription } from "./registration.js";
import type { AgentRuntime } from "./runtime.js";

/** How routes are served. All of it is optional. */
export interface RouteServerOptions {
  /** The address to listen on. Default: 127.0.0.1, this machine alone. */
  readonly host?: string | undefined;
  /** Default: 0, one that is free. */
  readonly port?: number | undefined;
  /** Bytes that the body of a request may have; more is answered 413. Default 4 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Milliseconds that a plugin may take for an answer. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** A running server. */
export interface RouteServer extends AsyncDisposable {
  /** For one "http://127.0.0.1:49152". */
  readonly url: string;
  /** Lets requests end, and then ends the server. */
  close(): Promise<void>;
}

/**
 * Serves the routes of the plugins that are registered, now and later: a plugin's route "/status" is "/NAME/status". An error of a plugin is answered with the HTTP status of
 * its code and `{"code","message"}`.
 *
 * @throws AnyplugError (rejects) UNAVAILABLE when the address cannot be listened on.
 */
export async function serveRoutes(agent: AgentRuntime, options: RouteServerOptions = {}): Promise<RouteServer> {
  const { host = "127.0.0.1", port = 0, maxBodyBytes = 4 << 20, timeoutMs = 30_000 } = options;
  let served = { routes: agent.routes, app: application(agent.routes, maxBodyBytes, timeoutMs) };
  const current = (): Hono => {
    // Another list is another set of plugins.
    if (served.routes !== agent.routes) {
      served = { routes: agent.routes, app: application(agent.routes, maxBodyBytes, timeoutMs) };
    }
    return served.app;
  };
  const server = await listening(
    serve({ fetch: (request, env) => current().fetch(request, env), hostname: host, port }),
  );
  const { family, address, port: bound } = server.address() as AddressInfo;
  return new Server(server, `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`);
}

class Server implements RouteServer {
  readonly url: string;
  readonly #server: ServerType;

  constructor(server: ServerType, url: string) {
    this.#server = server;
    this.url = url;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function listening(server: ServerType): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    server.once("listening", () => resolve(server));
    server.once("error", (cause) => {
      reject(new AnyplugError(Code.Unavailable, `the routes cannot be served: ${cause.message}`, { cause }));
    });
  });
}

function application(routes: readonly Owned<RouteDescription>[], maxBodyBytes: number, timeoutMs: number): Hono {
  const app = new Hono();
  const tooLarge = (c: Context) => failure(c, 413, Code.ResourceExhausted, `the body is over ${maxBodyBytes} bytes`);
  app.use(bodyLimit({ maxSize: maxBodyBytes, onError: tooLarge }));
  for (const route of routes) {
    const { method, path } = route.description;
    const whole = `/${route.plugin.name}${path.startsWith("/") ? "" : "/"}${path}`;
    // What is below a static path is told by the parameter "*".
    if (method === "STATIC")
      app.get(`${whole}/*`, (c) => handle(c, route, timeoutMs, c.req.path.slice(whole.length + 1)));
    else app.on(method, whole, (c) => handle(c, route, timeoutMs));
  }
  app.notFound((c) => failure(c, 404, Code.NotFound, `there is no route ${c.req.method} ${c.req.path}`));
  app.onError((error, c) => {
    const { code, message } = AnyplugError.from(error);
    return failure(c, httpStatus[code], code, message);
  });
  return app;
}

async function handle(c: Context, route: Owned<RouteDescription>, timeoutMs: number, rest?: string): Promise<Response> {
  const { path, method } = route.description;
  const params = new Map<string, string>(Object.entries(c.req.param()));
  if (rest !== undefined) params.set("*", rest);
  const fields = (pairs: Iterable<[string, string]>) => [...pairs].map(([name, value]) => ({ name, value }));
  const request = {
    path,
    method,
    params,
    query: fields(new URL(c.req.url).searchParams),
    headers: fields(c.req.raw.headers),
    body: new Uint8Array(await c.req.arrayBuffer()),
  };
  const answer = await route.plugin.handleRoute(request, { timeoutMs, signal: c.req.raw.signal });
  const headers = new Headers(answer.headers.map(({ name, value }): [string, string] => [name, value]));
  // These statuses have no body, and fetch's Response refuses even an empty one.
  const body = [101, 204, 205, 304].includes(answer.status) ? null : new Uint8Array(answer.body);
  return new Response(body, { status: answer.status, headers });
}

function failure(c: Context, status: number, code: Code, message: string): Response {
  return c.body(JSON.stringify({ code: codeName(code), message }), {
    status: status as 500,
    headers: { "content-type": "application/json" },
  });
}

/** As gRPC gateways and Connect have them. */
const httpStatus: Readonly<Record<Code, number>> = {
  [Code.Cancelled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};
