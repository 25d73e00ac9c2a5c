"""Tag operations, which a service has once for all its kinds of objects."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from emulator.answers import AwsError
from emulator.missing import handles
from emulator.shelf.collection import ARNS
from emulator.shelf.model import declared, invalid, member, output
from emulator.shelf.store import Row, place
from emulator.wire import Call

TAGS = ("Tags", "tags", "TagList", "TagsModel")
KEYS = ("TagKeys", "tagKeys", "TagKeyList")
MOST = 50


class HasTags(Protocol):
    """Objects with ARNs: a Collection, or Tagged for objects that the shelf does not keep."""

    absent: tuple[str, str]

    def by_arn(self, call: Call, arn: str) -> Row | None: ...

    def every(self, call: Call) -> Iterable[tuple[str, Row]]: ...


class Tagged:
    """Tags of objects that moto keeps; `exists` tells whether an ARN is of one."""

    def __init__(self, name: str, exists: Callable[[Call, str], bool], absent: tuple[str, str]) -> None:
        self.name, self.exists, self.absent = name, exists, absent

    def by_arn(self, call: Call, arn: str) -> Row | None:
        if not self.exists(call, arn):
            return None
        return place(call, f"{self.name}/tags").setdefault(arn, Row({}))

    def every(self, call: Call) -> Iterable[tuple[str, Row]]:
        return list(place(call, f"{self.name}/tags").items())


# Everything with tags that is kept here: the service, the objects, and their member with the tags.
KINDS: list[tuple[str, HasTags, str]] = []


def tags(
    service: str,
    tag: str,
    untag: str,
    listing: str | None,
    *,
    of: Sequence[HasTags],
    kept: str = "tags",
    by: str | None = None,
    most: str | None = None,
    otherwise_moto: bool = False,
    caseless: bool = False,
) -> None:
    """Registers the tag operations for the objects `of` these kinds.

    The objects keep their tags in the member `kept`, in the form of the model (a map, or a list of Key and Value).
    `by` is the input's member with the ARN, `most` the error for more than 50. With `otherwise_moto` moto has the tags
    of all other ARNs. With `caseless`, keys that differ by case are one, in the spelling of the last write.
    """

    KINDS.extend((service, kind, kept) for kind in of)
    fold: Callable[[str], str] = str.lower if caseless else str

    def found(call: Call) -> Row | None:
        arn = call.params[by or member(call, ARNS) or "ResourceArn"]
        for kind in of:
            row = kind.by_arn(call, arn)
            if row:
                return row
        if otherwise_moto:
            return None
        code, message = of[0].absent
        raise AwsError(code, message.format(id=arn))

    @handles(service, tag)
    def put(call: Call, _: Any) -> dict[str, Any] | None:
        row = found(call)
        if row is None:
            return None
        new = as_map(call.params[member(call, TAGS) or "Tags"])
        if any(name.lower().startswith("aws:") for name in new):
            raise invalid(call, "Tag keys that begin with aws: are reserved.")
        again = {fold(name) for name in new} if caseless else set()
        value = {name: text for name, text in as_map(row.now.get(kept)).items() if fold(name) not in again} | new
        if len(value) > MOST:
            code = most or declared(call, "TooManyTags", "LimitExceeded")
            message = f"A resource may have {MOST} tags."
            raise AwsError(code, message) if code else invalid(call, message)
        row.now[kept] = in_form(value, call.model.input_shape.members[member(call, TAGS)])
        return {}

    @handles(service, untag)
    def drop(call: Call, _: Any) -> dict[str, Any] | None:
        row = found(call)
        if row is None:
            return None
        there, names = row.now.get(kept), {fold(name) for name in call.params[member(call, KEYS) or "TagKeys"]}
        if isinstance(there, list):
            row.now[kept] = [one for one in there if not {fold(name) for name in as_map([one])} & names]
        elif there:
            row.now[kept] = {name: value for name, value in there.items() if fold(name) not in names}
        return {}

    if listing:

        @handles(service, listing)
        def read(call: Call, _: Any) -> dict[str, Any] | None:
            row = found(call)
            if row is None:
                return None
            name = member(call, TAGS, "output")
            value = as_map(row.now.get(kept))
            return output(call, {name: in_form(value, call.model.output_shape.members[name])})


def as_map(value: Any) -> dict[str, str]:
    """Tags as a map, from either form."""
    if isinstance(value, list):
        return {one.get("Key", one.get("key")): one.get("Value", one.get("value", "")) for one in value}
    return dict(value or {})


def in_form(value: dict[str, str], shape: Any) -> Any:
    """Tags in the form of the shape: a map, or a list of key and value in the model's spelling."""
    if shape.type_name == "map":
        return value
    names = {name.lower(): name for name in shape.member.members}
    key, text = names.get("key", "Key"), names.get("value", "Value")
    return [{key: name, text: item} for name, item in value.items()]
