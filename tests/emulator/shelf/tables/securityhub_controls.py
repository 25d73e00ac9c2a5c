"""Security Hub's controls: which standard has which (securityhub_controls.json), what is on, and their parameters."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.shelf.model import output
from emulator.shelf.pages import page
from emulator.shelf.store import Row, now, place
from emulator.shelf.tables.securityhub import STANDARDS, standard_arn, subscription_arn
from emulator.wire import Call

TAGGING = "standards/aws-resource-tagging-standard/v/1.0.0"
MOST, A_PAGE = 100, 25
# What a reason may hold, as the API model has it.
REASON = re.compile(r"^([^\x00-\x7f]|[-_ a-zA-Z0-9])+$")
NOT_FOUND = "RESOURCE_NOT_FOUND"


class Unprocessed(Exception):
    """One entry of a batch that fails while the others go through."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@functools.cache
def catalogue() -> dict[str, Any]:
    data = json.loads((Path(__file__).parent / "securityhub_controls.json").read_text())
    standards = {name: list(ids(text)) for name, text in data["standards"].items()}
    severity = dict.fromkeys(standards[TAGGING], "LOW")
    severity |= {one: rating for rating, text in data["severity"].items() for one in ids(text)}
    requirements: dict[str, dict[str, str]] = {}
    for name, services in data["requirements"].items():
        pairs = [(service, *pair.split("=")) for service, text in services.items() for pair in text.split()]
        requirements[name] = {f"{service}.{number}": text for service, number, text in pairs}
    controls = sorted({one for has in standards.values() for one in has}, key=in_order)
    return {
        "standards": standards,
        "controls": {one: severity.get(one, "MEDIUM") for one in controls},
        "parameters": dict.fromkeys(standards[TAGGING], data["tagging"]) | data["parameters"],
        "requirements": requirements,
    }


def ids(text: str) -> Iterator[str]:
    """`IAM 1-3 8; S3 1` as IAM.1, IAM.2, IAM.3, IAM.8, S3.1."""
    for group in text.split(";"):
        service, *numbers = group.split()
        for number in numbers:
            first, _, last = number.partition("-")
            yield from (f"{service}.{one}" for one in range(int(first), int(last or first) + 1))


def in_order(control: str) -> tuple[str, int]:
    service, _, number = control.partition(".")
    return service.lower(), int(number)


# What a control is.


def arn_of(call: Call, control: str) -> str:
    return f"arn:{call.partition}:securityhub:{call.region}:{call.account}:security-control/{control}"


def named(call: Call, given: str) -> str | None:
    """The id of the control that is named by id or by ARN."""
    name = given.rpartition("security-control/")[2] if given.startswith(arn_of(call, "")) else given
    return name if name in catalogue()["controls"] else None


def about(control: str) -> dict[str, Any]:
    """Title and description are our own; the rest is as AWS has it."""
    return {
        "SecurityControlId": control,
        "Title": f"Security control {control}",
        "Description": f"This control checks what {control} of the Security Hub User Guide says.",
        "RemediationUrl": f"https://docs.aws.amazon.com/console/securityhub/{control}/remediation",
        "SeverityRating": catalogue()["controls"][control],
    }


def definition(control: str) -> dict[str, Any]:
    custom = ["Parameters"] if control in catalogue()["parameters"] else []
    return about(control) | {"CurrentRegionAvailability": "AVAILABLE", "CustomizableProperties": custom}


@handles("securityhub", "ListSecurityControlDefinitions")
def definitions(call: Call, _: Forward) -> dict[str, Any]:
    wanted = call.params.get("StandardsArn")
    if wanted and standard_name(call, wanted) is None:
        raise AwsError("InvalidInputException", f"The standards ARN {wanted} is invalid.")
    has = catalogue()["standards"].get(standard_name(call, wanted), []) if wanted else catalogue()["controls"]
    if "AWS" not in (call.params.get("Providers") or ["AWS"]):
        has = []
    shown, token = page(call, [definition(one) for one in has], usual=A_PAGE)
    return {"SecurityControlDefinitions": shown} | token


@handles("securityhub", "GetSecurityControlDefinition")
def one_definition(call: Call, _: Forward) -> dict[str, Any]:
    """The parameters' definitions are told here, and not in the list (so AWS's examples)."""
    control = named(call, call.params["SecurityControlId"])
    if control is None:
        raise missing(call.params["SecurityControlId"])
    value = definition(control)
    options = catalogue()["parameters"].get(control)
    if options:
        value["ParameterDefinitions"] = {
            name: {"Description": name, "ConfigurationOptions": option} for name, option in options.items()
        }
    return {"SecurityControlDefinition": value}


def missing(given: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"The security control {given} does not exist.")


# Which controls are on in which standard. The row without a control is what holds since the standard was enabled.


def standard_name(call: Call, arn: str) -> str | None:
    return next((name for name in STANDARDS if standard_arn(call, name) == arn), None)


def ready(call: Call) -> dict[str, str]:
    """ARNs and names of the enabled standards whose controls can be read and changed already."""
    found = {}
    for name in STANDARDS:
        row = place(call, "standards").get(subscription_arn(call, name))
        if row and row.reads:
            row.read()
        elif row:
            found[standard_arn(call, name)] = name
    return found


def association(call: Call, standard: str, control: str) -> Row:
    rows = place(call, "associations")
    return rows.get((standard, control)) or Row(rows[(standard, None)].now)


def applies(call: Call, standards: dict[str, str], entry: dict[str, Any]) -> tuple[str, str]:
    """ARN of the standard and id of the control, which the standard must have."""
    control, standard = named(call, entry["SecurityControlId"]), entry["StandardsArn"]
    if control is None:
        raise Unprocessed(NOT_FOUND, f"The security control {entry['SecurityControlId']} does not exist.")
    if standard not in standards:
        raise Unprocessed(NOT_FOUND, f"The standard {standard} is not enabled, or not ready for updates.")
    if control not in catalogue()["standards"].get(standards[standard], []):
        raise Unprocessed(NOT_FOUND, f"The security control {control} does not apply to {standard}.")
    return standard, control


def told(call: Call, name: str, control: str) -> dict[str, Any]:
    """The association, as reads show it."""
    standard = standard_arn(call, name)
    requirement = catalogue()["requirements"].get(name, {}).get(control)
    return association(call, standard, control).read() | {
        "StandardsArn": standard,
        "SecurityControlId": control,
        "SecurityControlArn": arn_of(call, control),
        "RelatedRequirements": [f"CIS AWS Foundations {requirement}"] if requirement else [],
        "StandardsControlTitle": about(control)["Title"],
        "StandardsControlDescription": about(control)["Description"],
        "StandardsControlArns": [control_arn(call, name, control)],
    }


def control_arn(call: Call, name: str, control: str) -> str:
    """A control of a standard, which CIS 1.2 numbers by its requirements."""
    last = catalogue()["requirements"].get(name, {}).get(control, control)
    return f"arn:{call.partition}:securityhub:{call.region}:{call.account}:control/{name.partition('/')[2]}/{last}"


def change(call: Call, standard: str, control: str, status: str, reason: str | None) -> None:
    row = place(call, "associations").setdefault((standard, control), association(call, standard, control))
    value = {"AssociationStatus": status, "UpdatedAt": now()} | ({"UpdatedReason": reason} if reason else {})
    row.write(call, value, late=True)


def few(call: Call, name: str) -> list[Any]:
    if len(call.params[name]) > MOST:
        raise AwsError("InvalidInputException", f"{name} may have {MOST} entries.")
    return call.params[name]


@handles("securityhub", "BatchGetStandardsControlAssociations")
def get_associations(call: Call, _: Forward) -> dict[str, Any]:
    standards, found, failed = ready(call), [], []
    for entry in few(call, "StandardsControlAssociationIds"):
        try:
            standard, control = applies(call, standards, entry)
            found.append(told(call, standards[standard], control))
        except Unprocessed as error:
            why = {"ErrorCode": error.code, "ErrorReason": error.reason}
            failed.append({"StandardsControlAssociationId": entry} | why)
    return {"StandardsControlAssociationDetails": found, "UnprocessedAssociations": failed}


@handles("securityhub", "ListStandardsControlAssociations")
def list_associations(call: Call, _: Forward) -> dict[str, Any]:
    """Of the enabled standards that are ready and have the control."""
    control = named(call, call.params["SecurityControlId"])
    if control is None:
        given = call.params["SecurityControlId"]
        raise AwsError("InvalidInputException", f"The security control {given} is invalid.")
    has = [name for name in ready(call).values() if control in catalogue()["standards"].get(name, [])]
    shown, token = page(call, [told(call, name, control) for name in has], usual=A_PAGE)
    return output(call, {"StandardsControlAssociationSummaries": shown} | token)


@handles("securityhub", "BatchUpdateStandardsControlAssociations")
def update_associations(call: Call, _: Forward) -> dict[str, Any]:
    standards, failed = ready(call), []
    for entry in few(call, "StandardsControlAssociationUpdates"):
        status, reason = entry["AssociationStatus"], entry.get("UpdatedReason")
        try:
            standard, control = applies(call, standards, entry)
            if status == "DISABLED" and not reason:
                raise Unprocessed("INVALID_INPUT", "A reason is needed to disable a control.")
            change(call, standard, control, status, reason)
        except Unprocessed as error:
            why = {"ErrorCode": error.code, "ErrorReason": error.reason}
            failed.append({"StandardsControlAssociationUpdate": entry} | why)
    return {"UnprocessedAssociationUpdates": failed}


# The same by a standard's own controls, as it was before there were security controls.


@handles("securityhub", "UpdateStandardsControl")
def update_standards_control(call: Call, _: Forward) -> dict[str, Any]:
    given, status, reason = (call.params.get(n) for n in ("StandardsControlArn", "ControlStatus", "DisabledReason"))
    own = f"arn:{call.partition}:securityhub:{call.region}:{call.account}:control/"
    if not given.startswith(own):
        message = f"Account id {call.account} is not authorized to perform action on resource: {given}"
        raise AwsError("AccessDeniedException", message)
    if status == "DISABLED" and not reason:
        raise AwsError("InvalidInputException", "A reason is needed to disable a control.")
    for standard, name in ready(call).items():
        for control in catalogue()["standards"].get(name, []):
            if control_arn(call, name, control) == given:
                change(call, standard, control, status or "ENABLED", reason)
                return {}
    raise AwsError("ResourceNotFoundException", f"The standards control {given} does not exist.")


@handles("securityhub", "DescribeStandardsControls")
def standards_controls(call: Call, _: Forward) -> dict[str, Any]:
    given = call.params["StandardsSubscriptionArn"]
    if given not in place(call, "standards"):
        raise AwsError("ResourceNotFoundException", f"The standards subscription {given} does not exist.")
    name = next((name for name in ready(call).values() if subscription_arn(call, name) == given), None)
    shown, token = page(call, [standards_control(call, name, one) for one in catalogue()["standards"].get(name, [])])
    return {"Controls": shown} | token


def standards_control(call: Call, name: str, control: str) -> dict[str, Any]:
    value = told(call, name, control)
    number = catalogue()["requirements"].get(name, {}).get(control)
    reason = {"DisabledReason": value["UpdatedReason"]} if "UpdatedReason" in value else {}
    return reason | {
        "StandardsControlArn": control_arn(call, name, control),
        "ControlStatus": value["AssociationStatus"],
        "ControlStatusUpdatedAt": value["UpdatedAt"],
        "ControlId": f"CIS.{number}" if number else control,
        "RelatedRequirements": value["RelatedRequirements"],
    } | {member: about(control)[member] for member in ("Title", "Description", "RemediationUrl", "SeverityRating")}


# A control across the standards, and its parameters.


@handles("securityhub", "BatchGetSecurityControls")
def get_controls(call: Call, _: Forward) -> dict[str, Any]:
    standards, found, failed = ready(call), [], []
    for given in few(call, "SecurityControlIds"):
        control = named(call, given)
        if control:
            found.append(as_it_is(call, control, standards))
        else:
            why = {"ErrorCode": NOT_FOUND, "ErrorReason": f"The security control {given} does not exist."}
            failed.append({"SecurityControlId": given} | why)
    return {"SecurityControls": found, "UnprocessedIds": failed}


def as_it_is(call: Call, control: str, standards: dict[str, str]) -> dict[str, Any]:
    """Enabled when one enabled standard has it on."""
    has = [arn for arn, name in standards.items() if control in catalogue()["standards"].get(name, [])]
    on = any(association(call, arn, control).read()["AssociationStatus"] == "ENABLED" for arn in has)
    row = place(call, "security controls").get(control, Row({}))
    value = {"UpdateStatus": "READY"} | row.read()
    custom = value.pop("Custom", {})
    parameters = {
        name: parameter(custom.get(name), option)
        for name, option in catalogue()["parameters"].get(control, {}).items()
    }
    more = {"SecurityControlArn": arn_of(call, control), "SecurityControlStatus": "ENABLED" if on else "DISABLED"}
    return about(control) | more | value | {"Parameters": parameters}


def parameter(custom: dict[str, Any] | None, option: dict[str, Any]) -> dict[str, Any]:
    """A parameter's own value, or AWS's, or none where AWS has none."""
    if custom:
        return {"ValueType": "CUSTOM", "Value": custom}
    [(kind, limits)] = option.items()
    usual = {"Value": {kind: limits["DefaultValue"]}} if "DefaultValue" in limits else {}
    return {"ValueType": "DEFAULT"} | usual


@handles("securityhub", "UpdateSecurityControl")
def update_control(call: Call, _: Forward) -> dict[str, Any]:
    """Changes the parameters that are named; nothing more while an update is under way."""
    control = named(call, call.params["SecurityControlId"])
    if control is None:
        raise missing(call.params["SecurityControlId"])
    options, reason = catalogue()["parameters"].get(control, {}), call.params.get("LastUpdateReason")
    if reason is not None and not REASON.match(reason):
        raise AwsError("InvalidInputException", "LastUpdateReason has characters that are not allowed.")
    row = place(call, "security controls").setdefault(control, Row({}))
    if row.reads:
        raise AwsError("ResourceInUseException", f"The security control {control} is being updated.")
    custom = dict(row.now.get("Custom", {}))
    for name, given in call.params["Parameters"].items():
        if name not in options:
            raise AwsError("InvalidInputException", f"{control} has no parameter {name}.")
        if given["ValueType"] == "DEFAULT":
            custom.pop(name, None)
        elif fits(given.get("Value"), options[name]):
            custom[name] = given["Value"]
        else:
            raise AwsError("InvalidInputException", f"The value of parameter {name} of {control} is invalid.")
    row.write(
        call,
        {"Custom": custom} | ({"LastUpdateReason": reason} if reason else {}),
        {"UpdateStatus": "UPDATING"},
    )
    return {}


def fits(value: dict[str, Any] | None, option: dict[str, Any]) -> bool:
    """Whether the value is of the option's kind and within its limits."""
    [(kind, limits)] = option.items()
    if not value or set(value) != {kind}:
        return False
    given = value[kind]
    if kind == "Integer":
        return bool(limits["Min"] <= given <= limits["Max"])
    if kind == "Enum":
        return given in limits["AllowedValues"]
    if kind == "StringList":
        return 0 < len(given) <= limits["MaxItems"]
    return isinstance(given, bool)
