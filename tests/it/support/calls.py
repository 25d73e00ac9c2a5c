"""What CloudTrail's records of calls say, by the members that AWS's API models give them: what is asked at all, what
must be asked, and what is answered. Reads names of events in JSON, as `ec2.amazonaws.com:CreateVpc`, and prints each
with its members, in which every text is "another"."""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import botocore.session

from emulator.events import names

DEEP = 5
SERVICES = ("accessanalyzer cloudtrail cloudwatch config detective ec2 events guardduty iam kms logs route53resolver "
            "s3control s3 securityhub sns sts").split()
SESSION = botocore.session.get_session()


def operations() -> dict[str, tuple[str, Any]]:
    """Each operation by the name of its event."""
    found = {}
    for service in SERVICES:
        model = SESSION.get_service_model(service)
        source = names.SOURCES.get(service) or model.metadata["endpointPrefix"].removeprefix("api.")
        for operation in model.operation_names:
            name = names.EVENT_NAMES.get((service, operation), operation)
            found[f"{source}.amazonaws.com:{name}"] = (service, model.operation_model(operation))
    return found


def members(shape: Any, service: str, required: bool = False, deep: int = DEEP) -> Any:
    if shape is None or deep == 0:
        return None
    if shape.type_name == "structure":
        said = {}
        for name, member in shape.members.items():
            if required and name not in shape.required_members:
                continue
            spelled = member.serialization.get("name", name) if service == "ec2" else name
            spelled = "bucketName" if (service, name) == ("s3", "Bucket") else spelled
            said[spelled[:1].lower() + spelled[1:]] = members(member, service, required, deep - 1)
        return said
    if shape.type_name == "list":
        items = [members(shape.member, service, required, deep)]
        return {"items": items} if service == "ec2" else items
    if shape.type_name == "map":
        return {"key": members(shape.value, service, required, deep - 1)}
    return "another" if shape.type_name == "string" else None


def main() -> None:
    known = operations()
    said = {}
    for event in json.load(sys.stdin):
        if event not in known:
            continue
        service, model = known[event]
        answered = None if service in ("s3", "s3control") else members(model.output_shape, service)
        if service == "ec2":
            answered = {"requestId": "another"} | (answered or {})
        said[event] = {
            "whole": members(model.input_shape, service),
            "least": members(model.input_shape, service, required=True),
            "answered": answered,
        }
    json.dump(said, sys.stdout)


main()
