"""The catalogue's own judgment: what it must find wrong, and what it must let be."""

import unittest

from emulator.catalogue import problems

ROLE = "arn:aws:iam::111122223333:role/a/b"


def of(action: str, resource: str, condition: dict | None = None, exceptions: dict | None = None) -> list[str]:
    statement = {"Effect": "Allow", "Action": [action], "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return problems({"Statement": [statement]}, exceptions or {})


class Catalogue(unittest.TestCase):
    def test_what_is_right(self) -> None:
        self.assertEqual(of("iam:CreateRole", ROLE, {"ArnLike": {"iam:PermissionsBoundary": "x"}}), [])
        self.assertEqual(of("iam:GetRole", "*"), [])
        self.assertEqual(of("iam:CreateAccountAlias", "*"), [])
        self.assertEqual(of("kms:CreateKey", "*", {"StringLike": {"aws:RequestTag/mark": "x"}}), [])
        keys = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/a"}}
        self.assertEqual(of("kms:EnableKey", "arn:aws:kms:*:111122223333:key/*", keys), [])

    def test_what_is_wrong(self) -> None:
        self.assertIn("no action", of("iam:MakeRole", ROLE)[0])
        self.assertIn("stands on *", of("iam:CreateRole", "*")[0])
        self.assertIn("does not know resources", of("iam:CreateRole", "arn:aws:s3:::b")[0])
        self.assertIn("condition key", of("iam:CreateRole", ROLE, {"StringLike": {"iam:PolicyARN": "x"}})[0])

    def test_exceptions_must_be_needed(self) -> None:
        self.assertEqual(of("iam:CreateRole", "*", exceptions={"iam:CreateRole": "why"}), [])
        self.assertIn("not needed", of("iam:CreateRole", ROLE, exceptions={"iam:CreateRole": "why"})[0])
