/** What a side accepts. */

/** The limits of one side of a connection. */
export interface Limits {
  /** The largest message in bytes, without frame and call header. */
  readonly maxMessageBytes: number;
  /** Requests of the peer that may be open at once. */
  readonly maxPendingRequests: number;
  /** Credit in bytes that each direction of a new call starts with. */
  readonly initialCreditBytes: number;
  /** Bytes of messages that are held unread, over all calls, and of frames that are not written yet. The peer is not told. */
  readonly maxBufferBytes: number;
}

/** Limits as a user gives them: an absent member, or 0, is not set. */
export type LimitOptions = { readonly [Limit in keyof Limits]?: number | undefined };

/** 4 MiB, 1,000 requests, 64 KiB, 8 MiB. */
export const defaultLimits: Limits = {
  maxMessageBytes: 4_194_304,
  maxPendingRequests: 1000,
  initialCreditBytes: 65_536,
  maxBufferBytes: 8_388_608,
};

/** What the frame of a largest message may take beside it: call headers, statuses. */
export const frameAllowanceBytes = 65_536;

/** Returns `limits`, where a member that is not set is that of `fallback`. */
export function mergeLimits(limits: LimitOptions | undefined, fallback: Limits = defaultLimits): Limits {
  return {
    maxMessageBytes: limits?.maxMessageBytes || fallback.maxMessageBytes,
    maxPendingRequests: limits?.maxPendingRequests || fallback.maxPendingRequests,
    initialCreditBytes: limits?.initialCreditBytes || fallback.initialCreditBytes,
    maxBufferBytes: limits?.maxBufferBytes || fallback.maxBufferBytes,
  };
}
