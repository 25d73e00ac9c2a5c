"""Where moto's serialisers find a member of an object: the names are the same for all objects of a class.

moto works them out for each member of each object, up to seven names, and looks through all of a service's
transformers besides.
"""

from typing import Any

from moto.core import serialize
from moto.core.serialize import (
    AttributePickerContext,
    DefaultAttributePicker,
    ResponseSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import MISSING, get_value

_get_value = ResponseSerializer.get_value
#: What a lookup by key may raise, by moto.
_ABSENT = (KeyError, IndexError, TypeError, AttributeError)
#: By transformers: how many there are, and which of them can be meant by a member's name.
_TRANSFORMERS: dict[int, tuple[int, dict[str, list[str]]]] = {}


def apply() -> None:
    ResponseSerializer.get_value = member


def member(self: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
    """The member of `value` that the API model calls `key`, or None."""
    picker = self._value_picker
    if type(picker) is DefaultAttributePicker:
        if type(value) is dict and "." not in key:
            return value.get(key)
        return get_value(value, key, None)
    if type(picker) is not XFormedAttributePicker or picker.alias_providers is not serialize.DEFAULT_ALIAS_PROVIDERS:
        return _get_value(self, value, key, shape)
    names = _names(picker, value, key, shape)
    if not names:
        return _get_value(self, value, key, shape)
    found = _find(value, names)
    transformers = picker.response_transformers
    for path in _candidates(transformers, key) if transformers else ():
        if f"{'.'.join(self.path)}.{key}".endswith(path):
            return transformers[path](found)
    return found


def _names(picker: XFormedAttributePicker, value: Any, key: str, shape: Any) -> tuple[str, ...]:
    """The names under which the object may have the member, kept at the shape; none where one of them is a path."""
    known = shape.__dict__.setdefault("_names_by_class", {})
    names = known.get((type(value), key))
    if names is None:
        context = AttributePickerContext(obj=value, key=key, shape=shape)
        names = tuple(dict.fromkeys(picker.get_possible_keys(context)))
        names = known[(type(value), key)] = () if any("." in name for name in names) else names
    return names


def _find(value: Any, names: tuple[str, ...]) -> Any:
    if type(value) is dict:
        for name in names:
            if name in value:
                return value[name]
    elif hasattr(value, "__getitem__"):
        for name in names:
            try:
                return value[name]
            except _ABSENT:
                continue
    else:
        for name in names:
            found = getattr(value, name, MISSING)
            if found is not MISSING:
                return found
    return None


def _candidates(transformers: dict[str, Any], key: str) -> list[str]:
    """The paths of transformers that can be the end of one to a member of this name, in their order."""
    size, by_key = _TRANSFORMERS.get(id(transformers), (0, {}))
    if size != len(transformers):
        by_key = {}
        _TRANSFORMERS[id(transformers)] = (len(transformers), by_key)
    if key not in by_key:
        by_key[key] = [path for path in transformers if f".{key}".endswith(path) or path.endswith(f".{key}")]
    return by_key[key]
