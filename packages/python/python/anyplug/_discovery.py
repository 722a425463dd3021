"""Finds plugins: those that are registered, at given paths, in folders, among npm packages and entry points."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from . import _native
from ._code import Code
from ._error import AnyplugError, to_error
from ._sdk import PluginDefinition

__all__ = (
    "Discovery",
    "FoundPlugin",
    "PluginFailure",
    "PluginSource",
    "discover_plugins",
    "register_builtin",
    "unregister_builtin",
)

PluginSource = Literal["builtin", "path", "folder", "npm", "python"]
"""How a plugin was found."""

_StrPath: TypeAlias = str | os.PathLike[str]

_GROUPS = ("anyplug.plugins", "jusu.plugins")

_registered: dict[str, PluginDefinition] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlugin:
    """A plugin that was found, and can be loaded.

    ``origin``: what it was found in: the path as given, the folder, the npm package, the entry point.
    ``path``: what `load_plugin` takes for it. ``python``: the Python program that it is installed for.
    """

    name: str
    source: PluginSource
    origin: str
    path: str
    folder: Path
    language: str
    dependencies: tuple[str, ...] = ()
    python: str | None = None
    definition: PluginDefinition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFailure:
    """A plugin that was found and cannot be used, or could not be loaded. Its name, if that is known."""

    name: str | None
    source: PluginSource
    origin: str
    error: AnyplugError


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found. What is broken does not hinder the others."""

    plugins: tuple[FoundPlugin, ...]
    failures: tuple[PluginFailure, ...]


def register_builtin(plugin: PluginDefinition) -> None:
    """Registers a plugin that is part of this program: `discover_plugins` finds it first, and it is loaded here.

    Raises AnyplugError (ALREADY_EXISTS) when one of this name is registered.
    """
    if plugin.name in _registered:
        raise AnyplugError(Code.ALREADY_EXISTS, f'a builtin plugin "{plugin.name}" is registered already')
    _registered[plugin.name] = plugin


def unregister_builtin(name: str) -> bool:
    """Takes a registered plugin back. Returns whether it was registered."""
    return _registered.pop(name, None) is not None


def discover_plugins(
    *,
    paths: Iterable[_StrPath] = (),
    folders: Iterable[_StrPath] = (),
    npm: bool | Iterable[_StrPath] = False,
    python: bool | Iterable[_StrPath] = True,
) -> Discovery:
    """Looks for plugins, in the order: registered ones, paths, folders, npm, Python. Nothing is started or imported.

    ``paths``: what `load_plugin` takes, but for addresses.
    ``folders``: folders of plugins; each folder in them that holds a plugin.json is one.
    ``npm``: packages with the keyword ``anyplug-plugin``; True for those in the node_modules of the working folder and
    of all above it, or the folders whose node_modules to read.
    ``python``: entry points ``anyplug.plugins`` and ``jusu.plugins``; True for those of this Python, or the folders of
    environments.

    Of plugins with one name the first counts, and the others are failures with ALREADY_EXISTS.
    """
    environments = None if isinstance(python, bool) else list(python) or None
    found, failed = _native.discover(list(paths), list(folders), _folders(npm), environments)
    candidates = [*_builtins(), *(_found(*parts) for parts in found)]
    failures = [
        PluginFailure(name=name, source=_source(source), origin=origin, error=error)
        for name, source, origin, error in failed
    ]
    if python is True:
        for entry_point in _entry_points():
            origin = f"{entry_point.group} {entry_point.name} = {entry_point.value}"
            try:
                candidates.append(_of_entry_point(entry_point, origin))
            except Exception as error:
                failures.append(PluginFailure(name=None, source="python", origin=origin, error=to_error(error)))
    plugins: dict[str, FoundPlugin] = {}
    for plugin in candidates:
        before = plugins.setdefault(plugin.name, plugin)
        if before.path != plugin.path:
            message = f'plugin "{plugin.name}" was found before: {before.source} {before.origin}'
            twice = AnyplugError(Code.ALREADY_EXISTS, message)
            failures.append(PluginFailure(name=plugin.name, source=plugin.source, origin=plugin.origin, error=twice))
    return Discovery(tuple(plugins.values()), tuple(failures))


def _folders(npm: bool | Iterable[_StrPath]) -> list[_StrPath] | None:
    """As the native module takes them: nothing in the list for the default."""
    if isinstance(npm, bool):
        return [] if npm else None
    return list(npm) or None


def _builtins() -> Iterator[FoundPlugin]:
    for name, definition in _registered.items():
        yield FoundPlugin(
            name=name,
            source="builtin",
            origin=name,
            path=f"builtin:{name}",
            folder=Path.cwd(),
            language="python",
            definition=definition,
        )


def _found(
    name: str,
    source: str,
    origin: str,
    path: str,
    _: Path,
    folder: Path,
    python: str | None,
    language: str,
    dependencies: Sequence[str],
) -> FoundPlugin:
    return FoundPlugin(
        name=name,
        source=_source(source),
        origin=origin,
        path=path,
        folder=folder,
        language=language,
        dependencies=tuple(dependencies),
        python=python,
    )


def _source(name: str) -> PluginSource:
    sources: tuple[PluginSource, ...] = ("builtin", "path", "folder", "npm", "python")
    return next(source for source in sources if source == name)


def _entry_points() -> list[importlib.metadata.EntryPoint]:
    found = [point for group in _GROUPS for point in importlib.metadata.entry_points(group=group)]
    return sorted(found, key=lambda point: (point.group, point.name))


def _of_entry_point(point: importlib.metadata.EntryPoint, origin: str) -> FoundPlugin:
    """By the plugin.json in the package, or beside the module, if there is one."""
    value = ":".join(part.strip() for part in point.value.partition("[")[0].split(":"))
    path = f"python:{value}"
    own_name = True
    for place in _places(point.dist, value.partition(":")[0]):
        if place.joinpath("plugin.json").is_file():
            path, own_name = str(place), False
            break
    located = _native.discover([path], [], None, None)
    for parts in located[0]:
        plugin = _found(*parts)
        name = _plain(point.name) if own_name else plugin.name
        return FoundPlugin(
            name=name,
            source="python",
            origin=origin,
            path=plugin.path,
            folder=plugin.folder,
            language=plugin.language,
            dependencies=plugin.dependencies,
            python=sys.executable,
        )
    raise located[1][0][3]


def _places(distribution: importlib.metadata.Distribution | None, module: str) -> list[Path]:
    if distribution is None:
        return []
    parts = module.split(".")
    place = Path(str(distribution.locate_file("/".join(parts))))
    return [place, place.parent] if len(parts) > 1 else [place]


def _plain(name: str) -> str:
    plain = "-".join("".join(char if char.isascii() and char.isalnum() else " " for char in name.lower()).split())
    return plain if plain[:1].isalpha() else f"plugin-{plain}".rstrip("-")
