"""AWS Backup."""

import json

from emulator.probe.trial import Trial


def vaults(t: Trial) -> None:
    t(
        "backup.DescribeBackupVault",
        BackupVaultName="none-x",
        expect=["ResourceNotFoundException", "AccessDeniedException"],
    )
    t("backup.CreateBackupVault", BackupVaultName="v1", EncryptionKeyArn=t.key, BackupVaultTags={"a": "b"})
    got = t("backup.DescribeBackupVault", BackupVaultName="v1")
    t.check(
        "backup.CreateBackupVault DescribeBackupVault",
        "key, not locked",
        lambda: got.EncryptionKeyArn == t.key and (not got.get("Locked")),
    )
    t("backup.PutBackupVaultLockConfiguration", BackupVaultName="v1", MinRetentionDays=7, MaxRetentionDays=3653)
    got = t("backup.DescribeBackupVault", BackupVaultName="v1")
    t.check(
        "backup.PutBackupVaultLockConfiguration",
        "governance: locked, no LockDate",
        lambda: (got.Locked, got.MinRetentionDays, got.MaxRetentionDays, "LockDate" in got) == (True, 7, 3653, False),
    )
    got = t("backup.ListBackupVaults")
    t.check(
        "backup.ListBackupVaults",
        "Locked and days in list",
        lambda: (
            [(one["Locked"], one["MinRetentionDays"]) for one in got.BackupVaultList if one["BackupVaultName"] == "v1"]
            == [(True, 7)]
        ),
    )
    t("backup.DeleteBackupVaultLockConfiguration", BackupVaultName="v1")
    got = t("backup.DescribeBackupVault", BackupVaultName="v1")
    t.check(
        "backup.DeleteBackupVaultLockConfiguration",
        "unlocked",
        lambda: not got.get("Locked") and "MinRetentionDays" not in got,
    )
    t("backup.PutBackupVaultLockConfiguration", BackupVaultName="v1", MinRetentionDays=7, ChangeableForDays=3)
    got = t("backup.DescribeBackupVault", BackupVaultName="v1")
    t.check("backup.PutBackupVaultLockConfiguration", "compliance: LockDate set", lambda: got.LockDate)
    t("backup.GetBackupVaultAccessPolicy", BackupVaultName="v1", expect="ResourceNotFoundException")
    pol = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": "backup:DeleteRecoveryPoint", "Resource": "*"}
            ],
        }
    )
    t("backup.PutBackupVaultAccessPolicy", BackupVaultName="v1", Policy=pol)
    got = t("backup.GetBackupVaultAccessPolicy", BackupVaultName="v1")
    t.check(
        "backup.PutBackupVaultAccessPolicy GetBackupVaultAccessPolicy",
        "back",
        lambda: json.loads(got.Policy) == json.loads(pol),
    )
    t("backup.DeleteBackupVaultAccessPolicy", BackupVaultName="v1")
    t("backup.GetBackupVaultAccessPolicy", BackupVaultName="v1", expect="ResourceNotFoundException")
    t.gone("backup.DeleteBackupVaultAccessPolicy", "backup.GetBackupVaultAccessPolicy")
    t("backup.CreateBackupVault", BackupVaultName="v2")
    t("backup.DeleteBackupVault", BackupVaultName="v2")
    got = t("backup.ListBackupVaults")
    t.check(
        "backup.DeleteBackupVault", "gone", lambda: "v2" not in [one["BackupVaultName"] for one in got.BackupVaultList]
    )


SCENARIOS = [[vaults]]
