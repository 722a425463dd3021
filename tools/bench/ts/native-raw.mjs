/** Native code that is called without anyplug: a C function by koffi, and an addon by napi-rs. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import koffi from "koffi";
import { extensionLog, napiAddon } from "../natives/natives.mjs";
import { contender, operation } from "./clock.mjs";

/** The bytes of each echo. */
export const SIZES = { echo64: 64, echo64k: 64 << 10 };

/** @param {string} name "napi", or "ffi-raw", which is koffi */
export function start(_, name) {
  const echo = name === "napi" ? addon() : copies;
  return contender(each((data) => (ms) => operation(ms, echo(data))));
}

/** A run for each size; `batch` calls take about as long as a look at the clock is worth. */
export function each(run) {
  const data = (size) => new Uint8Array(new ArrayBuffer(Math.max(size, 128)), 0, size).fill(7);
  return Object.fromEntries(
    Object.entries(SIZES).map(([name, size]) => [name, run(data(size), size > 4096 ? 1 : 100)]),
  );
}

export function checked(echo, data) {
  if (echo.length !== data.length) throw new Error("an echo of another size");
}

/** A C function that copies the bytes to where its caller wants them. */
function copies(data) {
  const library = koffi.load(process.platform === "win32" ? "ucrtbase.dll" : null);
  const copy = library.func("memcpy", "uint64_t", ["uint64_t", "uint64_t", "uint64_t"]);
  const room = new Uint8Array(new ArrayBuffer(Math.max(data.length, 128)));
  const [to, from] = [room, data].map((bytes) => Number(koffi.address(bytes)));
  return () => copy(to, from, data.length);
}

/** A function that takes a Buffer and returns another with the same bytes. */
function addon() {
  if (!existsSync(napiAddon)) throw new Error(`${napiAddon} is not there: it could not be built; see ${extensionLog}`);
  const { echo } = createRequire(import.meta.url)(napiAddon);
  return (data) => {
    const buffer = Buffer.from(data.buffer, data.byteOffset, data.length);
    return () => checked(echo(buffer), buffer);
  };
}
