"""What RDS refuses: names, passwords, sizes, keys, parents, ranges, what is in use."""

import unittest
from typing import Any

from emulator.testing import AccountTest

INSTANCE = {
    "DBInstanceIdentifier": "one",
    "DBInstanceClass": "db.t3.micro",
    "Engine": "postgres",
    "AllocatedStorage": 20,
    "MasterUsername": "somebody",
    "MasterUserPassword": "long-enough",
}
CLUSTER = {
    "DBClusterIdentifier": "many",
    "Engine": "aurora-postgresql",
    "MasterUsername": "somebody",
    "MasterUserPassword": "long-enough",
}


def changed(of: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (of | changes).items() if value is not None}


class Databases(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.rds = self.client("rds")

    def refused(self, call: Any, of: dict[str, Any], *cases: tuple[str, dict[str, Any]]) -> None:
        for code, changes in cases:
            with self.subTest(changes=changes):
                self.fails(code, call, **changed(of, changes))

    def test_a_new_instance(self) -> None:
        key = f"arn:aws:kms:us-east-1:{self.account}:key/11111111-2222-3333-4444-555555555555"
        self.refused(
            self.rds.create_db_instance,
            INSTANCE,
            ("InvalidParameterValue", {"MasterUserPassword": "short"}),
            ("InvalidParameterValue", {"MasterUserPassword": "x" * 129}),
            ("InvalidParameterValue", {"Engine": "mysql", "MasterUserPassword": "x" * 42}),
            ("InvalidParameterValue", {"MasterUserPassword": "with/slash"}),
            ("InvalidParameterValue", {"MasterUserPassword": None}),
            ("InvalidParameterValue", {"MasterUsername": None}),
            ("InvalidParameterCombination", {"ManageMasterUserPassword": True}),
            ("InvalidParameterValue", {"AllocatedStorage": None}),
            ("InvalidParameterValue", {"DBInstanceClass": "large"}),
            ("InvalidParameterValue", {"BackupRetentionPeriod": 36}),
            ("InvalidParameterValue", {"MonitoringInterval": 7}),
            ("InvalidParameterCombination", {"KmsKeyId": "alias/aws/rds"}),
            ("KMSKeyNotAccessibleFault", {"KmsKeyId": key, "StorageEncrypted": True}),
            ("InvalidParameterValue", {"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}),
        )
        self.assertEqual(self.rds.describe_db_instances()["DBInstances"], [])
        own = self.client("kms").create_key()["KeyMetadata"]["KeyId"]
        self.rds.create_db_instance(**INSTANCE, StorageEncrypted=True, KmsKeyId=own)
        self.fails("InvalidParameterValue", self.rds.describe_db_instances, MaxRecords=19)
        one = {"DBInstanceIdentifier": "one"}
        self.fails("InvalidParameterValue", self.rds.modify_db_instance, **one, BackupRetentionPeriod=36)
        self.fails("InvalidParameterCombination", self.rds.delete_db_instance, **one)
        both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"}
        self.fails("InvalidParameterCombination", self.rds.delete_db_instance, **one, **both)
        self.rds.delete_db_instance(**one, SkipFinalSnapshot=True)

    def test_a_new_cluster(self) -> None:
        self.refused(
            self.rds.create_db_cluster,
            CLUSTER,
            ("InvalidParameterValue", {"DBClusterIdentifier": "1st"}),
            ("InvalidParameterValue", {"MasterUserPassword": 'a"quoted"one'}),
            ("InvalidParameterValue", {"BackupRetentionPeriod": 0}),
            ("KMSKeyNotAccessibleFault", {"KmsKeyId": "alias/none", "StorageEncrypted": True}),
            ("DBSubnetGroupNotFoundFault", {"DBSubnetGroupName": "none"}),
            ("DBClusterParameterGroupNotFound", {"DBClusterParameterGroupName": "none"}),
        )
        self.rds.create_db_cluster(**CLUSTER)
        self.fails("DBClusterAlreadyExistsFault", self.rds.create_db_cluster, **CLUSTER)
        of_it = {"MasterUsername": None, "MasterUserPassword": None, "AllocatedStorage": None}
        member = {"Engine": "aurora-postgresql", "DBInstanceClass": "db.r5.large", "DBClusterIdentifier": "many"}
        self.rds.create_db_instance(**changed(INSTANCE, of_it | member))

    def test_snapshots(self) -> None:
        for name, encrypted in (("plain", False), ("secret", True)):
            self.rds.create_db_instance(**INSTANCE | {"DBInstanceIdentifier": name}, StorageEncrypted=encrypted)
            self.rds.create_db_snapshot(DBSnapshotIdentifier=f"of-{name}", DBInstanceIdentifier=name)
        self.fails("InvalidParameterValue", self.rds.describe_db_snapshots, SnapshotType="own")
        share = {"DBSnapshotIdentifier": "of-secret", "AttributeName": "restore"}
        change = self.rds.modify_db_snapshot_attribute
        self.fails("InvalidParameterValue", change, **share, ValuesToAdd=["all"])
        self.fails("InvalidParameterValue", change, **share, ValuesToAdd=["1234"])
        change(**share, ValuesToAdd=["111122223333"])
        change(**share | {"DBSnapshotIdentifier": "of-plain"}, ValuesToAdd=["all"])

    def test_parameter_groups(self) -> None:
        group = {"DBParameterGroupName": "group", "DBParameterGroupFamily": "postgres16", "Description": "d"}
        self.refused(
            self.rds.create_db_parameter_group,
            group,
            ("InvalidParameterValue", {"DBParameterGroupName": "1st"}),
            ("InvalidParameterValue", {"DBParameterGroupName": "default.mine"}),
            ("InvalidParameterValue", {"DBParameterGroupFamily": "post"}),
        )
        self.rds.create_db_parameter_group(**group)
        one = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
        change = self.rds.modify_db_parameter_group
        for parameters in ([], [one | {"ParameterName": str(number)} for number in range(21)], [{"ParameterName": "x"}]):
            self.fails("InvalidParameterValue", change, DBParameterGroupName="group", Parameters=parameters)
        change(DBParameterGroupName="group", Parameters=[one])
        mine = {"DBParameterGroupName": "group"}
        self.fails("InvalidParameterValue", self.rds.describe_db_parameters, **mine, Source="own")
        self.rds.create_db_instance(**INSTANCE, **mine)
        self.fails("InvalidDBParameterGroupState", self.rds.delete_db_parameter_group, **mine)


if __name__ == "__main__":
    unittest.main()
