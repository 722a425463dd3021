/** Why JSON and a message do not go together, and where. */

import { AnyplugError, Code } from "@anyplug/core";

/** How deep messages may be nested, entries of maps counted: the limit of protobuf's own implementations. */
export const MAX_DEPTH = 100;

/** A step from a message to something in it: a member, an index, or a key of a map. */
export type Step = string | number | { readonly key: string };

/** The way from the outermost message to where the work is. Steps are taken off again only where the work goes on. */
export class Path {
  readonly #root: string;
  readonly #steps: Step[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  push(step: Step): void {
    this.#steps.push(step);
  }

  pop(): void {
    this.#steps.pop();
  }

  /** Does `work` one step further in. */
  within<T>(step: Step, work: () => T): T {
    this.#steps.push(step);
    const result = work();
    this.#steps.pop();
    return result;
  }

  /** Returns the error that `told` is, of what lies here: "greeter.v1.GreetRequest.name: expected a string, found 1". */
  fault(told: string): AnyplugError {
    return new AnyplugError(Code.InvalidArgument, `${this}: ${told}`);
  }

  toString(): string {
    return this.#root + this.#steps.map(stepText).join("");
  }
}

function stepText(step: Step): string {
  if (typeof step === "number") return `[${step}]`;
  if (typeof step === "object") return `[${JSON.stringify(shortened(step.key))}]`;
  return /^[A-Za-z_@][\w.]*$/.test(step) ? `.${step}` : `[${JSON.stringify(shortened(step))}]`;
}

/** What fits into a line of a log. */
export function shortened(text: string): string {
  const characters = [...text.slice(0, 128)];
  return characters.length <= 60 && text.length <= 128 ? text : `${characters.slice(0, 59).join("")}…`;
}
