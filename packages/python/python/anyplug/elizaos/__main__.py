"""Serves a plugin that was written for ElizaOS's Python runtime, unchanged, to any host of anyplug.

``python -m anyplug.elizaos MODULE[:ATTRIBUTE]`` is the ``ipcCommand`` of a plugin.json. ATTRIBUTE is the plugin, or a
function without parameters that returns it; by default ``plugin`` or ``default``, as ElizaOS looks for it, else the
only plugin that the module has. ``python -m anyplug.elizaos LIBRARY`` serves a shared library (.so, .dylib, .dll) with
ElizaOS's C ABI.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence
from typing import Any

from .._error import AnyplugError
from .._sdk import define_plugin
from .._serve import serve
from ..agent import AgentPluginDefinition, agent_plugin
from ._library import load_rust_plugin
from ._published import published_plugin

__all__ = ("main",)


def main(arguments: Sequence[str]) -> None:
    """Imports the module that the first argument names, or loads the library, and serves its plugin.

    Raises SystemExit when there is no argument, or no plugin in the module or library.
    """
    if len(arguments) != 1:
        sys.exit("usage: python -m anyplug.elizaos MODULE[:ATTRIBUTE], or python -m anyplug.elizaos LIBRARY")
    definition = _definition(arguments[0])
    serve(define_plugin(name=_plain(definition.name), version="0.0.0", services=[agent_plugin(definition)]))


def _definition(argument: str) -> AgentPluginDefinition:
    if argument.endswith((".so", ".dylib", ".dll")):
        try:
            return load_rust_plugin(argument).definition
        except AnyplugError as error:
            sys.exit(str(error.message))
    name, _, attribute = argument.partition(":")
    return published_plugin(_find(importlib.import_module(name), attribute))


def _find(module: Any, attribute: str) -> Any:  # noqa: ANN401 - ElizaOS's own class
    kind: type[Any] = importlib.import_module("elizaos.types.plugin").Plugin
    if attribute:
        found = getattr(module, attribute, None)
        found = found() if callable(found) and not isinstance(found, kind) else found
        if not isinstance(found, kind):
            sys.exit(f"{module.__name__} has no plugin of ElizaOS {attribute!r}")
        return found
    for usual in ("plugin", "default"):
        if isinstance(getattr(module, usual, None), kind):
            return getattr(module, usual)
    others = {name: value for name, value in vars(module).items() if isinstance(value, kind)}
    if len(others) != 1:
        names = ", ".join(others) or "none"
        sys.exit(
            f"{module.__name__} binds no plugin of ElizaOS to plugin; others it has: {names}. Name one after a colon"
        )
    return next(iter(others.values()))


def _plain(name: str) -> str:
    """The name as plugin.json has it."""
    plain = re.sub(r"[^a-z0-9-]", "-", name.lower().rpartition("/")[2])
    return plain if re.match(r"[a-z]", plain) else f"plugin-{plain}"


if __name__ == "__main__":
    main(sys.argv[1:])
