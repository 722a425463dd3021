/** Channels over streams, whatever these are. */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { AnyplugError, Code } from "@anyplug/core";
import { expect, test } from "@jest/globals";
import { PipeChannel, streamInput } from "../src/pipe.js";

/** A stream without a handle that could be taken over, whose other end is written to and read by hand. */
class Stream extends Duplex {
  written = "";
  override _read(): void {}
  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.written += bytes;
    setImmediate(done);
  }
}

function channel(stream: Stream) {
  const input = streamInput(stream as unknown as Socket);
  const whyEnded = (cause?: Error) => new AnyplugError(Code.Unavailable, `gone: ${cause?.message ?? "no error"}`);
  const pipe = new PipeChannel(input, input.socket, { whyEnded });
  const seen = { text: "", drained: 0, copies: true };
  const closed = new Promise<string>((resolve) => {
    pipe.open({
      data: (bytes) => {
        seen.text += Buffer.from(bytes);
        seen.copies &&= bytes.slice().buffer !== bytes.buffer;
      },
      drain: () => {
        seen.drained += 1;
      },
      closed: (reason) => resolve(reason.message),
    });
  });
  return { pipe, seen, closed };
}

test("a stream whose handle cannot be taken over is read and written all the same", async () => {
  const stream = new Stream();
  const { pipe, seen, closed } = channel(stream);
  stream.push("hello");
  pipe.write([Buffer.from("a"), Buffer.from("b")]);
  pipe.close();
  expect(await closed).toBe("the channel was closed");
  expect(seen.text).toBe("hello");
  expect(seen.copies).toBe(true);
  expect(stream.written).toBe("ab");
});

test("a channel that has enough says so, and says when it takes more", async () => {
  const stream = new Stream();
  const { pipe, seen, closed } = channel(stream);
  expect(pipe.write([Buffer.from("a")])).toBe(true);
  expect(pipe.write([Buffer.alloc(1 << 20)])).toBe(false);
  while (seen.drained === 0) await new Promise((resolve) => setImmediate(resolve));
  pipe.close();
  await closed;
});

test("the end of a stream is told with its cause, once, and what is written later is dropped", async () => {
  const stream = new Stream();
  const { pipe, closed } = channel(stream);
  stream.destroy(new Error("EPIPE"));
  expect(await closed).toBe("gone: EPIPE");
  expect(pipe.lost?.message).toBe("gone: EPIPE");
  expect(pipe.write([Buffer.from("late")])).toBe(true);
  expect(stream.written).toBe("");
});
