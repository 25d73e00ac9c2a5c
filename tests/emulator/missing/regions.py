"""Regions that the account has not opted into: nobody knows its credentials there."""

import re

from emulator.answers import AwsError
from emulator.missing import guards
from emulator.missing.ec2 import OTHER_PARTITIONS, opted_in
from emulator.wire import Call

TEXT = "The security token included in the request is invalid."
# By protocol, and where a service has a code of its own: code, text, status.
REFUSED = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "query": ("InvalidClientTokenId", TEXT, 403),
    "json": ("UnrecognizedClientException", TEXT, 400),
    "rest-json": ("UnrecognizedClientException", TEXT, 403),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    "s3control": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    "sts": ("RegionDisabledException", "STS is not activated in this Region for the account.", 403),
}


@guards("*")
def a_region_that_is_off(call: Call) -> None:
    region = call.region
    if not re.fullmatch(r"[a-z]{2}-[a-z]+-\d", region) or region.startswith(OTHER_PARTITIONS):
        return
    if opted_in(call.account, region) is False:
        raise AwsError(*REFUSED.get(str(call.service), REFUSED.get(str(call.protocol), REFUSED["query"])))
