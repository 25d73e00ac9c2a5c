"""Secrets Manager: schedules of rotation, which moto drops, and public policies, which it takes."""

import json
import re
import time
import uuid
from typing import Any

from emulator import policy
from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles
from emulator.wire import Call

SCHEDULE = re.compile(r"rate\((\d+) (day|days|hour|hours)\)|cron\([^)]+\)")
DAY = 86400


def secret_of(call: Call) -> Any:
    from moto.secretsmanager.models import secretsmanager_backends

    secrets = secretsmanager_backends[call.account][call.region].secrets
    try:
        return secrets[call.params["SecretId"]]
    except KeyError:
        message = "Secrets Manager can't find the specified secret."
        raise AwsError("ResourceNotFoundException", message) from None


@handles("secretsmanager", "RotateSecret")
def rotate(call: Call, _: Forward) -> dict[str, Any]:
    """Sets the schedule; the function is not run, so the value and its versions stay what they are."""
    secret, rules = secret_of(call), call.params.get("RotationRules", {})
    if secret.is_deleted():
        message = "You can't perform this operation on the secret because it was marked for deletion."
        raise AwsError("InvalidRequestException", message)
    function = call.params.get("RotationLambdaARN") or getattr(secret, "rotation_lambda_arn", "")
    if not function:
        raise AwsError("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
    _check_function(call, function)
    _check_rules(rules)
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = function
    if rules:
        secret.rotation_rules = dict(rules)
    if call.params.get("RotateImmediately", True):
        secret.last_rotation_date = int(time.time())
    version = call.params.get("ClientRequestToken") or str(uuid.uuid4())
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": version}


def _check_function(call: Call, function: str) -> None:
    from moto.awslambda.utils import get_backend

    try:
        get_backend(call.account, call.region).get_function(function)
    except Exception:
        raise AwsError("ResourceNotFoundException", f"Resource not found for ARN '{function}'.") from None


def _check_rules(rules: dict[str, Any]) -> None:
    if "AutomaticallyAfterDays" in rules and "ScheduleExpression" in rules:
        message = "You can't specify both AutomaticallyAfterDays and ScheduleExpression."
        raise AwsError("InvalidParameterException", message)
    expression = rules.get("ScheduleExpression")
    if expression and not SCHEDULE.fullmatch(expression):
        raise AwsError("InvalidParameterException", "The rotation schedule expression is not valid.")


def shown(secret: Any, said: dict[str, Any]) -> dict[str, Any]:
    """The secret as it is read, with its schedule as it was given; days follow from a rate of days."""
    rules = getattr(secret, "rotation_rules", None)
    if not rules or not said.get("RotationRules"):
        return said
    found = SCHEDULE.fullmatch(rules.get("ScheduleExpression", ""))
    days = {"AutomaticallyAfterDays": int(found[1])} if found and (found[2] or "").startswith("day") else {}
    return said | {"RotationRules": days | rules}


@handles("secretsmanager", "DescribeSecret")
def describe(call: Call, forward: Forward) -> dict[str, Any]:
    return shown(secret_of(call), from_moto(call, forward))


@handles("secretsmanager", "ListSecrets")
def listed(call: Call, forward: Forward) -> dict[str, Any]:
    from moto.secretsmanager.models import secretsmanager_backends

    secrets, made = secretsmanager_backends[call.account][call.region].secrets, from_moto(call, forward)
    return made | {"SecretList": [shown(secrets[one["ARN"]], one) for one in made["SecretList"]]}


@handles("secretsmanager", "PutResourcePolicy")
def put_policy(call: Call, _: Forward) -> None:
    secret_of(call)
    text = call.params["ResourcePolicy"]
    try:
        statements = policy.as_list(json.loads(text)["Statement"])
        whole = all("Effect" in one and {"Principal", "NotPrincipal"} & set(one) for one in statements)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise AwsError("MalformedPolicyDocumentException", "This resource policy contains a syntax error.")
    if policy.unknown_principals(text, call.account, call.partition):
        message = "This resource policy contains an unsupported principal."
        raise AwsError("MalformedPolicyDocumentException", message)
    if call.params.get("BlockPublicPolicy") and policy.is_public(text):
        message = "You can't attach a resource policy that allows broad access to the secret."
        raise AwsError("PublicPolicyException", message)
