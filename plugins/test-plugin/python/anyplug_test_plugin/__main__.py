"""The test plugin as a program: `python -m anyplug_test_plugin`, started by a host."""

from anyplug import serve

from .plugin import plugin

serve(plugin)
