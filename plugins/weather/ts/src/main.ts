/** The weather plugin as a program. */

import { serve } from "@anyplug/sdk";
import { plugin } from "./plugin.js";

await serve(plugin);
