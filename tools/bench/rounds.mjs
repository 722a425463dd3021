/** Takes the measurements of one group of tables, whose contenders take turns. */
import { Worker } from "./worker.mjs";

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
    for (const row of rows) await open(row, workers, results, progress);
    for (let round = 0; round <= rounds; round++) {
      const say = (row) =>
        progress(`${round === 0 ? "warming up" : `round ${round} of ${rounds}`}: ${row.run} of ${row.label}`);
      for (const table of group.tables) {
        const turns = table.rows.filter((row) => results.get(row).error === undefined);
        const take = async (row) => {
          say(row);
          await turn(row, workers.get(keyOf(row)), results.get(row), round > 0, ms);
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

/** Lets a contender run once. A row with a probe looks at its process instead of asking it. */
async function turn(row, worker, result, counts, ms) {
  try {
    const { value, p99 } = await (row.probe ? row.probe(worker, ms) : worker.ask(row.run, ms));
    if (!counts) return;
    result.values.push(value);
    if (p99 !== undefined) result.p99s.push(p99);
  } catch (error) {
    result.error = error.message;
  }
}

const keyOf = ({ language, contender }) => `${language} ${contender}`;

/** Starts the row's program, unless another row has. */
async function open(row, workers, results, progress) {
  const key = keyOf(row);
  if (workers.has(key)) {
    results.get(row).error = workers.get(key).failure;
    return;
  }
  progress(`starting ${row.label}`);
  const worker = new Worker(row.language, row.contender);
  workers.set(key, worker);
  try {
    await worker.ready();
  } catch (error) {
    worker.failure = error.message;
    results.get(row).error = error.message;
  }
}
