/**
 * ELIZA in TypeScript for the differential test: a request a line, `{script?, lines}`, and an answer a line,
 * `{greeting, replies}` or `{error}`. Not readline: it also ends lines at U+2028.
 */
import { Eliza, parseScript } from "../dist/index.js";

function answer({ script, lines }) {
  try {
    const eliza = script === undefined ? new Eliza() : new Eliza(parseScript(script));
    const session = eliza.newSession();
    return { greeting: eliza.greeting, replies: lines.map((line) => session.reply(line)) };
  } catch (error) {
    return { error: String(error.message) };
  }
}

let rest = "";
process.stdin.setEncoding("utf8");
for await (const chunk of process.stdin) {
  const requests = (rest + chunk).split("\n");
  rest = requests.pop();
  for (const request of requests) process.stdout.write(`${JSON.stringify(answer(JSON.parse(request)))}\n`);
}
