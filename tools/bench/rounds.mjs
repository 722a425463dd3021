/** Takes the measurements of one group of tables, whose contenders take turns. */
import { Worker } from "./worker.mjs";

/** So many programs start at a time. */
const STARTING = 3;

/** How much longer than others the round is that warms up: JavaScript is compiled while it runs. */
const WARM_UP = { typescript: 5, python: 2, rust: 1 };

/**
 * @param {object} group its tables, each with rows that name a language, a contender and what it runs
 * @param {{ rounds: number, ms: number }} pace how many rounds count, and how long one is; one more warms up
 * @param {(text: string) => void} progress told what is being done
 * @returns {Promise<Map<object, { values: number[], p99s: number[], error?: string }>>} what each row came to
 */
export async function measure(group, { rounds, ms }, progress) {
  const rows = group.tables.flatMap((table) => table.rows);
  const results = new Map(rows.map((row) => [row, { values: [], p99s: [] }]));
  const workers = new Map();
  try {
    await startAll(rows, workers, progress);
    for (const row of rows) results.get(row).error = workers.get(keyOf(row)).failure;
    for (let round = 0; round <= rounds; round++) {
      const say = (row) =>
        progress(`${round === 0 ? "warming up" : `round ${round} of ${rounds}`}: ${row.run} of ${row.label}`);
      for (const table of group.tables) {
        const turns = table.rows.filter((row) => results.get(row).error === undefined && (round > 0 || warmsUp(row)));
        const take = async (row) => {
          say(row);
          await turn(row, workers.get(keyOf(row)), results.get(row), round, ms);
        };
        if (table.together) await Promise.all(turns.map(take));
        else for (const row of turns) await take(row);
      }
    }
  } finally {
    await Promise.all([...workers.values()].map((worker) => worker.close()));
  }
  return results;
}

/** A load, and a generator, is a process anew each time, and what a process uses at rest needs no practice. */
const warmsUp = ({ run, probe }) =>
  !["load", "instances", "instance-memory", "generate", "import"].includes(run) && probe === undefined;

/** Lets a contender run once. A row with a probe looks at its process instead of asking it. */
async function turn(row, worker, result, round, ms) {
  try {
    const length = round === 0 && row.kind !== "limit" ? ms * WARM_UP[row.language] : ms;
    const { value, p99 } = await (row.probe ? row.probe(worker, length) : worker.ask(row.run, length));
    if (round === 0) return;
    result.values.push(value);
    if (p99 !== undefined) result.p99s.push(p99);
  } catch (error) {
    result.error = error.message;
  }
}

const keyOf = ({ language, contender }) => `${language} ${contender}`;

/** Starts the program of each row; rows may share one. One that does not start has the reason as its `failure`. */
async function startAll(rows, workers, progress) {
  const waiting = rows.filter((row, index) => rows.findIndex((other) => keyOf(other) === keyOf(row)) === index);
  const lane = async () => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      progress(`starting ${row.label}`);
      const worker = new Worker(row.language, row.contender);
      workers.set(keyOf(row), worker);
      await worker.ready().catch((error) => {
        worker.failure = error.message;
      });
    }
  };
  await Promise.all(Array.from({ length: STARTING }, lane));
}
