"""Whether a key that a service is told to use is there: by id, ARN, alias or alias ARN."""

from moto.kms.models import kms_backends

from emulator.wire import Call


def is_key(call: Call, name: str) -> bool:
    """Keys of other accounts are taken to be there, as are AWS's own, which are made when they are first used."""
    parts = name.split(":", 5)
    if parts[0] == "arn":
        if len(parts) < 6 or parts[2] != "kms" or parts[3] != call.region:
            return False
        if parts[4] != call.account:
            return True
        name = parts[5].removeprefix("key/")
    if name.startswith("alias/aws/"):
        return True
    backend = kms_backends[call.account][call.region]
    found = backend.keys.get(backend.get_key_id_from_alias(name) if name.startswith("alias/") else name)
    return found is not None and found.enabled and found.key_state == "Enabled"
