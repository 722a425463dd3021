/** Host side: the channel to a plugin's process, which knows why it ended. */

import { AnyplugError, Code } from "@anyplug/core";
import { PipeChannel, streamInput } from "./pipe.js";
import type { PluginProcess } from "./process.js";
import { Prelude } from "./stdio.js";

/** Milliseconds from the end of the channel to that of the process; one that takes longer is ended. A busy machine takes its time from one to the other. */
const exitGraceMs = 5000;

/**
 * Returns the channel to `process`. Its end tells what became of the process, with its exit status or signal and its last lines; what `when` returns goes behind the verb.
 */
export function processChannel(process: PluginProcess, when = (): string => ""): PipeChannel {
  const { input, output } = process.channel;
  const source = streamInput(input);
  const prelude = process.stdio
    ? new Prelude(
        (bytes) => process.printed(bytes),
        () => process.printedAll(),
      )
    : undefined;
  const channel = new PipeChannel(source, input === output ? source.socket : output, {
    filter: prelude && ((bytes) => prelude.filter(bytes)),
    async whyEnded(cause) {
      prelude?.end();
      if (prelude !== undefined) process.printedAll();
      await process.endsWithin(exitGraceMs);
      const message = `plugin "${process.name}" ${process.describe(when())}`;
      process.kill();
      return new AnyplugError(Code.Unavailable, message, { cause });
    },
  });
  // What is in the channel is all there is, though a grandchild in a session of its own may hold it open.
  process.exited.then(() => channel.finish());
  return channel;
}
