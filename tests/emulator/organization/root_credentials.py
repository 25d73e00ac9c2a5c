"""IAM without a user's name: of the root user in a session of the root user, of the caller in one of a user.

What the root user has is the state of the route `root`; deleting it changes that state, which the credential report
shows when it is made the next time.
"""

from datetime import UTC, datetime
from typing import Any

from emulator.answers import AwsError
from emulator.identity import caller_arn, root_keys
from emulator.missing import Forward, from_moto, handles
from emulator.missing.iam import backend_of, root_of
from emulator.wire import Call

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
NAME = "root"


def acts_on_root(call: Call) -> bool:
    """Whether the call is about the root user; a role cannot leave the name out."""
    if "UserName" in call.params:
        return False
    if ":assumed-role/" in caller_arn(call):
        raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials")
    return call.access_key in root_keys


def key_id(call: Call) -> str:
    return f"AKIA{call.account}ROOT"


def certificate_id(call: Call) -> str:
    return f"ROOTCERTIFICATE{call.account}"


def devices(call: Call) -> dict[str, str]:
    """The serial numbers of root's devices, by the name of the state."""
    root, arn = root_of(call.account), f"arn:{call.partition}:iam::{call.account}:mfa/root-account-mfa-device"
    found = {"mfa": f"GAHT{call.account[:8]}", "virtual_mfa": arn}
    return {name: serial for name, serial in found.items() if getattr(root, name)}


@handles("iam", "ListAccessKeys")
def list_keys(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    key = {"UserName": NAME, "AccessKeyId": key_id(call), "Status": "Active", "CreateDate": SINCE}
    return {"AccessKeyMetadata": [key] if root_of(call.account).access_keys else [], "IsTruncated": False}


@handles("iam", "DeleteAccessKey")
def delete_key(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    root, wanted = root_of(call.account), call.params["AccessKeyId"]
    if not root.access_keys or wanted != key_id(call):
        raise AwsError("NoSuchEntity", f"The Access Key with id {wanted} cannot be found.")
    root.access_keys = False
    return {}


@handles("iam", "ListSigningCertificates")
def list_certificates(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    one = {
        "UserName": NAME,
        "CertificateId": certificate_id(call),
        "CertificateBody": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "Status": "Active",
        "UploadDate": SINCE,
    }
    return {"Certificates": [one] if root_of(call.account).signing_certificates else [], "IsTruncated": False}


@handles("iam", "DeleteSigningCertificate")
def delete_certificate(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    root, wanted = root_of(call.account), call.params["CertificateId"]
    if not root.signing_certificates or wanted != certificate_id(call):
        raise AwsError("NoSuchEntity", f"The Certificate with id {wanted} cannot be found.")
    root.signing_certificates = False
    return {}


@handles("iam", "ListMFADevices")
def list_devices(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    found = [{"UserName": NAME, "SerialNumber": one, "EnableDate": SINCE} for one in devices(call).values()]
    return {"MFADevices": found, "IsTruncated": False}


@handles("iam", "DeactivateMFADevice")
def deactivate_device(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    wanted = call.params["SerialNumber"]
    name = next((name for name, serial in devices(call).items() if serial == wanted), None)
    if name is None:
        raise AwsError("NoSuchEntity", f"MFA Device {wanted} cannot be found.")
    setattr(root_of(call.account), name, False)
    return {}


@handles("iam", "GetLoginProfile")
def get_password(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    if not root_of(call.account).password:
        raise _no_password()
    return {"LoginProfile": {"UserName": NAME, "CreateDate": SINCE}}


@handles("iam", "CreateLoginProfile")
def create_password(call: Call, forward: Forward) -> dict[str, Any] | None:
    """A user's password; of root, lets it be set anew by e-mail."""
    if not acts_on_root(call):
        made = from_moto(call, forward)
        reset = bool(call.params.get("PasswordResetRequired"))
        backend_of(call).get_user(call.params["UserName"]).password_reset_required = reset
        made["LoginProfile"]["PasswordResetRequired"] = reset
        return made
    root = root_of(call.account)
    if root.password:
        raise AwsError("EntityAlreadyExists", "Login Profile for the root user already exists.")
    root.password = True
    return {"LoginProfile": {"UserName": NAME, "CreateDate": datetime.now(UTC)}}


@handles("iam", "DeleteLoginProfile")
def delete_password(call: Call, _: Forward) -> dict[str, Any] | None:
    if not acts_on_root(call):
        return None
    root = root_of(call.account)
    if not root.password:
        raise _no_password()
    root.password = False
    return {}


def _no_password() -> AwsError:
    return AwsError("NoSuchEntity", "Login Profile for the root user cannot be found.")
