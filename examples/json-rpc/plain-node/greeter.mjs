// A plugin in plain JavaScript: it reads JSON-RPC from stdin, and writes it to stdout, a message a line.

import { createInterface } from "node:readline";

const methods = {
  "greeter.v1.GreeterService/Greet": ({ name = "" }) => ({ text: `Hello, ${name}!` }),
  "greeter.v1.GreeterService/GreetAll": ({ name = "" }, send) => {
    for (const word of ["Hello", "Bonjour", "Ciao"]) send({ text: `${word}, ${name}!` });
    return null;
  },
};

function write(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

async function answer({ id, method, params = {} }) {
  if (id === undefined) return; // a notification, such as $/cancel
  if (!Object.hasOwn(methods, method)) {
    write({ id, error: { code: -32601, message: `there is no ${method}` } });
    return;
  }
  try {
    const send = (value) => write({ method: "$/message", params: { id, value } });
    write({ id, result: await methods[method](params, send) });
  } catch (error) {
    write({ id, error: { code: -32603, message: error.message } });
  }
}

createInterface({ input: process.stdin }).on("line", (line) => answer(JSON.parse(line)));
