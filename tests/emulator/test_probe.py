"""Every expectation that held goes on holding; what falls short is written down in `probe/lacking.json`."""

import functools
import json
import unittest

from moto.core.utils import get_service_model

from emulator.probe import answers, table
from emulator.probe.absent import ALLOWED
from emulator.probe.keys import Keys
from emulator.probe.run import lacking, named, run
from emulator.probe.trial import Record
from emulator.testing import endpoint


@functools.cache
def results() -> dict[str, Record]:
    """What became of each operation, of one run for all tests."""
    return run(endpoint(), Keys("akia"))


class Contract(unittest.TestCase):
    maxDiff = None

    def test_what_held_holds(self) -> None:
        """Where this fails for the better, `make emulator-matrix` writes down the better."""
        known = json.loads(table.LACKING.read_text())
        records = results()
        short, worse = lacking(records), {}
        for operation, (verdict, *reasons) in short.items():
            new = [reason for reason in reasons if reason not in known.get(operation, [])]
            if new:
                worse[operation] = [verdict, *new]
        self.assertEqual(worse, {})
        better = {operation: said for operation, said in known.items() if said != short.get(operation)}
        self.assertEqual(better, {})
        self.assertEqual(set(records), named())

    def test_each_operation_answers_rightly_and_refuses_what_is_wrong(self) -> None:
        thin = {}
        for name, record in results().items():
            notes = [note for note, _ in record.checks if not note.startswith("answers as")]
            refusals = [note.startswith(("fails with", "must fail")) for note in notes]
            told = {"ok": "ok" in record.calls, "read back": not all(refusals), "refused": any(refusals)}
            told["by its model"] = len(notes) < len(record.checks)
            told["more than an answer"] = not {"answers", "list"} & set(notes)
            if len(refusals) < 2 or not all(told.values()):
                thin[name] = told
        # Everybody may ask who they are, and nothing can be wrong with it.
        self.assertEqual(sorted(thin), sorted(ALLOWED), thin)

    def test_an_answer_that_its_model_does_not_have_is_seen(self) -> None:
        rest, xml = get_service_model("lambda"), get_service_model("s3")
        functions, versioning = rest.operation_model("ListFunctions"), xml.operation_model("GetBucketVersioning")
        for body, model, problem in (
            (b'{"Functions": [{"FunctionName": "f", "Timeout": 3}]}', functions, None),
            (b'{"Functions": [{"KMSKeyArn": null}]}', functions, "null at"),
            (b'{"Functions": [{"Colour": "red"}]}', functions, "unknown"),
            (b'{"Functions": [{"PackageType": "Box"}]}', functions, "enum value set"),
            (b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", versioning, None),
            (b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", versioning, "enum value set"),
        ):
            with self.subTest(body):
                found = answers.problems({"status_code": 200, "headers": {}, "body": body}, model)
                self.assertEqual(found, []) if problem is None else self.assertIn(problem, str(found))

    def test_the_table_says_what_the_probes_and_the_list_say(self) -> None:
        self.assertEqual(shown(table.DOCUMENT.read_text()), told())

    def test_the_operations_at_first_are_those_of_today_without_the_later_ones(self) -> None:
        later = {f"{service}.{name}" for service, names in table.LATER.items() for name in names}
        self.assertLessEqual(later, named())
        for family, (services, before) in table.FAMILIES.items():
            with self.subTest(family):
                today = [name for name in named() - later if name.partition(".")[0] in services]
                self.assertEqual(len(today), sum(before))

    def test_a_stale_table_is_seen(self) -> None:
        text = table.DOCUMENT.read_text()
        for old, new in (("| sqs | 7 | 7 |  |  |\n", ""), ("| iam | 106 | 106 |", "| iam | 105 | 105 |")):
            self.assertIn(old, text)
            self.assertNotEqual(shown(text.replace(old, new)), told())


def shown(text: str) -> str:
    """The table of the document."""
    return table.BEGIN + text.partition(table.BEGIN)[2].partition(table.END)[0] + table.END


def told() -> str:
    """The table as the probes' names and the list of what falls short have it."""
    return table.made(named(), json.loads(table.LACKING.read_text()))


if __name__ == "__main__":
    unittest.main()
