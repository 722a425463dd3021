"""An agent: it registers plugins, and asks them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, overload

from anyplug_generated.anyplug.agent import v1 as wire

from .._code import Code
from .._context import Context
from .._error import AnyplugError, to_error
from .._handler import Implementation
from .._log import LogLevel, LogRecord, OnLog
from .._options import CallOptions
from ._agent import Memories, OnText, drop_text
from ._define import AgentPluginDefinition
from ._json import Json, JsonObject
from ._local import local_peer
from ._memories import InMemoryMemories
from ._registration import AgentPeer, InvokeArguments, Owned, Registration
from ._services import agent_services
from ._values import ActionResult, Content, Memory, ProviderResult, State

__all__ = ("AgentRuntime", "NamedResult")

Kind = Literal["actions", "providers", "evaluators", "services"]


@dataclass(frozen=True, slots=True)
class NamedResult:
    """How one action or evaluator ended."""

    name: str
    plugin: str
    result: ActionResult


class AgentRuntime:
    """An agent. Plugins add to it what it can do and know; it asks them, and goes on when one of them fails::

        agent = AgentRuntime(name="Ada", settings={"CITY": "Bonn"})
        async with load_plugin("./plugins/weather", services=agent.services, grants=["agent.settings"]) as weather:
            await agent.register_plugin(weather)
            results = await agent.process_actions(message, [Memory(content=Content(actions=["FORECAST"]))])

    It belongs to one event loop.
    """

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - as in the schema
        name: str = "agent",
        settings: JsonObject | None = None,
        memories: Memories | None = None,
        timeout: float = 30.0,
        on_log: OnLog | None = None,
    ) -> None:
        """Makes an agent without plugins.

        ``id``: a UUID; by default a new one.
        ``settings``: what plugins with the capability "agent.settings" may read.
        ``memories``: by default in this process.
        ``timeout``: seconds that a plugin may take for one answer; a model has no limit.
        ``on_log``: takes what went wrong where the agent goes on: a provider that failed, a name that comes twice. By
        default it is dropped.
        """
        self.id = id or str(uuid.uuid4())
        self.name = name
        self.memories: Memories = memories or InMemoryMemories()
        self._settings = dict(settings or {})
        self._timeout = timeout
        self._on_log = on_log or (lambda _: None)
        self._plugins: Mapping[str, Registration] = {}
        self._routes: Sequence[Owned[wire.RouteDescription]] = ()
        self._watches: dict[Registration, asyncio.Task[None]] = {}
        self.services: Sequence[Implementation] = agent_services(self)
        """What plugins may call: give it to `load_plugin` as ``services``."""

    @property
    def plugins(self) -> Sequence[str]:
        """The names of the registered plugins in the order in which they are asked: by priority, then as they came."""
        return tuple(self._plugins)

    @overload
    def list(self, kind: Literal["actions"]) -> Sequence[Owned[wire.ActionDescription]]: ...
    @overload
    def list(self, kind: Literal["providers"]) -> Sequence[Owned[wire.ProviderDescription]]: ...
    @overload
    def list(self, kind: Literal["evaluators"]) -> Sequence[Owned[wire.EvaluatorDescription]]: ...
    @overload
    def list(self, kind: Literal["services"]) -> Sequence[Owned[wire.ServiceDescription]]: ...
    def list(self, kind: Kind) -> Sequence[Owned[Any]]:
        """Returns all of one kind that the plugins have; of those with one name the first."""
        found: dict[str, Owned[Any]] = {}
        for plugin in self._plugins.values():
            for description in getattr(plugin.description, kind):
                name = description.type if kind == "services" else description.name
                found.setdefault(name, Owned(plugin, description))
        return tuple(found.values())

    @property
    def routes(self) -> Sequence[Owned[wire.RouteDescription]]:
        """The HTTP routes of all plugins. It is another object when the set of plugins is another."""
        return self._routes

    async def register_plugin(
        self, plugin: AgentPeer | AgentPluginDefinition, *, config: JsonObject | None = None
    ) -> Registration:
        """Registers a plugin, loaded or defined in this program.

        It is asked what it has, initialized with ``config``, and its services are started. When it ends by itself, it
        is unregistered.

        Raises AnyplugError: ALREADY_EXISTS for a second one of its name, FAILED_PRECONDITION when a plugin that it
        depends on is not registered, and what the plugin itself answered when it refuses; it is not registered then.
        """
        peer = self._local(plugin) if isinstance(plugin, AgentPluginDefinition) else plugin
        added = await Registration.of(peer, self._options())
        self._admit(added)
        await added.init(self.id, self.name, config or {}, self._options())
        # Another of its name may have come while it was initialized.
        self._admit(added)
        self._add(added)
        try:
            for service in added.description.services:
                await added.start_service(service.type, self._options())
        except BaseException:
            await self.unregister_plugin(added.name)
            raise
        wait_closed = getattr(peer, "wait_closed", None)
        if wait_closed is not None:
            self._watches[added] = asyncio.get_running_loop().create_task(self._watch(added, wait_closed))
        return added

    async def unregister_plugin(self, name: str) -> bool:
        """Stops the plugin's services and forgets it; it is not closed. What fails on the way is logged.

        Returns False when there is none of that name.
        """
        plugin = self._plugins.get(name)
        if plugin is None:
            return False
        self._remove(plugin)
        watch = self._watches.pop(plugin, None)
        if watch is not None:
            watch.cancel()
        for type_ in reversed([*plugin.running]):
            try:
                await plugin.stop_service(type_, self._options())
            except Exception as error:
                self._failed(f"service {type_}", plugin, error)
        return True

    def get_setting(self, key: str) -> Json:
        """Returns a setting, or None."""
        return self._settings.get(key)

    def set_setting(self, key: str, value: Json) -> None:
        """Sets a setting; None removes it."""
        if value is None:
            self._settings.pop(key, None)
        else:
            self._settings[key] = value

    async def compose_state(
        self,
        message: Memory,
        *,
        include: Iterable[str] = (),
        only_included: bool = False,
        within: Context | None = None,
    ) -> State:
        """Asks the providers, all at once, and returns what they say: texts by position, values and data by name.

        One that fails is logged and left out. ``include``: names of providers to ask beside those that are neither
        dynamic nor private; ``only_included``: alone.

        Raises AnyplugError (NOT_FOUND) when a provider that is named is not there.
        """

        async def ask(owned: Owned[wire.ProviderDescription]) -> tuple[str, ProviderResult]:
            name = owned.description.name
            try:
                return name, await owned.plugin.get_provider(name, message, State(), self._options(within))
            except Exception as error:
                self._failed(f"provider {name}", owned.plugin, error)
                return name, ProviderResult()

        answers = await asyncio.gather(*map(ask, self._providers(include, only_included)))
        values: dict[str, Json] = {}
        for _, answer in answers:
            values.update(answer.values or {})
        text = "\n".join(answer.text for _, answer in answers if answer.text)
        return State(text=text, values=values, data={"providers": {name: one.to_json() for name, one in answers}})

    async def valid_actions(
        self, message: Memory, state: State | None = None
    ) -> Sequence[Owned[wire.ActionDescription]]:
        """Returns the actions that make sense for the message, the higher priority first.

        One that cannot be asked is logged and left out.
        """
        known = state or await self.compose_state(message)

        async def ask(owned: Owned[wire.ActionDescription]) -> bool:
            name = owned.description.name
            asked = owned.plugin.validate_action(name, message, known, self._options())
            return await self._valid(f"action {name}", owned.plugin, asked)

        actions = self.list("actions")
        valid = [
            one for one, is_valid in zip(actions, await asyncio.gather(*map(ask, actions)), strict=True) if is_valid
        ]
        return sorted(valid, key=lambda one: -one.description.priority)

    async def process_actions(
        self,
        message: Memory,
        responses: Sequence[Memory],
        *,
        state: State | None = None,
        options: JsonObject | None = None,
        on_content: Callable[[Content, str], object] | None = None,
    ) -> Sequence[NamedResult]:
        """Runs the actions that the responses name, one after the other.

        Later ones see in their state what earlier ones returned. An action that fails, or is not there, has a result
        that says so, and the next one runs. ``state``: by default composed for the message. ``on_content`` takes what
        is said on the way, with the name of who said it.
        """
        known = state or await self.compose_state(message)
        results: list[NamedResult] = []
        for name in [name for response in responses for name in response.content.actions or ()]:
            action = self._action(name)
            if action is None:
                failed = ActionResult(success=False, error=f"Action not found: {name}")
                results.append(NamedResult(name, "", failed))
                continue
            own = action.description.name
            args = _invocation(message, known, responses, options, on_content, own)
            result = await self._result(action.plugin.invoke_action(own, args, self._options()))
            results.append(NamedResult(own, action.plugin.name, result))
            known = _with_result(known, results)
        return results

    async def run_evaluators(
        self,
        message: Memory,
        responses: Sequence[Memory],
        *,
        state: State | None = None,
        options: JsonObject | None = None,
        on_content: Callable[[Content, str], object] | None = None,
    ) -> Sequence[NamedResult]:
        """Runs the evaluators that want to look: all of them when the agent answered, else those that always run.

        One that fails has a result that says so.
        """
        known = state or await self.compose_state(message)
        results: list[NamedResult] = []
        for owned in self.list("evaluators"):
            plugin, name = owned.plugin, owned.description.name
            if not responses and not owned.description.always_run:
                continue
            asked = plugin.validate_evaluator(name, message, known, self._options())
            if await self._valid(f"evaluator {name}", plugin, asked):
                args = _invocation(message, known, responses, options, on_content, name)
                result = await self._result(plugin.invoke_evaluator(name, args, self._options()))
                results.append(NamedResult(name, plugin.name, result))
        return results

    async def emit_event(self, type: str, payload: Json, *, within: Context | None = None) -> None:  # noqa: A002
        """Gives an event to all plugins that handle it, at once, and waits for them. One that fails is logged."""

        async def give(plugin: Registration) -> None:
            try:
                await plugin.handle_event(type, payload, self._options(within))
            except Exception as error:
                self._failed(f"event {type}", plugin, error)

        await asyncio.gather(*(give(one) for one in self._plugins.values() if type in one.description.events))

    async def use_model(
        self, model: str, params: Json, on_text: OnText = drop_text, *, within: Context | None = None
    ) -> Json:
        """Runs the model of that type of the first plugin that has one; ``on_text`` takes the pieces as they come.

        Raises AnyplugError: NOT_FOUND when no plugin has one, and what the plugin answered.
        """
        for plugin in self._plugins.values():
            if model in plugin.description.models:
                return await plugin.generate(model, params, on_text, CallOptions(within=within))
        raise AnyplugError(Code.NOT_FOUND, f'no plugin has a model "{model}"; register one that has')

    # --- the plugins -----------------------------------------------------------------------------

    def _local(self, definition: AgentPluginDefinition) -> AgentPeer:
        return local_peer(definition, name=self.name, services=self.services, on_log=self._on_log)

    def _options(self, within: Context | None = None) -> CallOptions:
        return CallOptions(timeout=self._timeout, within=within)

    def _admit(self, added: Registration) -> None:
        if added.name in self._plugins:
            raise AnyplugError(Code.ALREADY_EXISTS, f'a plugin "{added.name}" is registered; unregister it first')
        missing = [name for name in added.description.dependencies if name not in self._plugins]
        if missing:
            message = f'plugin "{added.name}" depends on {", ".join(missing)}, not registered; register that first'
            raise AnyplugError(Code.FAILED_PRECONDITION, message)

    def _add(self, added: Registration) -> None:
        kinds: tuple[Literal["actions", "providers", "evaluators"], ...] = ("actions", "providers", "evaluators")
        for kind in kinds:
            taken = {one.description.name: one.plugin.name for one in self.list(kind)}
            for description in getattr(added.description, kind):
                if description.name in taken:
                    message = f'plugins "{taken[description.name]}" and "{added.name}" both have {description.name}'
                    rule = "the one with the higher priority, else the first, is used"
                    self._log(LogLevel.WARN, f"{message} among their {kind}; {rule}")
        # The sort is stable.
        self._replace(sorted([*self._plugins.values(), added], key=lambda one: -one.description.priority))

    def _remove(self, plugin: Registration) -> bool:
        if self._plugins.get(plugin.name) is not plugin:
            return False
        self._replace([other for other in self._plugins.values() if other is not plugin])
        return True

    def _replace(self, plugins: Sequence[Registration]) -> None:
        self._plugins = {plugin.name: plugin for plugin in plugins}
        self._routes = [Owned(plugin, one) for plugin in plugins for one in plugin.description.routes]

    async def _watch(self, plugin: Registration, wait_closed: Callable[[], Awaitable[AnyplugError]]) -> None:
        reason = await wait_closed()
        self._watches.pop(plugin, None)
        if self._remove(plugin):
            self._log(LogLevel.WARN, f'plugin "{plugin.name}" is unregistered: {reason.message}')

    # --- what they have --------------------------------------------------------------------------

    def _providers(self, include: Iterable[str], only_included: bool) -> Sequence[Owned[wire.ProviderDescription]]:
        every, included = self.list("providers"), tuple(include)
        names = [one.description.name for one in every]
        for name in included:
            if name not in names:
                known = ", ".join(names) or "none"
                raise AnyplugError(Code.NOT_FOUND, f'there is no provider "{name}"; there are: {known}')
        chosen = [
            one
            for one in every
            if one.description.name in included
            or not (only_included or one.description.dynamic or one.description.private)
        ]
        return sorted(chosen, key=lambda one: one.description.position)

    def _action(self, name: str) -> Owned[wire.ActionDescription] | None:
        """The action of that name, or that is spelled alike, or that has it among its similes."""
        every, alike = self.list("actions"), _plain(name)
        by_name = (one for one in every if one.description.name == name)
        by_spelling = (one for one in every if _plain(one.description.name) == alike)
        by_simile = (one for one in every if alike in map(_plain, one.description.similes))
        return next(by_name, None) or next(by_spelling, None) or next(by_simile, None)

    async def _valid(self, what: str, plugin: Registration, asked: Awaitable[bool]) -> bool:
        try:
            return await asked
        except Exception as error:
            self._failed(what, plugin, error)
            return False

    async def _result(self, running: Awaitable[ActionResult]) -> ActionResult:
        try:
            return await running
        except Exception as error:
            return ActionResult(success=False, error=to_error(error).message)

    def _failed(self, what: str, plugin: Registration, error: Exception) -> None:
        self._log(LogLevel.ERROR, f'{what} of plugin "{plugin.name}" failed: {to_error(error).message}')

    def _log(self, level: LogLevel, message: str) -> None:
        self._on_log(LogRecord(level, message, "anyplug.agent", int(time.time() * 1000)))


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _invocation(
    message: Memory,
    state: State,
    responses: Sequence[Memory],
    options: JsonObject | None,
    on_content: Callable[[Content, str], object] | None,
    name: str,
) -> InvokeArguments:
    def said(content: Content) -> None:
        if on_content is not None:
            on_content(content, name)

    return InvokeArguments(message=message, state=state, options=options, responses=responses, on_content=said)


def _with_result(state: State, results: Sequence[NamedResult]) -> State:
    """The state with what the last action returned, and with all results so far."""
    values = {**state.values, **(results[-1].result.values or {})}
    told = [{"name": one.name, **one.result.to_json()} for one in results]
    return replace(state, values=values, data={**state.data, "actionResults": told})
