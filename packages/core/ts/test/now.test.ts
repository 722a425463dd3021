/** Calls that go to their peer the short way, as a session sees them. */

import { expect, test } from "@jest/globals";
import { Code } from "../src/code.js";
import type { LimitOptions } from "../src/limits.js";
import { type Role, Session } from "../src/session.js";
import { failure } from "../src/status.js";

const services = [{ name: "demo.v1.Service", fingerprint: "", methods: ["Call"] }];

function session(role: Role, limits: LimitOptions = {}): Session {
  return new Session({ role, name: role, version: "1", runtime: "", services, uses: [], limits });
}

/** A host and a plugin that know each other. */
function pair(pluginLimits: LimitOptions = {}): { host: Session; plugin: Session } {
  const host = session("host");
  const plugin = session("plugin", pluginLimits);
  move(host, plugin);
  move(plugin, host);
  events(host);
  events(plugin);
  return { host, plugin };
}

function move(from: Session, to: Session): void {
  for (const chunk of from.takeOutput()) to.receive(chunk);
}

function events(of: Session): object[] {
  const all: object[] = [];
  for (let event = of.nextEvent(); event !== undefined; event = of.nextEvent()) {
    all.push("status" in event ? { type: event.type, call: "call" in event ? event.call : 0, ...event.status } : event);
  }
  return all;
}

test("a claimed call has the next id, writes nothing, and is forgotten when its peer has answered", () => {
  const { host } = pair();
  const first = host.requestAt(0, { end: true });
  expect([host.claimCall(10), host.claimCall(10)]).toEqual([first + 2, first + 4]);
  expect(host.requestAt(0, { end: true })).toBe(first + 6);
  expect(host.openCalls).toBe(2);
});

test("a call is refused the short way for what it would be refused by frames", () => {
  const { host } = pair({ maxMessageBytes: 100, maxPendingRequests: 1 });
  expect(() => host.claimCall(101)).toThrow(expect.objectContaining({ code: Code.ResourceExhausted }));
  host.adoptCall(host.claimCall(100), 100, undefined);
  expect(() => host.claimCall(1)).toThrow(expect.objectContaining({ code: Code.ResourceExhausted }));
  expect(() => session("host").claimCall(1)).toThrow(expect.objectContaining({ code: Code.FailedPrecondition }));
  host.drain();
  expect(() => host.claimCall(1)).toThrow(expect.objectContaining({ code: Code.Unavailable }));
});

test("an adopted call is open until its answer comes by frames, and can be cancelled", () => {
  const { plugin } = pair();
  const answered = plugin.claimCall(0);
  plugin.adoptCall(answered, 0, "answered");
  const cancelled = plugin.claimCall(0);
  plugin.adoptCall(cancelled, 0, "cancelled");
  expect([...plugin.openOwners()]).toEqual(["answered", "cancelled"]);
  plugin.receive(Uint8Array.of(2, 0, 0, 0, 3, 1, 0, 0, answered, 0, 0, 0, 0x0a, 0x00));
  expect(events(plugin)).toMatchObject([{ type: "message", call: answered, end: true }]);
  plugin.cancel(cancelled, failure(Code.Cancelled, "enough"));
  expect(plugin.outputBytes).toBeGreaterThan(0);
  expect(plugin.openCalls).toBe(0);
});

test("a peer that failed at a call ends that one with the reason, and the others with UNAVAILABLE", () => {
  const reason = failure(Code.Internal, "it trapped");
  const lost = { type: "end", code: Code.Unavailable, message: "the connection ended: it trapped" };
  const told = { type: "end", code: Code.Internal, message: "it trapped" };
  const closed = { type: "closed", code: Code.Internal };
  const { host } = pair();
  const [one, two] = [host.requestAt(0, { end: true }), host.requestAt(0, { end: true })];
  host.peerFailed(reason, two);
  expect(events(host)).toMatchObject([{ ...told, call: two }, { ...lost, call: one }, closed]);

  const unknown = pair().host;
  for (const _ of [1, 2]) unknown.requestAt(0, { end: true });
  unknown.peerFailed(reason, 0);
  expect(events(unknown)).toMatchObject([lost, lost, closed]);

  const only = pair().host;
  only.requestAt(0, { end: true });
  only.peerFailed(reason, 0);
  expect(events(only)).toMatchObject([told, closed]);
});
