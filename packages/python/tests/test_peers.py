"""Who is at the other end of a Unix socket: programs of other users are refused, on both sides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from anyplug import AnyplugError, Code, Context, define_plugin, implement, listen, load_plugin
from anyplug_generated.anyplug.test.v1 import EchoRequest, EchoResponse
from anyplug_generated.anyplug.test.v1.test_anyplug import Test, TestHandler

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root alone can be another user, for a moment")

_BECOME_NOBODY = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
peer = socket.socket(socket.AF_UNIX)
"""


def as_nobody(folder: Path, program: str) -> subprocess.Popen[str]:
    """Runs a program in the folder as nobody."""
    command = [sys.executable, "-c", _BECOME_NOBODY + program]
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Echoing(TestHandler):
    def echo(self, request: EchoRequest, context: Context) -> EchoResponse:
        return EchoResponse(text=request.text)


def test_a_served_plugin_says_nothing_to_another_users_program(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    plugin = define_plugin(name="private", version="1", services=[implement(Test, Echoing())])
    with listen(plugin, f"unix:{tmp_path}/x.sock") as server:
        # As somebody may have done by mistake.
        (tmp_path / "x.sock").chmod(0o666)
        stranger = as_nobody(tmp_path, "peer.connect('x.sock'); print('connected', peer.recv(100))")
        assert stranger.communicate()[0] == "connected b''\n"
        with load_plugin(server.address) as loaded:
            assert loaded.client(Test).echo(text="mine").text == "mine"


def test_a_host_does_not_talk_to_another_users_server(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    stranger = as_nobody(
        tmp_path, "peer.bind('x.sock'); peer.listen(); print('listening', flush=True); sys.stdin.read()"
    )
    assert stranger.stdout is not None
    assert stranger.stdout.readline() == "listening\n"
    tmp_path.chmod(0o755)
    with pytest.raises(AnyplugError, match="belongs to user 65534; expected user 0 or root") as caught:
        load_plugin(f"unix:{tmp_path}/x.sock").open()
    assert caught.value.code is Code.PERMISSION_DENIED
    # The file is put right, and the server is who it is.
    os.chown(tmp_path / "x.sock", 0, -1)
    with pytest.raises(AnyplugError, match="the peer is user 65534; expected user 0 or root") as caught:
        load_plugin(f"unix:{tmp_path}/x.sock").open()
    assert caught.value.code is Code.PERMISSION_DENIED
    stranger.communicate()
