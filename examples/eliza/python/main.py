"""A host that talks to ELIZA in any of the three languages.

    python main.py --plugin typescript|python|rust [--transport direct|process|stdio|wasm|ffi] [--cell]

With `--cell` it prints one cell of the matrix as JSON; otherwise it answers each line of standard input, and an empty
line starts a new session.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from pathlib import Path

from anyplug import AnyplugError, SyncPlugin, TransportName, load_plugin
from anyplug_generated.eliza_classic.v1.eliza_anyplug import Eliza, ElizaSyncClient

LANGUAGES = {"typescript": "ts", "python": "python", "rust": "rust"}
PLUGINS = Path(__file__).resolve().parents[3] / "plugins" / "eliza-classic"
WARM_UP = 200
CALLS = 1_000


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description="Talk to ELIZA from a host in Python.")
    parser.add_argument("--plugin", choices=LANGUAGES, required=True, help="the language of the plugin")
    parser.add_argument(
        "--transport", choices=("direct", "process", "stdio", "wasm", "ffi"), help="default: direct for python"
    )
    parser.add_argument("--cell", action="store_true", help="print one cell of the matrix as JSON")
    options = parser.parse_args()
    transport: TransportName = options.transport or ("direct" if options.plugin == "python" else "process")
    try:
        with load_plugin(PLUGINS / LANGUAGES[options.plugin], transport=transport) as plugin:
            if options.cell:
                print(json.dumps(cell(options.plugin, plugin)))
            else:
                converse(plugin.client(Eliza))
    except AnyplugError as error:
        if options.cell:
            result = {"host": "python", "plugin": options.plugin, "transport": transport}
            print(json.dumps({**result, "ok": False, "reply": None, "p50_us": None, "error": str(error)}))
        else:
            print(error, file=sys.stderr)
        return 1
    return 0


def cell(language: str, plugin: SyncPlugin) -> dict[str, object]:
    """Returns the answer to the paper's first line, and the median time of a call in microseconds."""
    eliza = plugin.client(Eliza)
    reply = eliza.reply(text="Men are all alike.", session_id=str(uuid.uuid4())).text
    times = []
    for _ in range(WARM_UP + CALLS):
        start = time.perf_counter_ns()
        eliza.reply(text="Men are all alike.", session_id="timing")
        times.append(time.perf_counter_ns() - start)
    median = sorted(times[WARM_UP:])[CALLS // 2] / 1_000
    return {
        "host": "python",
        "plugin": language,
        "transport": plugin.transport,
        "ok": True,
        "reply": reply,
        "p50_us": round(median, 1),
    }


def converse(eliza: ElizaSyncClient) -> None:
    """Answers each line of standard input."""
    session = str(uuid.uuid4())
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        if not text:
            session = str(uuid.uuid4())
            continue
        print(eliza.reply(text=text, session_id=session).text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
