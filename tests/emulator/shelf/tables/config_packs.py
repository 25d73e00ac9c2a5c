"""AWS Config: conformance packs and the rules that they bring; the tags of all that Config has.

moto has no packs. AWS makes them in its own time: what is wrong with a template's rules, or that there is no recorder,
shows as a pack that failed.
"""

import datetime
import json
from typing import Any

from emulator.answers import AwsError
from emulator.delivery import bucket_of
from emulator.missing import Forward, handles
from emulator.missing.config import recorder_tags, settings_of
from emulator.shelf import Collection, Row, owner_of, tags
from emulator.shelf.model import output
from emulator.shelf.pages import page
from emulator.shelf.tables.config_aggregators import AGGREGATORS, AUTHORIZATIONS
from emulator.shelf.tables.config_rules import RULES, check, end, find, live, make, named, short, wrong
from emulator.wire import Call

MOST, MOST_PARAMETERS = 50, 60
SERVICE = "config-conforms.amazonaws.com"
NO_PACK = ("NoSuchConformancePackException", "The conformance pack {id} does not exist.")
TEMPLATES = ("TemplateS3Uri", "TemplateBody", "TemplateSSMDocumentDetails", "Source")

PACKS = Collection(
    "config",
    "conformance_packs",
    key="ConformancePackName",
    arn=("ConformancePackArn", "arn:{partition}:config:{region}:{account}:conformance-pack/{id}"),
    absent=NO_PACK,
)
tags(
    "config",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    of=(RULES, PACKS, AGGREGATORS, AUTHORIZATIONS, recorder_tags),
    kept="Tags",
    otherwise_moto=True,
)


def _time() -> datetime.datetime:
    """Config tells the times of packs in milliseconds."""
    now = datetime.datetime.now(datetime.UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@handles("config", "PutConformancePack")
def put_conformance_pack(call: Call, _: Forward) -> dict[str, Any]:
    name = call.params["ConformancePackName"]
    if sum(bool(call.params.get(one)) for one in TEMPLATES) != 1:
        raise wrong("Give one of TemplateS3Uri, TemplateBody, TemplateSSMDocumentDetails and Source.")
    _check_sort(call.params)
    template = _template(call)
    rows = live(PACKS, call)
    old = next((row for row in rows if row.now["ConformancePackName"] == name), None)
    if old and _created_by(call, old.now):
        raise AwsError("AccessDeniedException", "A pack that an AWS service made cannot be changed.")
    if old and (old.gone or old.reads > 0):
        raise AwsError("ResourceInUseException", f"The conformance pack {name} is being changed.")
    if old and old.now.get("Source") != call.params.get("Source"):
        raise wrong("A conformance pack cannot be converted between managed and custom, nor its source be changed.")
    if old is None and len(rows) >= MOST:
        raise AwsError("MaxNumberOfConformancePacksExceededException", f"There may be {MOST} packs.")
    word = "UPDATE" if old else "CREATE"
    value = {"ConformancePackInputParameters": []} | {n: v for n, v in call.params.items() if n != "Tags"}
    value |= {"LastUpdateRequestedTime": _time(), "Type": "MANAGED" if call.params.get("Source") else "CUSTOM"}
    problem = _problem(call, template)
    if problem:
        value |= {"ConformancePackState": f"{word}_FAILED", "ConformancePackStatusReason": problem}
    else:
        value |= {"ConformancePackState": f"{word}_COMPLETE", "LastUpdateCompletedTime": _time()}
    if old:
        kept = ("ConformancePackArn", "ConformancePackId", "Tags")
        value |= {one: old.now[one] for one in kept if one in old.now}
        old.write(call, value, {"ConformancePackState": f"{word}_IN_PROGRESS"})
        row = old
    else:
        value["Tags"] = call.params.get("Tags") or []
        row = PACKS.add(call, name, value, {"ConformancePackState": f"{word}_IN_PROGRESS"})
        pack_id = f"conformance-pack-{short()}"
        for one in (row.now, row.shown):
            one |= {"ConformancePackId": pack_id}
            one["ConformancePackArn"] = f"{row.now['ConformancePackArn'].partition('/conf')[0]}/{pack_id}"
    if not problem:
        _bring(call, row.now["ConformancePackId"], template)
    return {"ConformancePackArn": row.now["ConformancePackArn"]}


def _created_by(call: Call, row: dict[str, Any]) -> str | None:
    return owner_of(call, f"conformance_pack/{row['ConformancePackName']}")


def _check_sort(given: dict[str, Any]) -> None:
    """What managed packs have and custom ones have not, and the other way round."""
    if given.get("Source"):
        if given.get("DeliveryS3Bucket") or given.get("DeliveryS3KeyPrefix"):
            raise wrong("Do not specify DeliveryS3Bucket or DeliveryS3KeyPrefix for a managed conformance pack.")
    elif given.get("Scope"):
        raise wrong("Scope is supported only for managed conformance packs. Specify a Source.")
    elif len(given.get("ConformancePackInputParameters") or []) > MOST_PARAMETERS:
        raise wrong("Custom conformance packs can have at most 60 input parameters.")


def _template(call: Call) -> dict[str, Any]:
    """The template, from wherever it comes; functions of CloudFormation but Ref stand for nothing here."""
    text = _text(call)
    if text is None:
        return {"Resources": {}}
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def ref(loader: Any, suffix: str, node: Any) -> Any:
        return {"Ref": node.value} if suffix == "Ref" else ""

    Loader.add_multi_constructor("!", ref)
    try:
        found = yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
        found["Resources"] = found["Resources"] or {}
        for one in found["Resources"].values():
            if one["Type"] == "AWS::Config::ConfigRule":
                one["Properties"]["Source"]["Owner"]
        return found
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        raise AwsError("ConformancePackTemplateValidationException", "The template is not valid.") from None


def _text(call: Call) -> str | None:
    given = call.params
    if given.get("TemplateBody"):
        return str(given["TemplateBody"])
    if given.get("TemplateS3Uri"):
        name, _, key = given["TemplateS3Uri"].removeprefix("s3://").partition("/")
        bucket = bucket_of(call.partition, name)
        found = bucket.keys.get(key) if bucket else None
        if found is None or bucket.region_name != call.region:
            message = f"You do not have permission to get the template {given['TemplateS3Uri']}, or it is not there."
            raise AwsError("InsufficientPermissionsException", message)
        return found.value.decode()
    if given.get("TemplateSSMDocumentDetails"):
        from moto.ssm.models import ssm_backends

        asked = given["TemplateSSMDocumentDetails"]
        document = ssm_backends[call.account][call.region]._documents.get(asked["DocumentName"].rpartition("/")[2])
        if document is None:
            message = f"You do not have permission to get the document {asked['DocumentName']}, or it is not there."
            raise AwsError("InsufficientPermissionsException", message)
        version = (asked.get("DocumentVersion") or "$LATEST").replace("$LATEST", document.latest_version)
        return document.find_by_version(version.replace("$DEFAULT", document.default_version)).content
    return None


def _rules(call: Call, template: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules that the template asks for, with its parameters in them."""
    given = {one["ParameterName"]: one["ParameterValue"] for one in call.params.get("ConformancePackInputParameters") or []}
    known = {name: one.get("Default") for name, one in (template.get("Parameters") or {}).items()} | given
    found = []
    for one in template["Resources"].values():
        if one["Type"] != "AWS::Config::ConfigRule":
            continue
        properties = one["Properties"]
        rule = {"ConfigRuleName": properties["ConfigRuleName"], "Source": properties["Source"]}
        parameters = properties.get("InputParameters")
        if isinstance(parameters, dict):
            values = {n: known.get(v.get("Ref", "")) if isinstance(v, dict) else v for n, v in parameters.items()}
            rule["InputParameters"] = json.dumps({n: str(v) for n, v in values.items() if v is not None})
        found.append(rule)
    return found


def _problem(call: Call, template: dict[str, Any]) -> str | None:
    """Why AWS cannot make the pack's rules."""
    if settings_of(call).recorder is None:
        return "NoAvailableConfigurationRecorder: Configuration Recorder is not available to put the config rules."
    for rule in _rules(call, template):
        try:
            check(call, rule)
        except AwsError as error:
            return f"The rule {rule['ConfigRuleName']} could not be made: {error}"
    return None


def _bring(call: Call, pack_id: str, template: dict[str, Any]) -> None:
    """The pack's own rules, in the place of those that it had."""
    for row in [row for row in RULES.rows(call) if row.now["ConfigRuleName"].endswith(f"-{pack_id}")]:
        RULES.drop(call, row)
    for rule in _rules(call, template):
        make(call, rule | {"ConfigRuleName": f"{rule['ConfigRuleName']}-{pack_id}"}, [], CreatedBy=SERVICE)


def _wanted(call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    types = (call.params.get("Filters") or {}).get("Types")
    return [one for one in found if not types or one["Type"] in types]


@handles("config", "DescribeConformancePacks")
def describe_conformance_packs(call: Call, _: Forward) -> dict[str, Any]:
    names = call.params.get("ConformancePackNames")
    rows: list[Row] = [find(PACKS, call, name) for name in names] if names else live(PACKS, call)
    found = []
    for row in rows:
        creator = _created_by(call, row.now)
        found.append(row.now | ({"CreatedBy": creator} if creator else {}))
    shown, token = page(call, _wanted(call, found), 20)
    return output(call, {"ConformancePackDetails": shown} | token)


@handles("config", "DescribeConformancePackStatus")
def describe_conformance_pack_status(call: Call, _: Forward) -> dict[str, Any]:
    """Names that are not there give an empty result."""
    names, found = call.params.get("ConformancePackNames"), []
    for pack in named(PACKS, call, None):
        stack = f"arn:{call.partition}:cloudformation:{call.region}:{call.account}:stack/awsconfigconforms-"
        of_stack = {} if pack.get("Source") else {"StackArn": stack + pack["ConformancePackId"]}
        found.append(pack | of_stack)
    found = [one for one in _wanted(call, found) if not names or one["ConformancePackName"] in names]
    shown, token = page(call, found, 20)
    return output(call, {"ConformancePackStatusDetails": shown} | token)


@handles("config", "DeleteConformancePack")
def delete_conformance_pack(call: Call, _: Forward) -> dict[str, Any]:
    row = find(PACKS, call, call.params["ConformancePackName"])
    if _created_by(call, row.now):
        raise AwsError("AccessDeniedException", "A pack that an AWS service made cannot be deleted.")
    if row.gone or row.reads > 0:
        raise AwsError("ResourceInUseException", "The conformance pack is being changed.")
    _bring(call, row.now["ConformancePackId"], {"Resources": {}})
    end(PACKS, call, row, {"ConformancePackState": "DELETE_IN_PROGRESS"})
    return {}
