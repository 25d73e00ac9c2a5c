"""AWS Config: rules with their compliance and remediation.

moto checks a managed rule's identifier and parameters; it knows neither custom policies nor evaluation modes, makes
rules without a recorder. What a pack or another service made, and a rule that route `owner` gives
away as `config:config_rule/NAME`, is left alone.
"""

import json
import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.config import settings_of
from emulator.shelf import Collection, Row, now, owner_of
from emulator.shelf.model import output
from emulator.shelf.pages import page
from emulator.wire import Call

MOST_RULES = 1000
NO_RULE = ("NoSuchConfigRuleException", "The ConfigRule '{id}' provided in the request is invalid.")


def short() -> str:
    return uuid.uuid4().hex[:6]


RULES = Collection(
    "config",
    "config_rules",
    key="ConfigRuleName",
    arn=("ConfigRuleArn", "arn:{partition}:config:{region}:{account}:config-rule/{id}"),
    absent=NO_RULE,
)


def live(kind: Collection, call: Call) -> list[Row]:
    """Those that are there or still on their way out; the rest is forgotten."""
    for row in kind.rows(call):
        if row.gone and row.reads <= 0:
            kind.drop(call, row)
    return kind.rows(call)


def find(kind: Collection, call: Call, name: str) -> Row:
    for row in live(kind, call):
        if row.now[kind.key] == name:
            return row
    raise AwsError(kind.absent[0], kind.absent[1].format(id=name))


def named(kind: Collection, call: Call, names: list[str] | None) -> list[dict[str, Any]]:
    """What a read sees of the named ones, or of all."""
    rows = [find(kind, call, name) for name in names] if names else live(kind, call)
    return [row.read() for row in rows]


def end(kind: Collection, call: Call, row: Row, middle: dict[str, str]) -> None:
    """The end of an object, for some reads only on its way."""
    row.write(call, row.now, middle)
    row.gone = True
    if not row.reads:
        kind.drop(call, row)


def wrong(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def check(call: Call, given: dict[str, Any]) -> None:
    """Refuses what Config refuses of a rule; of managed and Lambda rules moto knows it."""
    if given.get("CreatedBy"):
        raise wrong("AWS Config populates the CreatedBy field for ServiceLinkedConfigRule.")
    source = given["Source"]
    if source["Owner"] != "CUSTOM_POLICY":
        _check_with_moto(call, {name: value for name, value in given.items() if name not in _OWN})
        return
    details = source.get("CustomPolicyDetails")
    if not details or source.get("SourceIdentifier"):
        raise wrong("A custom policy rule has CustomPolicyDetails and no SourceIdentifier.")
    if not source.get("SourceDetails"):
        raise wrong("A custom policy rule has SourceDetails.")


_OWN = {"ConfigRuleArn", "ConfigRuleId", "EvaluationModes", "RuleEvaluationVisibility"}


def _check_with_moto(call: Call, given: dict[str, Any]) -> None:
    from moto.config.models import ConfigRule
    from moto.core.exceptions import JsonRESTError

    try:
        ConfigRule(call.account, call.region, given, {})
    except JsonRESTError as error:
        raise AwsError(error.error_type, str(error.message)) from None


def _stored(given: dict[str, Any]) -> dict[str, Any]:
    """The rule as it is answered: with what Config takes for what is not sent."""
    from moto.config.models import MANAGED_RULES_CONSTRAINTS

    made = {"InputParameters": "{}", "EvaluationModes": [{"Mode": "DETECTIVE"}], "ConfigRuleState": "ACTIVE"} | given
    known = MANAGED_RULES_CONSTRAINTS.get(given["Source"].get("SourceIdentifier") or "", {})
    if "Periodic" in known.get("Trigger type", ""):
        made.setdefault("MaximumExecutionFrequency", "TwentyFour_Hours")
    return made


def _created_by(call: Call, row: dict[str, Any]) -> str | None:
    return row.get("CreatedBy") or owner_of(call, f"config_rule/{row['ConfigRuleName']}")


def _refuse_others(call: Call, row: Row) -> None:
    if row.gone:
        raise AwsError("ResourceInUseException", f"The rule {row.now['ConfigRuleName']} is being deleted.")
    if _created_by(call, row.now):
        raise AwsError("AccessDeniedException", "A rule that an AWS service made cannot be changed.")


@handles("config", "PutConfigRule")
def put_config_rule(call: Call, _: Forward) -> dict[str, Any]:
    given = dict(call.params["ConfigRule"])
    rows = live(RULES, call)
    keys = [key for key in ("ConfigRuleName", "ConfigRuleArn", "ConfigRuleId") if given.get(key)]
    old = next((row for row in rows for key in keys if row.now[key] == given[key]), None)
    if settings_of(call).recorder is None:
        raise AwsError("NoAvailableConfigurationRecorderException", "Configuration Recorder is not available.")
    if old is None and (not given.get("ConfigRuleName") or len(keys) > 1):
        raise wrong("A new rule has a name, and its ARN and id are made by the service.")
    if old is None and len(rows) >= MOST_RULES:
        raise AwsError("MaxNumberOfConfigRulesExceededException", f"There may be {MOST_RULES} rules.")
    check(call, given)
    if old:
        _refuse_others(call, old)
        kept = ("ConfigRuleName", "ConfigRuleArn", "ConfigRuleId", "Tags", "Remediation", "Results")
        old.now = _stored(given) | {name: old.now[name] for name in kept if name in old.now}
    else:
        make(call, given, call.params.get("Tags") or [])
    return {}


def make(call: Call, given: dict[str, Any], new_tags: list[dict[str, str]], **more: str) -> None:
    """A new rule; its ARN ends with its id, not with its name."""
    row = RULES.add(call, given["ConfigRuleName"], _stored(given) | {"Tags": new_tags} | more)
    row.now["ConfigRuleId"] = f"config-rule-{short()}"
    row.now["ConfigRuleArn"] = row.now["ConfigRuleArn"].rpartition("/")[0] + "/" + row.now["ConfigRuleId"]


@handles("config", "DescribeConfigRules")
def describe_config_rules(call: Call, _: Forward) -> dict[str, Any]:
    found = []
    for rule in named(RULES, call, call.params.get("ConfigRuleNames")):
        details = rule["Source"].get("CustomPolicyDetails")
        if details:
            # The text is told by GetCustomRulePolicy alone.
            rule = rule | {"Source": rule["Source"] | {"CustomPolicyDetails": details | {"PolicyText": ""}}}
        creator = _created_by(call, rule)
        found.append(rule | ({"CreatedBy": creator} if creator else {}))
    mode = (call.params.get("Filters") or {}).get("EvaluationMode")
    found = [rule for rule in found if mode is None or {"Mode": mode} in rule["EvaluationModes"]]
    shown, token = page(call, found)
    return output(call, {"ConfigRules": shown} | token)


@handles("config", "DeleteConfigRule")
def delete_config_rule(call: Call, _: Forward) -> dict[str, Any]:
    row = find(RULES, call, call.params["ConfigRuleName"])
    _refuse_others(call, row)
    if row.now.get("Remediation"):
        raise AwsError("ResourceInUseException", "The rule has a remediation action: delete that first.")
    end(RULES, call, row, {"ConfigRuleState": "DELETING"})
    return {}


@handles("config", "GetCustomRulePolicy")
def get_custom_rule_policy(call: Call, _: Forward) -> dict[str, Any]:
    details = find(RULES, call, call.params.get("ConfigRuleName", "")).now["Source"].get("CustomPolicyDetails")
    if not details:
        raise AwsError(NO_RULE[0], "The rule is no custom policy rule.")
    return {"PolicyText": details["PolicyText"]}


def plant(call: Call, name: str, results: list[dict[str, str]]) -> None:
    """Evaluation results, which no API call makes: [{"type", "id", "compliance"}]."""
    find(RULES, call, name).now["Results"] = results


def _compliance(rule: dict[str, Any]) -> dict[str, Any]:
    kinds = [result["compliance"] for result in rule.get("Results", [])]
    bad = kinds.count("NON_COMPLIANT")
    if bad:
        return {
            "ComplianceType": "NON_COMPLIANT",
            "ComplianceContributorCount": {"CappedCount": min(bad, 25), "CapExceeded": bad > 25},
        }
    return {"ComplianceType": "COMPLIANT" if "COMPLIANT" in kinds else "INSUFFICIENT_DATA"}


@handles("config", "DescribeComplianceByConfigRule")
def describe_compliance(call: Call, _: Forward) -> dict[str, Any]:
    found = [
        {"ConfigRuleName": rule["ConfigRuleName"], "Compliance": _compliance(rule)}
        for rule in named(RULES, call, call.params.get("ConfigRuleNames"))
    ]
    wanted = call.params.get("ComplianceTypes")
    found = [one for one in found if not wanted or one["Compliance"]["ComplianceType"] in wanted]
    shown, token = page(call, found)
    return output(call, {"ComplianceByConfigRules": shown} | token)


@handles("config", "GetComplianceDetailsByConfigRule")
def compliance_details(call: Call, _: Forward) -> dict[str, Any]:
    name, wanted = call.params["ConfigRuleName"], call.params.get("ComplianceTypes")
    found = [
        {
            "EvaluationResultIdentifier": {
                "EvaluationResultQualifier": {
                    "ConfigRuleName": name,
                    "ResourceType": result["type"],
                    "ResourceId": result["id"],
                },
                "OrderingTimestamp": now(),
            },
            "ComplianceType": result["compliance"],
            "ResultRecordedTime": now(),
            "ConfigRuleInvokedTime": now(),
        }
        for result in find(RULES, call, name).now.get("Results", [])
        if not wanted or result["compliance"] in wanted
    ]
    shown, token = page(call, found)
    return output(call, {"EvaluationResults": shown} | token)


@handles("config", "PutRemediationConfigurations")
def put_remediation(call: Call, _: Forward) -> dict[str, Any]:
    for given in call.params["RemediationConfigurations"]:
        try:
            row = find(RULES, call, given["ConfigRuleName"])
        except AwsError:
            raise wrong(f"The rule {given['ConfigRuleName']} does not exist.") from None
        _refuse_others(call, row)
        kind = f":remediation-configuration/{given['ConfigRuleName']}/"
        arn = row.now["ConfigRuleArn"].replace(":config-rule/", kind)
        row.now["Remediation"] = {"Automatic": False} | given | {"Arn": arn}
    return {"FailedBatches": []}


@handles("config", "DescribeRemediationConfigurations")
def describe_remediation(call: Call, _: Forward) -> dict[str, Any]:
    wanted = call.params["ConfigRuleNames"]
    found = [row.now.get("Remediation") for row in live(RULES, call) if row.now["ConfigRuleName"] in wanted]
    return output(call, {"RemediationConfigurations": [one for one in found if one]})


@handles("config", "DeleteRemediationConfiguration")
def delete_remediation(call: Call, _: Forward) -> dict[str, Any]:
    name = call.params["ConfigRuleName"]
    row = next((row for row in live(RULES, call) if row.now["ConfigRuleName"] == name), None)
    if row is None or not row.now.get("Remediation"):
        raise AwsError("NoSuchRemediationConfigurationException", f"The rule {name} has no remediation action.")
    del row.now["Remediation"]
    return {}
