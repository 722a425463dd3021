import { serve } from "@anyplug/sdk";
import { plugin } from "./plugin.js";

await serve(plugin);
