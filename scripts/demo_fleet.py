"""The demo's organization: twelve accounts in three organizational units, each messy in its own way.

Usage: demo_fleet.py URL make|deny|allow. Uses boto3, and the emulator's own routes for faults. `make` prints
the organizational units as NAME=ID for the shell.
"""

import json
import sys
import urllib.request

import boto3

UNITS = {
    "Security": ["log-archive", "security-tooling"],
    "Workloads": ["payments", "orders", "catalogue", "search", "mobile-backend", "data-lake"],
    "Sandbox": ["sandbox-ana", "sandbox-ben", "sandbox-chi", "old-shop"],
}
REGIONS = ["eu-west-1", "us-east-1", "eu-central-1", "ap-northeast-2"]


def client(url: str, service: str, region: str = "eu-west-1", **credentials: str):
    keys = credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=url, region_name=region, **keys)


def inside(url: str, account: str):
    """Clients with the credentials of a role in the account."""
    answer = client(url, "sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="demo"
    )["Credentials"]

    def make(service: str, region: str = "eu-west-1"):
        return client(
            url,
            service,
            region,
            aws_access_key_id=answer["AccessKeyId"],
            aws_secret_access_key=answer["SecretAccessKey"],
            aws_session_token=answer["SessionToken"],
        )

    return make


def control(url: str, route: str, body: dict | None = None, method: str = "POST") -> None:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{url}/_evenkeel/{route}", data=data, method=method)
    urllib.request.urlopen(request).close()


def accounts(url: str) -> dict[str, str]:
    """Account ids by name."""
    pages = client(url, "organizations").get_paginator("list_accounts").paginate()
    return {account["Name"]: account["Id"] for page in pages for account in page["Accounts"]}


def make(url: str) -> None:
    organizations = client(url, "organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    for unit, names in UNITS.items():
        made = organizations.create_organizational_unit(ParentId=root, Name=unit)
        unit_id = made["OrganizationalUnit"]["Id"]
        print(f"{unit}={unit_id}")
        for name in names:
            account = organizations.create_account(Email=f"{name}@acme.example", AccountName=name)
            account_id = account["CreateAccountStatus"]["AccountId"]
            organizations.move_account(AccountId=account_id, SourceParentId=root, DestinationParentId=unit_id)
    known = accounts(url)
    organizations.close_account(AccountId=known["old-shop"])
    for name in ("payments", "search", "data-lake"):
        control(url, f"mess?account={known[name]}&minimal=1")
    for name in ("catalogue", "sandbox-ana", "sandbox-ben"):
        inside(url, known[name])("iam").update_account_password_policy(MinimumPasswordLength=6)
    for name in ("log-archive", "security-tooling", "payments"):
        for region in REGIONS:
            inside(url, known[name])("ec2", region).enable_ebs_encryption_by_default()
    inside(url, known["mobile-backend"])("kms", "eu-central-1").create_key(Description="push tokens")


def deny(url: str) -> None:
    """The role of one account is gone, and one account does not answer."""
    known = accounts(url)
    for name, fault in {
        "catalogue": {"kind": "error", "message": "User is not authorized to perform: sts:AssumeRole"},
        "search": {"kind": "drop"},
    }.items():
        arn = f"arn:aws:iam::{known[name]}:role/evenkeel"
        control(url, "faults", {"service": "sts", "operation": "AssumeRole", "where": {"RoleArn": arn}, **fault})


def allow(url: str) -> None:
    control(url, "faults", method="DELETE")


if __name__ == "__main__":
    {"make": make, "deny": deny, "allow": allow}[sys.argv[2]](sys.argv[1])
