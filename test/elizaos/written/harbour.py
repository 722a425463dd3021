"""A plugin that is written for ElizaOS's Python runtime, and knows nothing of anyplug: one of everything."""

from collections.abc import AsyncIterator
from typing import Any

from elizaos.types.components import (
    Action,
    ActionExample,
    ActionParameter,
    ActionParameterSchema,
    ActionResult,
    Evaluator,
    Provider,
    ProviderResult,
)
from elizaos.types.memory import Memory
from elizaos.types.model import ModelType
from elizaos.types.plugin import Plugin, Route
from elizaos.types.primitives import Content
from elizaos.types.runtime import IAgentRuntime  # noqa: F401 - the class of routes looks for it
from elizaos.types.service import Service

__all__ = ("plugin",)

Route.model_rebuild()


class Pilot(Service):
    """Runs as long as the plugin is registered."""

    service_type = "pilot"

    @property
    def capability_description(self) -> str:
        return "Guides ships"

    @classmethod
    async def start(cls, runtime: Any) -> "Pilot":
        runtime.logger.info(f"pilot of {runtime.character.name} starts")
        return cls(runtime)

    async def stop(self) -> None:
        self.runtime.logger.info("pilot stops")


async def init(config: dict[str, Any], runtime: Any) -> None:
    runtime.logger.info(f"init {config['PORT']} {len(runtime.agent_id)} {runtime.character.name}")
    if "ASK" in config:
        getattr(runtime, config["ASK"])()


async def is_ship(_runtime: Any, message: Any, _state: Any) -> bool:
    return "ship" in message.content.text


async def moor(runtime: Any, message: Any, state: Any, options: Any, callback: Any, responses: Any) -> Any:
    await callback(Content(text=f"Tide: {state.values.extra['tide']}"))
    kept = Memory(room_id="r", content=Content(text=message.content.text))
    id_ = await runtime.create_memory(kept, "log")
    found = await runtime.get_memory_by_id(id_)
    result = ActionResult(
        success=True, text=f"{runtime.get_service('pilot') is not None} {runtime.get_setting('PORT')}"
    )
    result.data.update(
        {
            "berth": options.parameters["berth"],
            "kept": found.content.text,
            "listed": len(await runtime.get_memories({"tableName": "log", "roomId": "r"})),
            "none": await runtime.get_memory_by_id("00000000-0000-0000-0000-000000000000") is None,
            "responses": len(responses),
            "mood": message.content.data["mood"],
        }
    )
    return result


async def refuse(_runtime: Any, *_: Any) -> Any:
    return ActionResult(success=False, error="no berth is free")


async def sing(runtime: Any, *_: Any) -> Any:
    pieces = [piece async for piece in runtime.use_model_stream("TEXT_SMALL_STREAM", {"prompt": "sing"})]
    return ActionResult(success=True, text="|".join(pieces))


async def rooms(runtime: Any, *_: Any) -> Any:
    await runtime.get_rooms("w")


async def tide(_runtime: Any, _message: Any, _state: Any) -> Any:
    result = ProviderResult(text="The tide is high.")
    result.values.update({"tide": "high"})
    return result


async def note(_runtime: Any, _message: Any, state: Any, *_: Any) -> Any:
    return ActionResult(success=True, text=state.text)


async def ship(request: Any, response: Any, runtime: Any) -> None:
    response.status(201).set_header("x-port", str(runtime.get_setting("PORT")))
    response.json({"ship": request.params["name"], "q": request.query["q"], "body": request.body})


async def on_horn(payload: Any) -> None:
    HEARD.append(payload)


async def model(runtime: Any, params: dict[str, Any]) -> str:
    return f"{runtime.get_setting('PORT')}: {params['prompt']} {HEARD}"


async def streaming(_runtime: Any, params: dict[str, Any]) -> AsyncIterator[str]:
    for word in params["prompt"].split():
        yield word


HEARD: list[Any] = []
BERTH = ActionParameterSchema(type="string", enum_values=["a", "b"])
EXAMPLE = ActionExample(name="Ada", content=Content(text="A ship comes"))

plugin = Plugin(
    name="harbour",
    description="Ships come and go",
    config={"PORT": "Bonn"},
    init=init,
    actions=[
        Action(
            name="MOOR",
            description="Moors a ship",
            handler=moor,
            validate=is_ship,
            similes=["DOCK"],
            examples=[[EXAMPLE]],
            parameters=[ActionParameter(name="berth", description="Where", required=True, schema=BERTH)],
        ),
        Action(name="REFUSE", description="Has no berth", handler=refuse, validate=is_ship),
        Action(name="SING", description="Sings", handler=sing, validate=is_ship),
        Action(name="ROOMS", description="Asks what agents here do not have", handler=rooms, validate=is_ship),
    ],
    providers=[Provider(name="TIDE", get=tide, position=3)],
    evaluators=[Evaluator(name="NOTE", description="Notes", handler=note, validate=is_ship, always_run=True)],
    services=[Pilot],
    routes=[Route(type="POST", path="/ships/:name", handler=ship, public=True, name="ships")],
    events={"horn": [on_horn]},
    models={ModelType.TEXT_LARGE: model},
    streaming_models={ModelType.TEXT_LARGE_STREAM: streaming},
)
