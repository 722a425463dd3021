"""Loads plugins that need each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ._closing import AsyncCloses, Closes, Loads
from ._code import Code
from ._discovery import FoundPlugin, PluginFailure
from ._error import AnyplugError, to_error
from ._lazy import asyncio
from ._load import LoadOptions, PluginLoad, load_plugin
from ._plugin import Plugin, SyncPlugin

__all__ = ("PluginSet", "PluginsLoad", "SyncPluginSet", "load_plugins")

PluginT = TypeVar("PluginT", Plugin, SyncPlugin)


@dataclass(frozen=True, slots=True)
class _Set(Generic[PluginT]):
    """Plugins that were loaded together: by their names, in the order in which they were loaded; and the others."""

    plugins: dict[str, PluginT]
    failures: tuple[PluginFailure, ...]

    def __getitem__(self, name: str) -> PluginT:
        """Returns a plugin that was loaded.

        Raises AnyplugError: NOT_FOUND when there is none of this name; of one that failed its error.
        """
        if name in self.plugins:
            return self.plugins[name]
        for failure in self.failures:
            if failure.name == name:
                raise failure.error
        raise AnyplugError(Code.NOT_FOUND, f'there is no plugin "{name}" in this set')


class PluginSet(_Set[Plugin], AsyncCloses):
    """Plugins that were loaded together, for asyncio."""

    async def close(self) -> None:
        """Closes all, one after the other: each before those that it depends on."""
        for plugin in reversed(self.plugins.values()):
            await plugin.close()


class SyncPluginSet(_Set[SyncPlugin], Closes):
    """Plugins that were loaded together, for threads."""

    def close(self) -> None:
        """Closes all, one after the other: each before those that it depends on."""
        for plugin in reversed(self.plugins.values()):
            plugin.close()


def load_plugins(
    found: Iterable[FoundPlugin],
    options: LoadOptions | Callable[[FoundPlugin], LoadOptions] | None = None,
) -> PluginsLoad:
    """Says which plugins to load, each after those that it names in ``dependencies``.

    What is returned loads them: by ``with`` for threads, by ``async with`` for asyncio. One that cannot be loaded fails
    those that depend on it, with its reason; the others are loaded. A dependency is the name of a plugin, or of the npm
    package that it is in.

    ``options``: those of `load_plugin`, for all, or a function that says for each.
    """
    return PluginsLoad(tuple(found), options)


@dataclass(frozen=True, slots=True)
class PluginsLoad(Loads[SyncPluginSet, PluginSet]):
    """Plugins that are to be loaded: ``with`` them, ``async with`` them, `await` them or `open` them."""

    found: tuple[FoundPlugin, ...]
    options: LoadOptions | Callable[[FoundPlugin], LoadOptions] | None

    def open(self) -> SyncPluginSet:
        """Loads the plugins for threads, one after the other. They have to be closed."""
        order = _Order.of(self.found)
        loaded: dict[str, SyncPlugin] = {}
        try:
            for plugin, needed in order.plugins:
                try:
                    order.check(plugin, needed)
                    loaded[plugin.name] = self._load(plugin).open()
                except Exception as error:
                    order.fail(plugin, to_error(error))
        except BaseException:
            SyncPluginSet(loaded, ()).close()
            raise
        return SyncPluginSet(loaded, order.failures())

    async def _open_async(self) -> PluginSet:
        order = _Order.of(self.found)
        loaded: dict[str, Plugin] = {}
        tasks: dict[str, asyncio.Task[None]] = {}

        async def load(plugin: FoundPlugin, needed: list[FoundPlugin]) -> None:
            for other in needed:
                await tasks[other.name]
            try:
                order.check(plugin, needed)
                loaded[plugin.name] = await self._load(plugin)
            except Exception as error:
                order.fail(plugin, to_error(error))

        try:
            async with asyncio.TaskGroup() as group:
                for plugin, needed in order.plugins:
                    tasks[plugin.name] = group.create_task(load(plugin, needed))
        except BaseException:
            await PluginSet(loaded, ()).close()
            raise
        return PluginSet(loaded, order.failures())

    def _load(self, plugin: FoundPlugin) -> PluginLoad:
        options = self.options(plugin) if callable(self.options) else (self.options or {})
        return load_plugin(plugin, **options)


@dataclass(slots=True)
class _Order:
    """Plugins in an order in which each comes after those that it needs, and why some cannot be loaded."""

    found: tuple[FoundPlugin, ...]
    plugins: list[tuple[FoundPlugin, list[FoundPlugin]]] = field(default_factory=list)
    errors: dict[str, AnyplugError] = field(default_factory=dict)

    @classmethod
    def of(cls, found: tuple[FoundPlugin, ...]) -> _Order:
        order = cls(found)
        for plugin in found:
            order.visit(plugin, [])
        return order

    def visit(self, plugin: FoundPlugin, path: list[FoundPlugin]) -> None:
        if plugin.name in self.errors or any(plugin is each for each, _ in self.plugins):
            return
        if plugin in path:
            cycle = path[path.index(plugin) :]
            names = " → ".join(each.name for each in [*cycle, plugin])
            error = AnyplugError(Code.FAILED_PRECONDITION, f"plugins need each other in a cycle: {names}")
            for each in cycle:
                self.fail(each, error)
            return
        needed = []
        for name in plugin.dependencies:
            other = self.find(name)
            if other is None:
                message = f'plugin "{plugin.name}" needs "{name}", which was not found; add it to what is discovered'
                self.fail(plugin, AnyplugError(Code.FAILED_PRECONDITION, message))
                continue
            self.visit(other, [*path, plugin])
            if other.name in self.errors:
                self.fail(plugin, _dependent(plugin, other, self.errors[other.name]))
            needed.append(other)
        if plugin.name not in self.errors:
            self.plugins.append((plugin, needed))

    def find(self, name: str) -> FoundPlugin | None:
        named = (plugin for plugin in self.found if plugin.name == name)
        packaged = (plugin for plugin in self.found if plugin.source == "npm" and plugin.origin == name)
        return next(named, None) or next(packaged, None)

    def check(self, plugin: FoundPlugin, needed: list[FoundPlugin]) -> None:
        """Raises when one that the plugin needs has failed."""
        for other in needed:
            if other.name in self.errors:
                raise _dependent(plugin, other, self.errors[other.name])

    def fail(self, plugin: FoundPlugin, error: AnyplugError) -> None:
        """The first reason counts."""
        self.errors.setdefault(plugin.name, error)

    def failures(self) -> tuple[PluginFailure, ...]:
        by_name = {plugin.name: plugin for plugin in self.found}
        failed = ((by_name[name], error) for name, error in self.errors.items())
        return tuple(
            PluginFailure(name=plugin.name, source=plugin.source, origin=plugin.origin, error=error)
            for plugin, error in failed
        )


def _dependent(plugin: FoundPlugin, other: FoundPlugin, error: AnyplugError) -> AnyplugError:
    message = f'plugin "{plugin.name}" needs "{other.name}", which failed: {error.message}'
    return AnyplugError(Code.FAILED_PRECONDITION, message)
