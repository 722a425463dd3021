/** The queue between what receives messages and who reads them. */

import { expect, test } from "@jest/globals";
import { Code } from "../src/code.js";
import { AnyplugError } from "../src/error.js";
import { MessageQueue } from "../src/queue.js";

function queue(): { messages: MessageQueue<number>; log: string[] } {
  const log: string[] = [];
  const messages = new MessageQueue<number>({
    taken: (bytes) => log.push(`taken ${bytes}`),
    abandoned: () => log.push("abandoned"),
    reached() {
      log.push("reached");
      return undefined;
    },
  });
  return { messages, log };
}

const done = { done: true, value: undefined };

test("messages come in order, whether they or their readers were first; bytes are counted when they are taken", async () => {
  const { messages, log } = queue();
  const early = [messages.next(), messages.next()];
  messages.push(1, 10);
  messages.push(2, 20);
  messages.push(3, 30);
  expect(await Promise.all(early)).toEqual([
    { done: false, value: 1 },
    { done: false, value: 2 },
  ]);
  expect(log).toEqual(["taken 10", "taken 20"]);
  expect(await messages.next()).toEqual({ done: false, value: 3 });
  const late = messages.next();
  messages.finish();
  expect(await late).toEqual(done);
  expect(await messages.next()).toEqual(done);
  expect(log).toEqual(["taken 10", "taken 20", "taken 30", "reached"]);
});

test("an error comes after the messages before it, once", async () => {
  const { messages, log } = queue();
  messages.push(1, 1);
  messages.fail(new AnyplugError(Code.Aborted, "no"));
  messages.push(2, 1);
  expect(await messages.next()).toMatchObject({ value: 1 });
  await expect(messages.next()).rejects.toMatchObject({ code: Code.Aborted });
  expect(await messages.next()).toEqual(done);
  expect(log).toEqual(["taken 1", "reached"]);
});

test("of several readers that wait, the first gets the error", async () => {
  const { messages } = queue();
  const results = [messages.next(), messages.next()].map((next) => next.catch(({ code }) => code));
  messages.fail(new AnyplugError(Code.Aborted, "no"));
  expect(await Promise.all(results)).toEqual([Code.Aborted, done]);
});

test("a reader that leaves is told of once, and gets nothing more", async () => {
  const { messages, log } = queue();
  messages.push(1, 1);
  expect(await messages.return()).toEqual(done);
  expect(await messages.return()).toEqual(done);
  messages.push(2, 1);
  expect(await messages.next()).toEqual(done);
  expect(log).toEqual(["abandoned", "reached"]);
});

test("a reader that leaves after the end has taken what it did not read", async () => {
  const { messages, log } = queue();
  messages.push(1, 10);
  messages.push(2, 20);
  messages.finish();
  expect(await messages.return()).toEqual(done);
  expect(await messages.next()).toEqual(done);
  expect(log).toEqual(["taken 10", "taken 20", "reached"]);
});

test("the end can be replaced by an error of the reader's own", async () => {
  const messages = new MessageQueue<number>({
    taken: () => {},
    abandoned: () => {},
    reached: () => new AnyplugError(Code.Unknown, "in the callback"),
  });
  messages.finish();
  await expect(messages.next()).rejects.toMatchObject({ message: "in the callback" });
  expect(await messages.next()).toEqual(done);
});
