"""CloudWatch Logs: policies by which AWS services write into the account's log groups; those of one group are left."""

import json

from emulator.answers import AwsError
from emulator.missing import guards
from emulator.policy import as_list
from emulator.shelf import Collection, milliseconds
from emulator.wire import Call

# The size is that of the API model, which looks at it.
MOST = 10
OPERATIONS = ("PutResourcePolicy", "DescribeResourcePolicies", "DeleteResourcePolicy")


@guards("logs")
def of_the_account(call: Call) -> None:
    if call.operation in OPERATIONS and ("resourceArn" in call.params or call.params.get("policyScope") == "RESOURCE"):
        raise NotImplementedError("resource policies of log groups")
    if call.operation in OPERATIONS and call.operation != "DescribeResourcePolicies":
        if "policyName" not in call.params:
            raise AwsError("InvalidParameterException", "The policy name is required.")


def check(call: Call) -> None:
    text = call.params.get("policyDocument", "")
    try:
        statements = as_list(json.loads(text)["Statement"])
        whole = all({"Effect", "Principal", "Action", "Resource"} <= set(one) for one in statements)
    except (ValueError, KeyError, TypeError):
        statements, whole = [], False
    if not statements or not whole:
        raise AwsError("InvalidParameterException", "The policy document is not valid.")


(
    Collection(
        "logs",
        "resource policy",
        key="policyName",
        made={"policyScope": "ACCOUNT"},
        updated="lastUpdatedTime",
        clock=milliseconds,
        absent=("ResourceNotFoundException", "Policy with name [{id}] does not exist"),
        limit=(MOST, "LimitExceededException"),
    )
    .put("PutResourcePolicy", under="resourcePolicy", check=check)
    .list("DescribeResourcePolicies", "resourcePolicies")
    .delete("DeleteResourcePolicy", by="policyName")
)
