"""What Lambda refuses and moto takes: roles, code, sizes, variables, networks, statements of policies."""

import io
import re
import zipfile
from typing import Any

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.missing.key_names import is_key
from emulator.missing.roles import trusts
from emulator.missing.stores_refusals import tag_problem
from emulator.policy import unknown_principals
from emulator.wire import Call

RESERVED = set(
    """
    _HANDLER _X_AMZN_TRACE_ID AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_EXECUTION_ENV AWS_LAMBDA_RUNTIME_API
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE
    AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SECRET_KEY
    AWS_SECURITY_TOKEN AWS_SESSION_TOKEN
    """.split()
)
UNABLE = "Lambda was unable to configure your environment variables because the environment variables you have provided "
PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:[^:]+:(iam|sts)::\d{12}:.+|[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com)"
)
MOST = {"Timeout": 900, "MemorySize": 10240}


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


@refuses("lambda", "CreateFunction")
def a_new_function(call: Call) -> None:
    given, code = call.params, call.params["Code"]
    if ":" not in given["FunctionName"] and len(given["FunctionName"]) > 64:
        raise _wrong("Member must have length less than or equal to 64: functionName")
    if not set(code) & {"ZipFile", "S3Bucket", "ImageUri"}:
        raise _wrong("Please provide a source for function code.")
    is_image = given.get("PackageType") == "Image"
    if not is_image and not {"Runtime", "Handler"} <= set(given):
        raise _wrong("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    if is_image and {"Runtime", "Handler", "Layers"} & set(given):
        raise _wrong("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
    if "ZipFile" in code and not _is_zip(code["ZipFile"]):
        raise _wrong("Could not unzip uploaded file. Please check your file, then try to upload again.")
    if problem := tag_problem(given.get("Tags")):
        raise _wrong(problem)


def _is_zip(content: Any) -> bool:
    content = content.encode("latin-1") if isinstance(content, str) else content
    return zipfile.is_zipfile(io.BytesIO(content))


@refuses("lambda", "CreateFunction", "UpdateFunctionConfiguration")
def settings(call: Call) -> None:
    given = call.params
    for name, most in MOST.items():
        if given.get(name, 0) > most:
            raise _wrong(f"Value '{given[name]}' at '{name}': Member must have value less than or equal to {most}")
    if "Role" in given and trusts(call, given["Role"], "lambda.amazonaws.com") is False:
        raise _wrong("The role defined for the function cannot be assumed by Lambda.")
    variables = (given.get("Environment") or {}).get("Variables") or {}
    if reserved := RESERVED & set(variables):
        raise _wrong(
            f"{UNABLE}contains reserved keys that are currently not supported for modification. Reserved keys used in this "
            f"request: {', '.join(sorted(reserved))}"
        )
    if sum(len(name) + len(value) for name, value in variables.items()) > 4096:
        raise _wrong(f"{UNABLE}exceeded the 4KB limit.")
    key = given.get("KMSKeyArn")
    if key and not is_key(call, key):
        raise _wrong("Lambda was unable to configure access to your environment variables because the KMS key is invalid.")
    _network(call, given.get("VpcConfig") or {})


def _network(call: Call, said: dict[str, Any]) -> None:
    if not said.get("SubnetIds") and not said.get("SecurityGroupIds"):
        return
    from moto.ec2.models import ec2_backends

    backend = ec2_backends[call.account][call.region]
    subnets = {name for zone in backend.subnets.values() for name in zone}
    groups = {name for vpc in backend.groups.values() for name in vpc}
    for name in said.get("SubnetIds") or []:
        if name not in subnets:
            raise _wrong(
                "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: "
                f"The subnet ID '{name}' does not exist"
            )
    for name in said.get("SecurityGroupIds") or []:
        if name not in groups:
            raise _wrong(
                "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: "
                f"The security group '{name}' does not exist"
            )


@refuses("lambda", "AddPermission")
def a_new_statement(call: Call) -> None:
    from moto.awslambda.exceptions import LambdaClientError
    from moto.awslambda.models import lambda_backends

    given, principal = call.params, call.params["Principal"]
    if not PRINCIPAL.fullmatch(principal) or _is_gone(call, principal):
        raise _wrong("The provided principal was invalid. Please check the principal and try again.")
    if "FunctionUrlAuthType" in given and given["Action"] != "lambda:InvokeFunctionUrl":
        raise _wrong("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
    try:
        function = lambda_backends[call.account][call.region].get_function(given["FunctionName"], given.get("Qualifier"))
    except LambdaClientError:
        return
    policy = getattr(function, "policy", None)
    if any(one.get("Sid") == given["StatementId"] for one in (policy.statements if policy else [])):
        raise AwsError(
            "ResourceConflictException",
            f"The statement id ({given['StatementId']}) provided already exists. Please provide a new statement id, or "
            "remove the existing statement.",
        )


def _is_gone(call: Call, principal: str) -> bool:
    document = f'{{"Statement": [{{"Principal": {{"AWS": "{principal}"}}}}]}}'
    return bool(unknown_principals(document, call.account, call.partition))
