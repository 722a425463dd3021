/** A plugin of the kind that ElizaOS's bridges run: lines of JSON on its standard streams. What it does is told by its argument. */
import { createInterface } from "node:readline";

const mode = process.argv[2] ?? "plain";
const manifest = {
  name: "strange",
  version: "1.0.0",
  language: "typescript",
  actions: [{ name: "ECHO", description: "Echoes", similes: ["REPEAT"] }, { name: "FAIL" }, { name: "NEVER" }],
  providers: [{ name: "TIME", dynamic: true, position: 3 }],
  evaluators: [{ name: "JUDGE", alwaysRun: true }],
  services: [{ type: "clock" }],
  routes: [{ path: "/now", method: "GET", isMultipart: false }],
  unknownMember: { x: 1 },
};
const write = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

if (mode === "exits") {
  console.error("no database");
  process.exit(3);
}
console.log("Starting up…");
console.log('{"almost": "a message"}');
if (mode !== "silent" && mode !== "methods") write({ type: "ready", manifest });

const waiting = [];
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (mode === "methods") method(request);
  else message(request);
}

function message(request) {
  const { type, id } = request;
  switch (type) {
    case "plugin.init":
      if (request.config.refuse) return write({ type: "plugin.init.result", id, success: false, error: "no key" });
      return write({ type: "plugin.init.result", id, success: true });
    case "action.validate":
      return write({ type: "validate.result", id, valid: request.memory.content.text !== "no" });
    case "action.invoke":
      if (request.action === "NEVER") return;
      if (request.action === "FAIL")
        return write({ type: "error", id: "", error: "Something broke", details: { line: 7 } });
      if (mode === "reversed") return reversed(request);
      return echo(request);
    case "provider.get":
      return write({ type: "provider.result", id, result: { text: "noon", values: { h: 12 }, data: null } });
    case "evaluator.invoke":
      return write({ type: "action.result", id, result: null });
    case "service.start":
      return write({ type: "service.response", id, success: request.service === request.serviceType });
    case "service.stop":
      return write({ type: "service.result", id, success: false, error: "it is stuck" });
    case "route.handle":
      return write({
        type: "route.result",
        id,
        result: { status: 202, headers: { "x-a": "1" }, body: { seen: request.request.query } },
      });
    default:
      return write({ type: "error", id, error: `Unknown request type: ${type}` });
  }
}

/** Answers in pieces that cut characters in two. */
function echo({ id, memory, state, options }) {
  const bytes = Buffer.from(
    `${JSON.stringify({ type: "action.result", id, result: { success: true, text: memory.content.text, data: { memory, state, options } } })}\n`,
  );
  if (bytes.length > 10_000) return process.stdout.write(bytes);
  for (const byte of bytes) process.stdout.write(Buffer.of(byte));
}

function reversed(request) {
  waiting.push(request);
  if (waiting.length < 1000) return;
  for (const { id, memory } of waiting.reverse()) {
    write({ type: "action.result", id, result: { success: true, text: memory.content.text } });
  }
}

function method({ id, method: name, params }) {
  switch (name) {
    case "getManifest":
      return write({ id, result: manifest });
    case "init":
      return write({ id, result: true });
    case "validateAction":
      return write({ id, result: { valid: params.name === "ECHO" } });
    case "invokeAction":
      return params.name === "FAIL"
        ? write({ id, error: "broke" })
        : write({ id, result: { success: true, text: params.memory.content.text } });
    case "validateEvaluator":
      return write({ id, result: false });
    case "generateResponse":
      return write({ id, result: `you said ${params.input}` });
    default:
      return write({ id, error: `Unknown method: ${name}` });
  }
}
