"""ELIZA in Python for the differential test.

A request a line, `{script?, lines}`, and an answer a line, `{greeting, replies}` or `{error}`.
"""

import json
import sys
from typing import Any

from eliza_classic import Eliza, InputError, ScriptError, parse_script


def answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        eliza = Eliza(parse_script(request["script"])) if "script" in request else Eliza()
        session = eliza.new_session()
        return {"greeting": eliza.greeting, "replies": [session.reply(line) for line in request["lines"]]}
    except (InputError, ScriptError) as error:
        return {"error": str(error)}


if __name__ == "__main__":
    for request in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(json.loads(request))) + "\n")
        sys.stdout.flush()
