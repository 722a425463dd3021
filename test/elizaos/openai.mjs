/** A server on this machine that answers as the one that the published plugin `openai` asks. */
import { createServer } from "node:http";

/** Returns its address, and a function that ends it. */
export async function serveOpenai() {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const asked = JSON.parse(body);
      const { input, messages = [], stream = false } = asked;
      const text = messages.at(-1)?.content ?? "";
      if (request.headers.authorization !== "Bearer sk-of-a-test")
        return response.writeHead(401).end('{"error":{"message":"no key"}}');
      if (request.url.endsWith("/embeddings"))
        return answer({
          object: "list",
          model: "m",
          data: [{ object: "embedding", index: 0, embedding: [input.length, 0.5] }],
          usage: usage(),
        });
      if (!stream)
        return answer({
          ...whole(),
          choices: [{ index: 0, message: { role: "assistant", content: `You said: ${text}` }, finish_reason: "stop" }],
        });
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const word of text.split(" "))
        response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: word } }] })}\n\n`);
      response.end("data: [DONE]\n\n");
    });
    const usage = () => ({ prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 });
    const whole = () => ({ id: "c", object: "chat.completion", created: 1, model: "m", usage: usage() });
    const answer = (value) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}
