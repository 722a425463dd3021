"""ElizaOS's line protocols, both ways, with the requests and answers that all languages share."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, Code, LogRecord
from anyplug.agent import (
    Action,
    ActionResult,
    AgentPluginDefinition,
    AgentRuntime,
    AgentService,
    Content,
    Evaluator,
    Invocation,
    JsonObject,
    Memory,
    NamedResult,
    Provider,
    ProviderResult,
    Route,
    RouteRequest,
    RouteResponse,
    State,
    local_peer,
)
from anyplug.elizaos import Dialect, LinePeer, LinePlugin, LineReader, LineServer, load_line_plugin, serve_elizaos

from .agent_cases import assert_matches
from .conftest import ROOT, run

LINES: list[dict[str, Any]] = json.loads((ROOT / "test" / "agent" / "lines.json").read_text())
PROGRAM = ROOT / "packages" / "elizaos" / "ts" / "test" / "plugin.mjs"
MEMORY = {
    "id": "m1",
    "entityId": "e1",
    "roomId": "r1",
    "createdAt": 1_700_000_000_123,
    "content": {"text": "Grüße, 日本 👋", "inReplyTo": "m0", "mood": {"big": [1, 2.5, None]}},
    "unknown": {"deep": [True]},
}


def init(config: JsonObject, _agent: object) -> None:
    if config.get("key") == "":
        raise AnyplugError(Code.INVALID_ARGUMENT, "key: expected text, got nothing")


def hello(one: Invocation) -> ActionResult:
    text = f"Hello, {one.message.extra['who']}"
    return ActionResult(success=True, text=text, data={"options": one.options})


def fail(_one: Invocation) -> None:
    raise AnyplugError(Code.UNKNOWN, "broken")


def now(request: RouteRequest, _agent: object) -> RouteResponse:
    body = {"q": request.query.get("q"), "h": request.headers.get("x-h"), "body": request.body.decode()}
    return RouteResponse(status=201, body=body)


SERVED = AgentPluginDefinition(
    name="served",
    description="Serves",
    init=init,
    actions=[
        Action(
            name="HELLO",
            similes=["HI"],
            validate=lambda question: question.message.content.text == "hello",
            handler=hello,
        ),
        Action(name="BREAK", handler=fail),
    ],
    providers=[
        Provider(name="TIME", get=lambda one: ProviderResult(text="noon", values={"was": one.state.text})),
    ],
    evaluators=[
        Evaluator(name="JUDGE", validate=lambda _: False, handler=lambda _: ActionResult(success=True)),
    ],
    services=[AgentService(type="clock", start=lambda _: None, stop=lambda _: None)],
    routes=[Route(path="/now", method="POST", handler=now)],
    models={"TEXT_LARGE": lambda params, _: f"answer to {params}"},
)


async def answers_to(*lines: str) -> list[Any]:
    written: list[bytes] = []
    peer = local_peer(SERVED, services=AgentRuntime().services)
    server = await LineServer.start(peer, write=written.append)
    server.data("".join(f"{line}\n" for line in lines).encode())
    await server.drain()
    return [json.loads(line) for line in b"".join(written).splitlines()]


@pytest.mark.parametrize("case", LINES, ids=lambda case: case["name"])
def test_a_served_plugin_answers(case: dict[str, Any]) -> None:
    ready, answer = run(answers_to(json.dumps({"id": "7", **case["request"]})))
    assert_matches(ready, {"type": "ready", "manifest": {"name": "served", "language": "python"}})
    assert_matches(answer, {"id": "7", **case["answer"]})


def test_what_is_no_request_is_an_error_of_no_id() -> None:
    _, *answers = run(answers_to("{oops", "[1]"))
    assert_matches(answers[0], {"type": "error", "id": "", "error": "Parse error"})
    assert_matches(answers[1], {"type": "error", "id": "", "error": "Invalid request: expected an object"})


def test_it_is_a_program_of_its_own_until_its_input_ends() -> None:
    output = io.BytesIO()
    lines = io.BytesIO(b'{"type":"fly","id":"1"}\n{"id":2,"method":"fly"}\n')
    run(serve_elizaos(SERVED, input=lines, output=output))
    told = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [one.get("id", one.get("type")) for one in told] == ["ready", "1", 2]


def test_what_is_served_can_be_driven() -> None:
    async def main() -> list[NamedResult]:
        agent = AgentRuntime()
        servers: list[LineServer] = []

        def to_server(data: bytes) -> None:
            servers[0].data(data)

        peer = LinePeer(write=to_server, on_failure=lambda error: pytest.fail(str(error)))
        served = local_peer(SERVED, services=agent.services)
        servers.append(await LineServer.start(served, write=peer.data))
        await agent.register_plugin(await peer.plugin())
        message = Memory.from_json({"who": "Ada", "content": {"text": "hello"}})
        results = await agent.process_actions(message, [Memory(content=Content(actions=["HI", "BREAK"]))])
        await agent.unregister_plugin("served")
        return list(results)

    assert [one.result for one in run(main())] == [
        ActionResult(success=True, text="Hello, Ada", data={"options": {}}),
        ActionResult(success=False, error="broken"),
    ]


def test_lines_are_cut_wherever_their_bytes_are() -> None:
    lines: list[str] = []
    reader = LineReader(20, lines.append)
    for byte in "Grüße 👋\n\n  \r\nlast".encode():
        reader.push(bytes([byte]))
    reader.end()
    assert lines == ["Grüße 👋", "last"]
    with pytest.raises(AnyplugError, match="a line of over 20 bytes"):
        reader.push(b"x" * 21)


def load(mode: str, records: list[LogRecord], *, dialect: Dialect = "messages", **options: Any) -> Any:
    return load_line_plugin(["node", str(PROGRAM), mode], dialect=dialect, on_log=records.append, **options)


async def registered(loaded: LinePlugin, records: list[LogRecord], **config: Any) -> AgentRuntime:
    agent = AgentRuntime(on_log=records.append)
    await agent.register_plugin(loaded.for_agent(agent), config=config)
    return agent


def calling(*actions: str) -> list[Memory]:
    return [Memory(content=Content(actions=actions))]


@pytest.mark.between_languages
def test_a_plugin_that_speaks_it_does_whatever_a_plugin_does() -> None:
    async def main() -> None:
        records: list[LogRecord] = []
        async with load("plain", records) as loaded:
            # What it printed before it was ready is log.
            assert [record.message for record in records] == ["Starting up…", '{"almost": "a message"}']
            agent = await registered(loaded, records)
            assert await agent.valid_actions(Memory(content=Content(text="no"))) == []
            memory = Memory.from_json(MEMORY)
            state = await agent.compose_state(memory, include=["TIME"])
            assert (state.text, state.values) == ("noon", {"h": 12})
            [result] = await agent.process_actions(memory, calling("repeat"), state=state)
            assert (result.name, result.plugin, result.result.text) == ("ECHO", "strange", "Grüße, 日本 👋")
            # All members come back, those that no schema knows too.
            assert result.result.data == {"memory": MEMORY, "state": state.to_json(), "options": {}}
            [judged] = await agent.run_evaluators(memory, [])
            assert (judged.name, judged.result.success) == ("JUDGE", True)
            answer = await agent.routes[0].plugin.handle_route("/now", "GET", query=[("q", "1")])
            assert (answer.status, answer.body) == (202, b'{"seen":{"q":"1"}}')
            [failed] = await agent.process_actions(memory, calling("FAIL"))
            assert failed.result == ActionResult(success=False, error='Something broke ({"line":7})')
            await agent.unregister_plugin("strange")
            assert 'service clock of plugin "strange" failed: it is stuck' in records[-1].message
            with pytest.raises(AnyplugError, match="it refused its configuration: no key") as refusal:
                await registered(loaded, records, refuse=True)
            assert refusal.value.code is Code.FAILED_PRECONDITION

    run(main())


@pytest.mark.between_languages
def test_messages_of_10_mb_and_a_longer_one_that_is_refused() -> None:
    async def main() -> None:
        async with load("plain", [], max_message_bytes=24 << 20) as loaded:
            agent = await registered(loaded, [])

            async def echo(text: str) -> ActionResult:
                message = Memory(content=Content(text=text))
                [one] = await agent.process_actions(message, calling("ECHO"), state=State())
                return one.result

            large = "ü" * 5_000_000
            assert (await echo(large)).text == large
            assert "raise max_message_bytes" in str((await echo("x" * (25 << 20))).error)
            assert (await echo("still there")).text == "still there"

    run(main())


@pytest.mark.between_languages
def test_a_thousand_requests_are_answered_in_whatever_order() -> None:
    async def main() -> None:
        async with load("reversed", []) as loaded:
            agent = await registered(loaded, [])

            async def echo(text: str) -> str | None:
                message = Memory(content=Content(text=text))
                [one] = await agent.process_actions(message, calling("ECHO"), state=State())
                return one.result.text

            texts = [f"text {index}" for index in range(1000)]
            assert await asyncio.gather(*map(echo, texts)) == texts

    run(main())


@pytest.mark.between_languages
def test_a_plugin_that_ends_ends_its_requests_and_is_unregistered() -> None:
    async def main() -> None:
        async with load("plain", []) as loaded:
            agent = await registered(loaded, [])
            never = asyncio.create_task(agent.process_actions(Memory(), calling("NEVER"), state=State()))
            # Answered only when the request before it was written.
            await agent.process_actions(Memory(), calling("ECHO"), state=State())
        [one] = await never
        assert "exited with status" in str(one.result.error)
        await asyncio.gather(*agent._watches.values())
        assert agent.plugins == ()

    run(main())


@pytest.mark.between_languages
def test_a_plugin_that_is_not_ready_is_given_up() -> None:
    async def main() -> None:
        with pytest.raises(AnyplugError, match=r"exited with status 3\nno database") as ended:
            async with load("exits", []):
                pytest.fail("it is not ready")
        assert ended.value.code is Code.UNAVAILABLE
        with pytest.raises(AnyplugError, match="was not ready within 200 ms") as late:
            async with load("silent", [], start_timeout=0.2):
                pytest.fail("it is not ready")
        assert late.value.code is Code.DEADLINE_EXCEEDED
        with pytest.raises(AnyplugError) as missing:
            async with load_line_plugin(["/nowhere/program"]):
                pytest.fail("it is not there")
        assert missing.value.code is Code.NOT_FOUND

    run(main())


@pytest.mark.between_languages
def test_the_protocol_of_methods_is_driven_too() -> None:
    async def main() -> None:
        async with load("methods", [], dialect="methods") as loaded:
            agent = AgentRuntime()
            with pytest.raises(AnyplugError) as refusal:
                await agent.register_plugin(loaded.for_agent(agent))
            assert refusal.value.code is Code.UNIMPLEMENTED
            own = loaded.definition
            without_services = AgentPluginDefinition(
                name="methods", init=own.init, actions=own.actions, evaluators=own.evaluators
            )
            await agent.register_plugin(without_services)
            memory = Memory.from_json(MEMORY)
            assert [one.description.name for one in await agent.valid_actions(memory)] == ["ECHO"]
            results = await agent.process_actions(memory, calling("ECHO", "FAIL"))
            assert [one.result for one in results] == [
                ActionResult(success=True, text="Grüße, 日本 👋"),
                ActionResult(success=False, error="broke"),
            ]
            assert await agent.run_evaluators(memory, []) == []
            assert await loaded.peer.call("generateResponse", {"input": "hi"}) == "you said hi"

    run(main())


PLAIN = """
import json, sys
print(json.dumps({"type": "ready", "manifest": {"name": "plain", "actions": [{"name": "A"}]}}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "plugin.init":
        answer = {"type": "plugin.init.result", "success": True}
    else:
        answer = {"type": "action.result", "result": {"text": request["memory"]["content"]["text"]}}
    print(json.dumps({"id": request["id"], **answer}), flush=True)
"""


def test_a_plugin_in_python_that_speaks_it(tmp_path: Path) -> None:
    program = tmp_path / "plugin.py"
    program.write_text(PLAIN)

    async def main() -> ActionResult:
        async with load_line_plugin([sys.executable, str(program)]) as loaded:
            agent = await registered(loaded, [])
            message = Memory(content=Content(text="hi"))
            [one] = await agent.process_actions(message, calling("A"), state=State())
            return one.result

    assert run(main()) == ActionResult(success=True, text="hi")
