/** What the model knows of one call. */

export interface ModelCall {
  readonly id: number;
  readonly isCallee: boolean;
  isOpen: boolean;
  /** This side may send messages. */
  sends: boolean;
  /** The peer may send messages. */
  receives: boolean;
  /** This side has sent a message, the peer has; beside that of the request. */
  sent: boolean;
  received: boolean;
  /** The credit that the peer gives at first, and what is left of all it gave. */
  readonly window: number;
  credit: number;
  /** Bytes that the application has consumed and the peer has not got back. */
  consumed: number;
  /** The sizes of the messages that count as unread. */
  readonly held: number[];
  waitsForOutput: boolean;
}

/** A call that has just begun. */
export function newCall(
  call: Pick<ModelCall, "id" | "isCallee" | "sends" | "receives" | "window" | "credit">,
): ModelCall {
  return { ...call, isOpen: true, sent: false, received: false, consumed: 0, held: [], waitsForOutput: false };
}
