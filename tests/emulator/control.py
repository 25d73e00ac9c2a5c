"""The emulator's own routes under /_evenkeel/: calls, faults, mess, reset. JSON in and out."""

import json
from typing import Any
from urllib.parse import parse_qs

from emulator import mess
from emulator.answers import Answer
from emulator.faults import Fault


class Control:
    def __init__(self, emulator: Any) -> None:
        self._emulator = emulator

    def answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        route = (environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/"))
        try:
            result = self._route(route, query, body, environ)
        except (ValueError, TypeError) as error:
            return _json(400, {"error": str(error)})
        return _json(404, {"error": f"no such route: {route[0]} {route[1]}"}) if result is None else _json(200, result)

    def _route(self, route: tuple[str, str], query: dict[str, str], body: bytes, environ: dict[str, Any]) -> Any:
        account = query.get("account")
        if route == ("GET", "/_evenkeel/health"):
            return {"ok": True}
        if route == ("GET", "/_evenkeel/calls"):
            return self._emulator.calls.entries(account)
        if route == ("DELETE", "/_evenkeel/calls"):
            self._emulator.calls.clear(account)
            return {}
        if route == ("GET", "/_evenkeel/faults"):
            return self._emulator.faults.listed(account)
        if route == ("POST", "/_evenkeel/faults"):
            return {"id": self._emulator.faults.add(Fault(**json.loads(body)))}
        if route == ("DELETE", "/_evenkeel/faults"):
            self._emulator.faults.clear(account, int(query["id"]) if "id" in query else None)
            return {}
        if route == ("POST", "/_evenkeel/mess"):
            if account is None:
                raise ValueError("account is missing")
            return mess.make(self._emulator, account, minimal=query.get("minimal") == "1")
        return None


def _json(status: int, value: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(value).encode())
