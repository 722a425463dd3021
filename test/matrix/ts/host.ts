/** What the host of the matrix offers to its plugins. */

import { AnyplugError, Code, type HandlerContext } from "@anyplug/core";
import type { AskRequest } from "@anyplug/generated/anyplug/test/v1/test.js";
import { type HostHandler, type SecretHandler, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";

/** Answers questions; with depth it asks the plugin in turn. */
export class TestHost implements HostHandler, SecretHandler {
  /** How many questions "wait" were asked. */
  readonly asked = new Counter();
  /** How many handlers of the question "wait" were cancelled. */
  readonly cancelled = new Counter();

  async ask({ question, depth }: AskRequest, context: HandlerContext): Promise<{ answer: string }> {
    if (depth > 0) return context.client(Test).askHost({ question, depth: depth - 1 });
    switch (question) {
      case "origin":
        return { answer: context.origin.join(" ") };
      case "remaining":
        return { answer: String(context.remainingMs ?? "no limit") };
      case "wait":
        return this.#wait(context.signal);
      default:
        return { answer: `${question} answered` };
    }
  }

  reveal(): { value: string } {
    return { value: "the secret" };
  }

  #wait(signal: AbortSignal): Promise<never> {
    this.asked.add();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        this.cancelled.add();
        reject(AnyplugError.from(signal.reason, Code.Cancelled));
      });
    });
  }
}

/** A number that grows, and can be waited for. */
export class Counter {
  #count = 0;
  #waiting: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  add(): void {
    this.#count += 1;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async reaches(count: number): Promise<void> {
    while (this.#count < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
