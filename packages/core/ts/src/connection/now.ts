/** Unary calls to a peer in this process, which answers them at once where it can. */

import type { Answer } from "../channel.js";
import { Code } from "../code.js";
import { codecError, copyBelowBytes, decodeMessage, type Encoded, encodeTransient } from "../codec.js";
import type { MethodDescriptor } from "../descriptor.js";
import { AnyplugError } from "../error.js";
import { decodeStatus, errorOf, failure, type Status } from "../status.js";
import { type Begun, begin, type CallOptions } from "../transport.js";
import type { Engine } from "./engine.js";
import { encodeRequest, noResponse, UnaryCall } from "./outgoing.js";

/**
 * Makes a unary call, and returns its response as a promise that is settled already when the peer answered at once.
 *
 * @throws AnyplugError (rejects) with the status of the call.
 */
export function unaryNow<I, O>(
  engine: Engine,
  method: MethodDescriptor<I, O>,
  index: number,
  request: object,
  options: CallOptions | undefined,
): Promise<O> {
  try {
    const begun = begin(method, options);
    // Handlers that run for what is written now may encode messages too.
    const isClear = engine.isClearForCall;
    const message = encodeRequest(method, request, encodeTransient);
    const answer = isClear ? engine.callNow(index, begun, message) : undefined;
    if (answer === undefined) return unaryByFrames(engine, method, index, begun, message, options);
    if (answer.state !== "pending") return Promise.resolve(responseOf(engine, method, answer, options));
    return new Promise((resolve, reject) => {
      new UnaryCall(engine, method, options, resolve, reject).adopt(begun, message);
    });
  } catch (error) {
    return Promise.reject(AnyplugError.from(error, Code.Internal));
  }
}

function unaryByFrames<I, O>(
  engine: Engine,
  method: MethodDescriptor<I, O>,
  index: number,
  begun: Begun,
  { bytes, length }: Encoded,
  options: CallOptions | undefined,
): Promise<O> {
  return new Promise((resolve, reject) => {
    const message = { bytes: length < copyBelowBytes ? bytes : bytes.slice(0, length), length };
    try {
      new UnaryCall(engine, method, options, resolve, reject).start(index, begun, message);
    } catch (error) {
      reject(AnyplugError.from(error, Code.Internal));
    }
  });
}

/**
 * Makes a unary call and returns its response.
 *
 * @throws AnyplugError with the status of the call; FAILED_PRECONDITION when the peer does not answer at once: the call is cancelled then.
 */
export function unarySync<I, O>(
  engine: Engine,
  method: MethodDescriptor<I, O>,
  index: number,
  request: object,
  options: CallOptions | undefined,
): O {
  const begun = begin(method, options);
  const isClear = engine.isClearForCall;
  const message = encodeRequest(method, request, encodeTransient);
  const answer = isClear ? engine.callNow(index, begun, message) : undefined;
  if (answer === undefined) throw notSync(method, "other calls are on their way to it");
  if (answer.state === "pending") throw leave(engine, method, message);
  return responseOf(engine, method, answer, options);
}

/** Cancels the call that is pending, and returns why. */
function leave(engine: Engine, method: MethodDescriptor, { length }: Encoded): AnyplugError {
  const { nowId, session } = engine;
  session.adoptCall(nowId, length, undefined);
  session.cancel(nowId, failure(Code.Cancelled, "the caller does not wait"));
  engine.delivered();
  return notSync(method, "its answer comes later");
}

function notSync({ path }: MethodDescriptor, why: string): AnyplugError {
  const message = `${path} cannot be called synchronously: ${why}; call it by a client, and await the answer`;
  return new AnyplugError(Code.FailedPrecondition, message);
}

/** @throws AnyplugError what the peer said; INTERNAL when its response cannot be read. */
function responseOf<O>(
  engine: Engine,
  method: MethodDescriptor<unknown, O>,
  answer: Answer,
  options: CallOptions | undefined,
): O {
  const { bytes, from, to, owned } = answer;
  if (answer.state === "failed") throw failureOf(engine, method, bytes.slice(from, to), options);
  try {
    return decodeMessage(method.output, bytes, from, to, owned);
  } catch (error) {
    throw codecError(Code.Internal, "response", method, "parsed", error);
  }
}

function failureOf(
  engine: Engine,
  method: MethodDescriptor,
  bytes: Uint8Array,
  options: CallOptions | undefined,
): AnyplugError {
  let status: Status;
  try {
    status = decodeStatus(bytes);
  } catch (error) {
    const why = AnyplugError.from(error).message;
    return engine.refuse(Code.Internal, `${method.path} was answered by a status that cannot be parsed (${why})`);
  }
  if (status.metadata.length > 0) {
    try {
      options?.onTrailer?.(status.metadata);
    } catch (error) {
      return AnyplugError.from(error);
    }
  }
  return status.code === 0 ? noResponse(method) : errorOf(status);
}
