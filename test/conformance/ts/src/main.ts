/**
 * The TypeScript codec under test: reads requests of the conformance runner from standard input, each behind its length
 * (u32, little-endian), and answers each the same way on standard output.
 */
import process from "node:process";
import { answer } from "./answer.js";
import { ConformanceRequest, ConformanceResponse } from "./generated/conformance/conformance.js";

let pending: Buffer = Buffer.alloc(0);
process.stdin.on("data", (chunk: Buffer) => {
  pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
  const answers: Uint8Array[] = [];
  while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32LE(0)) {
    const end = 4 + pending.readUInt32LE(0);
    const result = answer(ConformanceRequest.decode(pending.subarray(4, end)));
    pending = pending.subarray(end);
    const response = ConformanceResponse.encode({ result }).finish();
    const length = Buffer.alloc(4);
    length.writeUInt32LE(response.length);
    answers.push(length, response);
  }
  if (answers.length > 0) process.stdout.write(Buffer.concat(answers));
});
