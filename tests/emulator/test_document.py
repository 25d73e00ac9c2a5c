"""What docs/emulator.md says of tests is so."""

import re
import unittest
from pathlib import Path

HERE = Path(__file__).parent


class Document(unittest.TestCase):
    def test_the_tests_that_it_names_are_there(self) -> None:
        text = (HERE.parents[1] / "docs" / "emulator.md").read_text()
        named = re.findall(r"`(test_\w+)\.(?!py`)(\w+)`", text)
        self.assertGreater(len(named), 50)
        for file, test in named:
            self.assertIn(f"def test_{test}(", (HERE / f"{file}.py").read_text(), f"{file}.{test}")


if __name__ == "__main__":
    unittest.main()
