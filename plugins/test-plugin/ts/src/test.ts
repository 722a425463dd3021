/** TestService. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  type AskHostRequest,
  type ConverseRequest,
  type CountRequest,
  type CountResponse,
  type DeepPartial,
  type EchoRequest,
  type EchoResponse,
  FailDetail,
  type FailRequest,
  type HarmRequest,
  HarmRequest_Kind,
  type SumRequest,
  type WaitReportRequest,
  type WaitRequest,
} from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Secret, type TestHandler } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { AnyplugError, Code, codeFromNumber, type HandlerContext } from "@anyplug/sdk";
import { harm } from "./harm.js";
import { Waits } from "./waits.js";

/** Handles the calls of the tests. */
export class TestPlugin implements TestHandler {
  readonly #waits = new Waits();
  readonly #asking = new Set<AbortController>();

  echo({ text, data, everything }: EchoRequest, context: HandlerContext): DeepPartial<EchoResponse> {
    for (const [key, value] of context.metadata) {
      if (key.startsWith("header-")) context.appendHeader(key, value);
      if (key.startsWith("trailer-")) context.appendTrailer(key, value);
    }
    return {
      text,
      data,
      everything,
      metadata: context.metadata.map(([key, value]) => `${key}: ${value}`),
      origin: [...context.origin],
      remainingMs: context.remainingMs === undefined ? undefined : Math.floor(context.remainingMs),
    };
  }

  fail(request: FailRequest): never {
    throw failure(request);
  }

  async *count({ count, size, delayMs, fail }: CountRequest, { signal }: HandlerContext): AsyncIterable<CountResponse> {
    for (let index = 0; index < count; index++) {
      if (delayMs > 0) await sleep(delayMs, undefined, { signal });
      yield { index, data: new Uint8Array(size) };
    }
    if (fail !== undefined) throw failure(fail);
  }

  async sum(requests: AsyncIterable<SumRequest>): Promise<{ sum: bigint; count: number }> {
    let sum = 0n;
    let count = 0;
    for await (const { number } of requests) {
      sum = BigInt.asIntN(64, sum + number);
      count += 1;
    }
    return { sum, count };
  }

  async *converse(requests: AsyncIterable<ConverseRequest>): AsyncIterable<{ text: string; data: Uint8Array }> {
    for await (const { text, data } of requests) yield { text, data };
  }

  async wait({ ms }: WaitRequest, { signal }: HandlerContext): Promise<object> {
    const ended = this.#waits.start();
    try {
      await sleep(ms, undefined, { signal });
      ended(true);
      return {};
    } catch (error) {
      ended(false);
      throw signal.reason ?? error;
    }
  }

  waitReport({ atLeast }: WaitReportRequest): Promise<{ started: number; completed: number; cancelled: number }> {
    return this.#waits.settled(atLeast);
  }

  async askHost({ question, depth, reveal }: AskHostRequest, context: HandlerContext): Promise<{ answer: string }> {
    if (reveal) return { answer: (await context.client(Secret).reveal({})).value };
    const asking = new AbortController();
    this.#asking.add(asking);
    try {
      return { answer: (await context.client(Host).ask({ question, depth }, { signal: asking.signal })).answer };
    } finally {
      this.#asking.delete(asking);
    }
  }

  async harm(request: HarmRequest, context: HandlerContext): Promise<{ text: string }> {
    if (request.kind === HarmRequest_Kind.KIND_GIVE_UP) {
      for (const asking of this.#asking) asking.abort();
      return { text: "" };
    }
    return { text: await harm(request, context) };
  }
}

/** What the request asks for: an error of this system, or any other. */
function failure({ code, message, detail, crash }: FailRequest): Error {
  if (crash) return new Error(message);
  const details = detail === "" ? [] : [failDetail(detail)];
  return new AnyplugError(codeFromNumber(code) || Code.Unknown, message, { details });
}

function failDetail(text: string): { typeUrl: string; value: Uint8Array } {
  const value = FailDetail.encode(FailDetail.fromPartial({ text })).finish();
  return { typeUrl: "type.googleapis.com/anyplug.test.v1.FailDetail", value };
}
