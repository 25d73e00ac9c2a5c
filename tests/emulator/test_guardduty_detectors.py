"""GuardDuty's detectors and members, over the wire."""

import unittest
from typing import Any

from emulator.testing import AccountTest, client


class Detectors(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.guardduty = self.client("guardduty")

    def features(self, detector: dict[str, str], guardduty: Any = None) -> dict[str, str]:
        got = (guardduty or self.guardduty).get_detector(**detector)
        return {one["Name"]: one["Status"] for one in got["Features"]}

    def test_features_that_are_not_sent_have_defaults_and_stay(self) -> None:
        off = [{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}]
        detector = {"DetectorId": self.guardduty.create_detector(Enable=True, Features=off)["DetectorId"]}
        self.assertIn(
            "a detector already exists for the current account",
            str(self.fails("BadRequestException", self.guardduty.create_detector, Enable=True)),
        )
        got = self.features(detector)
        wanted = {"S3_DATA_EVENTS": "DISABLED", "EKS_AUDIT_LOGS": "ENABLED", "RUNTIME_MONITORING": "DISABLED"}
        self.assertEqual({name: got[name] for name in wanted}, wanted)
        self.assertEqual(got["CLOUD_TRAIL"], "ENABLED")
        agent = [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}]
        runtime = {"Name": "RUNTIME_MONITORING", "Status": "ENABLED", "AdditionalConfiguration": agent}
        self.guardduty.update_detector(**detector, Features=[runtime])
        one = next(o for o in self.guardduty.get_detector(**detector)["Features"] if o["Name"] == runtime["Name"])
        agents = {agent["Name"]: agent["Status"] for agent in one["AdditionalConfiguration"]}
        self.assertEqual((agents["EC2_AGENT_MANAGEMENT"], agents["EKS_ADDON_MANAGEMENT"]), ("ENABLED", "DISABLED"))
        self.assertEqual(self.features(detector)["S3_DATA_EVENTS"], "DISABLED")
        both = [{"Name": name, "Status": "ENABLED"} for name in ("RUNTIME_MONITORING", "EKS_RUNTIME_MONITORING")]
        self.fails("BadRequestException", self.guardduty.update_detector, **detector, Features=both)
        read_only = [{"Name": "CLOUD_TRAIL", "Status": "DISABLED"}]
        self.fails("BadRequestException", self.guardduty.update_detector, **detector, Features=read_only)

    def test_tags_of_detectors_and_filters(self) -> None:
        detector = self.guardduty.create_detector(Enable=True, Tags={"a": "b"})["DetectorId"]
        arn = f"arn:aws:guardduty:us-east-1:{self.account}:detector/{detector}"
        self.guardduty.tag_resource(ResourceArn=arn, Tags={"k": "v"})
        self.guardduty.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(self.guardduty.get_detector(DetectorId=detector)["Tags"], {"k": "v"})
        self.guardduty.create_filter(DetectorId=detector, Name="quiet", FindingCriteria={"Criterion": {}})
        self.guardduty.tag_resource(ResourceArn=f"{arn}/filter/quiet", Tags={"x": "y"})
        self.assertEqual(self.guardduty.get_filter(DetectorId=detector, FilterName="quiet")["Tags"], {"x": "y"})
        self.fails("BadRequestException", self.guardduty.list_tags_for_resource, ResourceArn=f"{arn}x")

    def test_a_member_is_asked_and_then_ruled(self) -> None:
        mine = {"DetectorId": self.guardduty.create_detector(Enable=True)["DetectorId"]}
        account = "5" + self.account[1:]
        member = client("guardduty", account)
        theirs = {"DetectorId": member.create_detector(Enable=True)["DetectorId"]}
        details = [{"AccountId": account, "Email": "m@example.com"}]
        self.guardduty.create_members(**mine, AccountDetails=details)
        self.assertEqual(self.guardduty.list_members(**mine)["Members"], [])
        self.assertEqual(len(self.guardduty.list_members(**mine, OnlyAssociated="false")["Members"]), 1)
        missed = self.guardduty.invite_members(**mine, AccountIds=[account, "999999999999"])["UnprocessedAccounts"]
        self.assertEqual([one["AccountId"] for one in missed], ["999999999999"])
        self.assertEqual(member.get_administrator_account(**theirs)["Administrator"], {})
        invitation = member.list_invitations()["Invitations"][0]
        wanted = {"AdministratorId": self.account, "InvitationId": invitation["InvitationId"]}
        self.fails(
            "BadRequestException", member.accept_administrator_invitation, **theirs, **wanted | {"InvitationId": "x"}
        )
        member.accept_administrator_invitation(**theirs, **wanted)
        off = [{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}]
        self.fails("BadRequestException", member.update_detector, **theirs, Features=off)
        self.guardduty.update_member_detectors(**mine, AccountIds=[account], Features=off)
        self.assertEqual(self.features(theirs, member)["S3_DATA_EVENTS"], "DISABLED")
        self.fails("BadRequestException", self.guardduty.delete_detector, **mine)
        self.guardduty.disassociate_members(**mine, AccountIds=[account])
        self.assertEqual(member.get_administrator_account(**theirs)["Administrator"], {})
        self.guardduty.delete_detector(**mine)

    def test_a_repeated_call_answers_as_the_first(self) -> None:
        guardduty = self.client("guardduty")
        made = [guardduty.create_detector(Enable=True, ClientToken="t")["DetectorId"] for _ in range(2)]
        self.assertEqual(made[0], made[1])
        self.fails("BadRequestException", guardduty.create_detector, Enable=True, ClientToken="u")
        self.fails("BadRequestException", guardduty.create_detector, Enable=False, ClientToken="t")


if __name__ == "__main__":
    unittest.main()
