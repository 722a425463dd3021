/** The server of the grpc-js contender: on the address that it is given, until its standard input ends; it prints the address once it can be reached. */
import process from "node:process";
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { definition } from "./grpc-definition.mjs";

const { BenchService } = loadPackageDefinition(definition).anyplug.bench.v1;
const server = new Server();
server.addService(BenchService.service, {
  Echo: ({ request }, callback) => callback(null, { data: request.data }),
  Count: async (call) => {
    const data = Buffer.alloc(call.request.size);
    for (let sent = 0; sent < call.request.count; sent++) {
      if (!call.write({ data })) await new Promise((resolve) => call.once("drain", resolve));
    }
    call.end();
  },
});
server.bindAsync(process.argv[2], ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${process.argv[2].replace(/:0$/, `:${port}`)}\n`);
});
process.stdin.resume().on("end", () => process.exit());
