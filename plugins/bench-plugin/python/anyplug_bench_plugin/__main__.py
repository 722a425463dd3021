"""The benchmark's plugin as a program: `python -m anyplug_bench_plugin`, started by a host."""

from anyplug import serve

from .plugin import plugin

serve(plugin)
