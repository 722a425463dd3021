"""A plugin in Rust as a wheel: built by maturin, installed into a new environment, imported, typed, and loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT

CRATE = ROOT / "plugins" / "eliza-classic" / "rust"

# Each program is checked by mypy as well, as strictly as that goes.
PROGRAMS = {
    "the module loads its plugin in this process": """
import sys
from pathlib import Path

import anyplug_eliza_classic
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza

assert anyplug_eliza_classic.__file__ and anyplug_eliza_classic.__file__.startswith(sys.prefix)
assert anyplug_eliza_classic.__version__ == "0.1.0"
with anyplug_eliza_classic.load() as plugin, anyplug_eliza_classic.load(host_name="second") as second:
    assert (plugin.name, plugin.version) == ("eliza-classic", "0.1.0")
    assert plugin.transport == second.transport == "ffi"
    for each in (plugin, second):
        assert each.client(Eliza).reply(text="Men are all alike.").text == "IN WHAT WAY"
        responses = each.client(Eliza).reply_stream(text="Men are all alike.", session_id="another")
        assert [response.text for response in responses] == ["IN", "WHAT", "WAY"]
    # It is the library that was imported, not another copy of it.
    maps = Path("/proc/self/maps")
    mapped = maps.read_text().splitlines() if maps.exists() else []
    places = {line.split(maxsplit=5)[5] for line in mapped if "anyplug_eliza_classic" in line}
    assert all(place.startswith(sys.prefix) for place in places), places
with anyplug_eliza_classic.load() as again:
    assert again.client(Eliza).reply(text="Men are all alike.").text == "IN WHAT WAY"
""",
    "the module loads its plugin for asyncio": """
import asyncio

import anyplug_eliza_classic
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza


async def main() -> str:
    async with anyplug_eliza_classic.load() as plugin:
        return (await plugin.client(Eliza).reply(text="Men are all alike.")).text


assert asyncio.run(main()) == "IN WHAT WAY"
""",
    "a host loads it by its name and by its file, in each way": """
import importlib.util
import sys
from pathlib import Path

from anyplug import FfiOptions, TransportName, load_plugin
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza

NAME = "python:anyplug_eliza_classic"
SCRIPT = "(HI) START (NONE ((0) (GO ON)))"

found = importlib.util.find_spec("anyplug_eliza_classic")
assert found is not None and found.origin is not None
[library] = Path(found.origin).parent.glob("*.so")

transports: tuple[TransportName | None, ...] = (None, "process", "stdio", "ffi")
for transport in transports:
    with load_plugin(NAME, transport=transport, python=sys.executable) as plugin:
        assert plugin.transport == (transport or "process")
        assert plugin.client(Eliza).reply(text="Men are all alike.").text == "IN WHAT WAY"
    with load_plugin(NAME, transport=transport, python=sys.executable, config={"script": SCRIPT}) as plugin:
        assert plugin.client(Eliza).reply(text="Men are all alike.").text == "GO ON"

for isolation in (FfiOptions(), FfiOptions(isolation="process")):
    with load_plugin(library, ffi=isolation) as plugin:
        assert plugin.client(Eliza).reply(text="Men are all alike.").text == "IN WHAT WAY"
# Nothing of these was imported.
assert "anyplug_eliza_classic" not in sys.modules
""",
    "a host finds it among what is installed": """
from anyplug import discover_plugins, load_plugins
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza

found = discover_plugins()
assert not found.failures, found.failures
assert [(plugin.name, plugin.source) for plugin in found.plugins] == [("eliza-classic", "python")]
with load_plugins(found.plugins) as plugins:
    assert plugins["eliza-classic"].client(Eliza).reply(text="Men are all alike.").text == "IN WHAT WAY"
""",
}

MISTAKES = """
import anyplug_eliza_classic

anyplug_eliza_classic.load(drain_timeout="long")
anyplug_eliza_classic.load().nothing()
anyplug_eliza_classic.__version__ + 1
anyplug_eliza_classic.unload()
"""


class Environment:
    """A virtual environment with the wheel in it, and with what the wheel depends on by its place in the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "venv"
        venv.create(self.folder)
        self.python = self.folder / "bin" / "python"
        needed = folder / "needed"
        needed.mkdir()
        installed = Path(sysconfig.get_path("purelib"))
        for pattern in ("betterproto2", "betterproto2-*.dist-info", "dateutil", "typing_extensions.py"):
            [found] = installed.glob(pattern)
            (needed / found.name).symlink_to(found)
        [packages] = self.folder.glob("lib/python3*/site-packages")
        paths = [needed, ROOT / "packages" / "python" / "python", ROOT / "generated" / "python"]
        (packages / "needed.pth").write_text("".join(f"{path}\n" for path in paths))

    def pip(self, *arguments: str) -> None:
        """Runs this environment's own pip as that of the tests' environment."""
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.python)]
        subprocess.run([*command, *arguments], check=True)

    def run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs its Python."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ANYPLUG"))}
        command = [str(self.python), *arguments]
        return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)

    def mypy(self, folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
        """Checks programs as a user would who has installed mypy elsewhere."""
        command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(self.python), *files]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "maturin", "build", "--generate-stubs", "--profile", "dev", "--locked"]
    # In a folder of its own: the library has the name of the ordinary one. Not optimized: it is built in half the time.
    places = ["--target-dir", str(ROOT / "target" / "plugin-wheel"), "--out", str(folder)]
    quick = {**os.environ, "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_INCREMENTAL": "0"}
    subprocess.run([*build, *places, "--manifest-path", str(CRATE / "Cargo.toml")], env=quick, check=True)
    [wheel] = folder.glob("anyplug_eliza_classic-*-cp311-abi3-*.whl")
    environment = Environment(folder)
    environment.pip("install", "--no-deps", "--no-index", str(wheel))
    yield environment
    environment.pip("uninstall", "--yes", "anyplug-eliza-classic")
    result = environment.run(folder, "-c", "import anyplug_eliza_classic")
    assert "No module named 'anyplug_eliza_classic'" in result.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs(environment: Environment, tmp_path: Path, name: str) -> None:
    result = environment.run(tmp_path, "-c", PROGRAMS[name])
    assert result.returncode == 0, result.stderr
    assert result.stdout + result.stderr == ""


def test_the_module_is_typed(environment: Environment, tmp_path: Path) -> None:
    files = [tmp_path / f"program{number}.py" for number in range(len(PROGRAMS))]
    for file, program in zip(files, PROGRAMS.values(), strict=True):
        file.write_text(program)
    checked = environment.mypy(tmp_path, *(file.name for file in files))
    assert checked.returncode == 0, checked.stdout + checked.stderr

    (tmp_path / "mistakes.py").write_text(MISTAKES)
    checked = environment.mypy(tmp_path, "mistakes.py")
    lines = [line.partition(" error: ")[0] for line in checked.stdout.splitlines() if " error: " in line]
    assert lines == [f"mistakes.py:{number}:" for number in (4, 5, 6, 7)], checked.stdout + checked.stderr
