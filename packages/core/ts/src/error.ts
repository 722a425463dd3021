/** The one error that callers see. */

import { Code, codeName } from "./code.js";
import type { Metadata } from "./header.js";

/** A typed detail of an error: a protobuf message, named by its type. The shape of `google.protobuf.Any`. */
export interface Detail {
  /** Such as "type.googleapis.com/package.Message". */
  readonly typeUrl: string;
  /** The message in bytes. */
  readonly value: Uint8Array;
}

/** What an error carries beside code and message. */
export interface AnyplugErrorOptions {
  /** For a program: typed details. */
  readonly details?: readonly Detail[] | undefined;
  /** Metadata that came, or is to be sent, with the failure. */
  readonly metadata?: Metadata | undefined;
  /** What was caught. It stays in this process: a peer gets code, message, details and metadata. */
  readonly cause?: unknown;
}

/** A failure of a call, a load or a connection. */
export class AnyplugError extends Error {
  override readonly name = "AnyplugError";
  /** One of the sixteen codes. */
  readonly code: Code;
  /** For a program: typed details. */
  readonly details: readonly Detail[];
  /** Metadata that came with the failure. */
  readonly metadata: Metadata;

  constructor(code: Code, message: string, options: AnyplugErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? [];
    this.metadata = options.metadata ?? [];
  }

  /** For a person, as in the other languages: "NOT_FOUND: there is no plugin.json in …". */
  override toString(): string {
    return `${codeName(this.code)}: ${this.message}`;
  }

  /**
   * Returns `reason` if it is an AnyplugError, and otherwise one that stands for it: the abort of a signal is CANCELLED, its timeout DEADLINE_EXCEEDED, and all else `code`
   * with the message of the reason.
   */
  static from(reason: unknown, code: Code = Code.Unknown): AnyplugError {
    if (reason instanceof AnyplugError) return reason;
    if (!(reason instanceof Error)) return new AnyplugError(code, describe(reason), { cause: reason });
    if (reason.name === "AbortError") return new AnyplugError(Code.Cancelled, reason.message, { cause: reason });
    if (reason.name === "TimeoutError")
      return new AnyplugError(Code.DeadlineExceeded, reason.message, { cause: reason });
    return new AnyplugError(code, reason.message === "" ? reason.name : reason.message, { cause: reason });
  }
}

/** A thrown value that is no error, in words. Its conversion to a string may throw too. */
function describe(reason: unknown): string {
  try {
    return String(reason);
  } catch {
    return `a ${typeof reason} was thrown`;
  }
}
