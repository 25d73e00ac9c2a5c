"""RDS: names, passwords, sizes, keys and parents that AWS refuses and moto takes; from the API reference."""

import re
from typing import Any

from emulator.answers import AwsError
from emulator.missing import guards, refuses
from emulator.missing.key_names import is_key
from emulator.wire import Call

NAME = re.compile(r"(?!.*--)[A-Za-z][A-Za-z0-9-]*(?<!-)")
CLASS = re.compile(r"db\.[a-z0-9-]+\.[a-z0-9-]+(\.[a-z0-9.-]+)?")
FAMILY = re.compile(
    r"(aurora-mysql|aurora-postgresql|mysql|mariadb|postgres|(custom-)?(oracle|sqlserver|db2)-[a-z0-9-]+)"
    r"-?\d[\d.]*(-[a-z]+)?"
)
#: Longest password by the beginning of the engine's name; 41 for the others.
PASSWORDS = {"db2": 255, "postgres": 128, "sqlserver": 128, "oracle": 30}
SNAPSHOT_TYPES = {"automated", "manual", "shared", "public", "awsbackup"}
SOURCES = {"user", "system", "engine-default"}
MONITORING = {0, 1, 5, 10, 15, 30, 60}


def _backend(call: Call) -> Any:
    from moto.rds.models import rds_backends

    return rds_backends[call.account][call.region]


def _wrong(message: str, code: str = "InvalidParameterValue") -> AwsError:
    return AwsError(code, message)


def _name(member: str, text: str, most: int) -> None:
    if not NAME.fullmatch(text) or len(text) > most:
        raise _wrong(
            f"The parameter {member} is not a valid identifier. Identifiers must begin with a letter; must contain only "
            "ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )


@guards("rds")
def size_of_a_page(call: Call) -> None:
    size = call.params.get("MaxRecords")
    if size is not None and not 20 <= size <= 100:
        raise _wrong(f"Invalid value {size} for MaxRecords. Must be between 20 and 100")


@refuses("rds", "CreateDBInstance", "CreateDBCluster")
def a_new_database(call: Call) -> None:
    given, is_cluster = call.params, call.operation == "CreateDBCluster"
    if not is_cluster and not CLASS.fullmatch(given["DBInstanceClass"]):
        raise _wrong(f"Invalid DB Instance class: {given['DBInstanceClass']}")
    if is_cluster:
        _name("DBClusterIdentifier", given["DBClusterIdentifier"], 63)
        if given["DBClusterIdentifier"].lower() in _backend(call).clusters:
            raise AwsError("DBClusterAlreadyExistsFault", f"DB Cluster already exists: {given['DBClusterIdentifier']}")
    # An instance of a cluster has what the cluster has; a replica what its source has.
    if "DBClusterIdentifier" not in given or is_cluster:
        if not given.get("ReplicationSourceIdentifier"):
            _master(given)
        if not is_cluster and "AllocatedStorage" not in given and not given["Engine"].startswith("aurora"):
            raise _wrong("The parameter AllocatedStorage must be provided and must not be blank.")
    _settings(call, given, is_cluster)


def _master(given: dict[str, Any]) -> None:
    managed, password = given.get("ManageMasterUserPassword"), given.get("MasterUserPassword")
    if not given.get("MasterUsername"):
        raise _wrong("The parameter MasterUsername must be provided and must not be blank.")
    if managed and password:
        raise _wrong(
            "You can't specify MasterUserPassword while ManageMasterUserPassword is on.", "InvalidParameterCombination"
        )
    if not managed and not password:
        raise _wrong("The parameter MasterUserPassword must be provided and must not be blank.")
    if password:
        _password(password, given["Engine"])


def _password(password: str, engine: str) -> None:
    most = next((size for name, size in PASSWORDS.items() if engine.removeprefix("custom-").startswith(name)), 41)
    problem = "it is shorter than 8 characters" if len(password) < 8 else None
    problem = f"it is longer than {most} characters" if len(password) > most else problem
    if problem:
        raise _wrong(f"The parameter MasterUserPassword is not a valid password because {problem}.")
    if not password.isascii() or not password.isprintable() or set(password) & set('/@" '):
        raise _wrong(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
            "'/', '@', '\"', ' ' may be used."
        )


@refuses("rds", "ModifyDBInstance", "ModifyDBCluster")
def a_changed_database(call: Call) -> None:
    _settings(call, call.params, call.operation == "ModifyDBCluster")


def _settings(call: Call, given: dict[str, Any], is_cluster: bool) -> None:
    backend = _backend(call)
    days, least = given.get("BackupRetentionPeriod"), 1 if is_cluster else 0
    if days is not None and not least <= days <= 35:
        raise _wrong(f"Invalid backup retention period: {days}. Must be between {least} and 35")
    if given.get("MonitoringInterval", 0) not in MONITORING:
        raise _wrong(f"{given['MonitoringInterval']} is not a valid value for MonitoringInterval.")
    key = given.get("KmsKeyId")
    if key and not is_cluster and not given.get("StorageEncrypted"):
        raise _wrong("KmsKeyId needs StorageEncrypted.", "InvalidParameterCombination")
    if key and not is_key(call, key):
        raise AwsError(
            "KMSKeyNotAccessibleFault",
            f"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.",
        )
    groups = given.get("VpcSecurityGroupIds")
    if groups:
        from moto.ec2.models import ec2_backends

        known = {name for vpc in ec2_backends[call.account][call.region].groups.values() for name in vpc}
        for group in groups:
            if group not in known:
                raise _wrong(f"Invalid security group , groupId= {group}, groupName=.")
    if is_cluster:
        subnets, parameters = given.get("DBSubnetGroupName"), given.get("DBClusterParameterGroupName")
        if subnets and subnets not in backend.subnet_groups:
            raise AwsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{subnets}' does not exist.")
        if parameters and not parameters.startswith("default.") and parameters not in backend.db_cluster_parameter_groups:
            raise AwsError("DBClusterParameterGroupNotFound", f"DBClusterParameterGroup not found: {parameters}")


@refuses("rds", "DeleteDBInstance")
def a_last_snapshot(call: Call) -> None:
    given, backend = call.params, _backend(call)
    there = backend.databases.get(given["DBInstanceIdentifier"].lower())
    if there is None or getattr(there, "db_cluster_identifier", None):
        return
    skipped, last = given.get("SkipFinalSnapshot", False), given.get("FinalDBSnapshotIdentifier")
    if skipped and last:
        raise _wrong(
            "FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is specified.",
            "InvalidParameterCombination",
        )
    if not skipped and not last:
        raise _wrong(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.", "InvalidParameterCombination"
        )


@refuses("rds", "DescribeDBSnapshots")
def types_of_snapshots(call: Call) -> None:
    kind = call.params.get("SnapshotType")
    if kind and kind not in SNAPSHOT_TYPES:
        raise _wrong(f"Invalid snapshot type: {kind}")


@refuses("rds", "ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute")
def whom_a_snapshot_is_shared_with(call: Call) -> None:
    given, backend = call.params, _backend(call)
    is_cluster = call.operation == "ModifyDBClusterSnapshotAttribute"
    name = given["DBClusterSnapshotIdentifier" if is_cluster else "DBSnapshotIdentifier"]
    snapshot = (backend.cluster_snapshots if is_cluster else backend.database_snapshots).get(name)
    if snapshot is None:
        return
    added = given.get("ValuesToAdd", [])
    for value in [*added, *given.get("ValuesToRemove", [])]:
        if value != "all" and not re.fullmatch(r"\d{12}", value):
            raise _wrong(f"Invalid account id: {value}")
    if "all" in added and snapshot.encrypted:
        raise _wrong("An encrypted snapshot cannot be shared with everybody.")


@refuses("rds", "CreateDBParameterGroup")
def a_new_parameter_group(call: Call) -> None:
    _name("DBParameterGroupName", call.params["DBParameterGroupName"], 255)
    family = call.params["DBParameterGroupFamily"]
    if not FAMILY.fullmatch(family):
        raise _wrong(f"ParameterGroupFamily {family} is not a valid parameter group family")


@refuses("rds", "ModifyDBParameterGroup")
def parameters(call: Call) -> None:
    sent = call.params["Parameters"]
    if not 1 <= len(sent) <= 20:
        raise _wrong("Between 1 and 20 parameters can be modified in a single request.")
    for one in sent:
        for name in ("ParameterName", "ParameterValue", "ApplyMethod"):
            if name not in one:
                raise _wrong(f"The parameter {name} must be provided and must not be blank.")


@refuses("rds", "DescribeDBParameters")
def sources_of_parameters(call: Call) -> None:
    source = call.params.get("Source")
    if source and source not in SOURCES:
        raise _wrong(f"Invalid source: {source}")


@refuses("rds", "DeleteDBParameterGroup")
def a_parameter_group_in_use(call: Call) -> None:
    name = call.params["DBParameterGroupName"].lower()
    for database in _backend(call).databases.values():
        if getattr(database, "db_parameter_group_name", None) == name:
            raise AwsError(
                "InvalidDBParameterGroupState",
                f"One or more database instances are still members of this parameter group {name}, so the group cannot "
                "be deleted",
            )
