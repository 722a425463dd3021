"""A plugin in plain Python: it reads JSON-RPC from stdin, and writes it to stdout, a message a line."""

import json
import sys
from functools import partial


def greet(params, send):
    return {"text": f"Hello, {params.get('name', '')}!"}


def greet_all(params, send):
    for word in ("Hello", "Bonjour", "Ciao"):
        send({"text": f"{word}, {params.get('name', '')}!"})


methods = {"greeter.v1.GreeterService/Greet": greet, "greeter.v1.GreeterService/GreetAll": greet_all}


def write(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def send(number, value):
    write(method="$/message", params={"id": number, "value": value})


for line in sys.stdin:
    request = json.loads(line)
    number, method = request.get("id"), methods.get(request["method"])
    if number is None:
        continue  # a notification, such as $/cancel
    if method is None:
        write(id=number, error={"code": -32601, "message": f"there is no {request['method']}"})
        continue
    try:
        write(id=number, result=method(request.get("params", {}), partial(send, number)))
    except Exception as error:
        write(id=number, error={"code": -32603, "message": str(error)})
