"""Finding plugins, loading those that need each other, and those without a plugin.json."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from anyplug import (
    AnyplugError,
    Code,
    FoundPlugin,
    Implementation,
    PluginSet,
    SyncPluginSet,
    define_plugin,
    discover_plugins,
    load_plugin,
    load_plugins,
    load_ts_plugin,
    register_builtin,
    unregister_builtin,
)
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter

REPOSITORY = Path(__file__).parents[3]

MODULE = """
from anyplug import define_plugin, implement
from anyplug_generated.greeter.v1 import GreetResponse
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter, GreeterHandler


class Polite(GreeterHandler):
    def greet(self, request, context):
        return GreetResponse(text=f"Hello, {request.name}")


plugin = define_plugin(name="greeter", version="2.0.0", services=[implement(Greeter, Polite())])
"""

SCRIPT = """
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { definePlugin, implement } from "@anyplug/sdk";
const greeter = implement(Greeter, { greet: ({ name }) => ({ text: "Hello, " + name }), async *greetAll() {} });
export const plugin = definePlugin({ name: "greeter", version: "2.0.0", services: [greeter] });
"""


def file(path: Path, content: object = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def manifest(name: str) -> dict[str, object]:
    return {"name": name, "version": "1.0.0", "language": "python"}


def test_folders_paths_and_npm_packages_are_searched(tmp_path: Path) -> None:
    file(tmp_path / "plugins/a/plugin.json", manifest("ay"))
    file(tmp_path / "plugins/broken/plugin.json", "{")
    file(tmp_path / "node_modules/@scope/notes/package.json", {"keywords": ["anyplug-plugin"]})
    file(tmp_path / "node_modules/@scope/notes/plugin.json", manifest("notes"))
    module = file(tmp_path / "My_Plugin.py")
    same = file(tmp_path / "same.json", manifest("ay"))
    found = discover_plugins(
        paths=[module, "python:package.weather:it"], folders=[tmp_path / "plugins"], npm=[tmp_path], python=False
    )
    assert [(plugin.name, plugin.source, plugin.path) for plugin in found.plugins] == [
        ("my-plugin", "path", str(module)),
        ("weather", "path", "python:package.weather:it"),
        ("ay", "folder", str(tmp_path / "plugins/a/plugin.json")),
        ("notes", "npm", str(tmp_path / "node_modules/@scope/notes/plugin.json")),
    ]
    [failure] = found.failures
    assert (failure.source, failure.error.code) == ("folder", Code.INVALID_ARGUMENT)
    assert "is not JSON" in failure.error.message
    twice = discover_plugins(paths=[tmp_path / "plugins/a", same], python=False)
    assert [failure.error.code for failure in twice.failures] == [Code.ALREADY_EXISTS]


def test_entry_points_of_this_python_and_of_other_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = (
        "[anyplug.plugins]\nweather = weather.main:plugin\n[jusu.plugins]\nLoose_One=loose:it\nbad = not a module\n"
    )
    site = tmp_path / "lib/python3.11/site-packages"
    file(site / "weather-1.0.dist-info/entry_points.txt", points)
    file(site / "weather-1.0.dist-info/METADATA", "Name: weather\nVersion: 1.0\n")
    file(site / "weather/plugin.json", manifest("weather"))
    elsewhere = discover_plugins(python=[tmp_path])
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()
    here = discover_plugins()
    for found in (elsewhere, here):
        assert {plugin.name: plugin.path for plugin in found.plugins} == {
            "weather": str(site / "weather/plugin.json"),
            "loose-one": "python:loose:it",
        }
        assert [(failure.origin, failure.error.code) for failure in found.failures] == [
            ("jusu.plugins bad = not a module", Code.INVALID_ARGUMENT)
        ]
    assert {plugin.python for plugin in here.plugins} == {sys.executable}


def _refuse(_: object) -> list[Implementation]:
    raise AnyplugError(Code.UNAVAILABLE, "no database")


@pytest.fixture
def builtins() -> Iterator[tuple[FoundPlugin, ...]]:
    names = ["a", "b", "c", "d"]
    for name in names:
        register_builtin(define_plugin(name=name, version="1.0.0", services=[]))
    register_builtin(define_plugin(name="sql", version="1.0.0", services=_refuse))
    yield discover_plugins(python=False).plugins
    for name in [*names, "sql"]:
        assert unregister_builtin(name)


def needing(found: tuple[FoundPlugin, ...], **dependencies: list[str]) -> list[FoundPlugin]:
    return [replace(plugin, dependencies=tuple(dependencies.get(plugin.name, ()))) for plugin in found]


def test_a_builtin_is_registered_once(builtins: tuple[FoundPlugin, ...]) -> None:
    with pytest.raises(AnyplugError, match='a builtin plugin "a" is registered already'):
        register_builtin(define_plugin(name="a", version="2.0.0", services=[]))
    with load_plugin(builtins[0]) as plugin:
        assert (plugin.name, plugin.version, plugin.transport) == ("a", "1.0.0", "direct")


def load(found: list[FoundPlugin], *, is_async: bool) -> SyncPluginSet | PluginSet:
    """Loads and closes them."""

    async def both() -> PluginSet:
        async with load_plugins(found) as plugins:
            return plugins

    if is_async:
        return asyncio.run(both())
    with load_plugins(found) as plugins:
        return plugins


@pytest.mark.parametrize("is_async", [False, True])
def test_plugins_are_loaded_after_those_that_they_need(builtins: tuple[FoundPlugin, ...], is_async: bool) -> None:
    plugins = load(needing(builtins, a=["c", "b"], b=["c"], d=["sql"]), is_async=is_async)
    assert list(plugins.plugins) == ["c", "b", "a"]
    why = 'plugin "sql" refused to start: no database'
    reasons = {failure.name: failure.error.message for failure in plugins.failures}
    assert reasons == {"sql": why, "d": f'plugin "d" needs "sql", which failed: {why}'}
    with pytest.raises(AnyplugError, match="no database"):
        plugins["sql"]
    with pytest.raises(AnyplugError, match='there is no plugin "none" in this set'):
        plugins["none"]


def test_a_cycle_is_named_and_one_that_is_missing(builtins: tuple[FoundPlugin, ...]) -> None:
    found = needing(builtins[:4], a=["b"], b=["a"], c=["a"], d=["nowhere"])
    reasons = {failure.name: failure.error.message for failure in load(found, is_async=False).failures}
    cycle = "plugins need each other in a cycle: a → b → a"
    assert reasons == {
        "a": cycle,
        "b": cycle,
        "c": f'plugin "c" needs "a", which failed: {cycle}',
        "d": 'plugin "d" needs "nowhere", which was not found; add it to what is discovered',
    }


def test_a_python_module_needs_no_manifest(tmp_path: Path) -> None:
    module = file(tmp_path / "my_plugin.py", MODULE)
    env = {"PYTHONPATH": str(tmp_path)}
    for path in (str(module), "python:my_plugin", "python:my_plugin:plugin"):
        with load_plugin(path, python=sys.executable, env=env, start_timeout=60) as plugin:
            assert plugin.name == "greeter"
            assert plugin.client(Greeter).greet(name="Ada").text == "Hello, Ada"
    with pytest.raises(AnyplugError, match="expected a plugin in typescript"):
        load_ts_plugin(module).open()


@pytest.mark.between_languages
def test_an_npm_package_is_loaded_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node_modules").symlink_to(REPOSITORY / "node_modules")
    modules = tmp_path / "application" / "node_modules"
    exports = '{"type": "module", "exports": {"types": "./x.d.ts", "import": "./main.js"}}'
    file(modules / "@scope" / "hello" / "package.json", exports)
    file(modules / "@scope" / "hello" / "main.js", SCRIPT)
    file(modules / "plain" / "package.json", '{"main": "main.mjs"}')
    file(modules / "plain" / "main.mjs", SCRIPT)
    file(modules / "empty" / "package.json", "{}")
    file(modules / "escaping" / "package.json", '{"main": "../plain/main.mjs"}')
    file(tmp_path / "application" / "deeper" / "x", "")
    monkeypatch.chdir(tmp_path / "application" / "deeper")
    for load, path in ((load_ts_plugin, "plain"), (load_ts_plugin, "@scope/hello"), (load_plugin, "npm:@scope/hello")):
        with load(path, start_timeout=60) as plugin:
            assert plugin.client(Greeter).greet(name="Ada").text == "Hello, Ada"
    for path, reason in {
        "npm:nowhere": "there is no npm package nowhere; looked in .*application",
        "npm:../x": '"../x" is no npm package',
        "npm:empty": "there is no plugin.json, and no main module .*index.js",
        "npm:escaping": "leaves the plugin's folder",
    }.items():
        with pytest.raises(AnyplugError, match=reason):
            load_plugin(path).open()


@pytest.mark.between_languages
def test_a_module_in_javascript_needs_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(REPOSITORY / "node_modules")
    module = file(tmp_path / "plugin.mjs", SCRIPT)
    with load_ts_plugin(module, start_timeout=60) as plugin:
        assert plugin.client(Greeter).greet(name="Ada").text == "Hello, Ada"

    async def greet() -> str:
        async with load_ts_plugin(module, start_timeout=60) as plugin:
            return (await plugin.client(Greeter).greet(name="Ada")).text

    assert asyncio.run(greet()) == "Hello, Ada"
