"""The shelf: what AWS only keeps, as tables over botocore's API models.

A table in `tables/` names operations, defaults and what AWS adds; everything else comes from the model. What a request
says is stored by the model's names, an answer is what is stored, cut to the operation's output. docs/emulator.md shows
how an operation is added in a line.
"""

import functools
import importlib
import pkgutil

from emulator.shelf import tables
from emulator.shelf.collection import Collection, short_id
from emulator.shelf.model import invalid
from emulator.shelf.setting import WHOLE, setting
from emulator.shelf.store import Owner, Row, milliseconds, now, owner_of, place, planted
from emulator.shelf.tags import Tagged, tags

__all__ = [
    "WHOLE",
    "Collection",
    "Owner",
    "Row",
    "Tagged",
    "invalid",
    "load",
    "milliseconds",
    "now",
    "owner_of",
    "place",
    "planted",
    "setting",
    "short_id",
    "tags",
]


@functools.cache
def load(service: str | None) -> None:
    """Loads the service's tables: `tables/SERVICE.py` and `tables/SERVICE_….py`, with `_` for `-`."""
    name = (service or "none").replace("-", "_")
    for module in pkgutil.iter_modules(tables.__path__):
        if module.name == name or module.name.startswith(f"{name}_"):
            importlib.import_module(f"{tables.__name__}.{module.name}")
