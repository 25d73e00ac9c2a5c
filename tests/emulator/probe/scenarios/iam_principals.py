"""IAM: users, groups, managed policies, roles."""

import datetime
from contextlib import suppress

import boto3

from emulator.probe.material import GET_ACL, LIST_BUCKETS, TRUST, certificate, document
from emulator.probe.trial import Trial


def users(t: Trial) -> None:
    t("iam.CreateUser", UserName="u1", Tags=[{"Key": "a", "Value": "b"}])
    listed = t("iam.ListUserTags", UserName="u1")
    t.check("iam.CreateUser ListUserTags", "tags at create", lambda: listed.Tags == [{"Key": "a", "Value": "b"}])
    t("iam.TagUser", UserName="u1", Tags=[{"Key": "c", "Value": "d"}])
    listed = t("iam.ListUserTags", UserName="u1")
    t.check("iam.TagUser ListUserTags", "merged", lambda: len(listed.Tags) == 2)
    k = t("iam.CreateAccessKey", UserName="u1")
    kid = k["AccessKey"]["AccessKeyId"] if k.ok else "AKIAIOSFODNN7EXAMPLE"
    listed = t("iam.ListAccessKeys", UserName="u1")
    t.check(
        "iam.CreateAccessKey ListAccessKeys",
        "listed active",
        lambda: [(made["AccessKeyId"], made["Status"]) for made in listed.AccessKeyMetadata] == [(kid, "Active")],
    )
    read = t("iam.GetAccessKeyLastUsed", AccessKeyId=kid)
    t.check(
        "iam.GetAccessKeyLastUsed",
        "unused: N/A, no date",
        lambda: (
            read.UserName == "u1"
            and read.AccessKeyLastUsed["ServiceName"] == "N/A"
            and ("LastUsedDate" not in read.AccessKeyLastUsed)
        ),
    )
    t("iam.UpdateAccessKey", UserName="u1", AccessKeyId=kid, Status="Inactive")
    listed = t("iam.ListAccessKeys", UserName="u1")
    t.check("iam.UpdateAccessKey", "inactive", lambda: listed.AccessKeyMetadata[0]["Status"] == "Inactive")
    t("iam.GetLoginProfile", UserName="u1", expect="NoSuchEntity")
    t("iam.CreateLoginProfile", UserName="u1", Password="Abc123!x9", PasswordResetRequired=True)
    read = t("iam.GetLoginProfile", UserName="u1")
    t.check(
        "iam.CreateLoginProfile GetLoginProfile",
        "reset required kept",
        lambda: read.LoginProfile["PasswordResetRequired"] is True,
    )
    m = t("iam.CreateVirtualMFADevice", VirtualMFADeviceName="m1")
    sn = m["VirtualMFADevice"]["SerialNumber"] if m.ok else f"arn:aws:iam::{t.acct}:mfa/m1"
    t("iam.EnableMFADevice", UserName="u1", SerialNumber=sn, AuthenticationCode1="123456", AuthenticationCode2="654321")
    listed = t("iam.ListMFADevices", UserName="u1")
    t.check(
        "iam.EnableMFADevice ListMFADevices",
        "listed",
        lambda: [made["SerialNumber"] for made in listed.MFADevices] == [sn],
    )
    listed = t("iam.ListVirtualMFADevices", AssignmentStatus="Assigned")
    t.check(
        "iam.CreateVirtualMFADevice ListVirtualMFADevices",
        "assigned to the user",
        lambda: [made["User"]["UserName"] for made in listed.VirtualMFADevices if made["SerialNumber"] == sn] == ["u1"],
    )
    t("iam.CreateServiceSpecificCredential", UserName="u1", ServiceName="codecommit.amazonaws.com")
    listed = t("iam.ListServiceSpecificCredentials", UserName="u1")
    t.check(
        "iam.CreateServiceSpecificCredential ListServiceSpecificCredentials",
        "listed",
        lambda: len(listed.ServiceSpecificCredentials) == 1,
    )
    listed = t("iam.ListServiceSpecificCredentials", AllUsers=True)
    t.check("iam.ListServiceSpecificCredentials", "AllUsers", lambda: len(listed.ServiceSpecificCredentials) == 1)
    t("iam.UploadSSHPublicKey", UserName="u1", SSHPublicKeyBody="ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ x")
    listed = t("iam.ListSSHPublicKeys", UserName="u1")
    t.check("iam.UploadSSHPublicKey ListSSHPublicKeys", "listed", lambda: len(listed.SSHPublicKeys) == 1)
    cert = certificate()[0]
    t("iam.UploadSigningCertificate", UserName="u1", CertificateBody=cert)
    listed = t("iam.ListSigningCertificates", UserName="u1")
    t.check("iam.UploadSigningCertificate ListSigningCertificates", "listed", lambda: len(listed.Certificates) == 1)
    if listed.ok and listed.get("Certificates"):
        t("iam.DeleteSigningCertificate", UserName="u1", CertificateId=listed.Certificates[0]["CertificateId"])
        listed = t("iam.ListSigningCertificates", UserName="u1")
        t.check("iam.DeleteSigningCertificate", "gone", lambda: listed.Certificates == [])
    else:
        t("iam.DeleteSigningCertificate", UserName="u1", CertificateId="A" * 24)
    t("iam.PutUserPolicy", UserName="u1", PolicyName="p", PolicyDocument=LIST_BUCKETS)
    p = t(
        "iam.CreatePolicy",
        PolicyName="local1",
        PolicyDocument=LIST_BUCKETS,
        Description="d",
        Tags=[{"Key": "o", "Value": "x"}],
    )
    t.made_pa = p["Policy"]["Arn"] if p.ok else f"arn:aws:iam::{t.acct}:policy/local1"
    t("iam.AttachUserPolicy", UserName="u1", PolicyArn=t.made_pa)
    read = t("iam.CreateGroup", GroupName="g1", Path="/x/")
    t("iam.AddUserToGroup", GroupName="g1", UserName="u1")
    read = t("iam.GetGroup", GroupName="g1")
    t.check(
        "iam.CreateGroup AddUserToGroup GetGroup",
        "member and path",
        lambda: [made["UserName"] for made in read.Users] == ["u1"] and read.Group["Path"] == "/x/",
    )
    t("iam.AttachGroupPolicy", GroupName="g1", PolicyArn=t.made_pa)
    listed = t("iam.ListAttachedGroupPolicies", GroupName="g1")
    t.check(
        "iam.AttachGroupPolicy ListAttachedGroupPolicies",
        "listed",
        lambda: [made["PolicyArn"] for made in listed.AttachedPolicies] == [t.made_pa],
    )
    t("iam.AttachGroupPolicy", GroupName="g1", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    listed = t("iam.ListAttachedGroupPolicies", GroupName="g1")
    t.check("iam.AttachGroupPolicy", "AWS managed policy", lambda: len(listed.AttachedPolicies) == 2)
    t("iam.PutGroupPolicy", GroupName="g1", PolicyName="ip", PolicyDocument=LIST_BUCKETS)
    listed = t("iam.ListGroupPolicies", GroupName="g1")
    t.check("iam.PutGroupPolicy ListGroupPolicies", "listed", lambda: listed.PolicyNames == ["ip"])
    read = t("iam.GetGroupPolicy", GroupName="g1", PolicyName="ip")
    t.check(
        "iam.GetGroupPolicy PutGroupPolicy", "document", lambda: document(read.PolicyDocument) == document(LIST_BUCKETS)
    )
    a = t("iam.GetAccountAuthorizationDetails", Filter=["User", "Group"])
    t.check(
        "iam.GetAccountAuthorizationDetails",
        "user: inline, attached, groups, tags",
        lambda: (
            (
                lambda u: (
                    u["UserPolicyList"][0]["PolicyName"],
                    u["AttachedManagedPolicies"][0]["PolicyArn"],
                    u["GroupList"],
                    len(u["Tags"]),
                )
            )(a.UserDetailList[0])
            == ("p", t.made_pa, ["g1"], 2)
        ),
    )
    t.check(
        "iam.PutUserPolicy AttachUserPolicy",
        "seen in GetAccountAuthorizationDetails",
        lambda: (
            a.UserDetailList[0]["UserPolicyList"][0]["PolicyName"] == "p"
            and a.UserDetailList[0]["AttachedManagedPolicies"][0]["PolicyArn"] == t.made_pa
        ),
    )
    t.check("iam.GetAccountAuthorizationDetails", "filter: no roles", lambda: not a.RoleDetailList)
    t.check(
        "iam.GetAccountAuthorizationDetails",
        "group inline and attached",
        lambda: (
            a.GroupDetailList[0]["GroupPolicyList"][0]["PolicyName"] == "ip"
            and len(a.GroupDetailList[0]["AttachedManagedPolicies"]) == 2
        ),
    )
    made = t("iam.GenerateCredentialReport")
    t.check("iam.GenerateCredentialReport", "state", lambda: made.State in ("STARTED", "INPROGRESS", "COMPLETE"))
    made = t("iam.GenerateCredentialReport")
    made = t("iam.GetCredentialReport")
    t.check(
        "iam.GetCredentialReport",
        "rows root and user",
        lambda: b"<root_account>" in made.Content and b"u1" in made.Content,
    )
    t.check(
        "iam.GetCredentialReport",
        "current columns, GeneratedTime of now",
        lambda: (
            b"password_last_used" in made.Content
            and abs((datetime.datetime.now(datetime.timezone.utc) - made.GeneratedTime).days) < 2
        ),
    )
    e = t("iam.ListEntitiesForPolicy", PolicyArn=t.made_pa)
    t.check(
        "iam.ListEntitiesForPolicy",
        "users and groups",
        lambda: [u["UserName"] for u in e.PolicyUsers] == ["u1"] and [u["GroupName"] for u in e.PolicyGroups] == ["g1"],
    )
    j = t("iam.GenerateServiceLastAccessedDetails", Arn=f"arn:aws:iam::{t.acct}:user/u1")
    j2 = t("iam.GetServiceLastAccessedDetails", JobId=j["JobId"] if j.ok else "0" * 36)
    t.check(
        "iam.GenerateServiceLastAccessedDetails GetServiceLastAccessedDetails",
        "completed with services",
        lambda: j2.JobStatus == "COMPLETED" and "ServicesLastAccessed" in j2,
    )
    t.check(
        "iam.GetServiceLastAccessedDetails",
        "lists the services that the policy grants",
        lambda: [made["ServiceNamespace"] for made in j2.ServicesLastAccessed] == ["s3"],
    )
    t("iam.CreateGroup", GroupName="g2")
    t("iam.AddUserToGroup", GroupName="g2", UserName="u1")
    t("iam.DeleteGroup", GroupName="g2", expect="DeleteConflict")
    with suppress(Exception):
        t.client("iam").remove_user_from_group(GroupName="g2", UserName="u1")
        t.client("iam").delete_group(GroupName="g2")
    t("iam.DetachGroupPolicy", GroupName="g1", PolicyArn=t.made_pa)
    listed = t("iam.ListAttachedGroupPolicies", GroupName="g1")
    t.check(
        "iam.DetachGroupPolicy",
        "gone",
        lambda: t.made_pa not in [made["PolicyArn"] for made in listed.AttachedPolicies],
    )
    t("iam.DetachGroupPolicy", GroupName="g1", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    t("iam.DeleteGroupPolicy", GroupName="g1", PolicyName="ip")
    listed = t("iam.ListGroupPolicies", GroupName="g1")
    t.check("iam.DeleteGroupPolicy", "gone", lambda: listed.PolicyNames == [])
    t("iam.RemoveUserFromGroup", GroupName="g1", UserName="u1")
    read = t("iam.GetGroup", GroupName="g1")
    t.check("iam.RemoveUserFromGroup", "gone", lambda: read.Users == [])
    t("iam.DeleteGroup", GroupName="g1")
    t("iam.GetGroup", GroupName="g1", expect="NoSuchEntity")
    t.gone("iam.DeleteGroup", "iam.GetGroup")
    t("iam.DeleteLoginProfile", UserName="u1")
    t("iam.GetLoginProfile", UserName="u1", expect="NoSuchEntity")
    t.gone("iam.DeleteLoginProfile", "iam.GetLoginProfile")
    t("iam.DeactivateMFADevice", UserName="u1", SerialNumber=sn)
    listed = t("iam.ListMFADevices", UserName="u1")
    t.check("iam.DeactivateMFADevice", "gone", lambda: listed.MFADevices == [])
    t("iam.DeleteAccessKey", UserName="u1", AccessKeyId=kid)
    listed = t("iam.ListAccessKeys", UserName="u1")
    t.check("iam.DeleteAccessKey", "gone", lambda: listed.AccessKeyMetadata == [])


def managed_policies(t: Trial) -> None:
    read = t("iam.GetPolicy", PolicyArn=t.made_pa)
    t.check(
        "iam.CreatePolicy GetPolicy",
        "description, tags, default v1",
        lambda: (
            (read.Policy["Description"], read.Policy["DefaultVersionId"], read.Policy["Tags"][0]["Key"])
            == ("d", "v1", "o")
        ),
    )
    t.check("iam.GetPolicy", "AttachmentCount", lambda: read.Policy["AttachmentCount"] == 1)
    v = t("iam.GetPolicyVersion", PolicyArn=t.made_pa, VersionId="v1")
    t.check("iam.GetPolicyVersion", "document", lambda: document(v.PolicyVersion["Document"]) == document(LIST_BUCKETS))
    t("iam.CreatePolicyVersion", PolicyArn=t.made_pa, PolicyDocument=GET_ACL, SetAsDefault=True)
    read = t("iam.GetPolicy", PolicyArn=t.made_pa)
    t.check("iam.CreatePolicyVersion", "default v2", lambda: read.Policy["DefaultVersionId"] == "v2")
    listed = t("iam.ListPolicyVersions", PolicyArn=t.made_pa)
    t.check(
        "iam.ListPolicyVersions",
        "two, one default",
        lambda: (
            sorted(((made["VersionId"], made["IsDefaultVersion"]) for made in listed.Versions))
            == [("v1", False), ("v2", True)]
        ),
    )
    t("iam.SetDefaultPolicyVersion", PolicyArn=t.made_pa, VersionId="v1")
    read = t("iam.GetPolicy", PolicyArn=t.made_pa)
    t.check("iam.SetDefaultPolicyVersion", "default v1", lambda: read.Policy["DefaultVersionId"] == "v1")
    for n in range(3):
        t("iam.CreatePolicyVersion", PolicyArn=t.made_pa, PolicyDocument=LIST_BUCKETS)
    t("iam.CreatePolicyVersion", PolicyArn=t.made_pa, PolicyDocument=LIST_BUCKETS, expect="LimitExceeded")
    t("iam.DeletePolicyVersion", PolicyArn=t.made_pa, VersionId="v2")
    listed = t("iam.ListPolicyVersions", PolicyArn=t.made_pa)
    t.check("iam.DeletePolicyVersion", "gone", lambda: "v2" not in [made["VersionId"] for made in listed.Versions])
    t("iam.TagPolicy", PolicyArn=t.made_pa, Tags=[{"Key": "k", "Value": "v"}])
    read = t("iam.GetPolicy", PolicyArn=t.made_pa)
    t.check("iam.TagPolicy", "kept", lambda: {"Key": "k", "Value": "v"} in read.Policy["Tags"])
    t("iam.UntagPolicy", PolicyArn=t.made_pa, TagKeys=["k"])
    read = t("iam.GetPolicy", PolicyArn=t.made_pa)
    t.check("iam.UntagPolicy", "gone", lambda: "k" not in [made["Key"] for made in read.Policy["Tags"]])
    listed = t("iam.ListPolicies", Scope="Local")
    t.check("iam.ListPolicies", "local", lambda: [made["Arn"] for made in listed.Policies] == [t.made_pa])
    a = t("iam.GetAccountAuthorizationDetails", Filter=["LocalManagedPolicy"])
    t.check("iam.GetAccountAuthorizationDetails", "policy with versions", lambda: a.Policies[0]["PolicyVersionList"])


def roles(t: Trial) -> None:
    t("iam.GetRole", RoleName="r1", expect="NoSuchEntity")
    answer = t(
        "iam.CreateRole",
        RoleName="r1",
        AssumeRolePolicyDocument=TRUST,
        Description="d",
        MaxSessionDuration=7200,
        PermissionsBoundary=t.made_pa,
        Tags=[{"Key": "a", "Value": "b"}],
    )
    read = t("iam.GetRole", RoleName="r1")
    t.check(
        "iam.CreateRole GetRole",
        "description, duration, boundary, tags, trust",
        lambda: (
            (
                read.Role["Description"],
                read.Role["MaxSessionDuration"],
                read.Role["PermissionsBoundary"]["PermissionsBoundaryArn"],
                read.Role["Tags"],
                document(read.Role["AssumeRolePolicyDocument"]),
            )
            == ("d", 7200, t.made_pa, [{"Key": "a", "Value": "b"}], document(TRUST))
        ),
    )
    t("iam.PutRolePolicy", RoleName="r1", PolicyName="ip", PolicyDocument=LIST_BUCKETS)
    listed = t("iam.ListRolePolicies", RoleName="r1")
    read = t("iam.GetRolePolicy", RoleName="r1", PolicyName="ip")
    t.check(
        "iam.PutRolePolicy ListRolePolicies GetRolePolicy",
        "back",
        lambda: listed.PolicyNames == ["ip"] and document(read.PolicyDocument) == document(LIST_BUCKETS),
    )
    t("iam.AttachRolePolicy", RoleName="r1", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    listed = t("iam.ListAttachedRolePolicies", RoleName="r1")
    t.check(
        "iam.AttachRolePolicy ListAttachedRolePolicies",
        "listed",
        lambda: [made["PolicyName"] for made in listed.AttachedPolicies] == ["SecurityAudit"],
    )
    tr2 = TRUST.replace("ec2", "lambda")
    t("iam.UpdateAssumeRolePolicy", RoleName="r1", PolicyDocument=tr2)
    read = t("iam.GetRole", RoleName="r1")
    t.check(
        "iam.UpdateAssumeRolePolicy",
        "changed",
        lambda: document(read.Role["AssumeRolePolicyDocument"]) == document(tr2),
    )
    t("iam.UpdateRole", RoleName="r1", Description="e")
    read = t("iam.GetRole", RoleName="r1")
    t.check(
        "iam.UpdateRole",
        "omitted duration is kept",
        lambda: (read.Role["Description"], read.Role["MaxSessionDuration"]) == ("e", 7200),
    )
    t("iam.UpdateRole", RoleName="r1", MaxSessionDuration=3600)
    read = t("iam.GetRole", RoleName="r1")
    t.check("iam.UpdateRole", "omitted description is kept", lambda: read.Role.get("Description") == "e")
    t("iam.TagRole", RoleName="r1", Tags=[{"Key": "c", "Value": "d"}])
    listed = t("iam.ListRoleTags", RoleName="r1")
    t.check("iam.TagRole ListRoleTags", "merged", lambda: len(listed.Tags) == 2)
    t("iam.UntagRole", RoleName="r1", TagKeys=["c"])
    listed = t("iam.ListRoleTags", RoleName="r1")
    t.check("iam.UntagRole", "gone", lambda: len(listed.Tags) == 1)
    listed = t("iam.ListRoles")
    t.check(
        "iam.ListRoles",
        "lists; no boundary, no tags",
        lambda: (
            [("PermissionsBoundary" in made, "Tags" in made) for made in listed.Roles if made["RoleName"] == "r1"]
            == [(False, False)]
        ),
    )
    a = t("iam.GetAccountAuthorizationDetails", Filter=["Role"])
    t.check(
        "iam.GetAccountAuthorizationDetails",
        "role: inline, attached, boundary",
        lambda: (
            [
                (
                    made["RolePolicyList"][0]["PolicyName"],
                    made["AttachedManagedPolicies"][0]["PolicyName"],
                    made["PermissionsBoundary"]["PermissionsBoundaryArn"],
                )
                for made in a.RoleDetailList
                if made["RoleName"] == "r1"
            ]
            == [("ip", "SecurityAudit", t.made_pa)]
        ),
    )
    t("iam.DeleteRolePermissionsBoundary", RoleName="r1")
    read = t("iam.GetRole", RoleName="r1")
    t.check("iam.DeleteRolePermissionsBoundary", "gone", lambda: "PermissionsBoundary" not in read.Role)
    t("iam.PutRolePermissionsBoundary", RoleName="r1", PermissionsBoundary=t.made_pa)
    read = t("iam.GetRole", RoleName="r1")
    t.check(
        "iam.PutRolePermissionsBoundary",
        "set",
        lambda: read.Role["PermissionsBoundary"]["PermissionsBoundaryArn"] == t.made_pa,
    )
    c = t.client("iam")
    with suppress(Exception):
        c.create_instance_profile(InstanceProfileName="ip1")
        c.add_role_to_instance_profile(InstanceProfileName="ip1", RoleName="r1")
    t("iam.DeleteRole", RoleName="r1", expect="DeleteConflict")
    t("iam.DetachRolePolicy", RoleName="r1", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    listed = t("iam.ListAttachedRolePolicies", RoleName="r1")
    t.check("iam.DetachRolePolicy", "gone", lambda: listed.AttachedPolicies == [])
    t("iam.DeleteRolePolicy", RoleName="r1", PolicyName="ip")
    listed = t("iam.ListRolePolicies", RoleName="r1")
    t.check("iam.DeleteRolePolicy", "gone", lambda: listed.PolicyNames == [])
    t("iam.RemoveRoleFromInstanceProfile", InstanceProfileName="ip1", RoleName="r1")
    with suppress(Exception):
        p = c.get_instance_profile(InstanceProfileName="ip1")
        t.check("iam.RemoveRoleFromInstanceProfile", "gone", lambda: p["InstanceProfile"]["Roles"] == [])
    t("iam.DeleteRole", RoleName="r1")
    t("iam.GetRole", RoleName="r1", expect="NoSuchEntity")
    t.gone("iam.DeleteRole", "iam.GetRole")
    made = t("iam.CreateServiceLinkedRole", AWSServiceName="config.amazonaws.com")
    t.check(
        "iam.CreateServiceLinkedRole",
        "real name AWSServiceRoleForConfig",
        lambda: made.Role["RoleName"] == "AWSServiceRoleForConfig",
    )
    made = t("iam.CreateServiceLinkedRole", AWSServiceName="access-analyzer.amazonaws.com")
    t.check(
        "iam.CreateServiceLinkedRole",
        "real name AWSServiceRoleForAccessAnalyzer",
        lambda: made.Role["RoleName"] == "AWSServiceRoleForAccessAnalyzer",
    )
    t(
        "iam.CreateServiceLinkedRole",
        AWSServiceName="config.amazonaws.com",
        expect=["InvalidInput", "InvalidInputException"],
    )
    answer = t("sts.AssumeRole", RoleArn=f"arn:aws:iam::{t.member}:role/evenkeel", RoleSessionName="sess")
    t.check("sts.AssumeRole", "credentials", lambda: answer.Credentials["SessionToken"])
    if answer.ok:
        try:
            s = boto3.client(
                "sts",
                region_name="us-east-1",
                endpoint_url=t.url,
                aws_access_key_id=answer.Credentials["AccessKeyId"],
                aws_secret_access_key=answer.Credentials["SecretAccessKey"],
                aws_session_token=answer.Credentials["SessionToken"],
            ).get_caller_identity()
            t.check(
                "sts.AssumeRole", "session belongs to the account of the role", lambda: s["Account"] == f"{t.member}"
            )
        except Exception:
            t.check("sts.AssumeRole", "session belongs to the account of the role", lambda: False)
    with suppress(Exception):
        c.detach_user_policy(UserName="u1", PolicyArn=t.made_pa)
    t("iam.DeletePolicy", PolicyArn=f"arn:aws:iam::{t.acct}:policy/none", expect="NoSuchEntity")
    for v in ("v3", "v4", "v5"):
        with suppress(Exception):
            c.delete_policy_version(PolicyArn=t.made_pa, VersionId=v)
    t("iam.DeletePolicy", PolicyArn=t.made_pa)
    t("iam.GetPolicy", PolicyArn=t.made_pa, expect="NoSuchEntity")
    t.gone("iam.DeletePolicy", "iam.GetPolicy")
    t("iam.DeleteUser", UserName="u1", expect="DeleteConflict")
    c.create_user(UserName="leaves")
    t("iam.DeleteUser", UserName="leaves")
    t.check("iam.DeleteUser", "gone", lambda: "leaves" not in [one["UserName"] for one in c.list_users()["Users"]])


SCENARIOS = [[users, managed_policies, roles]]
