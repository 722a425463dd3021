/** The link to a plugin whose instances are replaced when they fail. */

import {
  AnyplugError,
  type CallOptions,
  Code,
  type Connection,
  createClient,
  type Link,
  type MethodDescriptor,
  type PeerInfo,
  type ServiceDescriptor,
} from "@anyplug/core";
import { LazyStream } from "@anyplug/core/transports";

/** One instance and the connection to it. */
export interface Member {
  readonly connection: Connection;
  /** Whether no call can be made by it any more. */
  readonly ended: boolean;
}

/** Carries calls to one instance after the other, or to several at once. An instance that has failed is replaced by the next call. */
export class WasmLink implements Link {
  readonly opened: Promise<PeerInfo>;
  readonly closed: Promise<AnyplugError>;
  readonly #make: () => Member;
  readonly #members: (Member | undefined)[];
  /** All whose connection has not ended, with those that drain. */
  readonly #living = new Set<Connection>();
  /** Why no calls are made any more. */
  #over: AnyplugError | undefined;
  /** No instance is replaced any more, and those that there are say that they drain. */
  #isDraining = false;
  #onClosed: (reason: AnyplugError) => void = () => {};

  /**
   * Makes the first instance.
   *
   * @param make makes an instance with a connection to it
   * @param instances how many share the calls
   * @throws AnyplugError when it failed.
   */
  constructor(make: () => Member, instances: number) {
    this.#make = make;
    this.#members = new Array<Member | undefined>(instances).fill(undefined);
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    this.opened = this.#member().opened;
  }

  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return createClient(service, this);
  }

  unary<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O> {
    try {
      return this.#member().unary(method, request, options);
    } catch (error) {
      return Promise.reject(AnyplugError.from(error, Code.Internal));
    }
  }

  unarySync<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): O {
    return this.#member().unarySync(method, request, options);
  }

  stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): AsyncIterableIterator<O> {
    return new LazyStream(() => this.#member().stream(method, requests, options));
  }

  async negotiate(service: ServiceDescriptor): Promise<void> {
    await this.#member().negotiate(service);
  }

  async negotiateUses(): Promise<void> {
    await this.#member().negotiateUses();
  }

  /** Waits for the answer to a ping: what an instance says against its start comes before. @throws AnyplugError (rejects) why it ended. */
  async ping(): Promise<void> {
    const connection = this.#member();
    await connection.ping().catch(async () => {
      throw await connection.closed;
    });
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#over ??= new AnyplugError(Code.Unavailable, "the plugin is draining: it takes no new calls");
    await Promise.all([...this.#living].map((connection) => connection.drain()));
  }

  close(reason: AnyplugError = new AnyplugError(Code.Unavailable, "this side closed the connection")): void {
    this.#end(reason, (connection) => connection.close(reason));
  }

  /** Ends the link now, in these words for whoever calls from this side. */
  end(reason: AnyplugError): void {
    this.#end(reason, (connection) => connection.end(reason));
  }

  #end(reason: AnyplugError, endOne: (connection: Connection) => void): void {
    this.#over = new AnyplugError(Code.Unavailable, `the connection ended: ${reason.message}`);
    for (const connection of this.#living) endOne(connection);
    this.#onClosed(reason);
  }

  /** The connection for the next call. */
  #member(): Connection {
    const first = this.#members[0];
    if (this.#members.length === 1 && first !== undefined && isUsable(first)) return first.connection;
    if (this.#isDraining && first !== undefined && !first.ended) return first.connection;
    if (this.#over !== undefined) throw this.#over;
    return this.#leastBusy();
  }

  /** That of the instance with the fewest open calls: a new one, while there are not all of them, and none is idle. */
  #leastBusy(): Connection {
    let chosen: Connection | undefined;
    let free = -1;
    for (const [index, member] of this.#members.entries()) {
      if (member === undefined || !isUsable(member)) {
        if (free < 0) free = index;
      } else if (chosen === undefined || member.connection.openCalls < chosen.openCalls) {
        chosen = member.connection;
      }
    }
    if (chosen !== undefined && (free < 0 || chosen.openCalls === 0)) return chosen;
    return this.#replace(free);
  }

  #replace(index: number): Connection {
    const member = this.#make();
    const { connection } = member;
    this.#members[index] = member;
    this.#living.add(connection);
    void connection.closed.then(() => this.#living.delete(connection));
    return connection;
  }
}

function isUsable({ connection, ended }: Member): boolean {
  return !ended && !connection.isDraining;
}
