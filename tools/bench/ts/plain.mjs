/** An async call of the language, beside which a direct call stands. */
import { contender, measurements, SMALL } from "./clock.mjs";

const handler = { echo: async ({ data }) => ({ data }) };
const data = new Uint8Array(SMALL).fill(7);

export function start() {
  const { latency, throughput } = measurements({ echo: () => handler.echo({ data }), batch: 20 });
  return contender({ latency, throughput });
}
