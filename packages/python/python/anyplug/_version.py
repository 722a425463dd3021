"""What this package tells of itself."""

import sys

__all__ = ("RUNTIME", "VERSION")

VERSION = "0.1.0"
RUNTIME = f"python {sys.version.split()[0]} anyplug/{VERSION}"
"""Told in the hello; for people and logs only."""
