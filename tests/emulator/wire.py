"""Recognises from the wire alone which account, region, service and operation a request is for.

Every service's own API model (botocore's) decides; nothing here knows an operation by name. Requests are brought into
one form first: S3's bucket and s3control's account move from the host name to the place where moto looks for them.
"""

import functools
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition
from werkzeug.exceptions import NotFound

from emulator import cbor, wire_types
from emulator.signing import services_of

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
# `AKIA` or `ASIA`, the account, four more characters: an own account without any set-up.
KEY_WITH_ACCOUNT = re.compile(r"^A[KS]IA(\d{12})[A-Z0-9]{4}$")
ACCOUNT_HOST = re.compile(r"^(\d{12})\.(.+)$")
BUCKET_HOST = re.compile(
    r"^(?P<bucket>[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])\."
    r"(?P<rest>(?:127\.0\.0\.1|localhost|s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?)(?::\d+)?)$"
)

# Names in the credential scope that are not botocore's name of the service.
SIGNING_NAMES = {
    "access-analyzer": "accessanalyzer",
    "cloudcontrolapi": "cloudcontrol",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "email": "ses",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "sso": "sso-admin",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
# Newer services that sign with an older one's name: (signing name, beginning of the path) → service.
SIGNED_AS = {
    ("s3", "/v20180820/"): "s3control",
    ("es", "/2021-01-01/"): "opensearch",
}


@dataclass
class Call:
    """One request, recognised as far as it can be; `model` is None when no operation fits."""

    environ: dict[str, Any]
    body: bytes
    service: str | None = None
    region: str = "us-east-1"
    account: str = DEFAULT_ACCOUNT_ID
    access_key: str | None = None
    model: OperationModel | None = None
    uri_params: dict[str, Any] = field(default_factory=dict)
    # The account whose resource the call is about, where that is not the caller's.
    owner: str | None = None
    # Why the input cannot be read, once it was tried; `params` is empty then.
    unreadable: str | None = None
    # The name of the service in the signature.
    signing: str | None = None

    @property
    def operation(self) -> str | None:
        return str(self.model.name) if self.model else None

    @property
    def partition(self) -> str:
        return get_partition(self.region)

    @property
    def protocol(self) -> str:
        """The protocol of the request; JSON for one in CBOR, which is read as JSON (see cbor.py)."""
        return protocol_of(self.service, _spoken(self.environ))

    @property
    def method(self) -> str:
        return self.environ["REQUEST_METHOD"]

    @functools.cached_property
    def params(self) -> dict[str, Any]:
        """The operation's input, by the names of the API model."""
        if self.model is None or self.model.input_shape is None:
            return {}
        self.unreadable = wire_types.problem(self)
        if self.unreadable:
            return {}
        request = self.request()
        try:
            parsed = PROTOCOL_PARSERS[self.protocol](self.model, map_type=dict).parse(
                {
                    "method": request.method,
                    "values": request.values,
                    "headers": request.headers,
                    "body": request.data if self.protocol not in ("query", "ec2") else b"",
                    "url_path": request.path,
                    "url_params": self.uri_params,
                }
            )
        except Exception as error:
            self.unreadable = f"{error}"
            return {}
        # In an address there is no empty list: it is one that was not sent.
        members = self.model.input_shape.members
        absent = [n for n, one in parsed.items() if one == [] and members[n].serialization.get("location") == "querystring"]
        return {name: value for name, value in parsed.items() if name not in absent}

    def request(self) -> Request:
        return Request(self.environ | {"wsgi.input": _stream(self.body)})


def recognise(environ: dict[str, Any], body: bytes, accounts: "AccountKeys") -> Call:
    """Fills in what the request tells, after moving host-name parts (see the module's first lines) in `environ`."""
    if cbor.speaks(environ):
        environ, body = cbor.as_json(environ, body)
    elif environ.get("HTTP_CONTENT_ENCODING") == "gzip" and (_is_form(environ) or environ.get("HTTP_X_AMZ_TARGET")):
        body = cbor.unzipped(environ, body)
    call = Call(environ, body)
    found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    signing = None
    if found:
        call.access_key, _, call.region, signing = found.groups()
        call.signing = signing
        call.account = accounts.account_of(call.access_key)
    form = dict(parse_qsl(body.decode("utf-8", "replace"))) if _is_form(environ) else {}
    call.service = _service(signing, environ, form)
    if call.service == "s3control":
        _move_account(environ)
    elif call.service == "s3":
        _move_bucket(environ)
    if call.service:
        call.model, call.uri_params = _operation(call, form)
    if signing and (call.model is None or _is_for_another(call)):
        _look_further(call, signing, form)
    return call


def _look_further(call: Call, signing: str, form: dict[str, str]) -> None:
    """Finds the service among others that sign with the name; without one the call stays what it was."""
    first, target = call.service, call.environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[0]
    others = [one for one in services_of(signing) if one.service not in (first, *SIGNED_AS.values())]
    if target:
        others = [one for one in others if one.target == target]
    elif form.get("Version"):
        others = [one for one in others if one.version == form["Version"]]
    for other in others:
        call.service = other.service
        model, uri_params = _operation(call, form)
        if model is not None:
            call.model, call.uri_params = model, uri_params
            return
    # Nobody's operation: named after the service that it must be for, when there is one alone.
    call.service = first or (others[0].service if len(others) == 1 else None)


def _is_for_another(call: Call) -> bool:
    """Whether the target of JSON is not that of the service, though it has an operation of the name."""
    target = call.environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[0]
    known = get_service_model(call.service).metadata.get("targetPrefix")
    if call.protocol != "json" or not target or known is None:
        return False
    # CloudTrail's has a name space before it, which not all SDKs send.
    return target.rpartition(".")[2] != known.rpartition(".")[2]


def _spoken(environ: dict[str, Any]) -> str | None:
    """What the request alone tells about its protocol."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        return "json"
    return "query" if _is_form(environ) else None


@functools.cache
def protocol_of(service: str | None, spoken: str | None = None) -> str:
    """The wire protocol: query, ec2, json, rest-json or rest-xml.

    Many services offer several: what the request speaks decides, and else the model's first one of these.
    """
    if not service:
        return spoken or "rest-xml"
    metadata = get_service_model(service).metadata
    offered = [str(one) for one in (*metadata.get("protocols", []), metadata["protocol"]) if one in PROTOCOL_PARSERS]
    if spoken == "query" and "ec2" in offered:
        return "ec2"
    return spoken if spoken in offered else offered[0]


class AccountKeys:
    """Which account an access key belongs to."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def account_of(self, access_key: str) -> str:
        """The key's account; the emulator's default account for a key that nobody created."""
        own = KEY_WITH_ACCOUNT.match(access_key)
        if own:
            return own.group(1)
        account = self._known.get(access_key)
        if account is None:
            account = self._find(access_key)
            if account is not None:
                self._known[access_key] = account
        return account or DEFAULT_ACCOUNT_ID

    @staticmethod
    def _find(access_key: str) -> str | None:
        from moto.iam.models import iam_backends

        for account, partitions in list(iam_backends.items()):
            for backend in list(partitions.values()):
                if access_key in backend.access_keys:
                    return account
        return None


def _service(signing: str | None, environ: dict[str, Any], form: dict[str, str]) -> str | None:
    if signing is None:
        return "sts" if form.get("Action", "").startswith("AssumeRoleWith") else None
    for (name, path), service in SIGNED_AS.items():
        if signing == name and environ["PATH_INFO"].startswith(path):
            return service
    service = SIGNING_NAMES.get(signing, signing)
    if service == "elbv2" and form.get("Version", "").startswith("2012-06"):
        service = "elb"
    return service if _exists(service) else None


#: Many first calls at once would each load the same API model, and all of them wait for the slowest.
_LOADING = threading.RLock()


def _exists(service: str) -> bool:
    with _LOADING:
        return _is_known(service)


@functools.cache
def _is_known(service: str) -> bool:
    try:
        get_service_model(service)
    except (UnknownServiceError, DataNotFoundError):
        return False
    return True


def _operation(call: Call, form: dict[str, str]) -> tuple[OperationModel | None, dict[str, Any]]:
    service = get_service_model(call.service)
    if call.protocol in ("query", "ec2"):
        name = form.get("Action") or dict(parse_qsl(call.environ.get("QUERY_STRING", ""))).get("Action", "")
    elif call.protocol == "json":
        target, _, name = call.environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
        # In CBOR the path names the service; the target of JSON may be the name alone or with a name space before it.
        if cbor.speaks(call.environ) and target != service.metadata.get("targetPrefix"):
            return None, {}
    else:
        try:
            with _LOADING:
                router = get_service_router(call.service)
            try:
                return router.match(call.request())
            except NotFound:
                # Without an argument that it must have it is the operation all the same, and refused for that.
                lacking = _required_arguments(call.service) if call.service != "s3" else ""
                if not lacking:
                    raise
                query = call.environ.get("QUERY_STRING", "")
                return router.match(Request(call.environ | {"QUERY_STRING": f"{query}&{lacking}"}))
        except (NotFound, NotImplementedError):
            return None, {}
    if name not in service.operation_names:
        return None, {}
    return service.operation_model(name), {}


@functools.cache
def _required_arguments(service: str | None) -> str:
    """All arguments that operations of the service must have in their addresses, as a query."""
    model = get_service_model(service)
    shapes = [model.operation_model(name).input_shape for name in model.operation_names]
    return "&".join(sorted({f"{name}=" for shape in shapes if shape for name in shape.required_query_args}))


def _move_account(environ: dict[str, Any]) -> None:
    found = ACCOUNT_HOST.match(environ.get("HTTP_HOST", ""))
    if found:
        environ["HTTP_X_AMZ_ACCOUNT_ID"] = found.group(1)
        environ["HTTP_HOST"] = found.group(2)


def _move_bucket(environ: dict[str, Any]) -> None:
    found = BUCKET_HOST.match(environ.get("HTTP_HOST", ""))
    if not found:
        return
    bucket = f"/{found.group('bucket')}"
    environ["HTTP_HOST"] = found.group("rest")
    for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
        if name in environ:
            path, mark, query = environ[name].partition("?")
            environ[name] = bucket + (path if path != "/" else "") + mark + query


def _is_form(environ: dict[str, Any]) -> bool:
    return environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")


def _stream(body: bytes) -> Any:
    import io

    return io.BytesIO(body)


def readable(value: Any) -> Any:
    """A parsed input as plain JSON, for the call log."""
    return json.loads(json.dumps(value, default=lambda other: f"<{type(other).__name__}>"))
