"""Schemas that differ: what would break on the wire is refused when the plugin is loaded or first called."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from anyplug import AnyplugError, Code, ServiceDescriptor, implement, load_plugin
from anyplug.codegen.v1 import Caller, Client, SyncCaller, SyncClient
from anyplug_generated.anyplug.test.v1 import test_anyplug
from anyplug_generated.anyplug.test.v1.test_anyplug import Host, HostHandler, Test

from .conftest import run

pytestmark = pytest.mark.between_languages

Cell = tuple[Path, str]


def variant(descriptor_set: bytes) -> ServiceDescriptor[Any, Any, Any]:
    """TestService as another version of the schema would generate it."""

    def client(caller: Caller) -> test_anyplug.TestClient:
        made = test_anyplug.TestClient.__new__(test_anyplug.TestClient)
        Client.__init__(made, caller, service)
        return made

    def sync_client(caller: SyncCaller) -> test_anyplug.TestSyncClient:
        made = test_anyplug.TestSyncClient.__new__(test_anyplug.TestSyncClient)
        SyncClient.__init__(made, caller, service)
        return made

    service = dataclasses.replace(
        Test, fingerprint="0" * 32, descriptor_set=descriptor_set, client=client, sync_client=sync_client
    )
    return service


# The fields `text` with number 1, of type string (9), become int32 (5).
BROKEN = variant(Test.descriptor_set.replace(b"\x0a\x04text\x18\x01 \x01(\x09", b"\x0a\x04text\x18\x01 \x01(\x05"))
# Another fingerprint alone says that the schemas differ, not that the difference matters.
HARMLESS = variant(Test.descriptor_set)


def test_the_descriptors_differ() -> None:
    assert BROKEN.descriptor_set != Test.descriptor_set


def test_an_expected_service_is_compared_at_load(cell: Cell) -> None:
    folder, transport = cell
    with pytest.raises(AnyplugError, match=r"FIELD_TYPE anyplug\.test\.v1\.EchoRequest\.text") as caught:
        load_plugin(folder, transport=transport, expect=[BROKEN]).open()  # type: ignore[arg-type]
    assert caught.value.code is Code.FAILED_PRECONDITION
    with load_plugin(folder, transport=transport, expect=[HARMLESS]) as plugin:  # type: ignore[arg-type]
        assert plugin.client(HARMLESS).echo(text="fits").text == "fits"


def test_another_service_is_compared_before_its_first_call(cell: Cell) -> None:
    folder, transport = cell
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        assert plugin.client(Test).echo(text="fits").text == "fits"
    with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(AnyplugError, match="FIELD_TYPE"):
                plugin.client(BROKEN).echo(text="does not")


def test_another_service_is_compared_before_its_first_call_of_asyncio(cell: Cell) -> None:
    async def main() -> None:
        folder, transport = cell
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            with pytest.raises(AnyplugError, match="FIELD_TYPE"):
                await plugin.client(BROKEN).echo(text="does not")
            with pytest.raises(AnyplugError, match="FIELD_TYPE"):
                await anext(plugin.client(BROKEN).count(count=1))
        async with load_plugin(folder, transport=transport) as plugin:  # type: ignore[arg-type]
            assert (await plugin.client(HARMLESS).echo(text="fits")).text == "fits"

    run(main())


def test_what_the_plugin_uses_is_compared_with_what_the_host_offers(cell: Cell) -> None:
    folder, transport = cell
    broken = dataclasses.replace(
        Host,
        fingerprint="0" * 32,
        descriptor_set=Host.descriptor_set.replace(
            b"\x0a\x08question\x18\x01 \x01(\x09", b"\x0a\x08question\x18\x01 \x01(\x05"
        ),
    )
    with pytest.raises(AnyplugError, match=r"FIELD_TYPE anyplug\.test\.v1\.AskRequest\.question") as caught:
        load_plugin(folder, transport=transport, services=[implement(broken, HostHandler())]).open()  # type: ignore[arg-type]
    assert caught.value.code is Code.FAILED_PRECONDITION
