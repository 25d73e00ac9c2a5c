"""EC2's settings of an account in a Region: what may be public, instance metadata, serial console, allowed images."""

import uuid
from typing import Any

from emulator.answers import AwsError
from emulator.missing.ec2 import backend_of
from emulator.shelf import Collection, Owner, now, setting
from emulator.wire import Call

POLICY = Owner(
    "UnauthorizedOperation",
    "This functionality has been disabled by a Declarative Policy.",
    member="ManagedBy",
)


def value(name: str, given: Any) -> AwsError:
    return AwsError("InvalidParameterValue", f"Value ({given}) for parameter {name} is invalid.")


def blocked(call: Call) -> dict[str, Any]:
    """The API model has `unblocked` for the call that blocks, too; AWS takes it for the other one alone."""
    if call.params["State"] == "unblocked":
        raise value("State", "unblocked")
    return {"State": call.params["State"]}


SNAPSHOT_BLOCK = setting(
    "ec2",
    "snapshot_block_public_access",
    {"State": "unblocked"},
    get="GetSnapshotBlockPublicAccessState",
    put={"EnableSnapshotBlockPublicAccess": blocked, "DisableSnapshotBlockPublicAccess": None},
    owner=POLICY,
)
IMAGE_BLOCK = setting(
    "ec2",
    "image_block_public_access",
    {"ImageBlockPublicAccessState": "unblocked"},
    get="GetImageBlockPublicAccessState",
    put={"EnableImageBlockPublicAccess": True, "DisableImageBlockPublicAccess": None},
    late=True,
    owner=POLICY,
)
setting(
    "ec2",
    "serial_console_access",
    {"SerialConsoleAccessEnabled": False},
    get="GetSerialConsoleAccessStatus",
    put={
        "EnableSerialConsoleAccess": {"SerialConsoleAccessEnabled": True},
        "DisableSerialConsoleAccess": None,
    },
    owner=POLICY,
)


def metadata(call: Call) -> dict[str, Any]:
    hops = call.params.get("HttpPutResponseHopLimit", -1)
    if hops != -1 and not 1 <= hops <= 64:
        raise value("HttpPutResponseHopLimit", hops)
    return {name: given for name, given in call.params.items() if name != "DryRun"}


METADATA_DEFAULTS = setting(
    "ec2",
    "instance_metadata_defaults",
    {},
    get="GetInstanceMetadataDefaults",
    put={"ModifyInstanceMetadataDefaults": metadata},
    under="AccountLevel",
    nothing=("no-preference", -1),
    owner=POLICY,
)


def state(call: Call) -> dict[str, Any]:
    return dict.fromkeys(("State", "AllowedImagesSettingsState"), call.params["AllowedImagesSettingsState"])


def criteria(call: Call) -> dict[str, Any]:
    given = call.params.get("ImageCriteria", [])
    if len(given) > 10:
        raise AwsError("InvalidParameterValue", "There may be 10 image criteria.")
    return {"ImageCriteria": given}


OFF = {"State": "disabled", "AllowedImagesSettingsState": "disabled"}
setting(
    "ec2",
    "allowed_images_settings",
    {"ImageCriteria": []} | OFF,
    get="GetAllowedImagesSettings",
    put={
        "EnableAllowedImagesSettings": state,
        "DisableAllowedImagesSettings": OFF,
        "ReplaceImageCriteriaInAllowedImagesSettings": criteria,
    },
    owner=POLICY,
)

setting(
    "ec2",
    "vpc_block_public_access",
    lambda call: {
        "AwsAccountId": call.account,
        "AwsRegion": call.region,
        "State": "default-state",
        "InternetGatewayBlockMode": "off",
        "ExclusionsAllowed": "allowed",
    },
    get="DescribeVpcBlockPublicAccessOptions",
    put={
        "ModifyVpcBlockPublicAccessOptions": lambda call: {
            "InternetGatewayBlockMode": call.params["InternetGatewayBlockMode"],
            "State": "update-complete",
            "LastUpdateTimestamp": now(),
        }
    },
    under="VpcBlockPublicAccessOptions",
    middle={"State": "update-in-progress"},
    owner=POLICY,
)


def one_network(call: Call) -> None:
    """An exclusion is for a VPC or for a subnet, which must be there."""
    given = [name for name in ("VpcId", "SubnetId") if name in call.params]
    if len(given) != 1:
        raise AwsError("InvalidParameterCombination", "Specify a VPC or a subnet.")
    wanted, backend = call.params[given[0]], backend_of(call)
    if given == ["VpcId"] and wanted not in backend.vpcs:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{wanted}' does not exist")
    if given == ["SubnetId"] and not any(wanted in zone for zone in backend.subnets.values()):
        raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{wanted}' does not exist")


def excluded(call: Call) -> dict[str, Any]:
    kind = "vpc" if "VpcId" in call.params else "subnet"
    wanted = call.params.get("VpcId") or call.params["SubnetId"]
    arn = f"arn:{call.partition}:ec2:{call.region}:{call.account}:{kind}/{wanted}"
    return {"State": "create-complete", "ResourceArn": arn}


def filtered(call: Call, row: dict[str, Any]) -> bool:
    names = {
        "resource-arn": "ResourceArn",
        "internet-gateway-exclusion-mode": "InternetGatewayExclusionMode",
        "state": "State",
    }
    for condition in call.params.get("Filters", []):
        if condition["Name"] not in names:
            raise NotImplementedError(f"the filter {condition['Name']}")
        if row[names[condition["Name"]]] not in condition["Values"]:
            return False
    return True


(
    Collection(
        "ec2",
        "vpc_block_public_access_exclusions",
        key="ExclusionId",
        new_id=lambda _: f"vpcbpa-exclude-{uuid.uuid4().hex[:17]}",
        made=excluded,
        created="CreationTimestamp",
        updated="LastUpdateTimestamp",
        absent=("InvalidVpcBlockPublicAccessExclusionId.NotFound", "The exclusion ID '{id}' does not exist"),
        limit=(50, "VpcBlockPublicAccessExclusionLimitExceeded"),
    )
    .create(
        "CreateVpcBlockPublicAccessExclusion",
        under="VpcBlockPublicAccessExclusion",
        check=one_network,
        middle={"State": "create-in-progress"},
    )
    .list(
        "DescribeVpcBlockPublicAccessExclusions",
        "VpcBlockPublicAccessExclusions",
        ids="ExclusionIds",
        where=filtered,
    )
    .update(
        "ModifyVpcBlockPublicAccessExclusion",
        under="VpcBlockPublicAccessExclusion",
        changed={"State": "update-complete"},
        middle={"State": "update-in-progress"},
    )
    .delete(
        "DeleteVpcBlockPublicAccessExclusion",
        under="VpcBlockPublicAccessExclusion",
        lingers={"State": "delete-complete"},
        middle={"State": "delete-in-progress"},
    )
)
