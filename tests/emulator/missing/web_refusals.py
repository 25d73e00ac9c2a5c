"""What API Gateway and CloudFront refuse and moto takes; versions of distributions."""

import re
from collections.abc import Iterator
from typing import Any

from emulator import grammar
from emulator.answers import Answer, AwsError
from emulator.missing import Forward, handles, refuses
from emulator.missing.stores_refusals import tag_problem
from emulator.wire import Call

DOMAIN = re.compile(r"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z]{2,63}")
POLICY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: The ids of policies by the member of a cache behaviour that names them, and the error for one that is not there.
POLICIES = {
    "CachePolicyId": "NoSuchCachePolicy",
    "OriginRequestPolicyId": "NoSuchOriginRequestPolicy",
    "ResponseHeadersPolicyId": "NoSuchResponseHeadersPolicy",
}


# API Gateway.


def _apis(call: Call) -> dict[str, Any]:
    from moto.apigateway.models import apigateway_backends

    apis: dict[str, Any] = apigateway_backends[call.account][call.region].apis
    return apis


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message)


@refuses("apigateway", "CreateRestApi")
def a_new_api(call: Call) -> None:
    given = call.params
    if not given["name"].strip():
        raise _bad("API Name cannot be blank")
    if len(given.get("endpointConfiguration", {}).get("types", [])) > 1:
        raise _bad("An API has one type of endpoint.")
    size = given.get("minimumCompressionSize")
    if size is not None and not 0 <= size <= 10485760:
        raise _bad("Invalid minimum compression size, must be between 0 to 10485760")
    text = given.get("policy")
    if text and grammar.problem(text):
        raise _bad("Invalid policy document. Please check the policy syntax and ensure that Principals are valid.")
    if "cloneFrom" in given and given["cloneFrom"] not in _apis(call):
        raise _bad("Invalid API identifier specified")
    if problem := tag_problem(given.get("tags")):
        raise _bad(problem)


@refuses("apigateway", "DeleteRestApi", "CreateStage")
def an_api_that_is_there(call: Call) -> None:
    api = _apis(call).get(call.params["restApiId"])
    if api is None:
        raise AwsError("NotFoundException", "Invalid API identifier specified")
    if "deploymentId" in call.params and call.params["deploymentId"] not in api.deployments:
        raise AwsError("NotFoundException", "Invalid Deployment identifier specified")


# CloudFront.


def _distribution(call: Call) -> Any:
    from moto.cloudfront.models import cloudfront_backends

    return cloudfront_backends[call.account][call.partition].distributions.get(call.params.get("Id"))


@refuses("cloudfront", "CreateDistribution", "UpdateDistribution")
def a_distribution(call: Call) -> None:
    for code, message in _problems(call, call.params["DistributionConfig"]):
        raise AwsError(code, message)


def _problems(call: Call, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if any(_quantities(given)):
        yield "InconsistentQuantities", "The value of Quantity and the size of Items don't match."
    if len(given["Comment"]) > 128:
        yield "InvalidArgument", "The parameter Comment is too long."
    if given.get("DefaultRootObject", "").startswith("/"):
        yield "InvalidDefaultRootObject", "The parameter Default Root Object cannot begin with '/'."
    for origin in given["Origins"]["Items"]:
        if not DOMAIN.fullmatch(origin["DomainName"]):
            yield "InvalidArgument", "The parameter origin name must be a domain name."
        kinds = {"S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig"} & set(origin)
        if len(kinds) != 1:
            yield "InvalidOrigin", f"The origin {origin['Id']} needs one of S3OriginConfig, CustomOriginConfig, VpcOriginConfig."
    behaviours = [given["DefaultCacheBehavior"], *given.get("CacheBehaviors", {}).get("Items", [])]
    for behaviour in behaviours:
        if not {"CachePolicyId", "ForwardedValues"} & set(behaviour):
            yield "InvalidArgument", "The parameter ForwardedValues is required."
        for member, code in POLICIES.items():
            if behaviour.get(member) and not POLICY_ID.fullmatch(behaviour[member]):
                yield code, f"The specified policy does not exist: {behaviour[member]}"
    yield from _certificate(call, given)
    acl = given.get("WebACLId")
    if acl and ":wafv2:" in acl and acl not in _global_acls(call):
        yield "InvalidWebACLId", f"The web ACL ID '{acl}' doesn't exist or is not for CloudFront."


def _quantities(value: Any) -> Iterator[bool]:
    """For each list of CloudFront whether it says another number than it has."""
    if isinstance(value, dict):
        if "Quantity" in value:
            yield value["Quantity"] != len(value.get("Items") or [])
        for item in value.values():
            yield from _quantities(item)
    elif isinstance(value, list):
        for item in value:
            yield from _quantities(item)


def _certificate(call: Call, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from moto.acm.models import acm_backends

    said = given.get("ViewerCertificate", {})
    arn = said.get("ACMCertificateArn")
    if arn and arn not in acm_backends[call.account]["us-east-1"]._certificates:
        yield (
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid "
            "certificate chain.",
        )
    if given.get("Aliases", {}).get("Items") and not arn and not said.get("IAMCertificateId"):
        yield (
            "InvalidViewerCertificate",
            "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate "
            "that validates your authorization to use the domain name.",
        )


def _global_acls(call: Call) -> set[str]:
    from moto.wafv2.models import GLOBAL_REGION, wafv2_backends

    return {acl.arn for acl in wafv2_backends[call.account][GLOBAL_REGION].wacls.values()}


@refuses("cloudfront", "UpdateDistribution", "DeleteDistribution")
def the_version_of_a_distribution(call: Call) -> None:
    there, sent = _distribution(call), call.params.get("IfMatch")
    if there is None or not sent:
        return
    if sent != there.etag:
        raise AwsError(
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
        )
    if call.operation == "DeleteDistribution" and there.distribution_config.Enabled:
        raise AwsError("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
    new = call.params.get("DistributionConfig", {}).get("CallerReference", there.distribution_config.caller_reference)
    if new != there.distribution_config.caller_reference:
        raise AwsError("IllegalUpdate", "The caller reference of a distribution cannot be changed.")


@handles("cloudfront", "UpdateDistribution")
def update(call: Call, forward: Forward) -> Answer:
    """Each update makes another version; moto's stays the same."""
    from moto.cloudfront.models import random_id

    answer = forward()
    if answer.status < 300:
        there = _distribution(call)
        there.etag = random_id()
        answer.headers = [(name, there.etag if name.lower() == "etag" else value) for name, value in answer.headers]
    return answer
