from anyplug import JsonTypes
from anyplug_generated.greeter.v1 import GreetRequest
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter

types = JsonTypes([Greeter])
print(types.to_json(GreetRequest(name="Ada")))
print(types.from_json(GreetRequest, '{"name": "Grace"}').name)
print(types.bytes_to_json("greeter.v1.GreetRequest", types.json_to_bytes("greeter.v1.GreetRequest", "{}")))
