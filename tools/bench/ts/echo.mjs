/** A child that does no more with bytes than a plugin must: it reads them and writes them back, on the descriptors that it is given (default 0 and 1). */
import { Socket } from "node:net";
import process from "node:process";

const [input, output] = [Number(process.argv[2] ?? 0), Number(process.argv[3] ?? 1)];
const reader = new Socket({ fd: input, readable: true, writable: input === output });
const writer = input === output ? reader : new Socket({ fd: output, readable: false, writable: true });
reader.on("data", (bytes) => writer.write(bytes));
reader.on("end", () => writer.end());
