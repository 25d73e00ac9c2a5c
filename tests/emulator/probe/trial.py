"""Calls operations of an emulator, and records what was answered and whether what was written is read back.

A scenario is a function that gets a Trial: `t("iam.GetUser", UserName="x")` calls, `expect=` names the error that it
must fail with, `t.check("iam.GetUser", "tags kept", lambda: …)` records an expectation. Nothing raises: what fails is
written down and the scenario goes on.
"""

import functools
import json
import threading
import urllib.parse
import urllib.request
from contextlib import suppress
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from emulator.probe import answers
from emulator.probe.keys import Keys
from emulator.testing import resolve

# Codes, statuses and words with which emulators say that they do not have an operation.
LACKING_CODES = {
    "404",
    "405",
    "500",
    "501",
    "502",
    "EmulatorLacksOperation",
    "InternalError",
    "InternalException",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "InvalidAction",
    "MissingAction",
    "NotImplemented",
    "NotImplementedException",
    "NotYetImplemented",
    "ServiceException",
    "ServiceUnavailable",
    "UnknownOperation",
    "UnknownOperationException",
    "UnknownService",
    "UnknownServiceException",
    "UnsupportedOperation",
    "UnsupportedOperationException",
}
ALWAYS_LACKING = {"InvalidAction", "NotImplemented", "UnknownOperation", "UnknownOperationException"}
LACKING_WORDS = (
    "could not find operation",
    "couldn't parse the specified uri",
    "no matching api",
    "no route for",
    "no service registered",
    "not been implemented",
    "not currently supported",
    "not implemented",
    "not yet been implemented",
    "stage not found",
    "unknown action",
    "unknown cloudtrail action",
    "unknown operation",
    "unknown service",
    "unsupported action",
    "unsupported operation",
)
# Answers of S3 to calls of other services that fell through to it.
OF_S3 = {"NoSuchBucket", "NoSuchKey", "InvalidBucketName", "InvalidURI", "MethodNotAllowed"}
# One session for all: it reads each API model once. Making clients is not safe in several threads.
_session = boto3.session.Session()
_making = threading.Lock()


class Answer(dict[str, Any]):
    """An output whose members are attributes; of an error, its code, status and text."""

    ok, code, status, text = True, "", 200, ""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @classmethod
    def failed(cls, code: str, status: int = 0, text: str = "", body: dict[str, Any] | None = None) -> "Answer":
        made = cls(body or {})
        made.ok, made.code, made.status, made.text = False, code, status, text
        return made


class Record:
    """What became of one operation."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.checks: list[tuple[str, bool]] = []

    def add(self, other: "Record") -> None:
        self.calls += other.calls
        self.checks += other.checks

    def verdict(self) -> tuple[str, list[str]]:
        """`yes` when every expectation holds, `partly`, or `no` for an operation that never worked; with reasons."""
        bad = [note for note, held in self.checks if not held]
        odd = sorted({call.split(" ")[0] for call in self.calls if call not in ("ok", "expected")})
        if not {"ok", "expected"} & set(self.calls):
            return "no", odd or ["never called"]
        if "ok" not in self.calls and bad:
            return "no", bad
        return ("partly", bad + odd) if bad or odd else ("yes", [])


class Trial:
    """One account of an emulator, and another one to compare with; `keys` says how accounts are told apart.

    With `by_model` every answer is held against its API model besides.
    """

    def __init__(self, url: str, keys: Keys, account: str, member: str, by_model: bool = True) -> None:
        self.url, self.keys, self.acct, self.member, self._by_model = url, keys, account, member, by_model
        self.res: dict[str, Record] = {}
        self.last_status: list[int] = []
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._careless: dict[str, Any] = {}

    def client(self, service: str, region: str = "us-east-1", account: str | None = None) -> Any:
        place = (service, region, account or self.acct)
        if place not in self._clients:
            with _making:
                self._clients[place] = self._made(*place)
        return self._clients[place]

    def _made(self, service: str, region: str, account: str, checks: bool = True) -> Any:
        config = Config(
            parameter_validation=checks,
            retries={"total_max_attempts": 1},
            read_timeout=25,
            connect_timeout=5,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        made = _session.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=self.keys.access_key(account),
            aws_secret_access_key="secret",
            config=config,
        )
        self.keys.prepare(made, account)
        made.meta.events.register("before-send", resolve)
        if self._by_model:
            answers.watch(made, lambda operation, problems: self._modelled(f"{service}.{operation}", problems))
        if service == "s3":

            def note(response_dict: dict[str, Any] | None = None, **_: Any) -> None:
                self.last_status.append((response_dict or {}).get("status_code", 0))

            made.meta.events.register("before-parse.s3", note)
        return made

    def _modelled(self, operation: str, problems: list[str]) -> None:
        note = "answers as its API model has it"
        if operation in self.res:
            self.res[operation].checks.append((f"{note}, not {'; '.join(problems)}" if problems else note, not problems))

    def record(self, operation: str) -> Record:
        return self.res.setdefault(operation, Record())

    def __call__(
        self,
        operation: str,
        expect: str | list[str] | None = None,
        region: str = "us-east-1",
        acct: str | None = None,
        **params: Any,
    ) -> Answer:
        """Calls the operation; with `expect` it must fail with this code, or one of these."""
        service, _, name = operation.partition(".")
        record = self.record(operation)
        wanted = [expect] if isinstance(expect, str) else expect or []
        try:
            body = getattr(self.client(service, region, acct), xform_name(name))(**params)
        except ClientError as error:
            return self._failed(record, service, error, wanted)
        except ParamValidationError as error:
            record.calls.append(f"invalid {error}")
            return Answer.failed("ParamValidation")
        except Exception as error:
            html = "<html" in str(error).lower() or "<!doctype" in str(error).lower()
            record.calls.append("missing:page" if html else f"failed:{type(error).__name__}")
            return Answer.failed(type(error).__name__)
        record.calls.append("ok")
        if wanted:
            record.checks.append((f"must fail with {'/'.join(wanted)}", False))
        answer = Answer(body)
        answer.status = body["ResponseMetadata"]["HTTPStatusCode"]
        return answer

    def wrong(self, operation: str, wanted: set[str] | None, params: dict[str, Any]) -> None:
        """A call that no client's checks hold back, and that must fail with one of these codes; with none, a preparation."""
        service, _, name = operation.partition(".")
        if service not in self._careless:
            with _making:
                self._careless[service] = self._made(service, "us-east-1", self.acct, checks=False)
        try:
            getattr(self._careless[service], xform_name(name))(**params)
            code = "nothing"
        except ClientError as error:
            code = error.response["Error"].get("Code", "?")
        except Exception as error:
            code = f"{type(error).__name__}: {error}"
        if wanted:
            said = {name: value if isinstance(value, (int, str)) else "…" for name, value in params.items()}
            note = f"fails with {'/'.join(sorted(wanted))}" + ("" if code in wanted else f", not {code}: {said}")
            self.record(operation).checks.append((note, code in wanted))

    def _failed(self, record: Record, service: str, error: ClientError, wanted: list[str]) -> Answer:
        said, status = error.response["Error"], error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        code, text = said.get("Code", "?"), said.get("Message") or ""
        answer = Answer.failed(code, status, text, error.response)
        if code in wanted or code.removesuffix("Exception") in [one.removesuffix("Exception") for one in wanted]:
            record.calls.append("expected")
            record.checks.append((f"fails with {'/'.join(wanted)}", True))
        elif _is_lacking(service, code, status, text.lower()):
            record.calls.append(f"missing:{code}")
        elif wanted:
            record.calls.append("expected")
            record.checks.append((f"must fail with {'/'.join(wanted)}, not {code}", False))
        else:
            record.calls.append(f"error:{code}")
        return answer

    def check(self, operations: str, note: str, holds: Any) -> bool:
        """Records an expectation for the operations: `iam.CreateUser GetUser`."""
        try:
            held = bool(holds())
        except Exception as error:
            held, note = False, f"{note} [{type(error).__name__}]"
        service = operations.partition(".")[0]
        for name in operations.split():
            self.record(name if "." in name else f"{service}.{name}").checks.append((note, held))
        return held

    def gone(self, deletes: str, reads: str) -> None:
        """The last read of what was deleted failed as it must."""
        self.check(deletes, "gone", lambda: self.record(reads).checks[-1][1])

    def went(self, operation: str) -> bool:
        """The last call of the operation was answered."""
        return self.record(operation).calls[-1] == "ok"

    # What many scenarios need beside.

    @functools.cached_property
    def key(self) -> str:
        """A KMS key that the account and AWS's services may use."""
        services = ["cloudtrail", "config", "guardduty", "logs.us-east-1", "sns", "macie"]
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.acct}:root"}, "Action": "kms:*"},
            {
                "Effect": "Allow",
                "Principal": {"Service": [f"{name}.amazonaws.com" for name in services]},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:ReEncrypt*"],
            },
        ]
        policy = {"Version": "2012-10-17", "Statement": [one | {"Resource": "*"} for one in statements]}
        return self.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]

    def log_buckets(self, *services: str) -> str:
        """Makes the buckets `acme-log-1-ACCOUNT`, with a folder, and `acme-log-2-ACCOUNT`; answers this name."""
        s3, names = self.client("s3"), [f"acme-log-{number}-{self.acct}" for number in (1, 2)]
        for name in names:
            s3.create_bucket(Bucket=name)
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": [f"{service}.amazonaws.com" for service in services]},
                "Action": ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:PutObject"],
                "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            }
            if services:
                policy = {"Version": "2012-10-17", "Statement": [statement]}
                s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        s3.put_object(Bucket=names[0], Key="gd/", Body=b"")
        return names[1]

    def events_on(self) -> None:
        """Calls become events from now on: this emulator wants to be asked, others do it or do not."""
        self._control("events", {})

    def plant(self, what: str, *rows: dict[str, Any]) -> None:
        """Makes what no call makes, such as findings, of which other emulators have none."""
        self._control("plant", list(rows), of=what)

    def evaluate(self, rule: str, *results: dict[str, str]) -> None:
        """Makes what a Config rule found."""
        self._control("compliance", list(results), rule=rule)

    def _control(self, route: str, body: Any, **query: str) -> None:
        more = urllib.parse.urlencode({"account": self.acct, **query})
        asked = urllib.request.Request(f"{self.url}/_evenkeel/{route}?{more}", json.dumps(body).encode(), method="POST")
        with suppress(OSError):
            urllib.request.urlopen(asked).close()

    def let(self, action: str | None) -> None:
        """From now on the account's callers may do this, or nothing; with `*` everything again, without being asked."""
        route = f"{self.url}/_evenkeel/policy?account={self.acct}"
        statement = {"Effect": "Deny" if action is None else "Allow", "Action": action or "*", "Resource": "*"}
        body = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
        urllib.request.urlopen(urllib.request.Request(route, body, method="POST" if action != "*" else "DELETE")).close()

    def queue(self, name: str, *senders: str) -> Answer:
        """Makes a queue that these services may send to."""
        arn = f"arn:aws:sqs:us-east-1:{self.acct}:{name}"
        principal = {"Service": [f"{sender}.amazonaws.com" for sender in senders]}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return self("sqs.CreateQueue", QueueName=name, Attributes={"Policy": policy})

    @functools.cached_property
    def vpc(self) -> str:
        return self.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

    @functools.cached_property
    def subnet(self) -> str:
        return self.client("ec2").create_subnet(VpcId=self.vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]

    def subnets(self) -> list[str]:
        """Two subnets of the default VPC."""
        return [one["SubnetId"] for one in self.client("ec2").describe_subnets()["Subnets"]][:2]

    @functools.cached_property
    def org_member(self) -> str:
        """A member of an organization that this account manages."""
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        made = organizations.create_account(Email=f"{self.acct}@example.com", AccountName="member")
        return made["CreateAccountStatus"]["AccountId"]


def filters(**wanted: str) -> list[dict[str, Any]]:
    """EC2's filters: `filters(vpc_id="vpc-1")`."""
    return [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in wanted.items()]


def _is_lacking(service: str, code: str, status: int, text: str) -> bool:
    """Whether the error says that the emulator does not have the operation."""
    if service not in ("s3", "s3control") and code in OF_S3:
        return True
    if service != "s3" and code == "400" and not text:
        return True
    if status == 501 or code in ALWAYS_LACKING or any(words in text for words in LACKING_WORDS):
        return True
    return code in LACKING_CODES and (status in (404, 405, 500, 502, 503) or "not supported" in text)
