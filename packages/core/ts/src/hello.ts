/** The first frame of each side: who it is, what it accepts, what it serves. */

import { Hello as WireHello } from "@anyplug/protocol/anyplug/wire/v1/hello.js";
import { Code } from "./code.js";
import { decodeMessage, encodeMessage } from "./codec.js";
import { AnyplugError } from "./error.js";
import { type LimitOptions, type Limits, mergeLimits } from "./limits.js";

/** "anyplug" and a newline: the first bytes of each side. */
export const magic: Uint8Array = Uint8Array.from("anyplug\n", (character) => character.charCodeAt(0));

/** The newest version of the protocol that this library speaks. */
export const protocolVersion = 1;
/** The oldest version of the protocol that this library speaks. */
export const minProtocolVersion = 1;

/** A service that a side offers. */
export interface ServiceEntry {
  readonly name: string;
  /** Empty for services of the protocol itself. */
  readonly fingerprint: string;
  /** The names of its methods, in the order of the schema. */
  readonly methods: readonly string[];
}

/** A service that a side means to call. */
export interface ServiceUse {
  readonly name: string;
  readonly fingerprint: string;
}

/** What one side says of itself. */
export interface Hello {
  readonly protocol: number;
  readonly minProtocol: number;
  readonly name: string;
  readonly version: string;
  readonly runtime: string;
  /** What the sender accepts; maxBufferBytes is not sent. */
  readonly limits: Limits;
  readonly services: readonly ServiceEntry[];
  readonly uses: readonly ServiceUse[];
  /** Of a host, where a set of plugins is served at one address: the name of the one that it wants. Empty: the only one. */
  readonly plugin: string;
  /** Of a host, over a socket: the plugin's configuration, a JSON object. Empty: none. */
  readonly config: string;
}

/** Returns the payload of a HELLO. */
export function encodeHello(hello: Hello): Uint8Array {
  const { maxMessageBytes, maxPendingRequests, initialCreditBytes } = hello.limits;
  return encodeMessage(WireHello, {
    ...hello,
    limits: { maxMessageBytes, maxPendingRequests, initialCreditBytes },
    services: hello.services.map(({ name, fingerprint, methods }) => ({ name, fingerprint, methods: [...methods] })),
    uses: hello.uses.map(({ name, fingerprint }) => ({ name, fingerprint })),
  });
}

/**
 * Reads the payload of a HELLO.
 *
 * @throws Error when it is none.
 */
export function decodeHello(bytes: Uint8Array): Hello {
  const wire = decodeMessage(WireHello, bytes);
  const { protocol, minProtocol, name, version, runtime, services, uses, plugin, config } = wire;
  const limits = mergeLimits(wire.limits as LimitOptions | undefined);
  return { protocol, minProtocol, name, version, runtime, limits, services, uses, plugin, config };
}

/**
 * Returns the version that both sides speak.
 *
 * @throws AnyplugError FAILED_PRECONDITION when there is none.
 */
export function negotiateVersion(peer: Pick<Hello, "protocol" | "minProtocol" | "name">): number {
  const version = Math.min(protocolVersion, peer.protocol);
  if (version >= minProtocolVersion && version >= peer.minProtocol) return version;
  const theirs = `"${peer.name}" speaks anyplug protocol ${peer.minProtocol} to ${peer.protocol}`;
  const ours = `this side ${minProtocolVersion} to ${protocolVersion}`;
  throw new AnyplugError(Code.FailedPrecondition, `${theirs}, ${ours}; update the older one`);
}

/** The most methods that a table can have: their index is a u16 on the wire. */
export const maxMethods = 65_535;

/** The methods that a side serves, by their index on the wire. */
export class MethodTable {
  /** All methods, in the order of their services. */
  readonly entries: readonly { readonly service: string; readonly method: string }[];
  readonly #indexes = new Map<string, Map<string, number>>();

  /** @throws AnyplugError INVALID_ARGUMENT when there are more methods than a table can have. */
  constructor(services: readonly ServiceEntry[]) {
    const entries: { service: string; method: string }[] = [];
    for (const service of services) {
      const indexes = this.#indexes.get(service.name) ?? new Map<string, number>();
      this.#indexes.set(service.name, indexes);
      for (const method of service.methods) {
        if (!indexes.has(method)) indexes.set(method, entries.length);
        entries.push({ service: service.name, method });
      }
    }
    if (entries.length > maxMethods) {
      const message = `${entries.length} methods are served, and a connection has at most ${maxMethods}`;
      throw new AnyplugError(Code.InvalidArgument, message);
    }
    this.entries = entries;
  }

  /**
   * Returns the index of a method.
   *
   * @throws AnyplugError UNIMPLEMENTED when there is none; `owner` says whose table it is.
   */
  find(service: string, method: string, owner: string): number {
    const methods = this.#indexes.get(service);
    const index = methods?.get(method);
    if (index !== undefined) return index;
    if (methods !== undefined) {
      const message = `"${owner}" has no method ${service}/${method}; it has ${[...methods.keys()].join(", ")}`;
      throw new AnyplugError(Code.Unimplemented, message);
    }
    const offered = [...this.#indexes.keys()].slice(1).join(", ") || "nothing";
    throw new AnyplugError(Code.Unimplemented, `"${owner}" does not serve ${service}; it serves ${offered}`);
  }
}
