from collections.abc import Iterator

from anyplug import Context, define_plugin, implement, serve
from anyplug_generated.greeter.v1 import GreetAllRequest, GreetAllResponse, GreetRequest, GreetResponse
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter, GreeterHandler


class Polite(GreeterHandler):
    def greet(self, request: GreetRequest, context: Context) -> GreetResponse:
        return GreetResponse(text=f"Hello, {request.name}!")

    def greet_all(self, request: GreetAllRequest, context: Context) -> Iterator[GreetAllResponse]:
        for word in ("Hello", "Bonjour", "Ciao"):
            yield GreetAllResponse(text=f"{word}, {request.name}!")


plugin = define_plugin(name="greeter", version="1.0.0", services=[implement(Greeter, Polite())])

if __name__ == "__main__":
    serve(plugin)
