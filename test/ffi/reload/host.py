"""`host.py COUNT LIBRARY…`: moves the libraries over one path in turn, and loads, calls and closes each from there.

Then it says what the process has more than before.
"""

from __future__ import annotations

import gc
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from anyplug import load_plugin
from anyplug_generated.anyplug.test.v1.test_anyplug import Test

FIRST = 200
"""Loads that come before the counting: what is made once is made then."""


def load(folder: Path, libraries: list[str], times: int, versions: set[str]) -> None:
    """Loads one library after another."""
    for turn in range(times):
        copy = shutil.copyfile(libraries[turn % len(libraries)], folder / "new")
        with load_plugin(copy.replace(folder / "plugin.so")) as plugin:
            versions.add(plugin.version)
            client = plugin.client(Test)
            client.echo(text="hello")
            if [one.index for one in client.count(count=3)] != [0, 1, 2]:
                raise RuntimeError(f"load {turn}: not the messages that were asked for")


def usage() -> dict[str, int]:
    """Returns KiB of memory, mappings and descriptors of this process."""
    gc.collect()
    own = Path("/proc/self")
    memory = re.search(r"VmRSS:\s+(\d+)", (own / "status").read_text())
    mappings = (own / "maps").read_text().splitlines()
    return {
        "memory": int(memory[1]) if memory else 0,
        "mappings": len(mappings),
        "descriptors": sum(1 for _ in (own / "fd").iterdir()),
    }


def main() -> None:
    """Runs as the command line says."""
    versions: set[str] = set()
    count, libraries = int(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="anyplug-reload-") as folder:
        load(Path(folder), libraries, FIRST, versions)
        before = usage()
        load(Path(folder), libraries, count, versions)
        print(json.dumps({"before": before, "after": usage(), "versions": len(versions)}))


if __name__ == "__main__":
    main()
