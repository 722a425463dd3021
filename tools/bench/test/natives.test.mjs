import { afterEach, expect, jest, test } from "@jest/globals";
import { CommandError } from "../../bootstrap/setup/run-command.mjs";
import { extensionStep } from "../natives/natives.mjs";

afterEach(() => jest.restoreAllMocks());

test("extensions that cannot be built are told of, and tried again the next time", async () => {
  const told = jest.spyOn(console, "error").mockImplementation(() => {});
  const remember = jest.fn();
  const command = async (name) => {
    throw new CommandError(`"${name}" ended with status 1`, []);
  };
  await extensionStep("python", { isCurrent: () => false, remember }).run({ command });
  expect(told.mock.calls.flat()).toEqual([
    '  Benchmark extensions: "cargo" ended with status 1',
    '  Benchmark extensions: "python" ended with status 1',
  ]);
  expect(remember).not.toHaveBeenCalled();
});
