import sys

from anyplug import load_plugin
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter

with load_plugin(sys.argv[1] if len(sys.argv) > 1 else "examples/greeter/ts") as plugin:
    greeter = plugin.client(Greeter)
    print(greeter.greet(name="Ada").text)
    for greeting in greeter.greet_all(name="Grace"):
        print(greeting.text)
