"""IAM: the root user, the password policy's edges, and the rules that a role's writes obey.

moto has no root user in its reports, no AWS managed policies unless it loads all of them, forgets a description in
UpdateRole and checks neither limits nor service-linked roles.
"""

import csv
import functools
import io
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from emulator import policy
from emulator.answers import Answer, AwsError
from emulator.identity import linked_role
from emulator.missing import Forward, from_moto, guards, handles, iam_documents
from emulator.wire import Call

REPORT_LIFE = timedelta(hours=4)
MANAGED_POLICIES_PER_ROLE = 10
INLINE_CHARACTERS_PER_ROLE = 10240
TRUST_CHARACTERS = 2048
ROLE_WRITES = {
    "UpdateRole",
    "UpdateRoleDescription",
    "UpdateAssumeRolePolicy",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "DeleteRolePermissionsBoundary",
    "DeleteRole",
}


@dataclass
class RootUser:
    """What is to be seen of an account's root user; set with POST /_evenkeel/root."""

    mfa: bool = False
    virtual_mfa: bool = False
    access_keys: bool = False
    signing_certificates: bool = False
    password: bool = True
    last_used: str | None = None


_ROOTS: dict[str, RootUser] = {}
_REPORTS: dict[str, tuple[datetime, str]] = {}


def root_of(account: str) -> RootUser:
    return _ROOTS.setdefault(account, RootUser())


def set_root(account: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Changes the root user and drops the credential report, so that the next one shows it."""
    _ROOTS[account] = RootUser(**(asdict(root_of(account)) | changes))
    _REPORTS.pop(account, None)
    return asdict(_ROOTS[account])


def backend_of(call: Call) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[call.account][call.partition]


def find_role(call: Call) -> Any:
    """The role that the call names; names are unique without regard to case."""
    name = call.params["RoleName"]
    for role in backend_of(call).roles.values():
        if role.name.lower() == name.lower():
            return role
    raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.")


@guards("iam")
def protected_roles(call: Call) -> None:
    if call.operation in ROLE_WRITES:
        role = find_role(call)
        if role.path.startswith(("/aws-service-role/", "/aws-reserved/")):
            raise AwsError(
                "UnmodifiableEntity",
                f"Cannot perform the operation on the protected role '{role.name}' - "
                "this role is only modifiable by AWS",
            )


@handles("iam", "UpdateAccountPasswordPolicy")
def update_password_policy(call: Call, _: Forward) -> dict[str, Any]:
    from moto.iam.models import AccountPasswordPolicy

    given = call.params
    backend_of(call).account_password_policy = AccountPasswordPolicy(
        given.get("AllowUsersToChangePassword", False),
        given.get("HardExpiry", False),
        given.get("MaxPasswordAge", 0),
        given.get("MinimumPasswordLength", 6),
        given.get("PasswordReusePrevention", 0),
        given.get("RequireLowercaseCharacters", False),
        given.get("RequireNumbers", False),
        given.get("RequireSymbols", False),
        given.get("RequireUppercaseCharacters", False),
    )
    return {}


@handles("iam", "GetAccountPasswordPolicy")
def get_password_policy(call: Call, _: Forward) -> dict[str, Any]:
    kept = backend_of(call).account_password_policy
    if kept is None:
        raise AwsError("NoSuchEntity", f"The Password Policy with domain name {call.account} cannot be found.")
    made = {
        "MinimumPasswordLength": kept.minimum_password_length,
        "RequireSymbols": kept.require_symbols,
        "RequireNumbers": kept.require_numbers,
        "RequireUppercaseCharacters": kept.require_uppercase_characters,
        "RequireLowercaseCharacters": kept.require_lowercase_characters,
        "AllowUsersToChangePassword": kept.allow_users_to_change_password,
        "ExpirePasswords": kept.expire_passwords,
    }
    if kept.max_password_age:
        made |= {"MaxPasswordAge": kept.max_password_age, "HardExpiry": bool(kept.hard_expiry)}
    if kept.password_reuse_prevention:
        made["PasswordReusePrevention"] = kept.password_reuse_prevention
    return {"PasswordPolicy": made}


@handles("iam", "GetAccountSummary")
def get_account_summary(call: Call, forward: Forward) -> dict[str, Any]:
    made, root = from_moto(call, forward), root_of(call.account)
    made["SummaryMap"] |= {
        "AccountMFAEnabled": int(root.mfa or root.virtual_mfa),
        "AccountAccessKeysPresent": int(root.access_keys),
        "AccountPasswordPresent": int(root.password),
        "AccountSigningCertificatesPresent": int(root.signing_certificates),
    }
    return made


@handles("iam", "ListVirtualMFADevices")
def list_virtual_mfa(call: Call, forward: Forward) -> dict[str, Any]:
    made = from_moto(call, forward)
    if root_of(call.account).virtual_mfa and call.params.get("AssignmentStatus", "Any") != "Unassigned":
        arn = f"arn:{call.partition}:iam::{call.account}"
        created = datetime(2020, 1, 1, tzinfo=UTC)
        # The root user has no name and id of its own: the id is the account's.
        user = {"Path": "/", "UserName": "root", "UserId": call.account, "Arn": f"{arn}:root", "CreateDate": created}
        made["VirtualMFADevices"].append(
            {"SerialNumber": f"{arn}:mfa/root-account-mfa-device", "User": user, "EnableDate": created}
        )
    return made


@handles("iam", "GenerateCredentialReport")
def generate_report(call: Call, _: Forward) -> dict[str, Any]:
    made = _REPORTS.get(call.account)
    if made and datetime.now(UTC) - made[0] < REPORT_LIFE:
        return {"State": "COMPLETE"}
    _REPORTS[call.account] = (datetime.now(UTC).replace(microsecond=0), _report(call))
    return {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}


@handles("iam", "GetCredentialReport")
def get_report(call: Call, _: Forward) -> dict[str, Any]:
    made = _REPORTS.get(call.account)
    if made is None:
        raise AwsError("ReportNotPresent", "No report exists. Generate one first.")
    if datetime.now(UTC) - made[0] >= REPORT_LIFE:
        raise AwsError("ReportExpired", "The report is older than four hours.")
    return {"Content": made[1].encode(), "ReportFormat": "text/csv", "GeneratedTime": made[0]}


# What the answer to CreateRole does not have, though GetRole has it.
NOT_AT_FIRST = ("Description", "MaxSessionDuration", "RoleLastUsed")


@handles("iam", "CreateRole")
def create_role(call: Call, forward: Forward) -> dict[str, Any]:
    params = call.params
    if any(role.name.lower() == params["RoleName"].lower() for role in backend_of(call).roles.values()):
        raise AwsError("EntityAlreadyExists", f"Role with name {params['RoleName']} already exists.")
    _check_trust(call, params["AssumeRolePolicyDocument"])
    if "PermissionsBoundary" in params:
        ensure_policy(call, params["PermissionsBoundary"])
    made = from_moto(call, forward)["Role"]
    role = find_role(call)
    role.assume_role_policy_document = _trust(call, params["AssumeRolePolicyDocument"])
    role.max_session_duration = params.get("MaxSessionDuration", 3600)
    return {"Role": {name: value for name, value in made.items() if name not in NOT_AT_FIRST}}


@handles("iam", "GetRole")
def get_role(call: Call, forward: Forward) -> dict[str, Any]:
    find_role(call)
    made = from_moto(call, forward)
    used = made["Role"].get("RoleLastUsed") or {}
    made["Role"]["RoleLastUsed"] = {name: value for name, value in used.items() if value}
    return made


@handles("iam", "UpdateRole")
def update_role(call: Call, _: Forward) -> dict[str, Any]:
    """What is not sent stays; moto takes it away."""
    role = find_role(call)
    if "Description" in call.params:
        role.description = call.params["Description"]
    role.max_session_duration = call.params.get("MaxSessionDuration", role.max_session_duration)
    return {}


@handles("iam", "UpdateAssumeRolePolicy")
def update_trust(call: Call, _: Forward) -> dict[str, Any]:
    role = find_role(call)
    _check_trust(call, call.params["PolicyDocument"])
    role.assume_role_policy_document = _trust(call, call.params["PolicyDocument"])
    return {}


@handles("iam", "PutRolePermissionsBoundary")
def put_boundary(call: Call, _: Forward) -> None:
    find_role(call)
    ensure_policy(call, call.params["PermissionsBoundary"])


@handles("iam", "AttachRolePolicy")
def attach_role_policy(call: Call, _: Forward) -> dict[str, Any] | None:
    role, arn = find_role(call), call.params["PolicyArn"]
    ensure_policy(call, arn)
    if arn in role.managed_policies:
        return {}
    if len(role.managed_policies) >= MANAGED_POLICIES_PER_ROLE:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {MANAGED_POLICIES_PER_ROLE}")
    return None


@handles("iam", "GetPolicy", "GetPolicyVersion", "ListEntitiesForPolicy")
def read_policy(call: Call, _: Forward) -> None:
    ensure_policy(call, call.params["PolicyArn"])


@handles("iam", "PutRolePolicy")
def put_role_policy(call: Call, _: Forward) -> None:
    role, name, text = find_role(call), call.params["PolicyName"], call.params["PolicyDocument"]
    others = sum(_characters(other) for key, other in role.policies.items() if key != name)
    if others + _characters(text) > INLINE_CHARACTERS_PER_ROLE:
        raise AwsError(
            "LimitExceeded",
            f"Maximum policy size of {INLINE_CHARACTERS_PER_ROLE} bytes exceeded for role {role.name}",
        )


@handles("iam", "GetRolePolicy")
def get_role_policy(call: Call, _: Forward) -> None:
    role, name = find_role(call), call.params["PolicyName"]
    if name not in role.policies:
        raise AwsError("NoSuchEntity", f"The role policy with name {name} cannot be found.")


@handles("iam", "DeleteRole")
def delete_role(call: Call, forward: Forward) -> Answer:
    from emulator.missing.iam_deleted import forget

    role = find_role(call)
    if any(role in profile.roles for profile in backend_of(call).instance_profiles.values()):
        raise AwsError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    answer = forward()
    if answer.status < 300:
        forget(call.partition, role.arn, role.id)
    return answer


@handles("iam", "TagRole")
def tag_role(call: Call, forward: Forward) -> Answer:
    """Keys know no case: a tag of the same key in another spelling is replaced."""
    answer, role = forward(), find_role(call)
    if answer.status < 300:
        given = {tag["Key"] for tag in call.params["Tags"]}
        folded = {key.lower() for key in given}
        role.tags = [tag for tag in role.tags if tag["Key"] in given or tag["Key"].lower() not in folded]
    return answer


@handles("iam", "UntagRole")
def untag_role(call: Call, forward: Forward) -> Answer:
    answer, role = forward(), find_role(call)
    if answer.status < 300:
        folded = {key.lower() for key in call.params["TagKeys"]}
        role.tags = [tag for tag in role.tags if tag["Key"].lower() not in folded]
    return answer


def _check_trust(call: Call, text: str) -> None:
    if _characters(text) > TRUST_CHARACTERS:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST_CHARACTERS}")
    if problem := iam_documents.problem_of_trust(text):
        raise AwsError("MalformedPolicyDocument", problem)
    unknown = policy.unknown_principals(text, call.account, call.partition)
    if unknown:
        raise AwsError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{unknown[0]}"')


def _trust(call: Call, text: str) -> str:
    """IAM keeps a document to the letter, unless a principal is a bare account id: that becomes an ARN."""
    return policy.stored(text, call.partition, texts=False) if policy.has_account_principal(text) else text


def ensure_policy(call: Call, arn: str) -> None:
    """Loads the AWS managed policy when the ARN is of one; refuses an ARN that no policy has."""
    backend = backend_of(call)
    if arn in backend.managed_policies:
        return
    prefix = f"arn:{call.partition}:iam::aws:policy/"
    name = arn.rpartition("/")[2]
    data = aws_policies().get(name) if arn.startswith(prefix) else None
    if data is None:
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    from moto.iam.models import AWSManagedPolicy

    made = AWSManagedPolicy.from_data(name, call.account, call.region, data)
    if made.arn != arn:
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    backend.managed_policies[arn] = made
    backend.aws_managed_policies.append(made)


@functools.cache
def aws_policies() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return orjson.loads(aws_managed_policies_data)


def _characters(text: str) -> int:
    """IAM does not count white space."""
    return len("".join(text.split()))


def _report(call: Call) -> str:
    """The credential report: moto's rows for users below one for the root user."""
    from moto.iam.models import iam_backends

    backend = iam_backends[call.account][call.partition]
    backend.generate_report()
    rows = list(csv.reader(io.StringIO(backend.get_credential_report())))
    header, users = rows[0], rows[1:]
    root = root_of(call.account)
    arn = f"arn:{call.partition}:iam::{call.account}:root"
    values = {
        "user": "<root_account>",
        "arn": arn,
        "user_creation_time": "2020-01-01T00:00:00+00:00",
        "password_enabled": "true" if root.password else "false",
        "password_last_used": root.last_used or "no_information",
        "password_last_changed": "not_supported",
        "password_next_rotation": "not_supported",
        "mfa_active": "true" if root.mfa or root.virtual_mfa else "false",
        "access_key_1_active": "true" if root.access_keys else "false",
        "access_key_2_active": "false",
        "cert_1_active": "true" if root.signing_certificates else "false",
        "cert_2_active": "false",
    }
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerow([values.get(name, "N/A") for name in header])
    writer.writerows(users)
    return text.getvalue()


@handles("iam", "CreateServiceLinkedRole")
def create_service_linked_role(call: Call, forward: Forward) -> Answer:
    service = call.params["AWSServiceName"]
    if "." not in service:
        raise AwsError("InvalidInput", f"The service {service} is not valid", 400)
    role = linked_role(service)
    if role and "CustomSuffix" in call.params:
        raise AwsError("InvalidInput", f"Custom suffix is not allowed for {service}", 400)
    answer = forward()
    if answer.error_code() == "EntityAlreadyExists":
        raise AwsError(
            "InvalidInput",
            f"Service role name {role or service} has been taken in this account, please try a different suffix.",
            400,
        )
    return answer
