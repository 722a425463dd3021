/** Calls over a connection. */

import { describe } from "@jest/globals";
import { AnyplugError } from "../src/error.js";
import type { Link } from "../src/transport.js";
import { behaviours, type Setup } from "./behaviours.js";
import { connectInMemory } from "./pair.js";

async function connect(setup: Setup): Promise<Link> {
  const { host } = connectInMemory(setup);
  await host.opened;
  return host;
}

const error = (...parts: ConstructorParameters<typeof AnyplugError>) => new AnyplugError(...parts);

describe("over whole chunks", () => {
  behaviours({ connect, error });
});

describe("over single bytes, in memory that is used again", () => {
  behaviours({
    error,
    async connect(setup) {
      const { host, channels } = connectInMemory(setup);
      const reused = new Uint8Array(1);
      for (const channel of channels) {
        channel.tamper = function* (chunk) {
          for (const byte of chunk) {
            reused[0] = byte;
            yield reused;
            reused[0] = 0xee;
          }
        };
      }
      await host.opened;
      return host;
    },
  });
});
