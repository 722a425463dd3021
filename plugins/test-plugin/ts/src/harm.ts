/** What a plugin can do to its own process. */

import { type HarmRequest, HarmRequest_Kind as Kind } from "@anyplug/generated/anyplug/test/v1/test.js";
import { AnyplugError, Code, type HandlerContext } from "@anyplug/sdk";

/** Does what the request says, and returns what there is to tell if the process survives it. */
export async function harm({ kind, text, number }: HarmRequest, context: HandlerContext): Promise<string> {
  switch (kind) {
    case Kind.KIND_EXIT:
      return process.exit(number);
    case Kind.KIND_KILL:
      process.kill(process.pid, "SIGKILL");
      return "";
    case Kind.KIND_STDOUT:
      process.stdout.write(text);
      return "";
    case Kind.KIND_STDERR:
      process.stderr.write(text);
      return "";
    case Kind.KIND_LOG:
      context.log("info", text);
      return "";
    case Kind.KIND_HANG:
      // A WebAssembly module has nothing to wait on: it turns in circles.
      for (;;) if (typeof Atomics !== "undefined") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    case Kind.KIND_STDIN:
      return readAll(process.stdin);
    default:
      throw new AnyplugError(Code.InvalidArgument, `kind: expected a kind of harm, got ${kind}`);
  }
}

async function readAll(stream: AsyncIterable<string | Buffer>): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of stream) chunks.push(chunk.toString());
  return chunks.join("");
}
