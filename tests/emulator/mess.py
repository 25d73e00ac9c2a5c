"""Messy accounts."""

from typing import Any


def make(emulator: Any, account: str, minimal: bool = False) -> dict[str, Any]:
    return {}
