/** What a session knows of one call. */

import { ReceiveCredit, SendCredit } from "./credit.js";

/** One call, at either side. It stays known after its end for as long as messages of it are unread. */
export class Call {
  /** Whether this side is the callee. */
  readonly isCallee: boolean;
  isOpen = true;
  /** What the application keeps with the call: events lead to it. */
  owner: unknown;
  /** This side may send messages. */
  sends: boolean;
  /** The peer may send messages. */
  receives: boolean;
  /** A message of the peer has come, beside that of the request. */
  received = false;
  /** This side has sent a message, beside that of the request. */
  sent = false;
  /** Something was to be sent and the output was full: the application is told when it is not. */
  waitsForOutput = false;
  readonly sendCredit: SendCredit;
  /** Bytes and number of messages that the application has not consumed. */
  unreadBytes = 0;
  unreadMessages = 0;
  readonly #initialReceiveBytes: number;
  #receiveCredit: ReceiveCredit | undefined;

  constructor(
    isCallee: boolean,
    sends: boolean,
    receives: boolean,
    initialSendBytes: number,
    initialReceiveBytes: number,
  ) {
    this.isCallee = isCallee;
    this.sends = sends;
    this.receives = receives;
    this.sendCredit = new SendCredit(initialSendBytes);
    this.#initialReceiveBytes = initialReceiveBytes;
  }

  /** The application has read that much. Returns what is to be granted to the peer now. */
  consume(bytes: number): number {
    // Most calls are unary and never get here.
    this.#receiveCredit ??= new ReceiveCredit(this.#initialReceiveBytes);
    return this.#receiveCredit.consume(bytes);
  }
}
