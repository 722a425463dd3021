/** An async call of the language, beside which a direct call stands. */
import { contender, measurements, SMALL } from "./clock.mjs";

const handler = { echo: async ({ data }) => ({ data }) };
const data = new Uint8Array(SMALL).fill(7);

export function start() {
  const { latency, throughput } = measurements({
    // As it is called where it is a plugin's.
    async echo(size) {
      const response = await handler.echo({ data });
      if (response.data.length !== size) throw new Error("an echo of another size");
    },
    batch: 20,
  });
  return contender({ latency, throughput });
}
