"""Defines a plugin: a value that says what it is and what it serves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ._code import Code
from ._descriptor import ServiceDescriptor
from ._error import AnyplugError
from ._handler import Implementation
from ._limits import Limits

__all__ = ("PluginDefinition", "PluginServices", "define_plugin")

PluginServices: TypeAlias = Iterable[Implementation] | Callable[[Mapping[str, Any]], Iterable[Implementation]]
"""What a plugin serves, or a function that returns it for the configuration which the host gave.

A function that raises refuses to start: the host's load fails with its message.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginDefinition:
    """A plugin, ready to be served or to be loaded into the same process. `define_plugin` makes one."""

    name: str
    version: str
    services: PluginServices
    uses: tuple[ServiceDescriptor[Any, Any, Any], ...] = ()
    limits: Limits | None = None
    eager: bool = False

    def implementations(self, config: Mapping[str, Any]) -> tuple[Implementation, ...]:
        """Returns what the plugin serves with this configuration."""
        return tuple(self.services(config) if callable(self.services) else self.services)


def define_plugin(
    *,
    name: str,
    version: str,
    services: PluginServices,
    uses: Iterable[ServiceDescriptor[Any, Any, Any]] = (),
    limits: Limits | None = None,
    eager: bool = False,
) -> PluginDefinition:
    """Returns a plugin. Bind it to ``plugin`` in the module that plugin.json names, and pass it to `serve`.

    ``name``: lower-case letters, digits and dashes, beginning with a letter; the name in plugin.json.
    ``uses``: the services of the host that the plugin calls; their schemas are compared when it is loaded.
    ``limits``: what the plugin accepts; by default what its host does.
    ``eager``: asynchronous handlers run to their first wait where their call was read, several times faster; before
    Python 3.12 they must not begin with `asyncio.timeout` or `asyncio.TaskGroup` then. From 3.12 on they always do.

    Raises AnyplugError (INVALID_ARGUMENT) for a name that plugin.json could not have.
    """
    if not re.fullmatch("[a-z][a-z0-9-]*", name):
        raise AnyplugError(
            Code.INVALID_ARGUMENT,
            f"the plugin's name is {name!r}; expected lower-case letters, digits and dashes, beginning with a letter",
        )
    kept = services if callable(services) else tuple(services)
    return PluginDefinition(name=name, version=version, services=kept, uses=tuple(uses), limits=limits, eager=eager)
