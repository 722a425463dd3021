"""Finds a plugin's definition in this process."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ._code import Code
from ._error import AnyplugError
from ._sdk import PluginDefinition

__all__ = ("find_library", "load_definition")


def find_library(module: str) -> str | None:
    """Returns the file of a module that is a shared library, or of the one of a package's own name within it.

    The module is not run, but the packages that it is in are. None when there is no such file.
    """
    try:
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.submodule_search_locations is not None:
            own = f"{module}.{module.rpartition('.')[2]}"
            spec = importlib.machinery.PathFinder.find_spec(own, spec.submodule_search_locations)
    except (ImportError, ValueError):
        return None
    is_library = spec is not None and isinstance(spec.loader, importlib.machinery.ExtensionFileLoader)
    return spec.origin if spec is not None and is_library else None


def load_definition(folder: Path, module: str, manifest: Path) -> PluginDefinition:
    """Returns what ``plugin`` is bound to in a module: a dotted name, looked for in the folder first, or a path in it.

    Raises AnyplugError: NOT_FOUND when there is no such module, FAILED_PRECONDITION when it cannot be imported, holds
    no plugin, or when another module of that name was imported before, INVALID_ARGUMENT for a path out of the folder.
    """
    where = f"{manifest}: interop.module {module!r}"
    imported = _import_file(folder, module, where) if "/" in module else _import_name(folder, module, where)
    plugin = getattr(imported, "plugin", None)
    if not isinstance(plugin, PluginDefinition):
        raise AnyplugError(
            Code.FAILED_PRECONDITION, f"{where} binds no plugin: it needs a line like plugin = define_plugin(…)"
        )
    return plugin


def _import_name(folder: Path, name: str, where: str) -> ModuleType:
    if str(folder) not in sys.path:
        # For good: what the plugin imports later lies there too.
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
    own = _own_file(folder, name)
    imported = _import(name, where)
    if own is not None and imported.__file__ is not None and Path(imported.__file__).resolve() != own:
        raise AnyplugError(
            Code.FAILED_PRECONDITION,
            f"{where} was imported from {imported.__file__} before: two modules of one name do not go in one process,"
            ' so load this plugin with transport "process"',
        )
    return imported


def _own_file(folder: Path, name: str) -> Path | None:
    """The file of that name in the plugin's own folder, if it is there."""
    base = folder.joinpath(*name.split("."))
    for file in (base / "__init__.py", base.with_suffix(".py")):
        if file.is_file():
            return file.resolve()
    return None


def _import_file(folder: Path, path: str, where: str) -> ModuleType:
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise AnyplugError(Code.INVALID_ARGUMENT, f"{where} leaves the plugin's folder")
    name = f"_anyplug_plugin_{abs(hash(file)):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise AnyplugError(Code.NOT_FOUND, f"{where}: there is no module {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, Exception):
            raise _broken(where, error) from error
        raise
    return module


def _import(name: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            raise AnyplugError(Code.NOT_FOUND, f"{where}: there is no module of that name") from error
        raise _broken(where, error) from error
    except Exception as error:
        raise _broken(where, error) from error


def _broken(where: str, error: Exception) -> AnyplugError:
    return AnyplugError(Code.FAILED_PRECONDITION, f"{where} cannot be imported: {type(error).__name__}: {error}")
