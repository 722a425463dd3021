/** The codes of failure. */

/** The sixteen ways in which a call can fail. Names and numbers are those of gRPC and Connect, and of `anyplug.wire.v1.Code`. */
export const Code = {
  /** The caller gave up, or the host cancelled the call. */
  Cancelled: 1,
  /** A failure that fits no other code, or a code that this version does not know. */
  Unknown: 2,
  /** The request is wrong in itself, whatever the state of the callee. */
  InvalidArgument: 3,
  /** The remaining time ran out before the call ended. */
  DeadlineExceeded: 4,
  /** What was asked for does not exist. */
  NotFound: 5,
  /** What was to be created exists. */
  AlreadyExists: 6,
  /** The caller is known and may not do this. */
  PermissionDenied: 7,
  /** A limit was reached: message size, buffered bytes, pending requests, or one of the callee's own. */
  ResourceExhausted: 8,
  /** The callee is not in the state that the call needs; a retry alone does not help. */
  FailedPrecondition: 9,
  /** A conflict, such as a lost race; a retry at a higher level may help. */
  Aborted: 10,
  /** Past the valid range, where a later state may make it valid. */
  OutOfRange: 11,
  /** The callee has no such service or method. */
  Unimplemented: 12,
  /** A defect: an invariant does not hold, a handler panicked, or a peer broke the protocol. */
  Internal: 13,
  /** The callee cannot be reached now: it died, is draining, or the connection ended. */
  Unavailable: 14,
  /** Data was lost or is corrupt. */
  DataLoss: 15,
  /** The caller is not known. */
  Unauthenticated: 16,
} as const;

/** One of the sixteen codes. */
export type Code = (typeof Code)[keyof typeof Code];

const names = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The name of a code as the documentation writes it, such as "NOT_FOUND"; "OK" stands for success. */
export type CodeName = (typeof names)[number];

/** Returns the name of a code; 0 is "OK". */
export function codeName(code: Code | 0): CodeName {
  return names[code];
}

/** Returns the code of that name, 0 for "OK", or undefined when there is none. */
export function codeFromName(name: string): Code | 0 | undefined {
  const number = names.indexOf(name as CodeName);
  return number < 0 ? undefined : (number as Code | 0);
}

/** Returns the code of that number. A number that this version does not know is {@link Code.Unknown}. */
export function codeFromNumber(number: number): Code | 0 {
  return Number.isInteger(number) && number >= 0 && number < names.length ? (number as Code | 0) : Code.Unknown;
}
