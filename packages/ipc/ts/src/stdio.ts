/** The channel on stdin and stdout, for plugins that can have no descriptors of their own. */

import { Readable, Writable } from "node:stream";

/** The first bytes of each side of a connection. */
const magic = Buffer.from("anyplug\n");
/** Where the kind of the frame lies that follows the magic, and its id, which is 0: both tell a hello from a line that ends in "anyplug". */
const kindOffset = magic.length + 4;
const idOffset = magic.length + 8;
const startBytes = magic.length + 12;
const helloKind = 1;

const none = new Uint8Array(0);

/**
 * Host side: finds the beginning of the channel in what a plugin writes to stdout. What comes before is no part of it: the plugin, or its interpreter, printed it.
 */
export class Prelude {
  readonly #onPrinted: (bytes: Uint8Array) => void;
  readonly #onBegun: () => void;
  #held: Uint8Array | undefined = none;

  /** `onBegun` is called when the channel begins: nothing more was printed. */
  constructor(onPrinted: (bytes: Uint8Array) => void, onBegun: () => void = () => {}) {
    this.#onPrinted = onPrinted;
    this.#onBegun = onBegun;
  }

  /** Returns the bytes that belong to the channel. */
  filter(bytes: Uint8Array): Uint8Array {
    if (this.#held === undefined) return bytes;
    const all = Buffer.concat([this.#held, bytes]);
    for (let start = all.indexOf(magic[0] ?? 0); start >= 0; start = all.indexOf(magic[0] ?? 0, start + 1)) {
      if (!couldBegin(all, start)) continue;
      this.#print(all.subarray(0, start));
      const begun = all.length - start >= startBytes;
      this.#held = begun ? undefined : all.subarray(start);
      if (!begun) return none;
      this.#onBegun();
      return new Uint8Array(all.subarray(start));
    }
    this.#print(all);
    this.#held = none;
    return none;
  }

  /** The stream ended: what looked like a beginning was none. */
  end(): void {
    if (this.#held !== undefined) this.#print(this.#held);
    this.#held = none;
  }

  #print(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#onPrinted(bytes);
  }
}

/** Whether the magic and a hello may stand at `start`, as far as the bytes go. */
function couldBegin(bytes: Uint8Array, start: number): boolean {
  const end = Math.min(bytes.length, start + startBytes);
  for (let at = start; at < end; at++) {
    const offset = at - start;
    const byte = bytes[at];
    if (offset < magic.length && byte !== magic[offset]) return false;
    if (offset === kindOffset && byte !== helloKind) return false;
    if (offset >= idOffset && byte !== 0) return false;
  }
  return true;
}

/**
 * Plugin side: gives the program other standard streams in place of those that are the channel, an empty stdin, and stderr for stdout. So `console.log` and
 * `process.stdout.write` are harmless. What writes to descriptor 1 or reads from descriptor 0 itself (native code, `fs.writeSync(1, …)`) cannot be redirected in Node.
 */
export function redirectStandardStreams(): void {
  const { stderr, stdout } = process;
  // Somebody may hold the stream already: the console keeps the one that it first wrote to.
  Object.assign(stdout, { write: stderr.write.bind(stderr), end: () => stdout });
  Object.defineProperty(process, "stdout", { configurable: true, get: () => stderr });
  const empty = Readable.from([]);
  Object.defineProperty(process, "stdin", { configurable: true, get: () => empty });
}

/** The streams that the program was started with, from `standardStreams`. */
export interface StandardStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Plugin side: takes the standard streams for a protocol that is spoken there, and gives the program others in their place, as `redirectStandardStreams` does.
 */
export function openStandardStreams(): StandardStreams {
  const { stdin, stdout } = process;
  const write = stdout.write.bind(stdout);
  const output = new Writable({ write: (chunk: Uint8Array, _, done) => void write(chunk, (error) => done(error)) });
  // Whoever reads it may go; the writer is told by its own callback.
  stdout.on("error", () => {});
  redirectStandardStreams();
  return { input: stdin, output };
}
