/** The program of a plugin that is a shared library and runs in a process of its own: `node run-library.js LIBRARY`. It knows nothing of what is said. */

import { relayLibrary } from "@anyplug/ffi";
import { openChannel } from "@anyplug/ipc";

const [, , library = ""] = process.argv;
const channel = openChannel();
if (channel === undefined) {
  process.stderr.write(
    'This program is started by a host that loads a library with isolation "process"; there is nothing to be done here.\n',
  );
  process.exit(64);
}
await relayLibrary(library, channel);
process.exit(0);
