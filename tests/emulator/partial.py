"""Answers with HTTP 200 in which some entries failed: by a fault of kind `partial`, or as AWS judges each by itself.

The entries that are to fail are taken out, the rest is executed, and the answer tells of both, as the API model has it.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator import shapes
from emulator.answers import Answer, AwsError, error_answer
from emulator.inside import environ_of
from emulator.wire import Call, recognise


@dataclass
class Partial:
    """One operation: the input's list, the name of an entry in it, where the output tells of failures and how.

    In `entry`, `{id}`, `{code}` and `{message}` are filled in, and `{item}` alone stands for the whole entry; what the
    entry has besides is filled in by its name, where it is there (`{VersionId}`). With `in_place` the output has
    failures and successes in one list, in the order of the input; with `keyed` it has a map. The list may stand in
    another member (`Delete.Objects`).
    """

    items: str
    failed: str
    entry: Any
    name: str | None = None
    count: str | None = None
    code: str = "InternalFailure"
    in_place: bool = False
    keyed: bool = False
    empty: dict[str, Any] = field(default_factory=dict)

    def id_of(self, item: Any) -> str:
        return str(item[self.name]) if self.name else str(item)

    def items_of(self, params: dict[str, Any]) -> list[Any]:
        member, _, inner = self.items.partition(".")
        found = params.get(member) or {}
        return list((found.get(inner) if inner else found) or [])

    def with_items(self, params: dict[str, Any], items: list[Any]) -> dict[str, Any]:
        member, _, inner = self.items.partition(".")
        return params | {member: params[member] | {inner: items} if inner else items}


_TARGET = {"TargetId": "{id}", "ErrorCode": "{code}", "ErrorMessage": "{message}"}
_EC2 = {"ResourceId": "{id}", "Error": {"Code": "{code}", "Message": "{message}"}}
_SQS = {"Id": "{id}", "Code": "{code}", "Message": "{message}", "SenderFault": "{sender}"}
_TAGGED = {"StatusCode": 400, "ErrorCode": "{code}", "ErrorMessage": "{message}"}
_INSPECTED = {"accountId": "{id}", "errorCode": "{code}", "errorMessage": "{message}"}


def _control(kind: str) -> dict[str, Any]:
    return {kind: "{item}", "ErrorCode": "{code}", "ErrorReason": "{message}"}


def _targets(items: str, name: str | None) -> Partial:
    return Partial(items, "FailedEntries", _TARGET, name, "FailedEntryCount", "ConcurrentModificationException")


def _accounts(reason: str, items: str = "AccountIds", name: str | None = None) -> Partial:
    return Partial(items, "UnprocessedAccounts", {"AccountId": "{id}", reason: "{message}"}, name)


PARTIAL = {
    ("events", "PutTargets"): _targets("Targets", "Id"),
    ("events", "RemoveTargets"): _targets("Ids", None),
    ("events", "PutEvents"): Partial(
        "Entries",
        "Entries",
        {"ErrorCode": "{code}", "ErrorMessage": "{message}"},
        "DetailType",
        "FailedEntryCount",
        "InternalFailure",
        in_place=True,
    ),
    ("ec2", "CreateFlowLogs"): Partial("ResourceIds", "Unsuccessful", _EC2, code="InternalError"),
    ("ec2", "DeleteFlowLogs"): Partial("FlowLogIds", "Unsuccessful", _EC2, code="InvalidFlowLogId.NotFound"),
    ("securityhub", "BatchUpdateStandardsControlAssociations"): Partial(
        "StandardsControlAssociationUpdates",
        "UnprocessedAssociationUpdates",
        _control("StandardsControlAssociationUpdate"),
        "SecurityControlId",
        code="ACCESS_DENIED",
    ),
    ("securityhub", "BatchGetStandardsControlAssociations"): Partial(
        "StandardsControlAssociationIds",
        "UnprocessedAssociations",
        _control("StandardsControlAssociationId"),
        "SecurityControlId",
        code="NOT_FOUND",
        empty={"StandardsControlAssociationDetails": []},
    ),
    ("securityhub", "BatchGetSecurityControls"): Partial(
        "SecurityControlIds",
        "UnprocessedIds",
        {"SecurityControlId": "{id}", "ErrorCode": "{code}", "ErrorReason": "{message}"},
        code="NOT_FOUND",
        empty={"SecurityControls": []},
    ),
    ("securityhub", "BatchImportFindings"): Partial(
        "Findings",
        "FailedFindings",
        {"Id": "{id}", "ErrorCode": "{code}", "ErrorMessage": "{message}"},
        "Id",
        "FailedCount",
        "InvalidInput",
        empty={"FailedCount": 0, "SuccessCount": 0},
    ),
    ("securityhub", "CreateMembers"): _accounts("ProcessingResult", "AccountDetails", "AccountId"),
    ("securityhub", "InviteMembers"): _accounts("ProcessingResult"),
    ("securityhub", "DeleteMembers"): _accounts("ProcessingResult"),
    ("guardduty", "CreateMembers"): _accounts("Result", "AccountDetails", "AccountId"),
    ("guardduty", "InviteMembers"): _accounts("Result"),
    ("guardduty", "DeleteMembers"): _accounts("Result"),
    ("guardduty", "DisassociateMembers"): _accounts("Result"),
    ("guardduty", "StartMonitoringMembers"): _accounts("Result"),
    ("guardduty", "StopMonitoringMembers"): _accounts("Result"),
    ("guardduty", "UpdateMemberDetectors"): _accounts("Result"),
    ("detective", "CreateMembers"): _accounts("Reason", "Accounts", "AccountId"),
    ("detective", "DeleteMembers"): _accounts("Reason"),
    ("inspector2", "Enable"): Partial(
        "accountIds", "failedAccounts", _INSPECTED, code="ACCESS_DENIED", empty={"accounts": []}
    ),
    ("inspector2", "Disable"): Partial(
        "accountIds", "failedAccounts", _INSPECTED, code="ACCESS_DENIED", empty={"accounts": []}
    ),
    ("inspector2", "BatchGetAccountStatus"): Partial(
        "accountIds", "failedAccounts", _INSPECTED, code="ACCESS_DENIED", empty={"accounts": []}
    ),
    ("resourcegroupstaggingapi", "TagResources"): Partial(
        "ResourceARNList", "FailedResourcesMap", _TAGGED, code="InvalidParameterException", keyed=True
    ),
    ("resourcegroupstaggingapi", "UntagResources"): Partial(
        "ResourceARNList", "FailedResourcesMap", _TAGGED, code="InvalidParameterException", keyed=True
    ),
    ("config", "PutRemediationConfigurations"): Partial(
        "RemediationConfigurations",
        "FailedBatches",
        {"FailureMessage": "{message}", "FailedItems": ["{item}"]},
        "ConfigRuleName",
    ),
    ("config", "PutEvaluations"): Partial("Evaluations", "FailedEvaluations", "{item}", "ComplianceResourceId"),
    ("sqs", "SendMessageBatch"): Partial("Entries", "Failed", _SQS, "Id", empty={"Successful": []}),
    ("sqs", "DeleteMessageBatch"): Partial("Entries", "Failed", _SQS, "Id", empty={"Successful": []}),
    ("sqs", "ChangeMessageVisibilityBatch"): Partial("Entries", "Failed", _SQS, "Id", empty={"Successful": []}),
    ("s3", "DeleteObjects"): Partial(
        "Delete.Objects",
        "Errors",
        {"Key": "{id}", "VersionId": "{VersionId}", "Code": "{code}", "Message": "{message}"},
        "Key",
        code="InternalError",
    ),
    ("sns", "PublishBatch"): Partial("PublishBatchRequestEntries", "Failed", _SQS, "Id"),
}

#: Where a caller's permissions are those for each entry, and the others go through.
BY_ENTRY = {("s3", "DeleteObjects")}
#: What is wrong with one entry of a call, by service and operation: AWS tells it beside what goes through.
Judge = Callable[[Call, Any], None]
JUDGES: dict[tuple[str, str], Judge] = {}


def check(service: str, operation: str) -> None:
    """Refuses a fault on an operation that cannot fail in part."""
    if (service, operation) not in PARTIAL:
        raise ValueError(f"{service}.{operation} does not fail in part, or not as far as the emulator knows")


def judges(service: str, operation: str) -> Callable[[Judge], Judge]:
    """Registers what raises AwsError for an entry that fails by itself."""

    def register(judge: Judge) -> Judge:
        JUDGES[(service, operation)] = judge
        return judge

    return register


def answer(call: Call, fault: Any, execute: Callable[[Call], Answer], accounts: Any) -> Answer:
    """What AWS answers when the fault's entries fail (its first entry, when the fault names none)."""
    row = PARTIAL[(call.service, call.operation)]
    items = row.items_of(call.params)
    chosen = fault.entries or [row.id_of(item) for item in items[:1]]
    code = fault.code or row.code
    error = AwsError(code, fault.message or f"{code} (made by the emulator)")
    failing = [(item, error) for item in items if row.id_of(item) in chosen]
    return apart(call, failing, execute, accounts) if failing else execute(call)


def one_by_one(call: Call, judge: Judge) -> list[tuple[Any, AwsError]]:
    """The entries that the judge refuses, each with the reason."""
    failing = []
    for item in PARTIAL[(call.service, call.operation)].items_of(call.params):
        try:
            judge(call, item)
        except AwsError as error:
            failing.append((item, error))
    return failing


def is_judged_by_entry(call: Call) -> bool:
    return (call.service, call.operation) in BY_ENTRY


def refused(call: Call) -> list[tuple[Any, AwsError]]:
    """The entries with which something is wrong in themselves."""
    judge = JUDGES.get((call.service or "", call.operation or ""))
    return one_by_one(call, judge) if judge else []


def alone(call: Call, item: Any) -> Call:
    """The call with this one entry, for who reads its parameters only."""
    made = copy.copy(call)
    made.params = PARTIAL[(call.service, call.operation)].with_items(call.params, [item])
    return made


def apart(
    call: Call, failing: list[tuple[Any, AwsError]], execute: Callable[[Call], Answer], accounts: Any
) -> Answer:
    """The answer when these entries fail, and the others are executed."""
    # The fill-ins need the faults' names of errors, so they are not there yet when this file is read.
    from emulator.missing import from_moto

    row = PARTIAL[(call.service, call.operation)]
    items = row.items_of(call.params)
    bad = [item for item, _ in failing]
    left = [item for item in items if item not in bad]
    if left:
        rest = _with(call, row.with_items(call.params, left), accounts)
        try:
            output = from_moto(rest, lambda: execute(rest))
        except AwsError as error:
            return error_answer(call, error)
    else:
        output = dict(row.empty)
    entries = [_filled(row.entry, row, item, error) for item, error in failing]
    _merge(output, row, items, bad, entries)
    return shapes.serialise(call, output)


def _merge(output: dict[str, Any], row: Partial, items: list[Any], failing: list[Any], entries: list[Any]) -> None:
    if row.in_place:
        good, bad = iter(output.get(row.failed, [])), iter(entries)
        output[row.failed] = [next(bad) if item in failing else next(good) for item in items]
    elif row.keyed:
        ids = [row.id_of(item) for item in failing]
        output[row.failed] = dict(output.get(row.failed) or {}) | dict(zip(ids, entries, strict=True))
    else:
        output[row.failed] = [*(output.get(row.failed) or []), *entries]
    if row.count:
        output[row.count] = output.get(row.count, 0) + len(entries)


def _filled(template: Any, row: Partial, item: Any, error: AwsError) -> Any:
    if template == "{item}":
        return item
    if isinstance(template, dict):
        filled = {name: _filled(value, row, item, error) for name, value in template.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if isinstance(template, list):
        return [_filled(value, row, item, error) for value in template]
    if isinstance(template, str):
        known = {"id": row.id_of(item), "code": error.code, "message": error.message, "sender": _is_senders(error)}
        return ((item if isinstance(item, dict) else {}) | known).get(template[1:-1])
    return template


def _is_senders(error: AwsError) -> bool:
    """Whether the sender is to blame, and not AWS."""
    return not error.code.startswith(("Internal", "ServiceUnavailable"))


def _with(call: Call, params: dict[str, Any], accounts: Any) -> Call:
    """The same call with other parameters."""
    environ, body = environ_of(call.model, params, call.access_key or "", call.region)
    return recognise(environ, body, accounts)
