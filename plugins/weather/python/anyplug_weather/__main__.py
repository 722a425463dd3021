"""The weather plugin as a program: `python -m anyplug_weather`, started by a host."""

from anyplug import serve

from .plugin import plugin

serve(plugin)
