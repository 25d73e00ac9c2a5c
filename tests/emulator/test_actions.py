"""The permissions that calls ask for are ones that IAM has, also where they do not have the operation's name."""

import unittest
from types import SimpleNamespace

from moto.core.utils import get_service_model

from emulator.actions import ACTIONS, OF_VERSIONS, iam_action
from emulator.catalogue import catalogue
from emulator.organization_testing import OrganizationTest
from emulator.probe.run import named
from emulator.testing import client

# What IAM's catalogue lacks, and why.
EXCEPTIONS: dict[str, str] = {}


def action_of(service: str, operation: str, **params: str) -> str:
    model = get_service_model(service).operation_model(operation)
    method = model.http.get("method", "POST")
    return iam_action(SimpleNamespace(signing=None, service=service, operation=operation, params=params, method=method))


class Actions(OrganizationTest):
    def exists(self, action: str) -> bool:
        service, _, name = action.partition(":")
        return name.lower() in {one.lower() for one in catalogue().get(service, {}).get("privileges", {})}

    def test_every_probed_operation_asks_for_what_iam_knows(self) -> None:
        asked = {name: action_of(*name.split(".")) for name in named()}
        self.assertGreater(len(asked), 700)
        lacking = {name: action for name, action in asked.items() if not self.exists(action)}
        self.assertEqual(sorted(lacking), sorted(EXCEPTIONS), lacking)

    def test_what_has_another_name_is_an_operation_and_a_permission(self) -> None:
        for service, names in ACTIONS.items():
            for operation in names:
                with self.subTest(f"{service}.{operation}"):
                    self.assertTrue(self.exists(action_of(service, operation)), action_of(service, operation))
        for operation in OF_VERSIONS:
            self.assertTrue(self.exists(action_of("s3", operation, VersionId="v")), operation)

    def test_a_deny_of_writes_reaches_every_way_to_write_an_object(self) -> None:
        name = f"b-{self.member}"
        s3 = client("s3", self.member)
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="there", Body=b"x")
        self.deny({"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{name}/k*"})
        self.fails("AccessDenied", s3.put_object, Bucket=name, Key="k", Body=b"x")
        self.fails("AccessDenied", s3.create_multipart_upload, Bucket=name, Key="k")
        self.fails("AccessDenied", s3.copy_object, Bucket=name, Key="k", CopySource=f"{name}/there")
        s3.put_object(Bucket=name, Key="other", Body=b"x")
        self.deny({"Action": ["s3:GetObject", "s3:DeleteObject"], "Resource": f"arn:aws:s3:::{name}/there"})
        self.fails("AccessDenied", s3.copy_object, Bucket=name, Key="other", CopySource=f"{name}/there")
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "there"}]})
        self.assertEqual([one["Code"] for one in answer["Errors"]], ["AccessDenied"])

    def test_a_deny_reaches_services_with_another_prefix_in_iam(self) -> None:
        self.deny({"Action": ["elasticfilesystem:*", "es:*", "elasticloadbalancing:*", "apigateway:GET"]})
        for service, operation in (
            ("efs", "describe_file_systems"),
            ("opensearch", "list_domain_names"),
            ("elb", "describe_load_balancers"),
            ("elbv2", "describe_load_balancers"),
            ("apigateway", "get_rest_apis"),
        ):
            with self.subTest(service), self.assertRaisesRegex(Exception, "AccessDenied"):
                getattr(client(service, self.member), operation)()

    def deny(self, statement: dict) -> None:
        document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Resource": "*"} | statement}
        self.policy("SERVICE_CONTROL_POLICY", document, self.root_id)


if __name__ == "__main__":
    unittest.main()
