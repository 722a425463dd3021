"""What this package tells of itself."""

import platform

__all__ = ("RUNTIME", "VERSION")

VERSION = "0.1.0"
RUNTIME = f"python {platform.python_version()} anyplug/{VERSION}"
"""Told in the hello; for people and logs only."""
