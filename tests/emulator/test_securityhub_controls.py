"""Security Hub's controls, over the wire."""

import unittest
from typing import Any

from emulator.testing import AccountTest, control

FSBP = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"
CIS12 = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"
CIS5 = "arn:aws:securityhub:us-east-1::standards/cis-aws-foundations-benchmark/v/5.0.0"


class Controls(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.hub = self.client("securityhub")

    def enable(self, *standards: str) -> None:
        self.hub.enable_security_hub(EnableDefaultStandards=False)
        asked = [{"StandardsArn": one} for one in standards]
        if asked:
            self.hub.batch_enable_standards(StandardsSubscriptionRequests=asked)

    def control(self, name: str) -> dict[str, Any]:
        return self.hub.batch_get_security_controls(SecurityControlIds=[name])["SecurityControls"][0]

    def association(self, standard: str, name: str) -> dict[str, Any]:
        asked = [{"StandardsArn": standard, "SecurityControlId": name}]
        got = self.hub.batch_get_standards_control_associations(StandardsControlAssociationIds=asked)
        return got["StandardsControlAssociationDetails"][0]

    def update(self, *entries: tuple[str, str, str, str | None]) -> list[dict[str, Any]]:
        names = ("StandardsArn", "SecurityControlId", "AssociationStatus", "UpdatedReason")
        asked = [{k: v for k, v in zip(names, entry, strict=True) if v} for entry in entries]
        done = self.hub.batch_update_standards_control_associations(StandardsControlAssociationUpdates=asked)
        return done["UnprocessedAssociationUpdates"]

    def test_the_catalogue_by_standard_and_in_pages(self) -> None:
        self.fails("InvalidAccessException", self.hub.list_security_control_definitions)
        self.enable()
        first = self.hub.list_security_control_definitions()
        self.assertEqual(len(first["SecurityControlDefinitions"]), 25, "a page, when no number is asked for")
        self.assertIn("NextToken", first)
        pages = self.hub.get_paginator("list_security_control_definitions")

        def listed(standard: str) -> dict[str, dict[str, Any]]:
            found = pages.paginate(StandardsArn=standard).search("SecurityControlDefinitions[]")
            return {one["SecurityControlId"]: one for one in found}

        self.assertEqual(len(listed(CIS5)), 40)
        self.assertEqual(len(listed(CIS12)), 42)
        fsbp = listed(FSBP)
        self.assertEqual(len(fsbp), 365)
        self.assertEqual(fsbp["IAM.6"]["SeverityRating"], "CRITICAL")
        self.assertEqual(fsbp["IAM.6"]["CustomizableProperties"], [])
        self.assertEqual(fsbp["IAM.7"]["CustomizableProperties"], ["Parameters"])
        self.assertEqual(fsbp["EC2.182"]["SeverityRating"], "HIGH")
        self.assertNotIn("IAM.9", fsbp)
        self.assertIn("Autoscaling.5", fsbp, "spelt so")
        listing = self.hub.list_security_control_definitions
        self.fails("InvalidInputException", listing, StandardsArn=f"{FSBP}.1")
        self.assertEqual(listing(Providers=["Azure"])["SecurityControlDefinitions"], [])
        arn = f"arn:aws:securityhub:us-east-1:{self.account}:security-control/IAM.7"
        got = self.hub.get_security_control_definition(SecurityControlId=arn)["SecurityControlDefinition"]
        options = got["ParameterDefinitions"]["MinimumPasswordLength"]["ConfigurationOptions"]
        self.assertEqual(options, {"Integer": {"DefaultValue": 8, "Min": 8, "Max": 128}})
        self.fails("ResourceNotFoundException", self.hub.get_security_control_definition, SecurityControlId="IAM.999")

    def test_unknown_controls_are_told_beside_the_others(self) -> None:
        self.enable(FSBP)
        got = self.hub.batch_get_security_controls(SecurityControlIds=["NOPE.1", "IAM.6"])
        self.assertEqual([one["SecurityControlId"] for one in got["SecurityControls"]], ["IAM.6"])
        [failed] = got["UnprocessedIds"]
        self.assertEqual((failed["SecurityControlId"], failed["ErrorCode"]), ("NOPE.1", "RESOURCE_NOT_FOUND"))
        self.fails(
            "InvalidInputException",
            self.hub.batch_get_security_controls,
            SecurityControlIds=[f"IAM.{number}" for number in range(101)],
        )

    def test_a_control_is_on_when_one_standard_has_it_on(self) -> None:
        self.enable(FSBP, CIS5)
        self.assertEqual(self.control("IAM.6")["SecurityControlStatus"], "ENABLED")
        self.assertEqual(self.control("ACM.3")["SecurityControlStatus"], "DISABLED", "its standard is not enabled")
        self.assertEqual(self.update((FSBP, "IAM.6", "DISABLED", "no root here")), [])
        self.assertEqual(self.control("IAM.6")["SecurityControlStatus"], "ENABLED")
        self.update((CIS5, "IAM.6", "DISABLED", "no root here"))
        self.assertEqual(self.control("IAM.6")["SecurityControlStatus"], "DISABLED")
        got = self.association(FSBP, "IAM.6")
        self.assertEqual((got["AssociationStatus"], got["UpdatedReason"]), ("DISABLED", "no root here"))
        self.update((FSBP, "IAM.6", "ENABLED", None))
        self.assertNotIn("UpdatedReason", self.association(FSBP, "IAM.6"))
        listed = self.hub.list_standards_control_associations(SecurityControlId="IAM.6")
        there = {s["StandardsArn"]: s["AssociationStatus"] for s in listed["StandardsControlAssociationSummaries"]}
        self.assertEqual(there, {FSBP: "ENABLED", CIS5: "DISABLED"}, "of enabled standards alone")
        self.fails(
            "InvalidInputException", self.hub.list_standards_control_associations, SecurityControlId="NOPE.1"
        )
        other = self.client("securityhub", "eu-west-1")
        other.enable_security_hub()
        seen = other.batch_get_security_controls(SecurityControlIds=["IAM.6"])["SecurityControls"][0]
        self.assertEqual(seen["SecurityControlStatus"], "ENABLED", "by Region")

    def test_updates_that_fail_leave_the_others(self) -> None:
        self.enable(FSBP)
        failed = self.update(
            (FSBP, "IAM.6", "DISABLED", None),
            (FSBP, "IAM.9", "DISABLED", "not in this standard"),
            (CIS5, "IAM.6", "DISABLED", "not enabled"),
            (FSBP, "NOPE.1", "DISABLED", "no such control"),
            (FSBP, "IAM.5", "DISABLED", "this one works"),
        )
        codes = {
            (one["StandardsControlAssociationUpdate"]["SecurityControlId"], one["ErrorCode"]) for one in failed
        }
        wanted = {("IAM.6", "INVALID_INPUT"), ("IAM.9", "RESOURCE_NOT_FOUND"), ("IAM.6", "RESOURCE_NOT_FOUND")}
        self.assertEqual(codes, wanted | {("NOPE.1", "RESOURCE_NOT_FOUND")})
        self.assertEqual(self.association(FSBP, "IAM.5")["AssociationStatus"], "DISABLED")
        self.assertEqual(self.association(FSBP, "IAM.6")["AssociationStatus"], "ENABLED")
        got = self.hub.batch_get_standards_control_associations(
            StandardsControlAssociationIds=[
                {"StandardsArn": CIS5, "SecurityControlId": "IAM.6"},
                {"StandardsArn": FSBP, "SecurityControlId": "IAM.6"},
            ]
        )
        self.assertEqual(len(got["StandardsControlAssociationDetails"]), 1)
        self.assertEqual(got["UnprocessedAssociations"][0]["StandardsControlAssociationId"]["StandardsArn"], CIS5)

    def test_disabling_a_standard_forgets_what_was_off(self) -> None:
        self.enable(FSBP)
        self.update((FSBP, "IAM.6", "DISABLED", "for now"))
        subscription = self.hub.get_enabled_standards()["StandardsSubscriptions"][0]["StandardsSubscriptionArn"]
        self.hub.batch_disable_standards(StandardsSubscriptionArns=[subscription])
        self.hub.batch_enable_standards(StandardsSubscriptionRequests=[{"StandardsArn": FSBP}])
        self.assertEqual(self.association(FSBP, "IAM.6")["AssociationStatus"], "ENABLED")

    def test_a_standard_that_is_being_enabled_is_not_ready_for_updates(self) -> None:
        control("POST", f"settling?account={self.account}&reads=2")
        self.enable(FSBP)
        [failed] = self.update((FSBP, "IAM.6", "DISABLED", "too early"))
        self.assertEqual(failed["ErrorCode"], "RESOURCE_NOT_FOUND")
        [there] = self.hub.get_enabled_standards()["StandardsSubscriptions"]
        self.assertEqual(there["StandardsControlsUpdatable"], "NOT_READY_FOR_UPDATES")
        [there] = self.hub.get_enabled_standards()["StandardsSubscriptions"]
        self.assertEqual(there["StandardsControlsUpdatable"], "READY_FOR_UPDATES")
        self.assertEqual(self.update((FSBP, "IAM.6", "DISABLED", "now")), [])
        seen = [self.association(FSBP, "IAM.6")["AssociationStatus"] for _ in range(3)]
        self.assertEqual(seen, ["ENABLED", "ENABLED", "DISABLED"], "the status lags")

    def test_parameters(self) -> None:
        self.enable(FSBP)
        at_first = self.control("IAM.7")["Parameters"]
        self.assertEqual(at_first["MinimumPasswordLength"], {"ValueType": "DEFAULT", "Value": {"Integer": 8}})
        self.assertEqual(at_first["MaxPasswordAge"], {"ValueType": "DEFAULT"}, "AWS has no default")
        self.assertEqual(self.control("IAM.6")["Parameters"], {})

        def put(name: str, **value: Any) -> dict[str, Any]:
            return {"SecurityControlId": "IAM.7", "Parameters": {name: value}}

        update = self.hub.update_security_control
        update(**put("MinimumPasswordLength", ValueType="CUSTOM", Value={"Integer": 14}), LastUpdateReason="our rule")
        update(**put("MaxPasswordAge", ValueType="CUSTOM", Value={"Integer": 90}))
        now = self.control("IAM.7")["Parameters"]
        self.assertEqual(now["MinimumPasswordLength"], {"ValueType": "CUSTOM", "Value": {"Integer": 14}})
        self.assertEqual(now["MaxPasswordAge"]["Value"], {"Integer": 90}, "the others stay")
        update(**put("MinimumPasswordLength", ValueType="DEFAULT"))
        self.assertEqual(self.control("IAM.7")["Parameters"]["MinimumPasswordLength"]["Value"], {"Integer": 8})
        for wrong in (
            put("MinimumPasswordLength", ValueType="CUSTOM", Value={"Integer": 7}),
            put("MinimumPasswordLength", ValueType="CUSTOM", Value={"String": "14"}),
            put("MinimumPasswordLength", ValueType="CUSTOM"),
            put("Nope", ValueType="DEFAULT"),
            put("MaxPasswordAge", ValueType="DEFAULT") | {"LastUpdateReason": "why?"},
            {"SecurityControlId": "IAM.6", "Parameters": {"Nope": {"ValueType": "DEFAULT"}}},
        ):
            self.fails("InvalidInputException", update, **wrong)
        self.fails("ResourceNotFoundException", update, SecurityControlId="NOPE.1", Parameters={})
        keys = {"requiredTagKeys": {"ValueType": "CUSTOM", "Value": {"StringList": list("abcdefg")}}}
        self.fails("InvalidInputException", update, SecurityControlId="SQS.2", Parameters=keys)

    def test_parameters_take_their_time(self) -> None:
        self.enable(FSBP)
        control("POST", f"settling?account={self.account}&reads=1")
        wanted = {"AllowedDays": {"ValueType": "CUSTOM", "Value": {"Integer": 60}}}
        self.hub.update_security_control(SecurityControlId="EC2.4", Parameters=wanted)
        error = self.fails(
            "ResourceInUseException", self.hub.update_security_control, SecurityControlId="EC2.4", Parameters=wanted
        )
        self.assertIn("being updated", str(error))
        self.assertEqual([self.control("EC2.4")["UpdateStatus"] for _ in range(2)], ["UPDATING", "READY"])

    def test_controls_of_a_standard_by_their_own_arns(self) -> None:
        self.enable(CIS12, FSBP)
        base = f"arn:aws:securityhub:us-east-1:{self.account}"
        got = self.association(CIS12, "Config.1")
        self.assertEqual(got["StandardsControlArns"], [f"{base}:control/cis-aws-foundations-benchmark/v/1.2.0/2.5"])
        self.assertEqual(got["RelatedRequirements"], ["CIS AWS Foundations 2.5"])
        update = self.hub.update_standards_control
        [arn] = got["StandardsControlArns"]
        self.fails("InvalidInputException", update, StandardsControlArn=arn, ControlStatus="DISABLED")
        update(StandardsControlArn=arn, ControlStatus="DISABLED", DisabledReason="elsewhere")
        self.assertEqual(self.association(CIS12, "Config.1")["AssociationStatus"], "DISABLED")
        subscription = f"{base}:subscription/cis-aws-foundations-benchmark/v/1.2.0"
        listed = self.hub.describe_standards_controls(StandardsSubscriptionArn=subscription)["Controls"]
        there = {one["ControlId"]: one for one in listed}
        one = there["CIS.2.5"]
        self.assertEqual((one["ControlStatus"], one["DisabledReason"]), ("DISABLED", "elsewhere"))
        self.assertEqual(there["CIS.1.14"]["ControlStatus"], "ENABLED")
        disabled = {"ControlStatus": "DISABLED", "DisabledReason": "r"}
        unknown = f"{base}:control/pci-dss/v/4.0.1/IAM.6"
        self.fails("ResourceNotFoundException", update, StandardsControlArn=unknown, **disabled)
        self.fails("AccessDeniedException", update, StandardsControlArn=f"{FSBP}/IAM.6", **disabled)
        describe = self.hub.describe_standards_controls
        self.fails("ResourceNotFoundException", describe, StandardsSubscriptionArn=f"{subscription}.1")


if __name__ == "__main__":
    unittest.main()
