"""What DynamoDB, Kinesis, Firehose and ECR refuse and moto takes; from the API references."""

import json
from typing import Any

from emulator import grammar
from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, guards, handles, refuses
from emulator.missing.key_names import is_key
from emulator.missing.roles import trusts
from emulator.policy import as_list, statements, unknown_principals
from emulator.shelf.pages import page
from emulator.wire import Call

TAGS = 50
#: The most shards that any Region lets an account have at first.
SHARDS = 20000


def tag_problem(sent: Any, there: Any = ()) -> str | None:
    """What is wrong with tags that are sent, a map or a list, for a thing that has others."""
    names = list(sent) if isinstance(sent, dict) else [one.get("Key", one.get("key")) for one in sent or ()]
    if len(set(names)) < len(names):
        return "Duplicate tag keys found."
    if any(name.lower().startswith("aws:") for name in names):
        return "Tag keys that begin with aws: are reserved."
    return f"There can be {TAGS} tags." if len({*names, *there}) > TAGS else None


# DynamoDB.


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", f"One or more parameter values were invalid: {message}")


@refuses("dynamodb", "CreateTable")
def a_new_table(call: Call) -> None:
    given = call.params
    if not given.get("KeySchema"):
        raise _invalid("No KeySchema is provided.")
    first, *rest = given["KeySchema"]
    if first.get("KeyType", "HASH") != "HASH":
        raise AwsError("ValidationException", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    for second in rest:
        if second["AttributeName"] == first["AttributeName"]:
            raise AwsError(
                "ValidationException",
                "Both the Hash Key and the Range Key element in the KeySchema have the same name",
            )
        if second["KeyType"] != "RANGE":
            raise AwsError("ValidationException", "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    stream = given.get("StreamSpecification", {})
    if stream and stream["StreamEnabled"] != ("StreamViewType" in stream):
        raise _invalid("StreamViewType is for streams that are enabled, which need one.")
    text = given.get("ResourcePolicy")
    if text and (problem := grammar.problem(text)):
        raise AwsError("ValidationException", f"Invalid policy document: {problem}")
    if problem := tag_problem(given.get("Tags")):
        raise _invalid(problem)


@refuses("dynamodb", "CreateTable", "UpdateTable")
def the_key_of_a_table(call: Call) -> None:
    said = call.params.get("SSESpecification") or {}
    if said.get("SSEType", "KMS") != "KMS":
        raise _invalid("The only supported value for SSEType is KMS.")
    key = said.get("KMSMasterKeyId")
    if key and not said.get("Enabled"):
        raise _invalid("KMSMasterKeyId needs server-side encryption to be enabled.")
    if key and not is_key(call, key):
        raise _invalid(f"KMS key {key} is not there or not enabled.")


@refuses("dynamodb", "TagResource", "UntagResource", "ListTagsOfResource")
def a_table_that_is_there(call: Call) -> None:
    from moto.dynamodb.models import dynamodb_backends

    arn = call.params["ResourceArn"]
    tables = dynamodb_backends[call.account][call.region].tables.values()
    table = next((one for one in tables if one.table_arn == arn.split("/index/")[0]), None)
    if table is None:
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: ResourcArn: {arn} not found")
    if problem := tag_problem(call.params.get("Tags"), {tag["Key"] for tag in table.tags or []}):
        raise _invalid(problem)


# Kinesis.


def _argument(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)


@refuses("kinesis", "CreateStream")
def a_new_stream(call: Call) -> None:
    shards = call.params.get("ShardCount")
    on_demand = call.params.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND"
    if on_demand == (shards is not None):
        raise _argument("ShardCount is for streams in mode PROVISIONED, which need it.")
    if shards and shards > SHARDS:
        raise AwsError("LimitExceededException", f"There can be {SHARDS} shards.")


@refuses("kinesis", "CreateStream", "AddTagsToStream")
def tags_of_a_stream(call: Call) -> None:
    if problem := tag_problem(call.params.get("Tags")):
        raise _argument(problem)


@guards("kinesis")
def which_stream(call: Call) -> None:
    shape, names = call.model.input_shape, {"StreamName", "StreamARN"}
    if shape and names <= set(shape.members) and not names & set(call.params):
        raise _argument("Either StreamName or StreamARN must be given.")


@refuses("kinesis", "StartStreamEncryption", "StopStreamEncryption")
def the_key_of_a_stream(call: Call) -> None:
    if call.params["EncryptionType"] != "KMS":
        raise _argument("EncryptionType must be KMS.")
    if not is_key(call, call.params["KeyId"]):
        raise AwsError("KMSNotFoundException", f"Key '{call.params['KeyId']}' does not exist")


@refuses("kinesis", "PutResourcePolicy")
def the_policy_of_a_stream(call: Call) -> None:
    if problem := grammar.problem(call.params["Policy"]):
        raise AwsError("ValidationException", problem)


@handles("kinesis", "ListStreams")
def streams(call: Call, forward: Forward) -> dict[str, Any]:
    """By name, in pages; moto fails for a name that is not there and shows all summaries on each page."""
    after, size = call.params.get("ExclusiveStartStreamName", ""), call.params.get("Limit", 100)
    call.body = json.dumps({"Limit": 10000}).encode()
    made = from_moto(call, forward)
    summaries = sorted(made["StreamSummaries"], key=lambda one: one["StreamName"])
    shown, token = page(call, [one for one in summaries if one["StreamName"] > after], size)
    names = [one["StreamName"] for one in shown]
    return {"StreamNames": names, "HasMoreStreams": bool(token), "StreamSummaries": shown} | token


# Firehose.


@refuses("firehose", "CreateDeliveryStream")
def a_new_delivery_stream(call: Call) -> None:
    given = call.params
    if (given.get("DeliveryStreamType") == "KinesisStreamAsSource") != ("KinesisStreamSourceConfiguration" in given):
        raise _argument("KinesisStreamSourceConfiguration is for the type KinesisStreamAsSource, which needs it.")
    for said in given.values():
        role = said.get("RoleARN") if isinstance(said, dict) else None
        if role and trusts(call, role, "firehose.amazonaws.com") is False:
            raise _argument(f"Firehose is unable to assume role {role}. Please check the role provided.")
    if problem := tag_problem(given.get("Tags")):
        raise _argument(problem)


# ECR.


@guards("ecr")
def the_registry_is_ones_own(call: Call) -> None:
    registry = call.params.get("registryId", call.account)
    if registry != call.account:
        name = call.params.get("repositoryName") or "*"
        arn = f"arn:{call.partition}:ecr:{call.region}:{registry}:repository/{name}"
        raise AwsError(
            "AccessDeniedException",
            f"User: arn:{call.partition}:iam::{call.account}:root is not authorized to perform: ecr:{call.operation} on "
            f"resource: {arn} because no resource-based policy allows the ecr:{call.operation} action",
        )


@refuses("ecr", "CreateRepository")
def a_new_repository(call: Call) -> None:
    said = call.params.get("encryptionConfiguration", {})
    key = said.get("kmsKey")
    if key and said["encryptionType"] == "AES256":
        raise AwsError("InvalidParameterException", "A key is for the encryption types of KMS.")
    if key and not is_key(call, key):
        raise AwsError("KmsException", f"Key '{key}' does not exist or is not enabled.")


@refuses("ecr", "CreateRepository", "TagResource")
def tags_of_a_repository(call: Call) -> None:
    sent = call.params.get("tags") or []
    if len(sent) > TAGS:
        raise AwsError("TooManyTagsException", f"There can be {TAGS} tags.")
    if problem := tag_problem(sent):
        raise AwsError("InvalidTagParameterException", problem)


@refuses("ecr", "DescribeRepositories")
def names_or_pages(call: Call) -> None:
    if "repositoryNames" in call.params and {"maxResults", "nextToken"} & set(call.params):
        raise AwsError("InvalidParameterException", "Names of repositories do not go with pages.")


@refuses("ecr", "SetRepositoryPolicy")
def the_policy_of_a_repository(call: Call) -> None:
    from moto.ecr.models import ecr_backends

    text = call.params["policyText"]
    if call.params["repositoryName"] not in ecr_backends[call.account][call.region].repositories:
        return
    problem = grammar.problem(text, ("Principal", "Action"))
    if problem or not all(_is_of_ecr(action) for one in statements(text) for action in _actions(one)):
        problem = "Invalid repository policy provided"
    elif unknown_principals(text, call.account, call.partition):
        problem = "Principal not found"
    if problem:
        raise AwsError(
            "InvalidParameterException", f"Invalid parameter at 'PolicyText' failed to satisfy constraint: '{problem}'"
        )


def _actions(statement: dict[str, Any]) -> list[str]:
    return as_list(statement.get("Action", statement.get("NotAction")))


def _is_of_ecr(action: str) -> bool:
    return action == "*" or action.lower().startswith("ecr:")
