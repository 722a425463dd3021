/** Plays a script with two sessions, and holds each thing that they say against the model. */

import { isDeepStrictEqual } from "node:util";
import type { CodeName } from "../../packages/core/ts/src/code.js";
import { type CutFrame, FrameCutter } from "./frames.js";
import { Model, type ModelEvent, type ModelFrame, type ModelLimits } from "./model.js";
import type { ModelCall } from "./model-call.js";
import type { Script, Step } from "./script.js";
import type { JsonEvent, JsonHeader, JsonSession, JsonStatus, Operation, Side } from "./step.js";

const service = "test.v1.TestService";
/** Those whose request has its message with it, and those that stream it; the last is in no table. */
const methods = ["Unary", "ServerStream", "ClientStream", "Bidi", "Missing"];
const codes: readonly CodeName[] = ["CANCELLED", "UNKNOWN", "NOT_FOUND", "ABORTED", "UNAVAILABLE", "UNAUTHENTICATED"];
const mostFlyingRequests = 8;
const defaults: ModelLimits = {
  max_message_bytes: 4_194_304,
  max_pending_requests: 1000,
  initial_credit_bytes: 65_536,
  max_buffer_bytes: 8_388_608,
};

/** One end of the connection, and the bytes on their way from it. */
interface End {
  readonly side: Side;
  readonly model: Model;
  readonly cutter: FrameCutter;
  /** Written and not delivered: bytes, and the frames in them. */
  flying: Buffer;
  readonly frames: { readonly frame: ModelFrame; bytes: number }[];
  /** Messages that the application has got and not consumed. */
  readonly unread: { readonly call: number; readonly bytes: number }[];
  /** By call, how many bytes it has sent and the peer's application has not consumed. */
  readonly outstanding: Map<number, number>;
}

/** Plays a script to its end: everything delivered and consumed, then every call completed and the connection drained. */
export async function play(script: Script, sides: readonly [Side, Side]): Promise<void> {
  const game = new Game(script, sides);
  await game.begin(script);
  if (script.opened) await game.settle();
  for (const step of script.steps) {
    const isDelivery = step.deed === "take" || step.deed === "deliver";
    if (!script.lazy || !isDelivery || step.pick % 5 === 0) await game.step(step);
  }
  await game.settle();
  await game.checkAgreement();
  await game.finish();
}

class Game {
  readonly #ends: readonly [End, End];
  #messages = 0;

  constructor({ firstIsHost, limits }: Script, sides: readonly [Side, Side]) {
    const end = (index: 0 | 1): End => ({
      side: sides[index],
      model: new Model(roleOf(index, firstIsHost), defaults, given(limits[index]), methods.slice(0, 4)),
      cutter: new FrameCutter(),
      flying: Buffer.alloc(0),
      frames: [],
      unread: [],
      outstanding: new Map(),
    });
    this.#ends = [end(0), end(1)];
  }

  async begin({ firstIsHost, limits }: Script): Promise<void> {
    const begin = (index: 0 | 1) => {
      const session: JsonSession = {
        role: roleOf(index, firstIsHost),
        name: `${this.#ends[index].side.language} ${index}`,
        limits: given(limits[index]),
        services: [{ name: service, fingerprint: "", methods: methods.slice(0, 4) }],
      };
      return this.#ends[index].side.begin(session);
    };
    await Promise.all([begin(0), begin(1)]);
  }

  async step({ side, deed, pick, size, flag }: Step): Promise<void> {
    const end = this.#ends[side];
    const calls = [...end.model.calls.values()];
    // Most messages are of calls that take one.
    const sending =
      deed === "message" && pick % 16 !== 0 ? calls.filter(({ sends, credit }) => sends && credit > 0) : calls;
    const call = sending[pick % Math.max(1, sending.length)];
    const status: JsonStatus = { code: codes[pick % codes.length] ?? "UNKNOWN", message: `pick ${pick}` };
    switch (deed) {
      case "request": {
        // What a side answers by itself is bounded by its buffer, and all of these may be refused.
        const flying = [...end.model.written, ...end.frames.map(({ frame }) => frame)];
        if (flying.filter(({ kind }) => kind === "REQUEST").length >= mostFlyingRequests) return;
        const method = methods[pick % methods.length] ?? "";
        const isOneMessage = method === "Unary" || method === "ServerStream";
        const header = headerOf(pick, flag);
        const request = { do: "request", service, method, ...header, end: isOneMessage } as const;
        return this.#perform(end, isOneMessage ? { ...request, payload: this.#payload(size) } : request);
      }
      case "message":
        return call && this.#perform(end, this.#message(call, size, flag, pick));
      case "half_close":
      case "expire":
      case "credit":
        return call && this.#perform(end, { do: deed, call: call.id });
      case "end_call":
        return (
          call && this.#perform(end, { do: deed, call: call.id, status: flag ? { code: "OK", message: "" } : status })
        );
      case "cancel":
        return call && this.#perform(end, { do: deed, call: call.id, status });
      case "consume":
        return this.#consume(end, pick);
      case "ping":
        return this.#perform(end, { do: "ping", payload: this.#payload(size % 9) });
      case "log": {
        const record = {
          level: flag ? "INFO" : "ERROR",
          message: `pick ${pick}`,
          logger: "",
          time_ms: size,
          fields: {},
        };
        return this.#perform(end, { do: "log", record });
      }
      case "drain":
        return this.#perform(end, { do: "drain" });
      case "take":
        return this.#take(end);
      case "deliver":
        await this.#take(end);
        return this.#deliver(end, flag ? end.flying.length : Math.min(size, end.flying.length));
    }
  }

  /** Delivers and consumes until nothing more happens. */
  async settle(): Promise<void> {
    for (;;) {
      for (const end of this.#ends) {
        await this.#take(end, true);
        await this.#deliver(end, end.flying.length);
      }
      for (const end of this.#ends) {
        while (end.unread.length > 0) await this.#consume(end, 0);
      }
      const isQuiet = ({ flying, model }: End) => flying.length === 0 && model.written.length === 0;
      if (this.#ends.every(isQuiet)) return;
    }
  }

  /** Both sides have the same calls open, and whoever may send has credit. */
  async checkAgreement(): Promise<void> {
    const ids = this.#ends.map(({ model }) => model.open.map(({ id }) => id).sort((a, b) => a - b));
    check(isDeepStrictEqual(ids[0], ids[1]), `at rest, one side has the calls ${ids[0]} open, the other ${ids[1]}`);
    for (const end of this.#ends) {
      for (const { id, sends, credit } of end.model.open) {
        check(!sends || credit > 0, `at rest, ${end.side.language} has no credit to send in call ${id}`);
        if (sends) await this.#perform(end, { do: "credit", call: id });
      }
    }
  }

  /** Drains both sides; what is open ends as its callee says. */
  async finish(): Promise<void> {
    for (const end of this.#ends) await this.#perform(end, { do: "drain" });
    for (const end of this.#ends) {
      for (const { id, isCallee } of end.model.open) {
        if (isCallee) await this.#perform(end, { do: "end_call", call: id, status: { code: "OK", message: "" } });
      }
    }
    await this.settle();
    for (const { model, side } of this.#ends) {
      check(model.open.length === 0 && model.drainedTold, `${side.language} does not tell that it is drained`);
    }
  }

  async #perform(end: End, operation: Operation): Promise<void> {
    const before = end.model.calls.get("call" in operation ? operation.call : 0);
    const answering = end.side.perform(operation);
    // Asked for at once, so that most operations are one round trip.
    const told = [end.side.event(), end.side.event()];
    const [answer] = await Promise.all([answering, ...told]);
    const expected = end.model.perform(operation, answer);
    const got = answer.fails?.code ?? answer.returns;
    const what = `${end.side.language} answers ${JSON.stringify(answer)} to ${JSON.stringify(operation)}`;
    check(isDeepStrictEqual(got, expected), `${what}, not ${JSON.stringify(expected)}`);
    if (operation.do === "send_message" && answer.fails === undefined && before?.isOpen === true) {
      const outstanding = end.outstanding.get(before.id) ?? 0;
      check(
        outstanding < before.window,
        `${what}, while ${outstanding} bytes are unread and the window has ${before.window}`,
      );
      end.outstanding.set(before.id, outstanding + operation.payload.length / 2);
    }
    await this.#checkEvents(end, told);
  }

  #message(call: ModelCall, size: number, flag: boolean, pick: number): Operation {
    const header = pick % 8 === 0 ? headerOf(pick | 1, true) : {};
    return { do: "send_message", call: call.id, payload: this.#payload(size), end: flag && pick % 3 === 0, ...header };
  }

  async #consume(end: End, pick: number): Promise<void> {
    const chosen = end.unread[pick % Math.max(1, end.unread.length)];
    if (chosen === undefined) return;
    // In a call messages are consumed in order; between calls in any.
    const index = end.unread.findIndex(({ call }) => call === chosen.call);
    const [{ call, bytes } = chosen] = end.unread.splice(index, 1);
    const sender = this.#other(end);
    sender.outstanding.set(call, (sender.outstanding.get(call) ?? 0) - bytes);
    await this.#perform(end, { do: "consume", call, bytes });
  }

  /** Takes what a side has to write; it is exactly what the model has to write. */
  async #take(end: End, isLast = false): Promise<void> {
    if (end.model.written.length === 0 && !isLast) return;
    const taking = end.side.output();
    const told = [end.side.event()];
    const [bytes] = await Promise.all([taking, ...told]);
    const frames = end.cutter.cut(bytes);
    let next = 0;
    for (const frame of end.model.written) {
      const cut = frames[next];
      if (frame.mayBeMissing === true && cut?.kind !== frame.kind) continue;
      check(
        cut !== undefined && isSame(cut, frame),
        `${end.side.language} writes ${JSON.stringify(cut)}, not ${JSON.stringify(frame)}`,
      );
      end.frames.push({ frame, bytes: cut?.bytes ?? 0 });
      next += 1;
    }
    check(
      next === frames.length,
      `${end.side.language} writes ${JSON.stringify(frames[next])}, and nothing is to be written`,
    );
    end.flying = Buffer.concat([end.flying, bytes]);
    end.model.taken();
    await this.#checkEvents(end, told);
  }

  /** Hands bytes to the other side, and the frames that they complete to its model. */
  async #deliver(from: End, bytes: number): Promise<void> {
    const to = this.#other(from);
    const chunk = from.flying.subarray(0, bytes);
    from.flying = from.flying.subarray(bytes);
    const received = to.side.receive(chunk);
    let left = bytes;
    for (let first = from.frames[0]; first !== undefined; first = from.frames[0]) {
      const taken = Math.min(left, first.bytes);
      first.bytes -= taken;
      left -= taken;
      if (first.bytes > 0) break;
      from.frames.shift();
      to.model.receive(first.frame);
    }
    await Promise.all([received, this.#checkEvents(to)]);
  }

  /** The side tells what the model tells, and no more. `told` are the first events that it was asked for. */
  async #checkEvents({ side, model, unread }: End, told: Promise<JsonEvent | null>[] = []): Promise<void> {
    const expected = model.events.splice(0);
    while (told.length < expected.length + 1) told.push(side.event());
    for (const event of await Promise.all(told)) {
      let due = expected.shift() ?? null;
      for (; due?.mayComeLater === true && !isExpected(event, due); due = expected.shift() ?? null)
        model.postponed(due);
      check(isExpected(event, due), `${side.language} tells ${JSON.stringify(event)}, not ${JSON.stringify(due)}`);
      if (event?.type === "message")
        unread.push({ call: Number(event["call"]), bytes: String(event["payload"]).length / 2 });
    }
  }

  #other(end: End): End {
    return end === this.#ends[0] ? this.#ends[1] : this.#ends[0];
  }

  /** Bytes that differ from message to message. */
  #payload(size: number): string {
    this.#messages += 1;
    const bytes = Buffer.alloc(size);
    for (let index = 0; index < size; index += 1) bytes[index] = this.#messages * 31 + index * 7;
    return bytes.toString("hex");
  }
}

function roleOf(index: 0 | 1, firstIsHost: boolean): "host" | "plugin" {
  return (index === 0) === firstIsHost ? "host" : "plugin";
}

/** Only the members that are given. */
function given<T extends object>(limits: T): { [Member in keyof T]?: NonNullable<T[Member]> } {
  return JSON.parse(JSON.stringify(limits));
}

/** With no time left, one time in sixteen. */
function headerOf(pick: number, flag: boolean): { header?: JsonHeader } {
  return flag ? { header: { timeout_ms: pick % 16 === 0 ? 0 : 60_000, metadata: [["pick", String(pick)]] } } : {};
}

function isSame(cut: CutFrame, frame: ModelFrame): boolean {
  return cut.kind === frame.kind && cut.call === frame.call && cut.end === (frame.end === true);
}

/** Compares the members that are expected, of a header or status those that are given. */
function isExpected(event: JsonEvent | null, expected: ModelEvent | null): boolean {
  if (event === null || expected === null) return event === expected;
  const { mayComeLater: _, ...members } = expected;
  return Object.entries(members).every(([member, value]) => {
    const told = event[member];
    if ((member === "status" || member === "header") && isObject(value) && isObject(told)) {
      return Object.entries(value).every(([inner, of]) => isDeepStrictEqual(told[inner], of));
    }
    return isDeepStrictEqual(told, value);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
