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
 * Returns the channel to the host, or undefined when this process was not started by one. The variable that names it is removed, so that no child of this process
 * takes the channel for its own.
 *
 * @throws AnyplugError FAILED_PRECONDITION when the variable is malformed or names descriptors that are not open.
 */
export function openHostChannel(env: Record<string, string | undefined> = process.env): PipeChannel | undefined {
  const value = env[channelVariable];
  if (value === undefined) return undefined;
  delete env[channelVariable];
  if (value === "stdio") {
    const channel = open(value, 0, 1);
    redirectStandardStreams();
    return channel;
  }
  const [, read, write] = /^fd:(\d+),(\d+)$/.exec(value) ?? [];
  if (read === undefined || write === undefined) {
    throw unusable(value, 'expected "fd:R,W" with two descriptors, or "stdio"');
  }
  return open(value, Number(read), Number(write));
}

/** Node sets close-on-exec on the descriptors that it was started with, so that the plugin's own children do not hold the channel. */
function open(value: string, read: number, write: number): PipeChannel {
  try {
    const input = descriptorInput(read, read === write);
    const output = read === write ? input.socket : new Socket({ fd: write, readable: false, writable: true });
    return new PipeChannel(input, output, options);
  } catch (error) {
    throw unusable(value, error instanceof Error ? error.message : String(error), error);
  }
}

function unusable(value: string, why: string, cause?: unknown): AnyplugError {
  const message = `${channelVariable} is ${JSON.stringify(value)}: ${why}; a plugin is started by its host`;
  return new AnyplugError(Code.FailedPrecondition, message, { cause });
}
