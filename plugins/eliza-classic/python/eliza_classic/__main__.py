"""ELIZA as a program: `python -m eliza_classic`, started by a host."""

from anyplug import serve

from .plugin import plugin

serve(plugin)
