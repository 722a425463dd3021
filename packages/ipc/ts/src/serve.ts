/** Plugin side: opens the channel that the host named in the environment. */

import { Socket } from "node:net";
import { AnyplugError, Code } from "@anyplug/core";
import { channelVariable } from "./environment.js";
import { descriptorInput, PipeChannel, type PipeOptions } from "./pipe.js";
import { redirectStandardStreams } from "./stdio.js";

const options: PipeOptions = {
  whyEnded: (cause) => new AnyplugError(Code.Unavailable, "the host closed the channel", { cause }),
};

/**
 * Opens the channel of this process, or returns undefined when there is none: the program was not started by a host. The variable that names it is removed, so that
 * no child of this process takes the channel for its own.
 *
 * With the channel on stdin and stdout, the program gets other streams in their place: from then on `process.stdin` is empty, and what is written to `process.stdout`
 * goes to stderr.
 *
 * @throws AnyplugError INVALID_ARGUMENT for a variable that cannot be read; FAILED_PRECONDITION when a descriptor is not open.
 */
export function openChannel(env: Record<string, string | undefined> = process.env): PipeChannel | undefined {
  const value = env[channelVariable];
  if (value === undefined) return undefined;
  delete env[channelVariable];
  if (value === "stdio") {
    const channel = channelOn(0, 1);
    redirectStandardStreams();
    return channel;
  }
  const [, read, write] = /^fd:(\d+),(\d+)$/.exec(value) ?? [];
  if (read === undefined || write === undefined) {
    const message = `${channelVariable} is ${JSON.stringify(value)}; expected "fd:R,W" or "stdio"`;
    throw new AnyplugError(Code.InvalidArgument, message);
  }
  return channelOn(Number(read), Number(write));
}

/** Node sets close-on-exec on the descriptors that it was started with, so that the plugin's own children do not hold the channel. */
function channelOn(read: number, write: number): PipeChannel {
  const input = opened(read, () => descriptorInput(read, read === write));
  const output = read === write ? input.socket : opened(write, () => new Socket({ fd: write, readable: false }));
  return new PipeChannel(input, output, options);
}

function opened<T>(descriptor: number, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    const message =
      `${channelVariable} names descriptor ${descriptor}, which is not open or neither a pipe nor a socket: ` +
      "was this program started by something that the host started?";
    throw new AnyplugError(Code.FailedPrecondition, message, { cause });
  }
}
