"""``python -m anyplug.run_library LIBRARY``: the process of a plugin that is a shared library, started by a host."""

from __future__ import annotations

import sys

from . import _native

__all__ = ("main",)


def main() -> int:
    """Serves the plugin in a library to the host that has started this process; returns the status of the process."""
    return _native.run_library(sys.argv[1] if len(sys.argv) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
