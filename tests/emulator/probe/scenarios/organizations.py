"""Organizations, and what its management account does in other services."""

import json

from emulator.probe.material import policy
from emulator.probe.trial import Trial


def structure(t: Trial) -> None:
    t("organizations.DescribeOrganization", expect="AWSOrganizationsNotInUseException")
    answer = t("organizations.CreateOrganization", FeatureSet="ALL")
    t.check("organizations.CreateOrganization", "feature set", lambda: answer.Organization["FeatureSet"] == "ALL")
    d = t("organizations.DescribeOrganization")
    t.check("organizations.DescribeOrganization", "management id", lambda: d.Organization["MasterAccountId"] == t.acct)
    lr = t("organizations.ListRoots")
    t.root = lr["Roots"][0]["Id"] if lr.ok else "r-abcd"
    t.check("organizations.ListRoots", "no policy type enabled at first", lambda: lr.Roots[0]["PolicyTypes"] == [])
    ou = t("organizations.CreateOrganizationalUnit", ParentId=t.root, Name="prod")
    t.oid = ou["OrganizationalUnit"]["Id"] if ou.ok else "ou-abcd-12345678"
    listed = t("organizations.ListOrganizationalUnitsForParent", ParentId=t.root)
    t.check(
        "organizations.CreateOrganizationalUnit ListOrganizationalUnitsForParent",
        "unit listed",
        lambda: [made["Name"] for made in listed.OrganizationalUnits] == ["prod"],
    )
    a = t("organizations.CreateAccount", Email="m1@example.com", AccountName="m1")
    t.aid = None
    cid = a["CreateAccountStatus"]["Id"] if a.ok else f"car-{t.acct}34567890{t.acct}"
    s = t("organizations.DescribeCreateAccountStatus", CreateAccountRequestId=cid)
    t.check(
        "organizations.DescribeCreateAccountStatus", "SUCCEEDED", lambda: s.CreateAccountStatus["State"] == "SUCCEEDED"
    )
    t.aid = (
        (s.get("CreateAccountStatus") or {}).get("AccountId")
        or (a.get("CreateAccountStatus") or {}).get("AccountId")
        or t.member
    )
    la = t("organizations.ListAccounts")
    t.check(
        "organizations.CreateAccount ListAccounts",
        "account listed",
        lambda: t.aid in [made["Id"] for made in la.Accounts],
    )
    t.check("organizations.ListAccounts", "member State", lambda: all(("State" in made for made in la.Accounts)))
    t("organizations.MoveAccount", AccountId=t.aid, SourceParentId=t.root, DestinationParentId=t.oid)
    lp = t("organizations.ListParents", ChildId=t.aid)
    t.check("organizations.MoveAccount ListParents", "parent is the unit", lambda: lp.Parents[0]["Id"] == t.oid)


def service_access(t: Trial) -> None:
    t("organizations.EnableAWSServiceAccess", ServicePrincipal="access-analyzer.amazonaws.com")
    listed = t("organizations.ListAWSServiceAccessForOrganization")
    t.check(
        "organizations.EnableAWSServiceAccess ListAWSServiceAccessForOrganization",
        "listed",
        lambda: (
            "access-analyzer.amazonaws.com" in [made["ServicePrincipal"] for made in listed.EnabledServicePrincipals]
        ),
    )


def delegated(t: Trial) -> None:
    t("organizations.RegisterDelegatedAdministrator", AccountId=t.aid, ServicePrincipal="access-analyzer.amazonaws.com")
    listed = t("organizations.ListDelegatedAdministrators", ServicePrincipal="access-analyzer.amazonaws.com")
    t.check(
        "organizations.RegisterDelegatedAdministrator ListDelegatedAdministrators",
        "listed for principal",
        lambda: [made["Id"] for made in listed.DelegatedAdministrators] == [t.aid],
    )
    listed = t("organizations.ListDelegatedAdministrators", ServicePrincipal="config.amazonaws.com")
    t.check(
        "organizations.ListDelegatedAdministrators", "filter by principal", lambda: listed.DelegatedAdministrators == []
    )
    listed = t("organizations.ListDelegatedServicesForAccount", AccountId=t.aid)
    t.check(
        "organizations.ListDelegatedServicesForAccount",
        "listed",
        lambda: [made["ServicePrincipal"] for made in listed.DelegatedServices] == ["access-analyzer.amazonaws.com"],
    )
    t(
        "organizations.RegisterDelegatedAdministrator",
        AccountId=t.aid,
        ServicePrincipal="access-analyzer.amazonaws.com",
        expect="AccountAlreadyRegisteredException",
    )
    for sp in (
        "config.amazonaws.com",
        "config-multiaccountsetup.amazonaws.com",
        "iam.amazonaws.com",
        "account.amazonaws.com",
    ):
        t("organizations.EnableAWSServiceAccess", ServicePrincipal=sp)
        t("organizations.RegisterDelegatedAdministrator", AccountId=t.aid, ServicePrincipal=sp)
        t("organizations.DeregisterDelegatedAdministrator", AccountId=t.aid, ServicePrincipal=sp)
    t(
        "organizations.DeregisterDelegatedAdministrator",
        AccountId=t.aid,
        ServicePrincipal="access-analyzer.amazonaws.com",
    )
    listed = t("organizations.ListDelegatedAdministrators", ServicePrincipal="access-analyzer.amazonaws.com")
    t.check("organizations.DeregisterDelegatedAdministrator", "gone", lambda: listed.DelegatedAdministrators == [])
    t("organizations.DisableAWSServiceAccess", ServicePrincipal="access-analyzer.amazonaws.com")
    listed = t("organizations.ListAWSServiceAccessForOrganization")
    t.check(
        "organizations.DisableAWSServiceAccess",
        "gone",
        lambda: (
            "access-analyzer.amazonaws.com"
            not in [made["ServicePrincipal"] for made in listed.EnabledServicePrincipals]
        ),
    )


def policies(t: Trial) -> None:
    docs = {
        "SERVICE_CONTROL_POLICY": policy({"Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"}),
        "RESOURCE_CONTROL_POLICY": policy(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ),
        "DECLARATIVE_POLICY_EC2": '{"ec2_attributes":{"serial_console_access":{"status":{"@@assign":"disabled"}}}}',
        "TAG_POLICY": '{"tags":{"team":{"tag_key":{"@@assign":"team"}}}}',
        "BACKUP_POLICY": '{"plans":{}}',
        "S3_POLICY": '{"s3_attributes":{"public_access_block_configuration":{"@@assign":"all"}}}',
        "GUARDDUTY_POLICY": '{"guardduty":{}}',
        "SECURITYHUB_POLICY": '{"securityhub":{"enable_in_regions":{"@@assign":["us-east-1"]}}}',
        "INSPECTOR_POLICY": '{"inspector":{}}',
    }
    for service in ("securityhub", "guardduty", "inspector2"):
        t("organizations.EnableAWSServiceAccess", ServicePrincipal=f"{service}.amazonaws.com")
    for ty in docs:
        answer = t("organizations.EnablePolicyType", RootId=t.root, PolicyType=ty)
        t.check("organizations.EnablePolicyType", "type " + ty, lambda: answer.ok)
    lr = t("organizations.ListRoots")
    t.check(
        "organizations.EnablePolicyType ListRoots",
        "types shown enabled",
        lambda: (
            {"DECLARATIVE_POLICY_EC2", "SERVICE_CONTROL_POLICY"}
            <= {made["Type"] for made in lr.Roots[0]["PolicyTypes"] if made["Status"] == "ENABLED"}
        ),
    )
    pid = {}
    for ty, doc in docs.items():
        p = t(
            "organizations.CreatePolicy",
            Content=doc,
            Description="d",
            Name="p-" + ty,
            Type=ty,
            Tags=[{"Key": "owner", "Value": "x"}],
        )
        t.check("organizations.CreatePolicy", "type " + ty, lambda: p.ok)
        if p.ok:
            pid[ty] = p.Policy["PolicySummary"]["Id"]
    p0 = pid.get("SERVICE_CONTROL_POLICY", "p-12345678")
    d = t("organizations.DescribePolicy", PolicyId=p0)
    t.check(
        "organizations.CreatePolicy DescribePolicy",
        "content",
        lambda: json.loads(d.Policy["Content"]) == json.loads(docs["SERVICE_CONTROL_POLICY"]),
    )
    listed = t("organizations.ListTagsForResource", ResourceId=p0)
    t.check(
        "organizations.ListTagsForResource", "tags at create", lambda: listed.Tags == [{"Key": "owner", "Value": "x"}]
    )
    t("organizations.TagResource", ResourceId=p0, Tags=[{"Key": "a", "Value": "b"}])
    listed = t("organizations.ListTagsForResource", ResourceId=p0)
    t.check(
        "organizations.TagResource ListTagsForResource", "tag kept", lambda: {"Key": "a", "Value": "b"} in listed.Tags
    )
    t("organizations.UntagResource", ResourceId=p0, TagKeys=["a"])
    listed = t("organizations.ListTagsForResource", ResourceId=p0)
    t.check("organizations.UntagResource", "gone", lambda: "a" not in [made["Key"] for made in listed.Tags])
    new = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"cloudtrail:DeleteTrail","Resource":"*"}]}'
    t("organizations.UpdatePolicy", PolicyId=p0, Content=new)
    d = t("organizations.DescribePolicy", PolicyId=p0)
    t.check(
        "organizations.UpdatePolicy",
        "content changed, name kept",
        lambda: (
            json.loads(d.Policy["Content"]) == json.loads(new)
            and d.Policy["PolicySummary"]["Name"] == "p-SERVICE_CONTROL_POLICY"
        ),
    )
    t("organizations.AttachPolicy", PolicyId=p0, TargetId=t.oid)
    listed = t("organizations.ListTargetsForPolicy", PolicyId=p0)
    t.check(
        "organizations.AttachPolicy ListTargetsForPolicy",
        "target",
        lambda: [made["TargetId"] for made in listed.Targets] == [t.oid],
    )
    listed = t("organizations.ListPolicies", Filter="SERVICE_CONTROL_POLICY")
    t.check(
        "organizations.ListPolicies",
        "filtered",
        lambda: (
            p0 in [made["Id"] for made in listed.Policies]
            and all((made["Type"] == "SERVICE_CONTROL_POLICY" for made in listed.Policies))
        ),
    )
    listed = t("organizations.ListPolicies", Filter="DECLARATIVE_POLICY_EC2")
    t.check(
        "organizations.ListPolicies",
        "declarative listed",
        lambda: [made["Name"] for made in listed.Policies] == ["p-DECLARATIVE_POLICY_EC2"],
    )
    pd = pid.get("DECLARATIVE_POLICY_EC2", "p-87654321")
    t("organizations.AttachPolicy", PolicyId=pd, TargetId=t.root)
    e = t("organizations.DescribeEffectivePolicy", PolicyType="DECLARATIVE_POLICY_EC2", TargetId=t.aid)
    t.check(
        "organizations.DescribeEffectivePolicy",
        "merged document without operators",
        lambda: (
            json.loads(e.EffectivePolicy["PolicyContent"])["ec2_attributes"]["serial_console_access"]["status"]
            == "disabled"
        ),
    )
    e = t("organizations.DescribeEffectivePolicy", PolicyType="TAG_POLICY", expect="EffectivePolicyNotFoundException")
    e = t("organizations.ListEffectivePolicyValidationErrors", AccountId=t.aid, PolicyType="DECLARATIVE_POLICY_EC2")
    t.check(
        "organizations.ListEffectivePolicyValidationErrors",
        "of the account, none",
        lambda: (e.AccountId, e.PolicyType, e.EffectivePolicyValidationErrors) == (t.aid, "DECLARATIVE_POLICY_EC2", []),
    )
    t("organizations.DetachPolicy", PolicyId=p0, TargetId=t.oid)
    listed = t("organizations.ListTargetsForPolicy", PolicyId=p0)
    t.check("organizations.DetachPolicy", "gone", lambda: listed.Targets == [])
    t("organizations.DeletePolicy", PolicyId=p0)
    t("organizations.DescribePolicy", PolicyId=p0, expect="PolicyNotFoundException")
    t.gone("organizations.DeletePolicy", "organizations.DescribePolicy")
    t("organizations.DisablePolicyType", RootId=t.root, PolicyType="BACKUP_POLICY")
    lr = t("organizations.ListRoots")
    t.check(
        "organizations.DisablePolicyType",
        "gone",
        lambda: "BACKUP_POLICY" not in [made["Type"] for made in lr.Roots[0]["PolicyTypes"]],
    )


def members_view(t: Trial) -> None:
    m = t("organizations.DescribeOrganization", acct=t.aid)
    t.check(
        "organizations.DescribeOrganization",
        "member sees the organization",
        lambda: m.Organization["MasterAccountId"] == t.acct,
    )
    t("organizations.ListAccounts", acct=t.aid, expect="AccessDeniedException")
    h = t("organizations.InviteAccountToOrganization", Target={"Id": t.member, "Type": "ACCOUNT"})
    hid = h["Handshake"]["Id"] if h.ok else "h-12345678"
    t.check(
        "organizations.InviteAccountToOrganization",
        "handshake open",
        lambda: h.Handshake["State"] in ("OPEN", "REQUESTED"),
    )
    t("organizations.AcceptHandshake", acct=t.member, HandshakeId=hid)
    la = t("organizations.ListAccounts")
    t.check("organizations.AcceptHandshake", "joined", lambda: t.member in [made["Id"] for made in la.Accounts])
    t("organizations.LeaveOrganization", acct=t.member)
    la = t("organizations.ListAccounts")
    t.check("organizations.LeaveOrganization", "left", lambda: t.member not in [made["Id"] for made in la.Accounts])
    again = t("organizations.InviteAccountToOrganization", Target={"Id": t.member, "Type": "ACCOUNT"})
    again_id = again.Handshake["Id"] if again.ok else "h-12345678"
    t("organizations.AcceptHandshake", acct=t.member, HandshakeId=again_id)
    t("organizations.RemoveAccountFromOrganization", AccountId=t.member)
    la = t("organizations.ListAccounts")
    t.check(
        "organizations.RemoveAccountFromOrganization",
        "removed",
        lambda: again.ok and t.member not in [made["Id"] for made in la.Accounts],
    )
    a2 = t("organizations.CreateAccount", Email="m2@example.com", AccountName="m2")
    a2id = (a2.get("CreateAccountStatus") or {}).get("AccountId") or "111111111112"
    t("organizations.RemoveAccountFromOrganization", AccountId=a2id, expect="ConstraintViolationException")
    la = t("organizations.ListAccounts")
    t.check(
        "organizations.RemoveAccountFromOrganization",
        "one that was made less than four days ago stays",
        lambda: a2id in [made["Id"] for made in la.Accounts],
    )
    t("organizations.CloseAccount", AccountId=t.aid)
    la = t("organizations.ListAccounts")
    t.check(
        "organizations.CloseAccount",
        "state changes",
        lambda: (
            [made.get("State", made.get("Status")) for made in la.Accounts if made["Id"] == t.aid][0]
            in ("PENDING_CLOSURE", "SUSPENDED", "CLOSED")
        ),
    )


def account(t: Trial) -> None:
    t("account.GetAlternateContact", AlternateContactType="SECURITY", expect="ResourceNotFoundException")
    t(
        "account.PutAlternateContact",
        AlternateContactType="SECURITY",
        Name="n",
        Title="t",
        EmailAddress="e@example.com",
        PhoneNumber="+1 1",
    )
    read = t("account.GetAlternateContact", AlternateContactType="SECURITY")
    t.check(
        "account.PutAlternateContact GetAlternateContact",
        "four members back",
        lambda: (
            (
                read.AlternateContact["Name"],
                read.AlternateContact["Title"],
                read.AlternateContact["EmailAddress"],
                read.AlternateContact["PhoneNumber"],
            )
            == ("n", "t", "e@example.com", "+1 1")
        ),
    )
    t(
        "account.PutAlternateContact",
        AccountId=t.aid,
        AlternateContactType="SECURITY",
        Name="mm",
        Title="t",
        EmailAddress="e2@example.com",
        PhoneNumber="+1 1",
    )
    read = t("account.GetAlternateContact", AlternateContactType="SECURITY", acct=t.aid)
    t.check(
        "account.PutAlternateContact GetAlternateContact",
        "AccountId of a member",
        lambda: read.AlternateContact["Name"] == "mm",
    )
    read = t("account.GetAlternateContact", AlternateContactType="SECURITY")
    t.check("account.PutAlternateContact", "own contact unchanged by it", lambda: read.AlternateContact["Name"] == "n")
    t("account.DeleteAlternateContact", AlternateContactType="SECURITY")
    t("account.GetAlternateContact", AlternateContactType="SECURITY", expect="ResourceNotFoundException")
    t.gone("account.DeleteAlternateContact", "account.GetAlternateContact")
    ci = dict(FullName="f", AddressLine1="a", City="c", PostalCode="1", CountryCode="DE", PhoneNumber="+1")
    t("account.PutContactInformation", ContactInformation=ci)
    read = t("account.GetContactInformation")
    t.check(
        "account.PutContactInformation GetContactInformation",
        "back",
        lambda: all((read.ContactInformation[k] == v for k, v in ci.items())),
    )
    read = t("account.GetPrimaryEmail", AccountId=t.aid)
    t.check("account.GetPrimaryEmail", "an address", lambda: "@" in read.PrimaryEmail)
    listed = t("account.ListRegions")
    t.check(
        "account.ListRegions",
        "default regions ENABLED_BY_DEFAULT, opt-in ones DISABLED",
        lambda: (
            {made["RegionName"]: made["RegionOptStatus"] for made in listed.Regions}["us-east-1"]
            == "ENABLED_BY_DEFAULT"
        ),
    )
    t("account.EnableRegion", RegionName="ap-east-1")
    read = t("account.GetRegionOptStatus", RegionName="ap-east-1")
    t.check(
        "account.EnableRegion GetRegionOptStatus", "enabled", lambda: read.RegionOptStatus in ("ENABLING", "ENABLED")
    )
    t("account.DisableRegion", RegionName="ap-east-1")
    read = t("account.GetRegionOptStatus", RegionName="ap-east-1")
    t.check("account.DisableRegion", "disabled", lambda: read.RegionOptStatus in ("DISABLING", "DISABLED"))


def delegated_elsewhere(t: Trial) -> None:
    t("fms.AssociateAdminAccount", AdminAccount=t.aid)
    read = t("fms.GetAdminAccount")
    t.check("fms.AssociateAdminAccount GetAdminAccount", "back", lambda: read.AdminAccount == t.aid)
    t("fms.DisassociateAdminAccount", acct=t.aid)
    t("fms.GetAdminAccount", expect="ResourceNotFoundException")
    t.gone("fms.DisassociateAdminAccount", "fms.GetAdminAccount")
    t("organizations.EnableAWSServiceAccess", ServicePrincipal="cloudtrail.amazonaws.com")
    t("cloudtrail.RegisterOrganizationDelegatedAdmin", MemberAccountId=t.aid)
    listed = t("organizations.ListDelegatedAdministrators", ServicePrincipal="cloudtrail.amazonaws.com")
    t.check(
        "cloudtrail.RegisterOrganizationDelegatedAdmin",
        "listed",
        lambda: listed.DelegatedAdministrators[0]["Id"] == t.aid,
    )
    t("cloudtrail.DeregisterOrganizationDelegatedAdmin", DelegatedAdminAccountId=t.aid)
    left = t("organizations.ListDelegatedAdministrators", ServicePrincipal="cloudtrail.amazonaws.com")
    t.check("cloudtrail.DeregisterOrganizationDelegatedAdmin", "gone", lambda: left.DelegatedAdministrators == [])


SCENARIOS = [[structure, service_access, delegated, policies, members_view, account, delegated_elsewhere]]
