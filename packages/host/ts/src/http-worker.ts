/** What runs on the thread that sends requests while the thread of a plugin waits. */

import type { MessagePort } from "node:worker_threads";
import type { HttpLimits, HttpRequest, HttpResponse } from "@anyplug/wasm";

/** A request for the thread. */
export interface Order {
  readonly id: number;
  readonly request: HttpRequest;
  readonly limits: HttpLimits;
  /** Set to 1, and notified, when the outcome is there. */
  readonly signal: Int32Array;
}

/** What came of it. */
export interface Outcome {
  readonly id: number;
  readonly response?: HttpResponse;
  /** Why there is none. */
  readonly error?: string;
  /** The request itself is at fault. */
  readonly isInvalid?: boolean;
  readonly isLate?: boolean;
}

/** Serves orders. Its source is run by itself on the other thread: it refers to nothing outside. */
export async function serveRequests(port: MessagePort): Promise<void> {
  const { request: overHttp } = await import("node:http");
  const { request: overHttps } = await import("node:https");

  port.on("message", ({ id, request, limits, signal }: Order) => {
    let isDone = false;
    const done = (outcome: Omit<Outcome, "id">) => {
      if (isDone) return;
      isDone = true;
      port.postMessage({ id, ...outcome });
      Atomics.store(signal, 0, 1);
      Atomics.notify(signal, 0);
    };
    try {
      const send = new URL(request.url).protocol === "https:" ? overHttps : overHttp;
      const { method, headers, body } = request;
      const late = AbortSignal.timeout(Math.ceil(limits.timeoutMs));
      const length = body === undefined ? {} : { "content-length": body.length };
      const sent = send(
        request.url,
        { method, headers: { ...headers, ...length }, agent: false, signal: late },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          const named = Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(", ")]);
          const answer = (whole: Uint8Array | undefined) => {
            const status = response.statusCode ?? 0;
            done({ response: { status, headers: Object.fromEntries(named), body: whole } });
          };
          response.on("data", (chunk: Buffer) => {
            size += chunk.length;
            chunks.push(chunk);
            if (size <= limits.maxResponseBytes) return;
            answer(undefined);
            sent.destroy();
          });
          response.on("end", () => answer(new Uint8Array(Buffer.concat(chunks))));
          response.on("error", (error) => done({ error: error.message, isLate: late.aborted }));
        },
      );
      sent.on("error", (error) => done({ error: error.message, isLate: late.aborted }));
      sent.end(body);
    } catch (error) {
      done({ error: error instanceof Error ? error.message : String(error), isInvalid: true });
    }
  });
}
