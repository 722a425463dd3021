"""A host in Python drives plugins that speak JSON-RPC: the cases of driver.json, and the examples."""

from __future__ import annotations

import asyncio
import dataclasses
import fnmatch
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, CallOptions, Context, JsonTypes, define_plugin, implement, listen, load_plugin
from anyplug.codegen.v1 import Message
from anyplug_generated.anyplug.test import v1 as messages
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, HostHandler, Test
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter

pytestmark = pytest.mark.between_languages

HERE = Path(__file__).parent
CASES = json.loads((HERE / "driver.json").read_text())["cases"]
SYNCHRONOUS = [case for case in CASES if "stream" in case["name"] or "calls services" in case["name"]]
"""What a synchronous client does in another way than one of an event loop."""

TYPES = JsonTypes([Test])


class Answering(HostHandler):
    def ask(self, request: messages.AskRequest, context: Context) -> messages.AskResponse:
        return messages.AskResponse(answer=f"because: {request.question}")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_plugin_is_driven_from_an_event_loop(case: dict[str, Any]) -> None:
    asyncio.run(drive(case))


@pytest.mark.parametrize("case", SYNCHRONOUS, ids=[case["name"] for case in SYNCHRONOUS])
def test_a_plugin_is_driven_from_a_thread(case: dict[str, Any]) -> None:
    host = implement(Host, Answering())
    with load_plugin(HERE / "peer", env={"PEER_CASE": case["name"]}, services=[host], host_name="host") as plugin:
        for call in case["calls"]:
            found: dict[str, Any] = {}
            try:
                answer = made(plugin.client(Test), call)
                if "responses" in call:
                    found["responses"] = []
                    found["responses"].extend(as_json(one) for one in answer)
                else:
                    found["response"] = as_json(answer)
            except AnyplugError as error:
                found["error"] = told(error)
            check(found, call)


@pytest.mark.parametrize("language", ["plain-python", "plain-node"])
def test_the_plugin_of_thirty_lines_greets_by_the_ordinary_client(language: str) -> None:
    with load_plugin(HERE.parents[1] / "examples" / "json-rpc" / language) as plugin:
        assert (plugin.name, plugin.version, plugin.transport) == ("greeter", "1.0.0", "stdio")
        greeter = plugin.client(Greeter)
        assert greeter.greet(name="Ada").text == "Hello, Ada!"
        texts = [greeting.text for greeting in greeter.greet_all(name="Grace")]
        assert texts == ["Hello, Grace!", "Bonjour, Grace!", "Ciao, Grace!"]


def test_a_plugin_at_an_address_is_called_by_the_ordinary_client() -> None:
    # The schema is that of the generated code, not of a copy that somebody made.
    dataclasses.replace(Host, fingerprint="0" * 32, descriptor_set=b"")
    plugin = define_plugin(name="asked", version="1.0.0", services=[implement(Host, Answering())])
    with listen(plugin, "json-rpc+tcp://127.0.0.1:0") as server, load_plugin(server.address) as loaded:
        assert (loaded.name, loaded.transport) == (server.address, "tcp")
        assert loaded.client(Host).ask(question="why").answer == "because: why"
        with pytest.raises(AnyplugError, match=r'"asked" does not serve .*; it serves anyplug\.test\.v1\.HostService'):
            loaded.client(Test).echo()


async def drive(case: dict[str, Any]) -> None:
    host = implement(Host, Answering())
    loaded = load_plugin(HERE / "peer", env={"PEER_CASE": case["name"]}, services=[host], host_name="host")
    async with loaded as plugin:
        client = plugin.client(Test)

        async def make(call: dict[str, Any]) -> None:
            found: dict[str, Any] = {}
            try:
                answer = made(client, call)
                if "responses" in call:
                    found["responses"] = []
                    async for one in answer:
                        found["responses"].append(as_json(one))
                else:
                    found["response"] = as_json(await answer)
            except AnyplugError as error:
                found["error"] = told(error)
            check(found, call)

        if case.get("together"):
            await asyncio.gather(*map(make, case["calls"]))
        else:
            for call in case["calls"]:
                await make(call)


def made(client: object, call: dict[str, Any]) -> Any:  # noqa: ANN401 - what is returned is of its method
    method: Callable[..., Any] = getattr(client, call["method"].lower().replace("askhost", "ask_host"))
    request: type[Message] = getattr(messages, f"{call['method']}Request")
    timeout = call["timeoutMs"] / 1000 if "timeoutMs" in call else None
    options = CallOptions(timeout=timeout, metadata=call.get("metadata"))
    if "requests" in call:
        return method([TYPES.from_json(request, json.dumps(one)) for one in call["requests"]], options=options)
    return method(TYPES.from_json(request, json.dumps(call["request"])), options=options)


def as_json(message: Message) -> object:
    return json.loads(TYPES.to_json(message))


def told(error: AnyplugError) -> dict[str, Any]:
    said = {"code": error.code.name, "message": error.message}
    return {**said, "details": len(error.details)} if error.details else said


def check(found: dict[str, Any], call: dict[str, Any]) -> None:
    expected = {name: call[name] for name in ("response", "responses", "error") if name in call}
    with suppress(KeyError):
        expected["error"] = {
            name: found["error"][name] if fits(found["error"].get(name), text) else text
            for name, text in expected["error"].items()
        }
    assert found == expected


def fits(said: object, expected: object) -> bool:
    if not isinstance(expected, str) or not isinstance(said, str) or "*" not in expected:
        return False
    return fnmatch.fnmatchcase(said.replace("[", "("), expected.replace("[", "("))
