"""A call and its answer as CloudTrail's record, format version 1.11 ("CloudTrail record contents").

Not verified for each service: the spelling of times inside parameters, which refused calls come without parameters,
and the wrappers `…Request` around the parameters of EC2's newer operations, which are left out.
"""

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.parsers import create_parser

from emulator.events import names
from emulator.events.identity import user_identity

# Refusals of callers that AWS does not know: nobody's account gets a record of them.
UNKNOWN_CALLERS = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}
UNKNOWN_CALLERS |= {"InvalidAccessKeyId", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature"}

# Left out of parameters and answers, besides what the API model marks as sensitive.
SECRETS = {"password", "newpassword", "oldpassword", "secretaccesskey", "secretstring", "secretbinary", "plaintext"}
SECRETS |= {"servicepassword", "privatekey", "base32stringseed", "qrcodepng", "authorizationtoken"}


def make(call: Any, answer: Any) -> dict[str, Any] | None:
    """The record; None for what CloudTrail does not record as a management event."""
    if call.model is None or call.access_key is None or not names.is_management(call):
        return None
    code, message = (answer.error_code(), _message(answer)) if answer.status >= 400 else (None, None)
    if code in UNKNOWN_CALLERS or answer.status == 501:
        return None
    read = names.is_read(call.operation)
    made: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": user_identity(call),
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": names.event_source(call),
        "eventName": names.event_name(call),
        "awsRegion": names.event_region(call),
        "sourceIPAddress": call.environ.get("REMOTE_ADDR") or "127.0.0.1",
        "userAgent": call.environ.get("HTTP_USER_AGENT", ""),
    }
    if answer.status >= 400:
        made |= {"errorCode": _event_code(call, code, answer.status), "errorMessage": message}
    response = None if read or answer.status >= 400 else _response(call, answer)
    if call.operation.startswith(("AssumeRole", "AssumeRoot")) and answer.status < 400:
        response = _response(call, answer)
    made |= {
        "requestParameters": _request(call) or None,
        "responseElements": response or None,
        "requestID": _request_id(answer),
        "eventID": str(uuid.uuid4()),
        "readOnly": read,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
    }
    return made


# Work that goes on after the call, and whose end the service tells: the operation, the event, the status in it.
RESULTS = {
    ("organizations", "CreateAccount"): ("CreateAccountResult", "createAccountStatus"),
    ("organizations", "CreateGovCloudAccount"): ("CreateAccountResult", "createAccountStatus"),
    ("organizations", "CloseAccount"): ("CloseAccountResult", "closeAccountStatus"),
}

TAGGING = {("ec2", "CreateTags"), ("ec2", "DeleteTags")}


def service_event(call: Any, answer: Any, record: dict[str, Any]) -> dict[str, Any] | None:
    """What the service itself tells of the end of a call's work; None for most calls."""
    if answer.status >= 300 or (call.service, call.operation) not in RESULTS:
        return None
    name, under = RESULTS[(call.service, call.operation)]
    said = (record["responseElements"] or {}).get(under) or {"accountId": call.params.get("AccountId")}
    said = said | {"state": "FAILED" if "failureReason" in said else "SUCCEEDED"}
    if said["state"] == "SUCCEEDED" and not said.get("accountId"):
        # The answer does not say it as long as the account is on its way.
        said["accountId"] = _account_made(call, said["id"])
    left_out = ("errorCode", "errorMessage", "sharedEventID")
    return {key: value for key, value in record.items() if key not in left_out} | {
        "userIdentity": {"accountId": record["recipientAccountId"], "invokedBy": "AWS Internal"},
        "eventName": name,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "eventType": "AwsServiceEvent",
        "serviceEventDetails": {under: said},
    }


def _account_made(call: Any, request: str) -> str | None:
    from emulator.organization.structure import home

    made = [one.create_account_status["CreateAccountStatus"] for one in home(call).accounts]
    return next((one["AccountId"] for one in made if one["Id"] == request), None)


def resources(record: dict[str, Any]) -> list[dict[str, str]]:
    """The resources that LookupEvents finds the record by."""
    service = record["eventSource"].partition(".")[0]
    given = record["requestParameters"] or {}
    return [
        {"ResourceType": kind, "ResourceName": given[name]}
        for (of, name), kind in names.RESOURCES.items()
        if of == service and isinstance(given.get(name), str)
    ]


def _request(call: Any) -> dict[str, Any]:
    shape = call.model.input_shape
    if shape is None:
        return {}
    if call.service in ("s3", "s3control"):
        return _of_s3(call, shape)
    made = _structure(call.params, shape, call.service)
    if (call.service, call.operation) in TAGGING:
        # EC2 writes its sets down by other names than those of its API.
        ids, tags = made.pop("resourceId", {"items": []}), made.pop("tag", {"items": []})
        made |= {"resourcesSet": {"items": [{"resourceId": each} for each in ids["items"]]}, "tagSet": tags}
    return made


def _of_s3(call: Any, shape: Any) -> dict[str, Any]:
    """S3 writes down the request as it was: the sub-resource, the host, the body by its XML names."""
    host = call.environ.get("HTTP_HOST", "")
    made: dict[str, Any] = {"Host": host}
    query = call.environ.get("QUERY_STRING", "")
    made |= {part.partition("=")[0]: part.partition("=")[2] for part in query.split("&") if part}
    payload = shape.serialization.get("payload")
    for name, value in call.params.items():
        if name == "Bucket":
            made |= {"bucketName": value, "Host": f"{value}.s3.{call.region}.amazonaws.com"}
        elif name == "Policy" and isinstance(value, str):
            made["bucketPolicy"] = _json(value)
        elif name == payload and isinstance(value, dict):
            made[name] = value
    return made


def _response(call: Any, answer: Any) -> dict[str, Any] | None:
    shape = call.model.output_shape
    if call.service in ("s3", "s3control"):
        return None
    made: dict[str, Any] = {}
    if shape is not None:
        parsed = create_parser(call.protocol).parse(
            {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, shape
        )
        parsed.pop("ResponseMetadata", None)
        made = _structure(parsed, shape, call.service)
    if call.service == "ec2":
        # EC2 alone writes the whole of its XML.
        made = {"requestId": _request_id(answer)} | (made or {"_return": True})
    if call.service == "kms" and not made and "KeyId" in call.params:
        made = {"keyId": _key_arn(call)}
    return made


def _structure(value: dict[str, Any], shape: Any, service: str) -> dict[str, Any]:
    made = {}
    for name, member in shape.members.items():
        given = value.get(name)
        if given is None or _secret(name, member):
            continue
        spelled = member.serialization.get("name", name) if service == "ec2" else name
        made[spelled[:1].lower() + spelled[1:]] = _value(given, member, service)
    return made


def _value(value: Any, shape: Any, service: str) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        return _structure(value, shape, service)
    if shape.type_name == "list" and isinstance(value, list):
        items = [_value(item, shape.member, service) for item in value]
        return ({"items": items} if items else {}) if service == "ec2" else items
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _value(item, shape.value, service) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.strftime("%b %-d, %Y, %-I:%M:%S %p")
    return value if isinstance(value, (str, int, float, bool)) else None


def _secret(name: str, shape: Any) -> bool:
    if shape.type_name == "blob" or name.lower() in SECRETS:
        return True
    return bool(shape.metadata.get("sensitive")) and shape.type_name == "string"


def _message(answer: Any) -> str | None:
    text = answer.body.decode("utf-8", "replace")
    found = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    if found:
        return found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    body = _json(text)
    return (body.get("message") or body.get("Message")) if isinstance(body, dict) else None


def _event_code(call: Any, code: str | None, status: int) -> str | None:
    """The error as CloudTrail spells it: EC2's say whose fault, query services' are the exceptions' names."""
    if call.service == "ec2":
        return f"{'Client' if status < 500 else 'Server'}.{code}"
    if code in ("AccessDeniedException", "AccessDenied"):
        return "AccessDenied"
    if call.protocol == "query":
        shapes = call.model.service_model.error_shapes
        return next((shape.name for shape in shapes if code in (shape.error_code, shape.name)), code)
    return code


def _request_id(answer: Any) -> str:
    for name, value in answer.headers:
        if name.lower() in ("x-amzn-requestid", "x-amz-request-id"):
            return value
    found = re.search(rb"<[Rr]equest(?:Id|ID)>([^<]+)<", answer.body)
    return found.group(1).decode() if found else str(uuid.uuid4())


def _key_arn(call: Any) -> str:
    from moto.kms.models import kms_backends

    backend = kms_backends[call.account][call.region]
    try:
        return backend.keys[backend.any_id_to_key_id(call.params["KeyId"])].arn
    except (KeyError, AttributeError):
        return call.params["KeyId"]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
