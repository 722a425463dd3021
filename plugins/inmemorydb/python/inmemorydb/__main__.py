"""The plugin as a program: `python -m inmemorydb`, started by a host."""

import os

# numpy reads it when it is imported. The products are small, or wait for memory: more threads only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from anyplug import serve

from .plugin import plugin

serve(plugin)
