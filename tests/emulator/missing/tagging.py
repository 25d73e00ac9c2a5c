"""Resource Groups Tagging: finding KMS keys by their tags, which moto does not look at."""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.kms import backend_of
from emulator.wire import Call

PAGE = 100


@handles("resourcegroupstaggingapi", "GetResources")
def get_resources(call: Call, _: Forward) -> dict[str, Any] | None:
    types = call.params.get("ResourceTypeFilters", [])
    if not any(kind in ("kms", "kms:key") for kind in types):
        return None
    if set(types) - {"kms", "kms:key"}:
        raise AwsError("InvalidParameterException", "The emulator looks for KMS keys alone or not at all.")
    backend = backend_of(call)
    found = []
    for key in sorted(backend.keys.values(), key=lambda key: key.id):
        tags = {t["TagKey"]: t["TagValue"] for t in backend.tagger.list_tags_for_resource(key.id)["Tags"]}
        if tags and all(_fits(tags, wanted) for wanted in call.params.get("TagFilters", [])):
            tags = [{"Key": name, "Value": value} for name, value in tags.items()]
            found.append({"ResourceARN": key.arn, "Tags": tags})
    start = int(call.params.get("PaginationToken") or "0")
    end = start + call.params.get("ResourcesPerPage", PAGE)
    return {
        "ResourceTagMappingList": found[start:end],
        "PaginationToken": str(end) if end < len(found) else "",
    }


def _fits(tags: dict[str, str], wanted: dict[str, Any]) -> bool:
    values = wanted.get("Values") or []
    return wanted["Key"] in tags and (not values or tags[wanted["Key"]] in values)
