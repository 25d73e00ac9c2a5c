"""CloudTrail: trails as AWS keeps them.

moto stores a trail but ignores names and ARNs in DescribeTrails, adds insight selectors up instead of replacing them,
never clears basic selectors, returns null members and checks neither bucket policy, key nor home region. Trails are so
central to evenkeel that the whole resource is done here; moto's own trails are not used.
"""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.cloudtrail_checks import (
    check_bucket,
    check_key,
    check_log_group,
    check_organization,
    check_role,
    check_selectors,
    check_topic,
    delivery_error,
)
from emulator.wire import Call

DEFAULT_SELECTORS = [
    {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}
]
# The input's name of a setting that the output calls otherwise.
OUTPUT_NAMES = {"EnableLogFileValidation": "LogFileValidationEnabled"}
CLEARABLE = ("S3KeyPrefix", "SnsTopicName", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "KmsKeyId")
SETTINGS = (
    *CLEARABLE,
    "S3BucketName",
    "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail",
    "EnableLogFileValidation",
    "IsOrganizationTrail",
    "RecursiveLogging",
)


@dataclass
class Trail:
    account: str
    region: str
    arn: str
    settings: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    selectors: list[dict[str, Any]] | None = None
    advanced: list[dict[str, Any]] | None = None
    insights: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, Any] = field(default_factory=dict)
    logging: bool = False
    started: datetime | None = None
    stopped: datetime | None = None
    delivered: datetime | None = None
    # Accounts that see this organization trail although moto knows no organization that they are in.
    members: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.settings["Name"]

    def visible_to(self, account: str, region: str) -> bool:
        """Its own region shows a trail, and every region one of all regions; members see an organization's trail."""
        if region != self.region and not self.settings["IsMultiRegionTrail"]:
            return False
        if account == self.account:
            return True
        return self.settings["IsOrganizationTrail"] and (account in self.members or account in _members(self.account))

    def output(self) -> dict[str, Any]:
        made = {OUTPUT_NAMES.get(name, name): value for name, value in self.settings.items()}
        topic = self.settings.get("SnsTopicName")
        if topic:
            made["SnsTopicARN"] = _topic_arn(topic, self)
            made["SnsTopicName"] = made["SnsTopicARN"].rpartition(":")[2]
        return made | {"TrailARN": self.arn}

    def described(self) -> dict[str, Any]:
        return self.output() | {
            "HomeRegion": self.region,
            "HasCustomEventSelectors": self.advanced is not None or self.selectors not in (None, DEFAULT_SELECTORS),
            "HasInsightSelectors": bool(self.insights),
        }


# In each Region.
MOST = 5
_TRAILS: dict[tuple[str, str, str], Trail] = {}


def all_trails() -> list[Trail]:
    return list(_TRAILS.values())


def delivered(arn: str) -> None:
    """A log file of the trail came to its bucket."""
    for trail in all_trails():
        if trail.arn == arn:
            trail.delivered = _now()


def add_organization_trail(management: str, member: str, region: str, bucket: str) -> Trail:
    """A logging organization trail of another account that `member` sees, as tests of such accounts need it."""
    name = "organization-trail"
    settings = {
        "Name": name,
        "S3BucketName": bucket,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "EnableLogFileValidation": True,
        "IsOrganizationTrail": True,
    }
    trail = _TRAILS.setdefault(
        (management, region, name), Trail(management, region, _arn(management, region, name), settings)
    )
    trail.members.add(member)
    trail.logging, trail.started = True, _now()
    return trail


@handles("cloudtrail", "CreateTrail")
def create_trail(call: Call, _: Forward) -> dict[str, Any]:
    params = call.params
    name = params["Name"]
    _check_name(name)
    # What a delegated administrator makes for the organization belongs to the management account.
    owner = _management(call) if params.get("IsOrganizationTrail") else call.account
    if any(
        t.name == name and t.account == owner and t.visible_to(call.account, call.region)
        for t in _TRAILS.values()
    ):
        raise AwsError("TrailAlreadyExistsException", f"Trail {name} already exists for customer: {call.account}")
    settings = {
        "Name": name,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "EnableLogFileValidation": False,
        "IsOrganizationTrail": False,
    }
    settings |= {n: params[n] for n in SETTINGS if params.get(n) not in (None, "")}
    trail = Trail(owner, call.region, _arn(owner, call.region, name), settings)
    _check_settings(call, trail, settings)
    trail.tags = {tag["Key"]: tag.get("Value", "") for tag in params.get("TagsList", [])}
    # Shadow trails and those of the organization count too.
    if sum(one.visible_to(call.account, call.region) for one in all_trails()) >= MOST:
        raise AwsError("MaximumNumberOfTrailsExceededException", f"User: {call.account} already has {MOST} trails.")
    _TRAILS[(owner, call.region, name)] = trail
    return trail.output()


@handles("cloudtrail", "UpdateTrail")
def update_trail(call: Call, _: Forward) -> dict[str, Any]:
    trail = _home(call, call.params["Name"])
    settings = trail.settings | {n: call.params[n] for n in SETTINGS if call.params.get(n) is not None}
    settings = {n: value for n, value in settings.items() if not (n in CLEARABLE and value == "")}
    _check_settings(call, trail, settings)
    trail.settings = settings
    return trail.output()


@handles("cloudtrail", "DeleteTrail")
def delete_trail(call: Call, _: Forward) -> dict[str, Any]:
    trail = _home(call, call.params["Name"])
    del _TRAILS[(trail.account, trail.region, trail.name)]
    return {}


@handles("cloudtrail", "DescribeTrails")
def describe_trails(call: Call, _: Forward) -> dict[str, Any]:
    wanted = call.params.get("trailNameList") or []
    shadows = call.params.get("includeShadowTrails", True)
    found = []
    for trail in _TRAILS.values():
        if trail.arn in wanted:
            if trail.account == call.account or trail.visible_to(call.account, trail.region):
                found.append(trail)
        elif trail.visible_to(call.account, call.region) and (not wanted or trail.name in wanted):
            # Without shadows only what this very region and account holds.
            if shadows or (trail.region == call.region and trail.account == call.account):
                found.append(trail)
    return {"trailList": [trail.described() for trail in found]}


@handles("cloudtrail", "GetTrail")
def get_trail(call: Call, _: Forward) -> dict[str, Any]:
    return {"Trail": _find(call, call.params["Name"]).described()}


@handles("cloudtrail", "ListTrails")
def list_trails(call: Call, _: Forward) -> dict[str, Any]:
    seen = [t for t in _TRAILS.values() if t.visible_to(call.account, t.region)]
    return {"Trails": [{"TrailARN": t.arn, "Name": t.name, "HomeRegion": t.region} for t in seen]}


@handles("cloudtrail", "GetTrailStatus")
def get_trail_status(call: Call, _: Forward) -> dict[str, Any]:
    trail = _find(call, call.params["Name"])
    status: dict[str, Any] = {
        "IsLogging": trail.logging,
        "LatestDeliveryAttemptTime": _text(trail.delivered),
        "LatestNotificationAttemptTime": "",
        "LatestNotificationAttemptSucceeded": "",
        "LatestDeliveryAttemptSucceeded": _text(trail.delivered),
        "TimeLoggingStarted": _text(trail.started),
        "TimeLoggingStopped": _text(trail.stopped),
    }
    error = delivery_error(trail, trail.settings)
    # The bucket of a trail that a test put here is nowhere.
    if trail.logging and error and not trail.members:
        status["LatestDeliveryError"] = error
    if trail.delivered:
        status["LatestDeliveryTime"] = trail.delivered
    if trail.started:
        status["StartLoggingTime"] = trail.started
    if trail.stopped:
        status["StopLoggingTime"] = trail.stopped
    return status


@handles("cloudtrail", "StartLogging")
def start_logging(call: Call, _: Forward) -> dict[str, Any]:
    trail = _home(call, call.params["Name"])
    if not trail.logging:
        trail.logging, trail.started = True, _now()
    return {}


@handles("cloudtrail", "StopLogging")
def stop_logging(call: Call, _: Forward) -> dict[str, Any]:
    trail = _home(call, call.params["Name"])
    if trail.logging:
        trail.logging, trail.stopped = False, _now()
    return {}


@handles("cloudtrail", "PutEventSelectors")
def put_event_selectors(call: Call, _: Forward) -> dict[str, Any]:
    trail = _home(call, call.params["TrailName"])
    basic, advanced = call.params.get("EventSelectors"), call.params.get("AdvancedEventSelectors")
    if bool(basic) == bool(advanced):
        raise AwsError("InvalidEventSelectorsException", "Give either event selectors or advanced event selectors.")
    check_selectors(basic or [], advanced or [])
    if basic:
        trail.selectors = [
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [],
                "ExcludeManagementEventSources": [],
            }
            | selector
            for selector in basic
        ]
        trail.advanced = None
        return {"TrailARN": trail.arn, "EventSelectors": trail.selectors}
    trail.selectors, trail.advanced = None, advanced
    return {"TrailARN": trail.arn, "AdvancedEventSelectors": advanced}


@handles("cloudtrail", "GetEventSelectors")
def get_event_selectors(call: Call, _: Forward) -> dict[str, Any]:
    trail = _find(call, call.params["TrailName"])
    if trail.advanced is not None:
        return {"TrailARN": trail.arn, "AdvancedEventSelectors": trail.advanced}
    return {"TrailARN": trail.arn, "EventSelectors": trail.selectors or DEFAULT_SELECTORS}


def _name_of_a_trail(call: Call) -> str:
    """Of a call that can be about an event data store as well."""
    if "TrailName" in call.params and "EventDataStore" not in call.params:
        return str(call.params["TrailName"])
    if "TrailName" not in call.params and "EventDataStore" in call.params:
        raise NotImplementedError("of event data stores")
    raise AwsError("InvalidParameterCombinationException", "Either a trail or an event data store must be given.")


@handles("cloudtrail", "PutInsightSelectors")
def put_insight_selectors(call: Call, _: Forward) -> dict[str, Any]:
    trail = _home(call, _name_of_a_trail(call))
    # A selector without categories is about management events.
    trail.insights = [{"EventCategories": ["Management"]} | given for given in call.params["InsightSelectors"]]
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insights}


@handles("cloudtrail", "GetInsightSelectors")
def get_insight_selectors(call: Call, _: Forward) -> dict[str, Any]:
    trail = _find(call, _name_of_a_trail(call))
    if not trail.insights:
        raise AwsError("InsightNotEnabledException", f"Trail {trail.arn} does not have Insights enabled.")
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insights}


@handles("cloudtrail", "PutEventConfiguration")
def put_event_configuration(call: Call, _: Forward) -> dict[str, Any]:
    trail = _home(call, _name_of_a_trail(call))
    for name in ("MaxEventSize", "ContextKeySelectors", "AggregationConfigurations"):
        if name in call.params:
            trail.events[name] = call.params[name]
    return {"TrailARN": trail.arn} | trail.events


@handles("cloudtrail", "GetEventConfiguration")
def get_event_configuration(call: Call, _: Forward) -> dict[str, Any]:
    trail = _find(call, _name_of_a_trail(call))
    return {"TrailARN": trail.arn} | trail.events


@handles("cloudtrail", "AddTags")
def add_tags(call: Call, _: Forward) -> dict[str, Any]:
    trail = _tagged(call, call.params["ResourceId"])
    tags = trail.tags | {tag["Key"]: tag.get("Value", "") for tag in call.params["TagsList"]}
    if len(tags) > 50:
        raise AwsError("TagsLimitExceededException", "A trail has at most 50 tags.")
    trail.tags = tags
    return {}


@handles("cloudtrail", "RemoveTags")
def remove_tags(call: Call, _: Forward) -> dict[str, Any]:
    trail = _tagged(call, call.params["ResourceId"])
    for tag in call.params["TagsList"]:
        trail.tags.pop(tag["Key"], None)
    return {}


@handles("cloudtrail", "ListTags")
def list_tags(call: Call, _: Forward) -> dict[str, Any]:
    found = [_tagged(call, arn, write=False) for arn in call.params["ResourceIdList"]]
    return {
        "ResourceTagList": [
            {"ResourceId": t.arn, "TagsList": [{"Key": k, "Value": v} for k, v in t.tags.items()]} for t in found
        ]
    }


def _find(call: Call, name: str) -> Trail:
    """The trail by name, as this region sees it, or by ARN."""
    if name.startswith("arn:"):
        for trail in _TRAILS.values():
            if trail.arn == name and trail.visible_to(call.account, trail.region):
                return trail
    else:
        _check_name(name)
        for trail in _TRAILS.values():
            if trail.name == name and trail.visible_to(call.account, call.region):
                return trail
        name = _arn(call.account, call.region, name)
    raise AwsError("TrailNotFoundException", f"Unknown trail: {name} for the user: {call.account}")


def _home(call: Call, name: str) -> Trail:
    """The trail for a write: only its own account may do that, and only in its home region."""
    trail = _find(call, name)
    if trail.account != call.account and not _administers(call, trail):
        raise AwsError(
            "NotOrganizationMasterAccountException",
            "The organization's trail can only be changed by the management account or a delegated administrator.",
        )
    if trail.region != call.region:
        raise AwsError(
            "InvalidHomeRegionException",
            f"The trail {trail.arn} was created in the {trail.region} region and can only be changed there.",
        )
    return trail


def _tagged(call: Call, arn: str, write: bool = True) -> Trail:
    if not re.fullmatch(r"arn:[^:]+:cloudtrail:[^:]+:\d{12}:trail/.+", arn):
        raise AwsError("CloudTrailARNInvalidException", f"{arn} is not the ARN of a trail.")
    for trail in _TRAILS.values():
        if trail.arn == arn and trail.visible_to(call.account, trail.region):
            return _home(call, arn) if write else trail
    raise AwsError("ResourceNotFoundException", f"{arn} does not exist.")


def _check_name(name: str) -> None:
    good = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]", name) and not re.search(r"[._-]{2}", name)
    if not good or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
        raise AwsError("InvalidTrailNameException", f"{name} is not a valid name of a trail.")


def _check_settings(call: Call, trail: Trail, settings: dict[str, Any]) -> None:
    """What CloudTrail verifies when a trail is written; puts a key's ARN in the place of its alias or id."""
    if settings["IsMultiRegionTrail"] and not settings["IncludeGlobalServiceEvents"]:
        raise AwsError("InvalidParameterCombinationException", "Multi-Region trail must include global service events.")
    if settings["IsOrganizationTrail"]:
        check_organization(call)
    check_bucket(trail, settings)
    if settings.get("KmsKeyId"):
        settings["KmsKeyId"] = check_key(call, settings["KmsKeyId"])
    if settings.get("SnsTopicName"):
        check_topic(trail, _topic_arn(settings["SnsTopicName"], trail))
    group, role = settings.get("CloudWatchLogsLogGroupArn"), settings.get("CloudWatchLogsRoleArn")
    if bool(group) != bool(role):
        raise AwsError(
            "InvalidParameterCombinationException", "A log group needs a role, and a role needs a log group."
        )
    if group:
        check_log_group(call, group)
        check_role(call, role)


def _management(call: Call) -> str:
    from emulator.organization.structure import home_of, management

    found = home_of(call.account, call.partition)
    return management(found) if found and _delegated(call) else call.account


def _delegated(call: Call) -> bool:
    from emulator.organization.structure import delegations, home_of

    found = home_of(call.account, call.partition)
    return found is not None and "cloudtrail.amazonaws.com" in delegations(found, call.account)


def _administers(call: Call, trail: Trail) -> bool:
    """Whether the caller is a delegated administrator of the organization whose trail it is."""
    return trail.settings["IsOrganizationTrail"] and _delegated(call) and _management(call) == trail.account


def _members(management: str) -> set[str]:
    from moto.organizations.models import organizations_backends

    backend = organizations_backends[management]["aws"]
    return {account.id for account in backend.accounts} if backend.org else set()


def _arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"


def _topic_arn(topic: str, trail: Trail) -> str:
    return topic if topic.startswith("arn:") else f"arn:aws:sns:{trail.region}:{trail.account}:{topic}"


def _now() -> datetime:
    return datetime.fromtimestamp(int(time.time()), UTC)


def _text(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
