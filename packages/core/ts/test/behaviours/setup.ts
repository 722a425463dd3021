/** What the behaviours are set up with, and what they look at. */

import type { HandlerContext } from "@anyplug/core/codegen/v1";
import type { EchoRequest } from "@anyplug/generated/anyplug/test/v1/test.js";
import {
  Host,
  type HostHandler,
  Test,
  type TestClient,
  type TestHandler,
} from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import type { Code } from "../../src/code.js";
import type { Metadata } from "../../src/header.js";
import type { LogRecord } from "../../src/log.js";
import type { Implementation } from "../../src/router.js";
import type { Link } from "../../src/transport.js";

/** What a test sets up. */
export interface Setup {
  readonly plugin?: readonly Implementation[];
  readonly host?: readonly Implementation[];
  readonly grants?: readonly string[];
  readonly config?: unknown;
  readonly onLog?: (record: LogRecord) => void;
  readonly onError?: (error: unknown) => void;
}

/** A transport under test. */
export interface Wiring {
  /** Makes an error of the library that the transport uses. */
  error(code: Code, message: string, options?: object): Error;
  /** Connects a host to a plugin and returns the host's end. */
  connect(setup: Setup): Promise<Link>;
}

/** A transport under test, as the behaviours use it. */
export interface Wired extends Wiring {
  /** Connects, and returns a client of a plugin with this handler. */
  client(handler: Partial<TestHandler>, setup?: Setup): Promise<TestClient>;
}

/** What an error says, whichever copy of the library it is of. */
export interface Failure {
  readonly code: Code;
  readonly message: string;
  readonly details: readonly { typeUrl: string; value: Uint8Array }[];
  readonly metadata: Metadata;
}

/** Returns what a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    expect((error as Error).name).toBe("AnyplugError");
    return error as Failure;
  }
  throw new Error("the call succeeded, and a failure was expected");
}

export async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** A promise and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Resolves when the call of that context is cancelled. */
export function cancellationOf({ signal }: HandlerContext): Promise<Failure> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason as Failure);
    signal.addEventListener("abort", () => resolve(signal.reason as Failure));
  });
}

export function serving(handler: Partial<TestHandler>): Implementation {
  return { service: Test, handler };
}

export function hosting(handler: HostHandler): Implementation {
  return { service: Host, handler };
}

/** Echoes text and data. */
export const echo: Partial<TestHandler> = {
  echo: (request: EchoRequest) => ({ text: request.text, data: request.data }),
};
