"""Many objects of one kind in each account and Region: made, found, listed, changed, deleted."""

import copy
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.answers import AwsError
from emulator.missing import handles
from emulator.shelf.model import declared, invalid, member, output
from emulator.shelf.pages import page
from emulator.shelf.store import Owner, Row, now, place
from emulator.wire import Call

ARNS = ("ResourceArn", "resourceArn", "ResourceARN", "resourceARN", "Arn", "arn", "Identifier", "identifier")
Adds = Mapping[str, Any] | Callable[[Call], dict[str, Any]]
Refuses = Callable[[Call, dict[str, Any]], None]


class Collection:
    """Objects of one kind; the methods register operations and return the collection.

    `key` is the member with an object's id: taken from the input, or made by `new_id`. `arn` is (member, template with
    {partition}, {region}, {account}, {id}, {parent}). `parent` is the collection that they are in, or the member of
    the input that tells one owner's objects from another's. `defaults` is what AWS takes for what is not sent, `made`
    what it adds at creation, `shown` what it works out for each answer, `created` and `updated` are members with times
    (of `clock`). `absent` is the error (code, message with {id}) for an unknown id, `limit` the quota (number, code),
    `one` allows a single object. `check` runs before every operation. While a change settles reads show what was
    before (`late`), or the change with the `middle` members of the operation.
    """

    def __init__(
        self,
        service: str,
        name: str,
        *,
        key: str,
        new_id: Callable[[Call], str] | None = None,
        arn: tuple[str, str] | None = None,
        parent: "Collection | str | None" = None,
        everywhere: bool = False,
        one: bool = False,
        defaults: Adds | None = None,
        made: Adds | None = None,
        shown: Callable[[Call, dict[str, Any]], dict[str, Any]] | None = None,
        created: str | None = None,
        updated: str | None = None,
        absent: tuple[str, str] = ("ResourceNotFoundException", "{id} does not exist."),
        clock: Callable[[], Any] = now,
        limit: tuple[int, str] | None = None,
        late: bool = False,
        owner: Owner | None = None,
        check: Callable[[Call], None] | None = None,
    ) -> None:
        self.service, self.name, self.key, self.new_id, self.arn = service, name, key, new_id, arn
        self.parent, self.everywhere, self.one, self.defaults, self.made = parent, everywhere, one, defaults, made
        self.shown = shown
        self.created, self.updated, self.absent, self.limit = created, updated, absent, limit
        self.late, self.owner, self.check, self.clock = late, owner, check, clock
        self.children: list[Collection] = []
        if isinstance(parent, Collection):
            parent.children.append(self)

    # What hand-written operations need.

    def place(self, call: Call) -> dict[Any, Row]:
        return place(call, self.name, self.everywhere)

    def rows(self, call: Call) -> list[Row]:
        """The objects of the call's parent, oldest first."""
        parent = self._parent(call)
        return [row for at, row in self.place(call).items() if at[0] == parent]

    def find(self, call: Call, wanted: str | None) -> Row:
        """The object with the id or ARN, of the call's parent."""
        for row in self.rows(call):
            if not row.gone and wanted is not None and wanted in (row.now[self.key], self._arn_of(row)):
                return row
        raise AwsError(self.absent[0], self.absent[1].format(id=wanted, parent=self._parent(call)))

    def by_arn(self, call: Call, arn: str) -> Row | None:
        """The object with the ARN, whatever its parent."""
        return next((row for row in self.place(call).values() if not row.gone and arn == self._arn_of(row)), None)

    def every(self, call: Call) -> list[tuple[str, Row]]:
        """All objects that have ARNs, whatever their parents."""
        rows = [row for row in self.place(call).values() if not row.gone]
        return [(arn, row) for row in rows if (arn := self._arn_of(row))]

    def add(self, call: Call, row_id: str, value: dict[str, Any], middle: dict[str, Any] | None = None) -> Row:
        """Puts an object there, with its id, ARN and times."""
        parent = self._parent(call)
        value = self._added(self.defaults, call) | value | {self.key: row_id} | self._added(self.made, call)
        if self.arn:
            value[self.arn[0]] = self.arn[1].format(
                partition=call.partition, region=call.region, account=call.account, id=row_id, parent=parent
            )
        value |= {name: self.clock() for name in (self.created, self.updated) if name}
        row = Row({})
        row.write(call, value, middle)
        self.place(call)[(parent, row_id)] = row
        return row

    def drop(self, call: Call, row: Row) -> None:
        """Takes the object away, and those that are in it."""
        here = self.place(call)
        here.pop(next(at for at, other in here.items() if other is row))
        for child in self.children:
            inside = child.place(call)
            for at in [at for at in inside if at[0] == row.now[self.key]]:
                inside.pop(at)

    # What a table says.

    def create(
        self,
        operation: str,
        *,
        exists: str | None = None,
        same: Sequence[str] = (),
        again: str | None = None,
        under: str | None = None,
        token: str | None = None,
        check: Callable[[Call], None] | None = None,
        middle: dict[str, Any] | None = None,
        after: Callable[[Call, Row], None] | None = None,
    ) -> "Collection":
        """Makes an object.

        A second one of the same id, with equal members `same`, or of a collection of `one`, is the error `exists`;
        without it the one that is there is answered. The input's idempotency token (or `token`) makes a repeated call
        answer as the first did; with other parameters it is the error `again`, or what the model declares for it.
        `after` does what belongs to it.
        """

        @handles(self.service, operation)
        def handler(call: Call, _: Any) -> dict[str, Any]:
            self._before(call)
            name = token or next(iter(call.model.idempotent_members), None)
            sent = {k: v for k, v in call.params.items() if k != name}
            used = call.params.get(name) if name else None
            tokens = place(call, f"{self.name}/tokens")
            if used in tokens:
                first = tokens[used].now
                if first["sent"] != sent:
                    raise _mismatch(call, again)
                return copy.deepcopy(first["answer"])
            if self.owner:
                self.owner.check(call, self.name)
            if check:
                check(call)
            row_id = self.new_id(call) if self.new_id else call.params[self.key]
            rows = [row for row in self.rows(call) if not row.gone]
            for row in rows:
                equal = row.now[self.key] == row_id or (same and all(row.now.get(m) == sent.get(m) for m in same))
                if equal or self.one:
                    if exists:
                        raise AwsError(exists, f"The {self.name} already exists.")
                    return output(call, self._read(call, row), under)
            if self.limit and len(rows) >= self.limit[0]:
                raise AwsError(self.limit[1], f"There may be {self.limit[0]} of {self.name}.")
            row = self.add(call, row_id, _with_tags(copy.deepcopy(sent)), middle)
            answer = output(call, self._wrote(call, row, middle), under)
            if after:
                after(call, row)
            if used:
                tokens[used] = Row({"sent": sent, "answer": copy.deepcopy(answer)})
            return answer

        return self

    def put(
        self, operation: str, *, under: str | None = None, check: Callable[[Call], None] | None = None
    ) -> "Collection":
        """Makes the object, or replaces what was there of the same id."""

        @handles(self.service, operation)
        def handler(call: Call, _: Any) -> dict[str, Any]:
            self._before(call)
            if self.owner:
                self.owner.check(call, self.name)
            if check:
                check(call)
            there = [row for row in self.rows(call) if not row.gone]
            old = next((row for row in there if row.now[self.key] == call.params[self.key]), None)
            if old is None and self.limit and len(there) >= self.limit[0]:
                raise AwsError(self.limit[1], f"There may be {self.limit[0]} of {self.name}.")
            row = self.add(call, call.params[self.key], _with_tags(copy.deepcopy(call.params)))
            if old and self.created:
                row.now[self.created] = old.now[self.created]
            return output(call, self._wrote(call, row), under)

        return self

    def get(self, operation: str, *, under: str | None = None, by: str | None = None) -> "Collection":
        """Answers with one object, as a whole or in the output's member `under`; `by` is the input's member."""

        @handles(self.service, operation)
        def handler(call: Call, _: Any) -> dict[str, Any]:
            self._before(call)
            return output(call, self._read(call, self._named(call, by)), under)

        return self

    def list(
        self,
        operation: str,
        under: str,
        *,
        only: str | None = None,
        hides: Sequence[str] = (),
        filters: Mapping[str, str] | None = None,
        ids: str | None = None,
        where: Callable[[Call, dict[str, Any]], bool] | None = None,
    ) -> "Collection":
        """Lists, in pages when the model has them.

        `only` lists one member of each object, `hides` leaves members out, `filters` maps members of the input to
        the object's members that must be equal, `ids` is the input's member with ids that must all be there.
        """

        @handles(self.service, operation)
        def handler(call: Call, _: Any) -> dict[str, Any]:
            self._before(call)
            for wanted in call.params.get(ids, []) if ids else []:
                if not any(wanted in (row.now[self.key], self._arn_of(row)) for row in self.rows(call)):
                    self.find(call, wanted)
            found = []
            for row in self.rows(call):
                value = self._read(call, row)
                if ids and call.params.get(ids) and not {value[self.key], self._arn_of(row)} & set(call.params[ids]):
                    continue
                wanted = {m: call.params[name] for name, m in (filters or {}).items() if name in call.params}
                if any(value.get(name) != wish for name, wish in wanted.items()) or (where and not where(call, value)):
                    continue
                found.append(value[only] if only else {k: v for k, v in value.items() if k not in hides})
            shown, token = page(call, found)
            return output(call, {under: shown} | token)

        return self

    def update(
        self,
        operation: str,
        *,
        by: str | None = None,
        under: str | None = None,
        whole: bool = False,
        changed: Adds | None = None,
        check: Refuses | None = None,
        middle: dict[str, Any] | None = None,
    ) -> "Collection":
        """Changes what is sent and leaves the rest, or with `whole` replaces all but what AWS added."""

        @handles(self.service, operation)
        def handler(call: Call, _: Any) -> dict[str, Any]:
            self._before(call)
            row = self._named(call, by)
            if self.owner:
                self.owner.check(call, self.name)
            if check:
                check(call, row.now)
            names = {self._name_of(call, by), self._parent_member(), *call.model.idempotent_members}
            sent = {k: v for k, v in call.params.items() if k not in names}
            old = row.now
            if whole:
                added = {self.key, self.created, self.arn[0] if self.arn else None, *self._added(self.made, call)}
                old = {name: value for name, value in old.items() if name in added}
            value = old | sent | self._added(changed, call) | ({self.updated: self.clock()} if self.updated else {})
            row.write(call, value, middle, self.late)
            return output(call, self._wrote(call, row, middle), under)

        return self

    def delete(
        self,
        operation: str,
        *,
        by: str | None = None,
        under: str | None = None,
        refuse: Refuses | None = None,
        lingers: dict[str, Any] | None = None,
        middle: dict[str, Any] | None = None,
        missing_is_fine: bool = False,
    ) -> "Collection":
        """Deletes; `refuse` raises while the object is in use. One that `lingers` stays listed with these members."""

        @handles(self.service, operation)
        def handler(call: Call, _: Any) -> dict[str, Any]:
            self._before(call)
            try:
                row = self._named(call, by)
            except AwsError:
                if missing_is_fine:
                    return output(call, {})
                raise
            if self.owner:
                self.owner.check(call, self.name)
            if refuse:
                refuse(call, row.now)
            if lingers:
                row.write(call, row.now | lingers, middle)
                row.gone = True
            else:
                self.drop(call, row)
            return output(call, self._wrote(call, row, middle), under)

        return self

    def _before(self, call: Call) -> None:
        if self.check:
            self.check(call)
        if isinstance(self.parent, Collection):
            self.parent.find(call, call.params.get(self.parent.key))

    def _parent_member(self) -> str | None:
        return self.parent.key if isinstance(self.parent, Collection) else self.parent

    def _parent(self, call: Call) -> Any:
        name = self._parent_member()
        return call.params.get(name) if name else None

    def _arn_of(self, row: Row) -> str | None:
        return row.now.get(self.arn[0]) if self.arn else None

    def _name_of(self, call: Call, by: str | None) -> str | None:
        if by:
            return by
        names = (self.key, self.arn[0] if self.arn else None, *ARNS)
        return next((name for name in names if name in call.params), None) or member(call, names)

    def _named(self, call: Call, by: str | None) -> Row:
        """The object that the call names; of a collection of one, that one."""
        name = self._name_of(call, by)
        if name is None and self.one:
            for row in self.rows(call):
                return row
        return self.find(call, call.params.get(name) if name else None)

    def _added(self, adds: Adds | None, call: Call) -> dict[str, Any]:
        if callable(adds):
            return adds(call)
        return {name: value(call) if callable(value) else copy.deepcopy(value) for name, value in (adds or {}).items()}

    def _read(self, call: Call, row: Row) -> dict[str, Any]:
        """The object as a read has it."""
        return row.read() | self._owned(call) if row.reads else self._wrote(call, row)

    def _wrote(self, call: Call, row: Row, middle: dict[str, Any] | None = None) -> dict[str, Any]:
        """The object as the answer to a write has it: with what is worked out, its owner, what it is on its way to."""
        return row.now | (self.shown(call, row.now) if self.shown else {}) | (middle or {}) | self._owned(call)

    def _owned(self, call: Call) -> dict[str, Any]:
        return self.owner.shown(call, self.name) if self.owner else {}


def short_id(_: Call) -> str:
    """An id of 32 hexadecimal digits, as many services make them."""
    return uuid.uuid4().hex


def _with_tags(value: dict[str, Any]) -> dict[str, Any]:
    """What was sent, with the tags of EC2's specifications where EC2 answers with them."""
    specifications = value.pop("TagSpecifications", [])
    tags = [tag for one in specifications for tag in one.get("Tags", [])]
    return value | ({"Tags": tags} if tags else {})


def _mismatch(call: Call, code: str | None) -> AwsError:
    message = "The token was used before, with other parameters."
    code = code or ("IdempotentParameterMismatch" if call.service == "ec2" else declared(call, "Idempot"))
    return AwsError(code, message) if code else invalid(call, message)
