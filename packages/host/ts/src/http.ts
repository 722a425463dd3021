/** Sends requests and waits for the responses, by a second thread: a plugin that runs on this one waits within a call. */

import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { AnyplugError, Code } from "@anyplug/core";
import type { SendRequest } from "@anyplug/wasm";
import { type Order, type Outcome, serveRequests } from "./http-worker.js";

/** The thread, once a plugin has sent a request. It does not keep the program alive. */
let port: MessagePort | undefined;
let lastId = 0;

/** Sends a request by HTTP or HTTPS, and waits for the response. */
export const sendRequest: SendRequest = (request, limits) => {
  port ??= start();
  lastId += 1;
  const id = lastId;
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const timeoutMs = Math.min(limits.timeoutMs, longestMs);
  port.postMessage({ id, request, limits: { ...limits, timeoutMs }, signal } satisfies Order);
  const waited = Atomics.wait(signal, 0, 0, timeoutMs);
  const { response, error = "", isInvalid = false, isLate = false } = waited === "timed-out" ? late : take(port, id);
  if (response !== undefined) return response;
  const { host } = new URL(request.url);
  if (isLate)
    throw new AnyplugError(Code.DeadlineExceeded, `${host} did not answer within ${Math.round(limits.timeoutMs)} ms`);
  if (isInvalid) throw new AnyplugError(Code.InvalidArgument, `a request cannot be sent to ${host}: ${error}`);
  throw new AnyplugError(Code.Unavailable, `${host} did not answer: ${error}`);
};

/** What a timer takes: three weeks and more. */
const longestMs = 0x7fff_ffff;

const late: Outcome = { id: 0, isLate: true };

/** The outcome of that order; those of orders that nobody waited for any longer are dropped. */
function take(from: MessagePort, id: number): Outcome {
  for (;;) {
    const outcome: Outcome | undefined = receiveMessageOnPort(from)?.message;
    if (outcome === undefined || outcome.id === id) return outcome ?? { id, error: "the thread for requests ended" };
  }
}

function start(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const code = `(${serveRequests.toString()})(require("node:worker_threads").workerData)`;
  const worker = new Worker(code, { eval: true, execArgv: [], workerData: port2, transferList: [port2] });
  worker.unref();
  port1.unref();
  return port1;
}
