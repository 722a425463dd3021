/** The plugin as a program, started by a host. */

import { serve } from "@anyplug/sdk";
import { plugin } from "./plugin.js";

await serve(plugin);
