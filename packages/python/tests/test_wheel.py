"""The wheel that users install, not the tree: built by maturin, installed into a new environment, loaded and called."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from .conftest import ROOT, TEST_PLUGINS

PROGRAM = """
import sys
import anyplug
from anyplug import load_plugin
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

assert anyplug.__file__.startswith(sys.prefix), anyplug.__file__
with load_plugin(sys.argv[1]) as plugin:
    print(plugin.client(Test).echo(text="from the wheel").text)
"""


def test_the_wheel_is_installed_and_calls_a_plugin(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    build = [sys.executable, "-m", "maturin", "build", "--profile", "fast", "--locked", "--out", str(wheels)]
    subprocess.run([*build, "--manifest-path", str(ROOT / "packages" / "python" / "Cargo.toml")], check=True)
    [wheel] = wheels.glob("anyplug-*-cp311-abi3-*.whl")

    folder = tmp_path / "venv"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--disable-pip-version-check",
        str(wheel),
    ]
    subprocess.run(install, check=True)

    # What the package needs is the environment's own; the package itself is not found there.
    packages = tmp_path / "needed"
    packages.mkdir()
    installed = Path(sysconfig.get_path("purelib"))
    for pattern in ("betterproto2", "betterproto2-*.dist-info", "dateutil", "typing_extensions.py"):
        [found] = installed.glob(pattern)
        (packages / found.name).symlink_to(found)
    path = os.pathsep.join([str(packages), str(ROOT / "generated" / "python")])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [str(python), "-c", PROGRAM, str(TEST_PLUGINS["rust"])]
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "from the wheel\n"), result.stderr
