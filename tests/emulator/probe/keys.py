"""How an emulator tells accounts apart: each way that is in use, by name."""

from typing import Any


class Keys:
    """`akia`: AKIA, the account, four characters; `digits`: the account itself; `header`: as moto's server wants it."""

    def __init__(self, way: str) -> None:
        if way not in ("akia", "digits", "header"):
            raise ValueError(f"accounts are told apart by akia, digits or header, not {way!r}")
        self.way = way

    def access_key(self, account: str) -> str:
        return {"akia": f"AKIA{account}TEST", "digits": account, "header": "test"}[self.way]

    def prepare(self, client: Any, account: str) -> None:
        """Makes the client's calls those of the account, where the key does not say it."""
        if self.way != "header":
            return

        def name_account(params: dict[str, Any], **_: Any) -> None:
            params["headers"]["x-moto-account-id"] = account

        client.meta.events.register("before-call.*.*", name_account)
