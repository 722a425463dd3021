"""Serves the plugin of a module that is no program by itself.

``python -m anyplug.run MODULE[:ATTRIBUTE]``, where MODULE is a dotted name or the path of a file, and ATTRIBUTE what
the plugin is bound to, by default ``plugin``; or a module that is a plugin in Rust. Hosts start it for a plugin that is
given by such a name.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ._module import find_library
from ._sdk import PluginDefinition
from ._serve import serve

__all__ = ("main",)


def main(arguments: Sequence[str]) -> None:
    """Imports the module that the first argument names, and serves its plugin.

    Raises SystemExit when there is no argument, no such module, or no plugin in it.
    """
    if len(arguments) != 1:
        sys.exit("usage: python -m anyplug.run MODULE[:ATTRIBUTE]")
    name, _, attribute = arguments[0].partition(":")
    module = _import_file(Path(name)) if "/" in name or name.endswith(".py") else importlib.import_module(name)
    plugin: object = module
    bound = attribute or "plugin"
    for part in bound.split("."):
        plugin = getattr(plugin, part, None)
    if not isinstance(plugin, PluginDefinition):
        if not attribute and callable(getattr(module, "serve", None)) and find_library(name) is not None:
            # A plugin in Rust that is a module as well serves itself.
            sys.exit(module.serve())
        sys.exit(f"{module.__file__} binds no plugin to {bound}: it needs a line like plugin = define_plugin(…)")
    serve(plugin)


def _import_file(file: Path) -> ModuleType:
    # As if it were the program: what lies beside it can be imported.
    sys.path.insert(0, str(file.resolve().parent))
    name = file.stem if file.stem not in sys.modules else f"_anyplug_plugin_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        sys.exit(f"there is no module {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1:])
