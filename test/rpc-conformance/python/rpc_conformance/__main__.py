"""The client (``python -m rpc_conformance client TRANSPORT``) and the server (``… server TRANSPORT``) under test."""

import sys

from ._client import run as run_client
from ._server import run as run_server

_PROGRAMS = {"client": run_client, "server": run_server}

_PROGRAMS[sys.argv[1]](sys.argv[2])
