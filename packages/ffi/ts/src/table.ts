/** The table of a plugin: `anyplug_plugin_table` of anyplug.h. */

import { AnyplugError, type Hello } from "@anyplug/core";
import { decodeHello } from "@anyplug/core/transports";
import { refused } from "./failure.js";
import { Room, Struct } from "./memory.js";
import type { Address, CallFunction, Native } from "./native.js";

/** The version of the ABI that this host speaks. */
export const abiVersion = 1;

const field = { size: 0, version: 4, hello: 8, helloLength: 16 } as const;
const functions = { open: 24, recv: 32, call: 40, release: 48, close: 56 } as const;
/** Bytes of the table of version 1: what is behind them is not looked at. */
const tableBytes = 64;
/** The longest hello that is taken for one, in bytes. */
const longestHello = 1_048_576;

/** The functions of a plugin. */
export interface Table {
  open(host: Address): Address;
  recv(instance: Address, data: Address, length: number): void;
  readonly call: CallFunction;
  release(owner: Address, data: Address, length: number): void;
  /** Resolves with what the function returned, which runs in another thread: who sends meanwhile is heard. */
  close(instance: Address): Promise<number>;
}

/**
 * Reads the table at an address.
 *
 * @throws AnyplugError FAILED_PRECONDITION when it is none, or of another version.
 */
export function readTable(native: Native, address: Address, place: string): { table: Table; hello: Hello } {
  if (address === 0) {
    const why = "anyplug_plugin returned null, as one of Rust does that has no #[plugin], or several";
    throw refused(place, `has no plugin for this machine: ${why}`);
  }
  const head = new Struct(native, tableBytes);
  native.copy(head.address, address, field.hello);
  const [size, version] = [head.word(field.size), head.word(field.version)];
  if (version !== abiVersion) {
    const both = `version ${version} of the ABI of anyplug.h, and this host speaks ${abiVersion}`;
    throw refused(place, `speaks ${both}; build it with the SDK of this version`);
  }
  if (size < tableBytes) {
    throw refused(place, `has a table of ${size} bytes, and version ${version} has ${tableBytes}`);
  }
  native.copy(head.address, address, tableBytes);
  const absent = Object.entries(functions).filter(([, offset]) => head.pointer(offset) === 0);
  if (absent.length > 0) {
    throw refused(place, `has a table in which a function is missing: ${absent.map(([name]) => name).join(", ")}`);
  }
  const hello = readHello(native, head.pointer(field.hello), head.pointer(field.helloLength), place);
  const at = (name: keyof typeof functions) => head.pointer(functions[name]);
  const make = native.functions;
  const close = make.close(at("close"));
  const table = {
    open: make.open(at("open")),
    recv: make.recv(at("recv")),
    call: make.call(at("call")),
    release: make.release(at("release")),
    close: (instance: Address) =>
      new Promise<number>((resolve, reject) => {
        close.async(instance, (error, result) => (error == null ? resolve(result) : reject(error)));
      }),
  };
  return { table, hello };
}

function readHello(native: Native, address: Address, length: number, place: string): Hello {
  if (address === 0 || length > longestHello) {
    const what = address === 0 ? "it is at null" : `it has ${length} bytes, and may have ${longestHello}`;
    throw refused(place, `has a table whose hello is none: ${what}`);
  }
  const room = new Room(native, Math.max(length, 1));
  native.copy(room.address, address, length);
  let hello: Hello;
  try {
    hello = decodeHello(room.bytes.subarray(0, length));
  } catch (error) {
    throw refused(place, `has a table whose hello is none: ${AnyplugError.from(error).message}`);
  }
  if (hello.name !== "" && hello.version !== "") return hello;
  throw refused(place, "has a table whose hello is none: it has no name or no version");
}
