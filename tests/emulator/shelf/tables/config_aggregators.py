"""AWS Config: aggregators, how their sources fare, and who is authorized to collect.

moto drops filters, replaces the tags with each Put, and turns an aggregator of accounts into one of an organization.
"""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, handles
from emulator.missing.config import check_role
from emulator.missing.ec2 import known_regions
from emulator.organization import structure
from emulator.shelf import Collection, Row, now, owner_of
from emulator.shelf.model import output
from emulator.shelf.pages import page
from emulator.shelf.store import place
from emulator.wire import Call

MOST = 50
SERVICE = "config.amazonaws.com"
SOURCES = ("AccountAggregationSources", "OrganizationAggregationSource")

AGGREGATORS = Collection(
    "config",
    "aggregators",
    key="ConfigurationAggregatorName",
    arn=("ConfigurationAggregatorArn", "arn:{partition}:config:{region}:{account}:config-aggregator/{id}"),
    created="CreationTime",
    absent=("NoSuchConfigurationAggregatorException", "The configuration aggregator {id} does not exist."),
)
AUTHORIZATIONS = Collection(
    "config",
    "aggregation_authorizations",
    key="Id",
    arn=("AggregationAuthorizationArn", "arn:{partition}:config:{region}:{account}:aggregation-authorization/{id}"),
    created="CreationTime",
)


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def _named(kind: Collection, call: Call, name: str) -> Row | None:
    return next((row for row in kind.rows(call) if row.now[kind.key] == name), None)


@handles("config", "PutConfigurationAggregator")
def put_aggregator(call: Call, _: Forward) -> dict[str, Any]:
    given = {name: value for name, value in call.params.items() if name != "Tags"}
    name, old = given["ConfigurationAggregatorName"], _named(AGGREGATORS, call, given["ConfigurationAggregatorName"])
    _check(call, given)
    if old and _created_by(call, old.now):
        raise AwsError("AccessDeniedException", "An aggregator that an AWS service made cannot be changed.")
    if old and any(bool(given.get(source)) != bool(old.now.get(source)) for source in SOURCES):
        raise _wrong("The source of a configuration aggregator cannot be changed between accounts and an organization.")
    if old is None and len(AGGREGATORS.rows(call)) >= MOST:
        raise AwsError("LimitExceededException", f"There may be {MOST} configuration aggregators.")
    if given.get("OrganizationAggregationSource"):
        _let_in(call)
    if old:
        kept = ("ConfigurationAggregatorArn", "CreationTime", "Tags")
        old.now = given | {one: old.now[one] for one in kept} | {"LastUpdatedTime": now()}
        row = old
    else:
        row = AGGREGATORS.add(call, name, given | {"Tags": call.params.get("Tags") or [], "LastUpdatedTime": now()})
        arn = row.now["ConfigurationAggregatorArn"].rpartition("/")[0]
        row.now["ConfigurationAggregatorArn"] = f"{arn}/config-aggregator-{uuid.uuid4().hex[:8]}"
    return output(call, _shown(call, row.now), "ConfigurationAggregator")


def _check(call: Call, given: dict[str, Any]) -> None:
    accounts, organization = (given.get(source) for source in SOURCES)
    if bool(accounts) == bool(organization):
        raise _wrong("Your request must contain one of AccountAggregationSource and OrganizationAggregationSource.")
    for source in [*(accounts or []), *([organization] if organization else [])]:
        if source.get("AllAwsRegions") and source.get("AwsRegions"):
            raise _wrong("Your configuration aggregator contains a list of regions and also all regions.")
        if not source.get("AllAwsRegions") and not source.get("AwsRegions"):
            raise _wrong("Your request does not specify any regions. Select AWS Config-supported regions.")
    filters = given.get("AggregatorFilters")
    if filters is not None:
        found = [filters[one] for one in ("ResourceType", "ServicePrincipal") if one in filters]
        if not found or not all(one.get("Type") == "INCLUDE" and one.get("Value") for one in found):
            raise _wrong("Either ResourceType or ServicePrincipal is required, with its type and values.")
    if organization:
        if not structure.all_features(structure.home(call)):
            raise AwsError("OrganizationAllFeaturesNotEnabledException", "Enable all features in your organization.")
        check_role(call, organization["RoleArn"])


def _let_in(call: Call) -> None:
    """Config enables its trusted access for the management account; a delegated administrator needs it before."""
    found = structure.home(call)
    if structure.management(found) == call.account and not structure.trusted(found, SERVICE):
        found.enable_aws_service_access(ServicePrincipal=SERVICE)


def _created_by(call: Call, row: dict[str, Any]) -> str | None:
    return owner_of(call, f"aggregator/{row['ConfigurationAggregatorName']}")


def _shown(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    """As it is answered: Regions as a list or all of them, and who made it where that is a service."""
    shown = dict(row)
    if shown.get("AccountAggregationSources"):
        shown["AccountAggregationSources"] = [{"AllAwsRegions": False} | s for s in shown["AccountAggregationSources"]]
    if shown.get("OrganizationAggregationSource"):
        shown["OrganizationAggregationSource"] = {"AllAwsRegions": False} | shown["OrganizationAggregationSource"]
    creator = _created_by(call, row)
    return shown | ({"CreatedBy": creator} if creator else {})


def _found(call: Call, name: str) -> Row:
    row = _named(AGGREGATORS, call, name)
    if row is None:
        raise AwsError(AGGREGATORS.absent[0], AGGREGATORS.absent[1].format(id=name))
    return row


@handles("config", "DescribeConfigurationAggregators")
def describe_aggregators(call: Call, _: Forward) -> dict[str, Any]:
    names = call.params.get("ConfigurationAggregatorNames")
    rows = [_found(call, name) for name in names] if names else AGGREGATORS.rows(call)
    shown, token = page(call, [_shown(call, row.now) for row in rows])
    return output(call, {"ConfigurationAggregators": shown} | token)


@handles("config", "DeleteConfigurationAggregator")
def delete_aggregator(call: Call, _: Forward) -> dict[str, Any]:
    row = _found(call, call.params["ConfigurationAggregatorName"])
    if _created_by(call, row.now):
        raise AwsError("AccessDeniedException", "An aggregator that an AWS service made cannot be deleted.")
    AGGREGATORS.drop(call, row)
    return {}


@handles("config", "DescribeConfigurationAggregatorSourcesStatus")
def sources_status(call: Call, _: Forward) -> dict[str, Any]:
    """A row for each account and Region of the aggregator; an account that has not authorized it has failed."""
    aggregator = _found(call, call.params["ConfigurationAggregatorName"]).now
    found = []
    for source in aggregator.get("AccountAggregationSources") or []:
        regions = source.get("AwsRegions") or [call.region]
        found += [_account(call, account, region) for account in source["AccountIds"] for region in regions]
    if aggregator.get("OrganizationAggregationSource"):
        found += _organization(call, aggregator["OrganizationAggregationSource"])
    wanted = call.params.get("UpdateStatus")
    shown, token = page(call, [one for one in found if not wanted or one["LastUpdateStatus"] in wanted])
    return output(call, {"AggregatedSourceStatusList": shown} | token)


def _account(call: Call, account: str, region: str) -> dict[str, Any]:
    given = place(_in(call, region), AUTHORIZATIONS.name, account=account).values()
    allowed = account == call.account or any(
        (row.now["AuthorizedAccountId"], row.now["AuthorizedAwsRegion"]) == (call.account, call.region) for row in given
    )
    return _status(account, region, None if allowed else "The source account has not authorized the aggregator.")


def _in(call: Call, region: str) -> Call:
    """The call as if it were made in another Region."""
    import dataclasses

    return dataclasses.replace(call, region=region)


def _organization(call: Call, source: dict[str, Any]) -> list[dict[str, Any]]:
    """The organization itself, which Config asks with the role, and its accounts."""
    home = structure.home_of(call.account, call.partition)
    problem = None
    try:
        check_role(call, source["RoleArn"])
    except AwsError as error:
        problem = str(error)
    if home is None or not structure.trusted(home, SERVICE):
        problem = "AWS Config has no access to the organization."
    top = _status("Organization", call.region, problem) | {"SourceType": "ORGANIZATION"}
    if problem or home is None:
        return [top]
    regions = source.get("AwsRegions") or [call.region]
    return [top, *(_status(one.id, region, None) for one in home.accounts for region in regions)]


def _status(source: str, region: str, problem: str | None) -> dict[str, Any]:
    row = {"SourceId": source, "SourceType": "ACCOUNT", "AwsRegion": region, "LastUpdateTime": now()}
    if problem is None:
        return row | {"LastUpdateStatus": "SUCCEEDED"}
    return row | {"LastUpdateStatus": "FAILED", "LastErrorCode": "AccessDenied", "LastErrorMessage": problem}


@handles("config", "PutAggregationAuthorization")
def put_authorization(call: Call, _: Forward) -> dict[str, Any]:
    given = {name: call.params[name] for name in ("AuthorizedAccountId", "AuthorizedAwsRegion")}
    if given["AuthorizedAwsRegion"] not in known_regions():
        raise AwsError("InvalidParameterValueException", f"{given['AuthorizedAwsRegion']} is not a Region.")
    name = "/".join(given.values())
    row = _named(AUTHORIZATIONS, call, name)
    if row is None:
        row = AUTHORIZATIONS.add(call, name, given | {"Tags": call.params.get("Tags") or []})
    return output(call, row.now, "AggregationAuthorization")


@handles("config", "DescribeAggregationAuthorizations")
def describe_authorizations(call: Call, _: Forward) -> dict[str, Any]:
    shown, token = page(call, [row.now for row in AUTHORIZATIONS.rows(call)])
    return output(call, {"AggregationAuthorizations": shown} | token)


@handles("config", "DeleteAggregationAuthorization")
def delete_authorization(call: Call, _: Forward) -> dict[str, Any]:
    """Taking away what is not there is no error."""
    row = _named(AUTHORIZATIONS, call, f"{call.params['AuthorizedAccountId']}/{call.params['AuthorizedAwsRegion']}")
    if row:
        AUTHORIZATIONS.drop(call, row)
    return {}
