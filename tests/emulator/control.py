"""The emulator's own routes under /_evenkeel/; docs/emulator.md describes them. JSON in and out."""

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from emulator import mess
from emulator.answers import Answer, AwsError
from emulator.events import disorder
from emulator.faults import Fault
from emulator.lag import Lag
from emulator.missing import cloudtrail, ec2, ec2_network, iam, sns_subscriptions
from emulator.organization import control_tower
from emulator.shelf import store
from emulator.wire import Call


class Control:
    def __init__(self, emulator: Any) -> None:
        self._emulator = emulator

    def answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        route = (environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/"))
        try:
            result = self._route(route, query, body)
        except AwsError as error:
            return _json(409, {"error": str(error)})
        except (ValueError, TypeError, KeyError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})
        return _json(404, {"error": f"no such route: {route[0]} {route[1]}"}) if result is None else _json(200, result)

    def _route(self, route: tuple[str, str], query: dict[str, str], body: bytes) -> Any:
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
        if route[1] == "/_evenkeel/lag":
            with self._emulator.lock:
                return self._lag(route[0], account, body)
        if route[1].startswith("/_evenkeel/events"):
            with self._emulator.lock:
                return self._events(route, account, query.get("region", "us-east-1"), body)
        if route == ("DELETE", "/_evenkeel/policy"):
            self._emulator.access.clear(str(account))
            return {}
        if route[0] != "POST":
            return None
        if account is None:
            raise ValueError("the query must name an account")
        if route[1] == "/_evenkeel/policy":
            self._emulator.access.put(account, body.decode())
            return {}
        with self._emulator.lock:
            return self._change(route[1], account, query, body)

    def _lag(self, method: str, account: str | None, body: bytes) -> Any:
        """Reads that lag behind writes."""
        book = self._emulator.lags
        if method == "POST":
            return {"id": book.add(Lag(**json.loads(body)))}
        if method == "DELETE":
            book.clear(account)
            return {}
        return [asdict(lag) for lag in book.lags if account in (None, lag.account)] if method == "GET" else None

    def _events(self, route: tuple[str, str], account: str | None, region: str, body: bytes) -> Any:
        """Events: on and off, and at once what waits."""
        if route == ("POST", "/_evenkeel/events"):
            return self._emulator.events.turn_on(account or "*", **json.loads(body or b"{}"))
        if route == ("DELETE", "/_evenkeel/events"):
            self._emulator.events.turn_off(account)
            return {}
        if route == ("POST", "/_evenkeel/events/put"):
            return self._emulator.events.put(str(account), region, json.loads(body))
        if route == ("POST", "/_evenkeel/events/flush"):
            return {"delivered": disorder.flush(account)}
        return None

    def _change(self, path: str, account: str, query: dict[str, str], body: bytes) -> Any:
        """Routes that put an account into a state that no API call reaches."""
        if path == "/_evenkeel/mess":
            return mess.make(self._emulator, account, minimal=query.get("minimal") == "1")
        if path == "/_evenkeel/control_tower":
            return control_tower.govern(self._emulator, account, query["management"])
        if path == "/_evenkeel/root":
            return iam.set_root(account, json.loads(body))
        if path == "/_evenkeel/organization_trail":
            region, bucket = query.get("region", "us-east-1"), query.get("bucket", "organization-logs")
            trail = cloudtrail.add_organization_trail(query["management"], account, region, bucket)
            return {"arn": trail.arn}
        if path == "/_evenkeel/settling":
            store.settle_after(account, int(query["reads"]))
            return {}
        if path == "/_evenkeel/owner":
            store.own(account, query["of"], query.get("owner"))
            return {}
        if path == "/_evenkeel/compliance":
            # The table is loaded when Config is first called.
            from emulator.shelf.tables import config_rules

            call = Call({}, b"", "config", query.get("region", "us-east-1"), account)
            config_rules.plant(call, query["rule"], json.loads(body))
            return {}
        if path == "/_evenkeel/confirm":
            return {"confirmed": sns_subscriptions.confirm(account, query["endpoint"])}
        if path == "/_evenkeel/plant":
            store.plant(account, query.get("region", "us-east-1"), query["of"], json.loads(body))
            return {}
        if path == "/_evenkeel/network":
            ec2_network.network(account, **json.loads(body))
            return {}
        if path == "/_evenkeel/opt_in":
            if query["region"] not in ec2.known_regions():
                raise ValueError(f"no such Region: {query['region']}")
            ec2.opt_in(account, query["region"])
            return {}
        return None


def _json(status: int, value: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(value).encode())
