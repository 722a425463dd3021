/** A plugin in this process. */

import { AnyplugError, Code } from "@anyplug/core";
import type { Instance } from "./instance.js";
import type { LoadOptions } from "./options.js";
import type { Plan } from "./plan.js";

export async function loadDirect(plan: Plan, _options: LoadOptions): Promise<Instance> {
  throw new AnyplugError(Code.Unimplemented, `${plan.file}: direct`);
}
