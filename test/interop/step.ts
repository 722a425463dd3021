/** What is said to a session and what it says, in the forms of test/vectors/README.md. */

import type { CodeName } from "../../packages/core/ts/src/code.js";

/** A status; a message that is absent is not compared. */
export interface JsonStatus {
  readonly code: CodeName | "OK";
  readonly message?: string;
}

/** A call header; what is absent is empty. */
export interface JsonHeader {
  readonly timeout_ms?: number;
  readonly metadata?: readonly (readonly [string, string])[];
}

/** How a session is made. */
export interface JsonSession {
  readonly role: "host" | "plugin";
  readonly name: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly services: readonly {
    readonly name: string;
    readonly fingerprint: string;
    readonly methods: readonly string[];
  }[];
}

/** A call of a session's method. */
export type Operation =
  | {
      readonly do: "request";
      readonly service: string;
      readonly method: string;
      readonly header?: JsonHeader;
      readonly payload?: string;
      readonly end: boolean;
    }
  | {
      readonly do: "send_message";
      readonly call: number;
      readonly payload: string;
      readonly end: boolean;
      readonly header?: JsonHeader;
    }
  | { readonly do: "half_close" | "expire" | "credit"; readonly call: number }
  | { readonly do: "end_call" | "cancel"; readonly call: number; readonly status: JsonStatus }
  | { readonly do: "consume"; readonly call: number; readonly bytes: number }
  | { readonly do: "ping"; readonly payload: string }
  | { readonly do: "log"; readonly record: JsonLog }
  | { readonly do: "drain" };

/** A log record. */
export interface JsonLog {
  readonly level: string;
  readonly message: string;
  readonly logger: string;
  readonly time_ms: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** What an operation came to. */
export interface Answer {
  readonly returns?: { readonly call?: number; readonly bytes?: number } | null | undefined;
  readonly fails?: { readonly code: CodeName; readonly message: string };
}

/** An event: `type`, and the members that docs/protocol.md gives it. */
export type JsonEvent = { readonly type: string; readonly [member: string]: unknown };

/** A session, in this process or another. Answers come in the order of the questions, so that many may be asked at once. */
export interface Side {
  readonly language: string;
  /** Begins a session, in place of the last one. */
  begin(session: JsonSession): Promise<void>;
  perform(operation: Operation): Promise<Answer>;
  receive(bytes: Uint8Array): Promise<void>;
  /** Takes what is to be written. */
  output(): Promise<Uint8Array>;
  /** Takes the next event; null when there is none. */
  event(): Promise<JsonEvent | null>;
  end(): Promise<void>;
}
