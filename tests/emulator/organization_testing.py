"""For tests of what organizations decide: an account that manages one, and members that joined by invitation."""

import json
from typing import Any

import boto3
from botocore.config import Config

from emulator import testing
from emulator.testing import AccountTest, client, endpoint


class OrganizationTest(AccountTest):
    """`self.account` manages an organization; `self.member` is in it, and `self.org` is the manager's client."""

    def setUp(self) -> None:
        super().setUp()
        self.org = self.client("organizations")
        self.org.create_organization(FeatureSet="ALL")
        self.root_id = self.org.list_roots()["Roots"][0]["Id"]
        self.member = self.join()

    def join(self, account: str | None = None) -> str:
        """A new member of the organization."""
        account = account or str(next(testing._accounts))
        made = self.org.invite_account_to_organization(Target={"Id": account, "Type": "ACCOUNT"})
        client("organizations", account).accept_handshake(HandshakeId=made["Handshake"]["Id"])
        return account

    def unit(self, name: str, parent: str | None = None) -> str:
        made = self.org.create_organizational_unit(ParentId=parent or self.root_id, Name=name)
        return made["OrganizationalUnit"]["Id"]

    def policy(self, kind: str, document: Any, *targets: str) -> str:
        """A new policy, attached to the targets; its type is enabled when it is not yet."""
        types = {one["Type"] for one in self.org.list_roots()["Roots"][0]["PolicyTypes"]}
        if kind not in types:
            self.org.enable_policy_type(RootId=self.root_id, PolicyType=kind)
        name = f"{kind}-{len(self.org.list_policies(Filter=kind)['Policies'])}"
        made = self.org.create_policy(Content=json.dumps(document), Description="", Name=name, Type=kind)
        identity = made["Policy"]["PolicySummary"]["Id"]
        for target in targets:
            self.org.attach_policy(PolicyId=identity, TargetId=target)
        return identity

    def trust(self, *principals: str) -> None:
        for principal in principals:
            self.org.enable_aws_service_access(ServicePrincipal=principal)


def session(credentials: dict[str, str], service: str, region: str = "us-east-1") -> Any:
    """A client with the credentials that STS returned."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint(),
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
