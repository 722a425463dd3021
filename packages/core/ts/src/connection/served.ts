/** Calls with one request that the peer makes the short way of the embedded ABI, at the side that answers them. */

import { encodeStatus } from "../status.js";
import type { Engine } from "./engine.js";
import { IncomingCall } from "./incoming.js";

/** A call that is being answered. */
export interface ServedNow {
  /** "pending" as long as there is no answer; after `keep` it comes by frames. */
  readonly state: "pending" | "done" | "failed";
  /** The response, or the status that the call has failed with, encoded. */
  readonly bytes: Uint8Array;
  /** Says that the answer is not waited for: the call is open from now on, and is answered by frames. */
  keep(): void;
}

const nothing = new Uint8Array(0);
/** It is answered by frames, or never. */
const byFrames: ServedNow = { state: "pending", bytes: nothing, keep() {} };

/** Serves a call. What its handler causes is told to the peer before its answer is. */
export function serveNow(engine: Engine, id: number, index: number, hasHeader: boolean, bytes: Uint8Array): ServedNow {
  const accepted = engine.session.acceptCall(id, index, hasHeader, bytes);
  const route = engine.router.routes[index];
  if (accepted === undefined) {
    engine.settle();
    return byFrames;
  }
  if (accepted.refusal !== undefined) return { ...byFrames, state: "failed", bytes: encodeStatus(accepted.refusal) };
  if (route === undefined) return byFrames;
  const { header, start } = accepted;
  const request = { call: id, header, end: true, source: bytes, from: start, to: bytes.length, owned: false };
  const served = new IncomingCall(engine, route, id, header);
  served.begin(request);
  return served;
}
