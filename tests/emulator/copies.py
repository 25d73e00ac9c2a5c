"""Everything that an account has, put away as bytes and taken out again as another account's, in a few milliseconds.

moto's and the emulator's objects are pickled. In the bytes the account's number gives way to the other one's, and so does
each id that AWS makes: numbers and ids of one kind have one length, so that the bytes stay what pickle can read.
"""

import hashlib
import pickle
import re
from typing import Any

from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

from emulator.missing import cloudtrail
from emulator.shelf import store

IDS = re.compile(
    rb"(?<![\w-])(?:(?P<ec2>(?:[a-z]+-)+)(?P<hex>[0-9a-f]{17}|[0-9a-f]{8})"
    rb"|(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    rb"|(?P<iam>A[A-Z]{3})(?P<letters>[A-Z0-9]{17}))(?![\w-])"
)
BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def taken(account: str) -> bytes:
    """What the account has, which it then has no more."""
    moto = {
        backends.service_name: dict(dict.items(backends.pop(account)))
        for backends in list(BackendDict._instances)
        if account in backends and backends.service_name != "sts"
    }
    for bucket in [name for name, (_, owner) in s3_backends.bucket_accounts.items() if owner == account]:
        del s3_backends.bucket_accounts[bucket]
    trails = {key: cloudtrail._TRAILS.pop(key) for key in list(cloudtrail._TRAILS) if key[0] == account}
    return pickle.dumps((moto, trails, store._PLACES.pop(account, {})))


def is_new(account: str) -> bool:
    """The account has nothing yet but sessions, with which it may be asked."""
    used = {
        backends.service_name: list(dict.values(backends[account]))
        for backends in list(BackendDict._instances)
        if account in backends
    }
    return (
        set(used) <= {"iam", "sts"}
        and all(_has_sessions_alone(iam) for iam in used.get("iam", []))
        and account not in store._PLACES
    )


def _has_sessions_alone(iam: Any) -> bool:
    new = vars(type(iam)(iam.region_name, iam.account_id))
    names = set(new) - {"access_keys", "account_summary"}
    return all(pickle.dumps(new[name]) == pickle.dumps(getattr(iam, name)) for name in names)


def put(state: bytes, owner: str, account: str) -> None:
    """Gives what `owner` had to the account, which is new."""
    moto, trails, places = pickle.loads(renamed(state, owner, account))
    by_name = {backends.service_name: backends for backends in BackendDict._instances}
    for service, regions in moto.items():
        here = by_name[service][account]
        for region, backend in regions.items():
            if service == "iam" and dict.get(here, region):
                backend.access_keys |= dict.get(here, region).access_keys
            here[region] = backend
    for partition, backend in moto["s3"].items():
        s3_backends.bucket_accounts.update(dict.fromkeys(backend.buckets, (partition, account)))
    cloudtrail._TRAILS.update(trails)
    if places:
        store._PLACES[account] = places


def renamed(state: bytes, owner: str, account: str) -> bytes:
    """The bytes with the other account's number, and ids that follow from it."""

    def other(found: re.Match[bytes]) -> bytes:
        digest = hashlib.sha256(account.encode() + found[0])
        if found["ec2"]:
            return found["ec2"] + digest.hexdigest()[: len(found["hex"])].encode()
        if found["uuid"]:
            made = digest.hexdigest()
            return f"{made[:8]}-{made[8:12]}-4{made[13:16]}-a{made[17:20]}-{made[20:32]}".encode()
        return found["iam"] + bytes(BASE32[byte % 32] for byte in digest.digest()[:17])

    return IDS.sub(other, state.replace(owner.encode(), account.encode()))
