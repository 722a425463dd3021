/** An agent with one plugin, in TypeScript and in Rust, as the tests of published plugins drive it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { AgentRuntime } from "@anyplug/contracts/agent";
import { loadPlugin } from "anyplug";

const grants = ["agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events"];

/** By the language of the agent. Each takes `{folder, python, env, config}`, and returns what asks its plugin and what closes it, which returns the plugin's logs. */
export const agents = { TypeScript: inTypeScript, Rust: inRust };

async function inTypeScript({ folder, python, env, config }) {
  const agent = new AgentRuntime({ name: "Ada" });
  await agent.registerPlugin({ name: "host", models: { TEXT_SMALL: () => "la la" } });
  const logs = [];
  const onLog = ({ message }) => logs.push(message);
  const plugin = await loadPlugin(folder, {
    services: agent.services,
    grants,
    python,
    env,
    onLog,
    startTimeoutMs: 60_000,
  });
  const { name } = await agent.registerPlugin(plugin, { config });
  return {
    name,
    async useModel(model, params) {
      const pieces = [];
      return { answer: await agent.useModel(model, params, (piece) => pieces.push(piece)), pieces };
    },
    async act(action, { text, data }, options = {}) {
      const said = [];
      const onContent = (content) => said.push(content.text);
      const responses = [{ content: { actions: [action] } }];
      const [{ result }] = await agent.processActions({ content: { text, data } }, responses, { options, onContent });
      return { result, said };
    },
    emitEvent: (event, payload) => agent.emitEvent(event, payload),
    async close() {
      await agent.unregisterPlugin(name);
      await plugin.close();
      return logs;
    },
  };
}

async function inRust(start) {
  const program = join(import.meta.dirname, "..", "..", "target", "fast", "elizaos-host");
  const host = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: host.stdout })[Symbol.asyncIterator]();
  const ended = once(host, "close");
  const heard = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`the host in Rust has ended: ${await ended}`);
    const { error, ...answer } = JSON.parse(value);
    if (error !== undefined) throw new Error(error);
    return answer;
  };
  const ask = (request) => {
    host.stdin.write(`${JSON.stringify(request)}\n`);
    return heard();
  };
  const { plugin: name } = await ask(start);
  return {
    name,
    useModel: (model, params) => ask({ model, params }),
    act: (action, message, options = {}) => ask({ action, message, options }),
    emitEvent: (event, payload) => ask({ event, payload }),
    async close() {
      host.stdin.end();
      const { logs } = await heard();
      await ended;
      return logs;
    },
  };
}
