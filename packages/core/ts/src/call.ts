/** What a session knows of one open call. */

import { ReceiveCredit, SendCredit } from "./credit.js";

/** One open call, at either side. */
export class Call {
  /** Whether this side is the callee. */
  readonly isCallee: boolean;
  readonly send: SendCredit;
  /** The peer has sent its last message. */
  receiveEnded: boolean;
  /** This side has sent its last message. */
  sendEnded: boolean;
  /** A message of the peer has come, beside that of the request. */
  received = false;
  /** This side has sent a message, beside that of the request. */
  sent = false;
  readonly #initialReceiveBytes: number;
  #receive: ReceiveCredit | undefined;

  constructor(isCallee: boolean, requestEnded: boolean, initialSendBytes: number, initialReceiveBytes: number) {
    this.isCallee = isCallee;
    this.receiveEnded = isCallee && requestEnded;
    this.sendEnded = !isCallee && requestEnded;
    this.send = new SendCredit(initialSendBytes);
    this.#initialReceiveBytes = initialReceiveBytes;
  }

  /** The application has read that much. Returns what is to be granted to the peer now. */
  consume(bytes: number): number {
    // Most calls are unary and never get here.
    this.#receive ??= new ReceiveCredit(this.#initialReceiveBytes);
    return this.#receive.consume(bytes);
  }
}
