/** Which index a method has in the peer's table, and whether the schemas of both sides fit; found out once per service. */

import { createClient } from "../client.js";
import { Code } from "../code.js";
import type { ServiceDescriptor } from "../descriptor.js";
import { AnyplugError } from "../error.js";
import type { Hello, ServiceEntry } from "../hello.js";
import { checkCompatible } from "../negotiation.js";
import { Reflection } from "../reflection.js";
import type { Session } from "../session.js";
import type { Transport } from "../transport.js";

/** The index of each method of a service in the peer's table; undefined for one that the peer lacks. */
export type Binding = readonly (number | undefined)[];

/** What is known of the services that stubs were generated for. */
export class Bindings {
  readonly #session: Session;
  readonly #transport: Transport;
  readonly #ready = new Map<ServiceDescriptor, Binding>();
  /** What was asked for last: mostly it is the next as well, and needs no look at the map. */
  #last: { readonly service: ServiceDescriptor; readonly binding: Binding } | undefined;
  readonly #checking = new Map<ServiceDescriptor, Promise<Binding>>();

  /** `transport` is the connection of the session. */
  constructor(session: Session, transport: Transport) {
    this.#session = session;
    this.#transport = transport;
  }

  /** The binding of a service, when nothing has to happen before a call. */
  ready(service: ServiceDescriptor): Binding | undefined {
    const last = this.#last;
    return last !== undefined && last.service === service ? last.binding : this.#find(service);
  }

  /** The binding of a service, when it can be found without asking the peer: its hello has come, and the schemas are known to be the same. */
  now(service: ServiceDescriptor): Binding | undefined {
    const ready = this.ready(service);
    if (ready !== undefined) return ready;
    const offered = this.#session.peer?.services.find(({ name }) => name === service.name);
    if (offered === undefined || !haveSameSchema(service.fingerprint, offered.fingerprint)) return undefined;
    return this.#bound(service, offered);
  }

  /**
   * Compares the schemas of a service, once. The peer's hello must have come.
   *
   * @throws AnyplugError (rejects) UNIMPLEMENTED when the peer does not serve it, FAILED_PRECONDITION when the schemas are not compatible, UNAVAILABLE when the connection ends.
   */
  bind(service: ServiceDescriptor): Promise<Binding> {
    const ready = this.#ready.get(service);
    if (ready !== undefined) return Promise.resolve(ready);
    let checking = this.#checking.get(service);
    if (checking === undefined) {
      checking = this.#check(service);
      this.#checking.set(service, checking);
      checking.catch((error: unknown) => {
        // A schema does not change; that it could not be fetched may.
        const { code } = AnyplugError.from(error);
        if (code !== Code.FailedPrecondition && code !== Code.Unimplemented) this.#checking.delete(service);
      });
    }
    return checking;
  }

  /**
   * Compares what the peer uses, as the caller, with what this side serves.
   *
   * @throws AnyplugError (rejects) FAILED_PRECONDITION when the schemas are not compatible.
   */
  async checkUses({ uses }: Hello, served: (name: string) => ServiceDescriptor | undefined): Promise<void> {
    for (const { name, fingerprint } of uses) {
      const service = served(name);
      if (service === undefined || haveSameSchema(fingerprint, service.fingerprint)) continue;
      checkCompatible(name, await this.#fetchDescriptors(name), service.descriptorSet());
    }
  }

  #find(service: ServiceDescriptor): Binding | undefined {
    const binding = this.#ready.get(service);
    if (binding !== undefined) this.#last = { service, binding };
    return binding;
  }

  async #check(service: ServiceDescriptor): Promise<Binding> {
    const first = service.methods[0]?.name ?? "";
    const offered = this.#session.peer?.services.find(({ name }) => name === service.name);
    // The words of the error say what the peer has instead, or why there is no peer.
    if (offered === undefined) this.#session.methodIndex(service.name, first);
    else if (!haveSameSchema(service.fingerprint, offered.fingerprint)) {
      checkCompatible(service.name, service.descriptorSet(), await this.#fetchDescriptors(service.name));
    }
    return this.#bound(service, offered);
  }

  #bound(service: ServiceDescriptor, offered: ServiceEntry | undefined): Binding {
    const binding = service.methods.map(({ name }) => {
      return offered?.methods.includes(name) ? this.#session.methodIndex(service.name, name) : undefined;
    });
    this.#ready.set(service, binding);
    return binding;
  }

  async #fetchDescriptors(service: string): Promise<Uint8Array> {
    try {
      const client = createClient(Reflection, this.#transport);
      const { fileDescriptorSet } = await client.getDescriptors({ services: [service] });
      return fileDescriptorSet;
    } catch (error) {
      const { code, message } = AnyplugError.from(error);
      const peer = this.#session.peer?.name ?? "";
      throw new AnyplugError(code, `the schema of ${service} at "${peer}" cannot be had: ${message}`, { cause: error });
    }
  }
}

/** Whether the schemas are known to be the same, or one side says nothing of its own. */
function haveSameSchema(one: string, other: string): boolean {
  return one === other || one === "" || other === "";
}
