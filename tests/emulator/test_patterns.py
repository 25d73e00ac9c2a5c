"""What the API models' patterns refuse, each with its service's code."""

from emulator.shapes import pattern_of
from emulator.testing import AccountTest


class Patterns(AccountTest):
    def test_names_that_aws_refuses_before_it_looks_at_anything(self) -> None:
        trust = {"AssumeRolePolicyDocument": '{"Version": "2012-10-17", "Statement": []}'}
        for code, service, operation, arguments in (
            ("ValidationError", "iam", "create_role", {"RoleName": "two words"} | trust),
            ("ValidationError", "iam", "get_user", {"UserName": "a/b"}),
            ("ValidationException", "kms", "create_alias", {"AliasName": "alias/two words", "TargetKeyId": "x"}),
            ("InvalidParameterException", "logs", "create_log_group", {"logGroupName": "two words"}),
            ("ValidationException", "accessanalyzer", "create_analyzer", {"analyzerName": "1st", "type": "ACCOUNT"}),
            ("ValidationException", "events", "put_rule", {"Name": "two words", "ScheduleExpression": "rate(1 day)"}),
            ("InvalidInputException", "organizations", "describe_account", {"AccountId": "12"}),
            ("ValidationException", "account", "get_contact_information", {"AccountId": "12"}),
            ("ValidationException", "wafv2", "list_resources_for_web_acl", {"WebACLArn": "not an ARN, for one"}),
        ):
            with self.subTest(operation=operation):
                self.fails(code, getattr(self.client(service), operation), **arguments)

    def test_a_pattern_is_met_as_a_whole_unless_it_says_where_it_begins(self) -> None:
        self.assertFalse(pattern_of("[a-z]+")("two words"))
        self.assertTrue(pattern_of("^arn:aws")("arn:aws:x"))
        self.assertFalse(pattern_of("[\\w]+")("ä"))
        self.assertIsNone(pattern_of("[\\p{L}]+"))

    def test_a_bucket_is_tagged_by_its_arn(self) -> None:
        self.client("s3").create_bucket(Bucket=f"tagged-{self.account}")
        arn = f"arn:aws:s3:::tagged-{self.account}"
        control = self.client("s3control")
        control.tag_resource(AccountId=self.account, ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
        tags = control.list_tags_for_resource(AccountId=self.account, ResourceArn=arn)["Tags"]
        self.assertEqual(tags, [{"Key": "a", "Value": "b"}])
