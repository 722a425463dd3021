/** One cell of the matrix: a plugin in some language over some transport, as this host sees it. */

import { fileURLToPath } from "node:url";
import { implement, type LogRecord } from "@anyplug/core";
import { Host, Secret, Test, type TestClient } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { type LoadOptions, loadPlugin, type Plugin, type TransportName } from "@anyplug/host";
import { TestHost } from "./host.js";
import { certificatesOf, Served } from "./served.js";

const folders = { typescript: "ts", python: "python", rust: "rust", c: "c", go: "go" } as const;
/** A machine may be slow; no behaviour is about how long a start takes. */
const startTimeoutMs = 120_000;

/** A plugin that most behaviours share. It is loaded with the host's services, and without any grant. */
export class Cell {
  readonly host = new TestHost();
  readonly logs = new Logs();
  readonly name: string;
  #shared: Promise<Plugin> | undefined;
  #served: Promise<Served> | undefined;

  constructor(
    readonly language: keyof typeof folders,
    readonly transport: TransportName,
  ) {
    this.name = `${language} over ${transport}`;
  }

  /** A plugin of the caller's own. */
  async load(options: LoadOptions = {}): Promise<Plugin> {
    const folder = fileURLToPath(new URL(`../../../plugins/test-plugin/${folders[this.language]}`, import.meta.url));
    const { transport } = this;
    if (transport === "unix" || transport === "tcp" || transport === "tls") {
      this.#served ??= Served.start(folder, transport);
    }
    const place = (await this.#served)?.address ?? folder;
    const tls = transport === "tls" ? certificatesOf("host") : undefined;
    return loadPlugin(place, { transport, hostName: "matrix", startTimeoutMs, tls, ...options });
  }

  /** A plugin of the caller's own, to which the host offers its services. */
  loadWithServices(options: LoadOptions = {}): Promise<Plugin> {
    return this.load({ services: [implement(Host, this.host), implement(Secret, this.host)], ...options });
  }

  /** The plugin that behaviours share which leave it as it was. */
  plugin(): Promise<Plugin> {
    this.#shared ??= this.loadWithServices({ onLog: this.logs.take });
    return this.#shared;
  }

  async client(): Promise<TestClient> {
    return (await this.plugin()).client(Test);
  }

  async close(): Promise<void> {
    await (await this.#shared)?.close();
    await (await this.#served)?.stop();
  }
}

/** What a plugin logged and printed. */
export class Logs {
  readonly #records: LogRecord[] = [];
  #waiting: (() => void)[] = [];

  readonly take = (record: LogRecord): void => {
    this.#records.push(record);
    for (const resolve of this.#waiting.splice(0)) resolve();
  };

  /** Waits for a record with this message. */
  async find(message: string): Promise<LogRecord> {
    for (;;) {
      const record = this.#records.find((one) => one.message === message);
      if (record !== undefined) return record;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
