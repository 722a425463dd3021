"""A plugin that speaks ElizaOS's line protocol, as plainly as can be: one request after the other."""

import json
import sys

print(json.dumps({"type": "ready", "manifest": {"name": "weather", "actions": [{"name": "UMBRELLA"}]}}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    state = request["state"] or {}
    result = {"success": state["values"].get("rain") is True, "text": None, "error": None, "data": None, "values": None}
    print(json.dumps({"type": "action.result", "id": request["id"], "result": result}), flush=True)
