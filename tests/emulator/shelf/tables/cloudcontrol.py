"""Cloud Control: what a caller wants of a resource, carried out by the resource's own service and told as progress."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.shelf.pages import page
from emulator.shelf.store import Row, now, place
from emulator.shelf.tables.cloudcontrol_types import TYPES, Model, Type
from emulator.wire import Call

# What a service's error says, as the handlers of resources name it; the first that fits.
HANDLER_CODES = (
    (("AlreadyExists", "AlreadyOwned", "Duplicate", "ResourceConflict", "already"), "AlreadyExists"),
    (("NotFound", "NoSuch", "404", "InvalidAccess"), "NotFound"),
    (("AccessDenied", "Unauthorized"), "AccessDenied"),
    (("LimitExceeded", "TooMany"), "ServiceLimitExceeded"),
    (("Throttl",), "Throttling"),
    (("Conflict", "InUse", "NotEmpty"), "ResourceConflict"),
    (("Invalid", "Malformed", "Validation", "BadRequest"), "InvalidRequest"),
)


class Failed(Exception):
    """What a handler refuses, told by the progress of the request and not by the call."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def type_of(call: Call) -> Type:
    name = call.params["TypeName"]
    if name not in TYPES:
        if name.startswith("AWS::") and name.count("::") == 2:
            raise NotImplementedError(f"resources of the type {name}")
        raise AwsError("TypeNotFoundException", f"The type {name} does not exist.")
    return TYPES[name]


def parsed(text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise AwsError("InvalidRequestException", "The document is not valid JSON of the kind that is wanted.")
    return value


def check(of: Type, model: Model) -> None:
    """What the type's schema says of the caller's properties."""
    if given := sorted(set(model) & of.added):
        raise Failed("InvalidRequest", f"Encountered unsupported properties in {{/}}: {given}, which are read-only")
    if unknown := sorted(set(model) - of.properties):
        raise NotImplementedError(f"the properties {', '.join(unknown)}")
    if absent := sorted(of.required - set(model)):
        raise Failed("InvalidRequest", f"Model validation failed (#: required key [{absent[0]}] not found)")


def code_of(error: AwsError) -> str:
    """By the error's code, else by its text."""
    for said in (error.code, error.message):
        for words, code in HANDLER_CODES:
            if any(word in said for word in words):
                return code
    return "GeneralServiceException"


def read(call: Call, of: Type, identifier: str) -> Model:
    try:
        return of.read(call, identifier)
    except AwsError as error:
        if code_of(error) in ("NotFound", "InvalidRequest"):
            message = f"Resource of type '{call.params['TypeName']}' with identifier '{identifier}' was not found."
            raise AwsError("ResourceNotFoundException", message) from None
        raise


def request(call: Call, operation: str, identifier: str | None, work: Callable[[], str]) -> dict[str, Any]:
    """Does the work and answers that it is in progress; GetResourceRequestStatus tells how it ended."""
    known = place(call, "tokens").get(call.params.get("ClientToken"))
    asked = {name: value for name, value in call.params.items() if name != "ClientToken"}
    if known:
        if known.now["asked"] != asked:
            raise AwsError("ClientTokenConflictException", "The client token was used before, with other parameters.")
        return {"ProgressEvent": known.now["told"]}
    token = str(uuid.uuid4())
    event = {
        "TypeName": call.params["TypeName"],
        "RequestToken": token,
        "Operation": operation,
        "OperationStatus": "IN_PROGRESS",
        "EventTime": now(),
    } | ({"Identifier": identifier} if identifier else {})
    try:
        end = {"OperationStatus": "SUCCESS", "Identifier": work()}
    except Failed as error:
        end = {"OperationStatus": "FAILED", "ErrorCode": error.code, "StatusMessage": error.message}
    except AwsError as error:
        end = {"OperationStatus": "FAILED", "ErrorCode": code_of(error), "StatusMessage": error.message}
    row = place(call, "requests").setdefault(token, Row({}))
    row.write(call, event | end, {"OperationStatus": "IN_PROGRESS"})
    if call.params.get("ClientToken"):
        place(call, "tokens")[call.params["ClientToken"]] = Row({"asked": asked, "told": event})
    return {"ProgressEvent": event}


@handles("cloudcontrol", "CreateResource")
def create(call: Call, _: Forward) -> dict[str, Any]:
    of, model = type_of(call), parsed(call.params["DesiredState"], dict)

    def work() -> str:
        check(of, model)
        return of.create(call, model)

    return request(call, "CREATE", None, work)


@handles("cloudcontrol", "UpdateResource")
def update(call: Call, _: Forward) -> dict[str, Any]:
    of, identifier = type_of(call), call.params["Identifier"]
    patch = parsed(call.params["PatchDocument"], list)
    there = {name: value for name, value in read(call, of, identifier).items() if name in of.properties}

    def work() -> str:
        wanted = patched(there, patch)
        check(of, wanted)
        fixed = [name for name in sorted(of.fixed) if wanted.get(name) != there.get(name)]
        if fixed:
            message = f"Invalid patch update: createOnlyProperties [/properties/{fixed[0]}] cannot be updated"
            raise Failed("NotUpdatable", message)
        of.change(call, identifier, there, wanted)
        return str(identifier)

    return request(call, "UPDATE", identifier, work)


@handles("cloudcontrol", "DeleteResource")
def delete(call: Call, _: Forward) -> dict[str, Any]:
    of, identifier = type_of(call), call.params["Identifier"]

    def work() -> str:
        of.read(call, identifier)
        of.delete(call, identifier)
        return str(identifier)

    return request(call, "DELETE", identifier, work)


@handles("cloudcontrol", "GetResource")
def get(call: Call, _: Forward) -> dict[str, Any]:
    identifier = call.params["Identifier"]
    return {
        "TypeName": call.params["TypeName"],
        "ResourceDescription": described(identifier, read(call, type_of(call), identifier)),
    }


@handles("cloudcontrol", "ListResources")
def listing(call: Call, _: Forward) -> dict[str, Any]:
    of = type_of(call)
    shown, token = page(call, of.every(call))
    rows = [described(identifier, read(call, of, identifier)) for identifier in shown]
    return {"TypeName": call.params["TypeName"], "ResourceDescriptions": rows} | token


@handles("cloudcontrol", "GetResourceRequestStatus")
def status(call: Call, _: Forward) -> dict[str, Any]:
    row = place(call, "requests").get(call.params["RequestToken"])
    if row is None:
        raise AwsError("RequestTokenNotFoundException", "The request token was not found.")
    event = row.read()
    if event["OperationStatus"] == "IN_PROGRESS":
        event = {name: value for name, value in event.items() if name not in ("ErrorCode", "StatusMessage")}
    return {"ProgressEvent": event}


def described(identifier: str, model: Model) -> dict[str, str]:
    return {"Identifier": identifier, "Properties": json.dumps(model, separators=(",", ":"))}


def patched(model: Model, patch: list[dict[str, Any]]) -> Model:
    """RFC 6902, without `copy` and `move`."""
    made: Any = json.loads(json.dumps(model))
    for step in patch:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        node = made
        try:
            for part in path:
                node = node[int(part)] if isinstance(node, list) else node[part]
            _step(node, last, step)
        except (KeyError, IndexError, ValueError, TypeError):
            raise Failed("InvalidRequest", f"The path {step['path']} of the patch is not there.") from None
    return dict(made)


def _step(node: Any, last: str, step: dict[str, Any]) -> None:
    if step["op"] not in ("add", "remove", "replace", "test"):
        raise NotImplementedError(f"the operation {step['op']} of a patch")
    at: Any = last if isinstance(node, dict) else len(node) if last == "-" else int(last)
    if step["op"] == "add" and isinstance(node, list):
        node.insert(at, step["value"])
    elif step["op"] == "add":
        node[at] = step["value"]
    elif step["op"] == "remove":
        del node[at]
    elif step["op"] == "replace":
        node[at]
        node[at] = step["value"]
    elif node[at] != step["value"]:
        raise Failed("InvalidRequest", f"The test of {step['path']} failed.")
