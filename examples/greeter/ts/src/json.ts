import { GreetRequest } from "@anyplug/generated/greeter/v1/greeter.js";
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { JsonTypes } from "anyplug";

const types = new JsonTypes([Greeter]);
console.log(types.toJson(GreetRequest, { name: "Ada" }));
console.log(types.fromJson(GreetRequest, '{"name": "Grace"}').name);
console.log(types.bytesToJson("greeter.v1.GreetRequest", types.jsonToBytes("greeter.v1.GreetRequest", "{}")));
