"""The database as a plugin: each one that is loaded begins empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyplug import Implementation, define_plugin, implement
from anyplug_generated.inmemorydb.v1.inmemorydb_anyplug import InMemoryDb

from ._database import Database

__all__ = ["plugin"]


def _services(_config: Mapping[str, Any]) -> list[Implementation]:
    return [implement(InMemoryDb, Database())]


plugin = define_plugin(name="inmemorydb", version="0.1.0", services=_services)
"""The plugin. It has no configuration."""
