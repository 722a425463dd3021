/** What the host of the matrix offers to its plugins. */

import { AnyplugError, Code, type HandlerContext } from "@anyplug/core";
import type { AskRequest } from "@anyplug/generated/anyplug/test/v1/test.js";
import { type HostHandler, type SecretHandler, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";

/** Answers questions; with depth it asks the plugin in turn. */
export class TestHost implements HostHandler, SecretHandler {
  /** Resolves when a question "wait" was asked. */
  asked = deferred();
  /** Resolves when the handler of the question "wait" was cancelled. */
  cancelled = deferred();

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
    this.asked.resolve();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        this.cancelled.resolve();
        reject(AnyplugError.from(signal.reason, Code.Cancelled));
      });
    });
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

function deferred(): Deferred {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((onResolve) => {
    resolve = onResolve;
  });
  return { promise, resolve };
}
