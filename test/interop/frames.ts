/** Cuts what a session writes into frames, by the table of docs/protocol.md and nothing of the cores. */

/** The kinds of frame, by the names of docs/protocol.md. */
export const kinds = [
  "",
  "HELLO",
  "REQUEST",
  "MESSAGE",
  "END",
  "CANCEL",
  "CREDIT",
  "PING",
  "PONG",
  "LOG",
  "GOAWAY",
] as const;

/** The kind of a frame. */
export type Kind = Exclude<(typeof kinds)[number], "">;

/** The header of one frame, and how many bytes of the stream it takes with its payload. */
export interface CutFrame {
  readonly kind: Kind;
  readonly call: number;
  readonly end: boolean;
  readonly bytes: number;
}

const magicBytes = 8;
const headerBytes = 12;

/** One direction of a connection. */
export class FrameCutter {
  #rest: Uint8Array = new Uint8Array(0);
  #started = false;

  /** Returns the frames that `bytes` complete; those of the first include the magic. */
  cut(bytes: Uint8Array): CutFrame[] {
    const data = Buffer.concat([this.#rest, bytes]);
    const frames: CutFrame[] = [];
    let from = 0;
    for (;;) {
      const at = this.#started ? from : magicBytes;
      if (data.length < at + headerBytes) break;
      const to = at + headerBytes + data.readUInt32LE(at);
      if (data.length < to) break;
      const kind = kinds[data.readUInt8(at + 4)];
      if (kind === undefined || kind === "")
        throw new Error(`a session wrote a frame of kind ${data.readUInt8(at + 4)}`);
      const end = (data.readUInt8(at + 5) & 1) !== 0;
      frames.push({ kind, call: data.readUInt32LE(at + 8), end, bytes: to - from });
      this.#started = true;
      from = to;
    }
    this.#rest = data.subarray(from);
    return frames;
  }
}
