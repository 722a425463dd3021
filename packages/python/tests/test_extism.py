"""Extism plugins: what all hosts hold to, functions of the host's own, threads and event loops."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from anyplug import AnyplugError, Code, ExtismLoad, LogRecord, WasiDirectory, WasmLimits, load_extism_plugin

from .conftest import ROOT, run

FOLDER = ROOT / "test" / "extism"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text())

# wabt, which assembles the modules, is one of npm's packages.
pytestmark = pytest.mark.between_languages

ASSEMBLE = """
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import wabt from "wabt";
const { parseWat } = await wabt();
const [folder, ...files] = process.argv.slice(1);
for (const file of files) {
  const { buffer } = parseWat(file, readFileSync(file, "utf8")).toBinary({});
  writeFileSync(`${folder}/${basename(file, ".wat")}.wasm`, buffer);
}
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the modules."""
    folder = tmp_path_factory.mktemp("extism")
    files = sorted(str(path) for path in FOLDER.glob("*.wat"))
    subprocess.run(
        ["node", "--input-type=module", "-e", ASSEMBLE, str(folder), *files], cwd=ROOT, check=True, timeout=300
    )
    return folder


def options_of(case: dict[str, Any]) -> dict[str, Any]:
    """The options of a case, whose names are those of TypeScript."""
    own = dict(case.get("options", {}))
    limits: dict[str, Any] = {}
    if "callTimeoutMs" in own:
        limits["call_timeout"] = own.pop("callTimeoutMs") / 1000
    if "maxMemoryBytes" in own:
        limits["max_memory_bytes"] = own.pop("maxMemoryBytes")
    names = {"config": "config", "allowedHosts": "allowed_hosts", "maxVarBytes": "max_var_bytes"}
    return {"wasm": WasmLimits(**limits), **{names[name]: value for name, value in own.items()}}


def check(error: AnyplugError, expected: dict[str, Any]) -> None:
    assert error.code.name == expected["code"], error
    assert error.message == expected.get("message", error.message)
    for says in expected.get("says", ()):
        assert says in error.message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_all_hosts_hold_to(case: dict[str, Any], modules: Path) -> None:
    records: list[LogRecord] = []
    load = load_extism_plugin(modules / f"{case['module']}.wasm", on_log=records.append, **options_of(case))
    if "calls" not in case:
        with pytest.raises(AnyplugError) as refused:
            load.open()
        check(refused.value, case)
        return
    with load as plugin:
        assert plugin.name == case["module"]
        if "functions" in case:
            assert plugin.functions == tuple(case["functions"])
        for call in case["calls"]:
            if "code" in call:
                with pytest.raises(AnyplugError) as failed:
                    plugin.call(call["function"], call["input"])
                check(failed.value, call)
            else:
                expected = bytes.fromhex(call["outputHex"]) if "outputHex" in call else call["output"].encode()
                assert plugin.call(call["function"], call["input"]) == expected
    if "logs" in case:
        assert [f"{record.level.name.lower()}: {record.message}" for record in records] == case["logs"]


def load(modules: Path, name: str, **options: Any) -> ExtismLoad:
    return load_extism_plugin((modules / f"{name}.wasm").read_bytes(), name=name, **options)


def test_a_plugin_in_an_event_loop(modules: Path) -> None:
    async def main() -> None:
        async with load(modules, "count_vowels") as plugin:
            assert plugin.name == "count_vowels"
            assert "call_timeout: epochs" in plugin.enforced
            calls = [plugin.call("count_vowels", "a" * count) for count in range(20)]
            assert await asyncio.gather(*calls) == [b'{"count":%d}' % count for count in range(20)]
        with pytest.raises(AnyplugError, match="was closed") as closed:
            await plugin.call("count_vowels")
        assert closed.value.code is Code.UNAVAILABLE

    run(main())


def test_the_loop_goes_on_while_a_plugin_runs(modules: Path) -> None:
    async def main() -> None:
        async with load(modules, "loop") as plugin, load(modules, "echo") as other:
            forever = asyncio.ensure_future(plugin.call("forever", timeout=0.5))
            for _ in range(20):
                assert await other.call("echo", b"x") == b"x"
            with pytest.raises(AnyplugError) as stopped:
                await forever
            assert stopped.value.code is Code.DEADLINE_EXCEEDED
            assert await plugin.call("nothing") == b""

    run(main())


def test_threads_share_a_plugin(modules: Path) -> None:
    with load(modules, "count_vowels", wasm=WasmLimits(instances=2)) as plugin:
        answers: dict[int, set[bytes]] = {}

        def call(count: int) -> None:
            answers[count] = {plugin.call("count_vowels", "a" * count) for _ in range(100)}

        threads = [threading.Thread(target=call, args=(count,)) for count in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {count: {b'{"count":%d}' % count} for count in range(6)}


def test_functions_of_the_hosts_own(modules: Path) -> None:
    notes: list[bytes] = []

    def shout(data: bytes) -> bytes | str:
        if data == b"bad":
            raise AnyplugError(Code.NOT_FOUND, "no such word")
        if data == b"worse":
            raise ValueError("not that")
        return data.decode().upper() if data == b"text" else data.upper()

    with load(modules, "user", functions={"shout": shout, "note": notes.append}) as plugin:
        assert plugin.call("run", b"hello") == b"HELLO"
        assert plugin.call("run", "text") == b"TEXT"
        with pytest.raises(AnyplugError, match="no such word") as failed:
            plugin.call("run", b"bad")
        assert failed.value.code is Code.NOT_FOUND
        with pytest.raises(AnyplugError, match="not that"):
            plugin.call("run", b"worse")
        assert plugin.call("run", b"again") == b"AGAIN"
    assert notes == [b"hello", b"text", b"bad", b"worse", b"again"]


def test_lines_of_the_log_go_to_logging(modules: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), load(modules, "log") as plugin:
        plugin.call("log", "a line")
    assert [(record.name, record.message) for record in caplog.records] == [
        ("anyplug.plugin.log", "log: a line"),
    ] * 3  # that of INFO, and those above


def test_what_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    file = tmp_path / "x.wasm"
    with pytest.raises(AnyplugError, match="there is no module at") as missing:
        load_extism_plugin(file).open()
    assert missing.value.code is Code.NOT_FOUND
    file.write_bytes(b"(module)")
    with pytest.raises(AnyplugError, match="is no WebAssembly module") as refused:
        load_extism_plugin(file).open()
    assert refused.value.code is Code.INVALID_ARGUMENT


def test_files_of_a_folder_that_was_granted(modules: Path, tmp_path: Path) -> None:
    granted = tmp_path / "granted"
    granted.mkdir()
    (granted / "file").write_text("hello")
    (tmp_path / "secret").write_text("secret")
    (granted / "link").symlink_to("../secret")
    limits = WasmLimits(wasi_directories=(WasiDirectory(granted, "/data"),))
    with load(modules, "files", wasm=limits) as plugin:
        assert plugin.call("read", "file") == b"hello"
        for path, status in (("../secret", 76), ("link", 76), (str(tmp_path / "secret"), 76), ("none", 44)):
            with pytest.raises(AnyplugError, match=f"returned {status} from"):
                plugin.call("read", path)
        with pytest.raises(AnyplugError, match="returned 69 from"):
            plugin.call("write", "file")
    limits = WasmLimits(wasi_directories=(WasiDirectory(granted, "/data", read_only=False),))
    with load(modules, "files", wasm=limits) as plugin:
        plugin.call("write", "new")
    assert (granted / "new").read_text() == "written"
    with pytest.raises(AnyplugError, match="path_open") as refused:
        load(modules, "files").open()
    assert refused.value.code is Code.FAILED_PRECONDITION


class _Answers(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/some/path"
        server.shutdown()
        thread.join()


def test_requests_to_a_host_that_is_granted(modules: Path, server: str) -> None:
    request = json.dumps({"url": server})
    with load(modules, "http", allowed_hosts=["127.0.0.1"]) as plugin:
        # The server answers in another thread of this interpreter.
        assert plugin.call("request", request) == b"hello"
        assert plugin.call("status", request) == b"200"
    with load(modules, "http") as plugin, pytest.raises(AnyplugError, match=r'"127\.0\.0\.1"') as refused:
        plugin.call("request", request)
    assert refused.value.code is Code.PERMISSION_DENIED
    assert _Answers.asked == ["/some/path"] * 2
