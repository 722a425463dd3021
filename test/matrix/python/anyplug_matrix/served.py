"""A plugin that is served at an address, by a program that no host started."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from anyplug import TlsOptions

__all__ = ("Served", "certificates_of")

_CERTIFICATES = Path(__file__).resolve().parents[3] / "certificates"


def certificates_of(side: str) -> TlsOptions:
    """What one side shows to the other over TLS."""
    ca = _CERTIFICATES / "authority.pem"
    return TlsOptions(certificate=_CERTIFICATES / f"{side}.pem", key=_CERTIFICATES / f"{side}.key", ca=ca)


class Served:
    """The program, and where it serves."""

    def __init__(self, folder: Path, transport: str) -> None:
        """Starts the plugin's command, and waits until it says where it is."""
        manifest = json.loads((folder / "plugin.json").read_text(encoding="utf-8"))
        name, *arguments = shlex.split(manifest["interop"]["ipcCommand"])
        program = sys.executable if name.startswith("python") else name
        program = str(folder / program) if "/" in program else program
        self._folder = tempfile.mkdtemp(prefix="anyplug-matrix-")
        listen = f"unix:{self._folder}/plugin.sock" if transport == "unix" else f"{transport}://127.0.0.1:0"
        shown = certificates_of("plugin")
        tls = {
            "ANYPLUG_TLS_CERTIFICATE": str(shown.certificate),
            "ANYPLUG_TLS_KEY": str(shown.key),
            "ANYPLUG_TLS_CA": str(shown.ca),
        }
        self._program = subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            env={**os.environ, **tls, "ANYPLUG_LISTEN": listen},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._program.stdout is not None
        lines = (line.rpartition(" at ")[2].strip() for line in self._program.stdout if " at " in line)
        self.address = f"{next(lines)}#{manifest['name']}"

    def stop(self) -> None:
        """Asks the program to end, which it does with status 0, and leaves nothing behind."""
        self._program.terminate()
        status = self._program.wait()
        assert self._program.stdout is not None
        self._program.stdout.close()
        shutil.rmtree(self._folder)
        assert status == 0, f"the server ended with {status}"
