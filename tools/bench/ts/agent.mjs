/** An action of an agent's plugin, invoked by anyplug's own host. */
import { Registration } from "@anyplug/contracts/agent";
import { loadPlugin } from "anyplug";
import { contender, measurements, SMALL } from "./clock.mjs";

const message = { content: { text: "m".repeat(SMALL) } };
const state = { text: "", values: { rain: true }, data: {} };

/** Loads the weather plugin of a language as a child process, or with none the one in TypeScript in this process. */
export async function start(language) {
  const plugin = await loadPlugin(`plugins/weather/${language ?? "ts"}`, {
    transport: language ? "process" : "direct",
  });
  const weather = await Registration.of(plugin);
  const { latency, throughput } = measurements({
    async echo() {
      const { success } = await weather.invokeAction("UMBRELLA", { message, state });
      if (!success) throw new Error("the action failed");
    },
  });
  return contender({ latency, throughput }, () => plugin.close());
}
