"""Every expectation that held goes on holding; what falls short is written down in `probe/lacking.json`."""

import json
import re
import unittest

from emulator.probe import table
from emulator.probe.keys import Keys
from emulator.probe.run import lacking, run
from emulator.testing import endpoint


class Contract(unittest.TestCase):
    maxDiff = None

    def test_what_held_holds(self) -> None:
        """Where this fails for the better, `make emulator-matrix` writes down the better."""
        known = json.loads(table.LACKING.read_text())
        records = run(endpoint(), Keys("akia"))
        worse = {}
        for operation, (verdict, *reasons) in lacking(records).items():
            new = [reason for reason in reasons if reason not in known.get(operation, [])]
            if new:
                worse[operation] = [verdict, *new]
        self.assertEqual(worse, {})

    def test_the_table_says_what_the_list_says(self) -> None:
        text = table.DOCUMENT.read_text()
        shown = text.partition(table.BEGIN)[2].partition(table.END)[0]
        known = json.loads(table.LACKING.read_text())
        total = re.search(r"\*\*all\*\* \| \*\*(\d+)\*\* \| \*\*(\d+)\*\* \| \*\*(\d+)\*\* \| \*\*(\d+)\*\*", shown)
        count = {word: sum(one[0] == word for one in known.values()) for word in ("partly", "no")}
        self.assertEqual([int(total[3]), int(total[4])], [count["partly"], count["no"]])
        self.assertEqual(int(total[2]), int(total[1]) - len(known))
        for operation in known:
            service, _, name = operation.partition(".")
            row = re.search(rf"^\| {service} \|.*$", shown, re.M)
            self.assertIn(name, row[0], operation)


if __name__ == "__main__":
    unittest.main()
