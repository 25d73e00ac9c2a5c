"""Event patterns: which events they match, and what is no pattern."""

import json
import unittest
from typing import Any

from emulator.testing import AccountTest

EVENT = {"version": "0", "id": "1", "detail-type": "t", "source": "s", "account": "111122223333", "region": "us-east-1"}
EVENT |= {"time": "2026-11-01T00:00:00Z", "resources": ["first", "second"]}


class PatternTest(AccountTest):
    def matches(self, pattern: Any, detail: Any) -> bool:
        events = self.client("events")
        event = json.dumps(EVENT | {"detail": detail})
        return events.test_event_pattern(EventPattern=json.dumps(pattern), Event=event)["Result"]

    def check(self, accepted: Any, right: list[Any], wrong: list[Any]) -> None:
        """Whether the values match that shall, and no others."""
        for value in [*right, *wrong]:
            with self.subTest(accepted=accepted, value=value):
                self.assertEqual(self.matches({"detail": {"a": accepted}}, {"a": value}), value in right)


class Values(PatternTest):
    def test_a_value_is_of_its_kind(self) -> None:
        self.check([1], [1.0, 1], ["1"])
        self.assertFalse(self.matches({"detail": {"a": [1]}}, {"a": True}))
        self.assertFalse(self.matches({"detail": {"a": [True]}}, {"a": 1}))
        self.assertFalse(self.matches({"detail": {"a": [0]}}, {"a": False}))
        self.check([None], [None], ["", "null", 0])
        self.check(["10.0.0.1", "::1"], ["10.0.0.1", "0:0:0:0:0:0:0:1"], ["10.0.0.2"])

    def test_elements_of_arrays(self) -> None:
        self.check(["x"], [["x"], ["y", "x"], [["x"]]], [[], ["y"]])
        self.assertTrue(self.matches({"resources": ["second"]}, {}))
        self.assertTrue(self.matches({"resources": [{"prefix": "sec"}]}, {}))

    def test_objects_in_arrays(self) -> None:
        """Findings of Security Hub come as a list."""
        severe = {"detail": {"findings": {"Severity": {"Label": ["HIGH", "CRITICAL"]}}}}
        self.assertTrue(self.matches(severe, {"findings": [{"Severity": {"Label": "LOW"}}, {"Severity": {"Label": "HIGH"}}]}))
        self.assertFalse(self.matches(severe, {"findings": [{"Severity": {"Label": "LOW"}}]}))
        self.assertFalse(self.matches(severe, {"findings": []}))

    def test_fields_match_in_one_element(self) -> None:
        wanted = {"detail": {"of": {"kind": ["bucket"], "open": [True]}}}
        apart = [{"kind": "bucket", "open": False}, {"kind": "key", "open": True}]
        self.assertFalse(self.matches(wanted, {"of": apart}))
        self.assertTrue(self.matches(wanted, {"of": [*apart, {"kind": "bucket", "open": True}]}))
        # Two arrays have nothing to do with each other.
        both = {"detail": {"one": {"x": [1]}, "two": {"y": [2]}}}
        self.assertTrue(self.matches(both, {"one": [{"x": 0}, {"x": 1}], "two": [{"y": 2}]}))

    def test_alternatives(self) -> None:
        pattern = {"source": ["s"], "detail": {"$or": [{"a": [1], "b": [2]}, {"c": {"d": [3]}}]}}
        self.assertTrue(self.matches(pattern, {"a": 1, "b": 2}))
        self.assertTrue(self.matches(pattern, {"a": 1, "c": {"d": 3}}))
        self.assertFalse(self.matches(pattern, {"a": 1, "c": {"d": 4}}))
        self.assertFalse(self.matches(pattern | {"source": ["other"]}, {"a": 1, "b": 2}))
        self.assertTrue(self.matches({"$or": [{"source": ["x"]}, {"detail": {"a": ["y"]}}]}, {"a": "y"}))


class Operators(PatternTest):
    def test_texts(self) -> None:
        self.check([{"prefix": "ab"}], ["abc", "ab"], ["ABC", "xab", 5, None])
        self.check([{"prefix": {"equals-ignore-case": "aB"}}], ["AbC"], ["xab"])
        self.check([{"suffix": "bc"}], ["abc"], ["bcd", True])
        self.check([{"suffix": {"equals-ignore-case": "Bc"}}], ["aBC"], ["bcd"])
        self.check([{"equals-ignore-case": "aBc"}], ["AbC"], ["abcd"])

    def test_wildcards(self) -> None:
        self.check([{"wildcard": "a*c"}], ["ac", "abbc", "a\nc"], ["acd", "bac", 5])
        self.check([{"wildcard": "a\\*c\\\\"}], ["a*c\\"], ["abc\\"])

    def test_numbers(self) -> None:
        self.check([{"numeric": [">", 0, "<=", 5]}], [5, 0.1], [0, 5.1, "3", None, 6e9])
        self.assertFalse(self.matches({"detail": {"a": [{"numeric": [">=", 0]}]}}, {"a": True}))
        self.check([{"numeric": ["=", 3.018e2]}], [301.8], [302])

    def test_addresses(self) -> None:
        self.check([{"cidr": "10.0.0.0/24"}], ["10.0.0.255", "10.0.0.0"], ["10.0.1.0", "x", 167772161, "::1"])
        # The address is where the range begins.
        self.check([{"cidr": "10.0.0.8/24"}], ["10.0.0.8", "10.0.0.255"], ["10.0.0.7"])
        self.check([{"cidr": "2001:db8::/32"}], ["2001:db8::1"], ["2001:db9::1"])

    def test_anything_but(self) -> None:
        self.check([{"anything-but": ["x", "y"]}], ["z", 5, None, ["x", "z"]], ["x", ["x"], []])
        self.check([{"anything-but": 1}], [2, "1"], [1, 1.0])
        self.assertTrue(self.matches({"detail": {"a": [{"anything-but": [1]}]}}, {"a": True}))
        self.assertFalse(self.matches({"detail": {"a": [{"anything-but": ["x"]}]}}, {"b": "y"}))
        self.check([{"anything-but": {"prefix": ["a", "b"]}}], ["xa", 5], ["ax", "bx"])
        self.check([{"anything-but": {"suffix": "x"}}], ["xa"], ["ax"])
        self.check([{"anything-but": {"wildcard": "*/lib/*"}}], ["/bin"], ["/usr/lib/x"])
        self.check([{"anything-but": {"equals-ignore-case": ["aB"]}}], ["ac"], ["AB"])

    def test_what_is_there(self) -> None:
        self.check([{"exists": True}], ["", None, 0, ["x"]], [{}, [], {"b": 1}, [{"b": 1}]])
        self.check([{"exists": False}], [{}, [], {"b": 1}], ["", None])
        self.check([{"exists": False}, "x"], ["x", {}], ["y"])

    def test_a_name_with_a_dot_is_the_same_as_two(self) -> None:
        self.assertTrue(self.matches({"detail": {"a.b": ["x"]}}, {"a": {"b": "x"}}))


class Refused(PatternTest):
    def test_what_is_no_pattern(self) -> None:
        ranges = [[], ["<"], ["<", "5"], ["<", 1, ">", 5], [">", 5, "<", 1], [">", 6e9], ["=", 1, "<", 2], [">", 1, "<", 2, 3]]
        matches: list[Any] = [{"numeric": one} for one in ranges]
        matches += [{"anything-but": one} for one in ({"numeric": [">", 1]}, {"nope": "x"}, {}, [], [1, "a"], None, True)]
        matches += [{"anything-but": one} for one in ({"prefix": ""}, {"suffix": [5]}, {"wildcard": "**"}, [None])]
        matches += [{"cidr": one} for one in ("x", "10.0.0.0", "10.0.0.0/32", "10.0.0.0/x", "10.0.0/8", 5)]
        matches += [{"wildcard": one} for one in ("a**c", "a\\xc", "a\\", 5)]
        matches += [{"prefix": {"suffix": "x"}}, {"exists": "true"}, {"prefix": "x", "suffix": "y"}, {"nope": 1}, {}, ["x"]]
        patterns: list[Any] = [{"detail": {"a": [one]}} for one in matches]
        patterns += [{}, {"detail": {}}, {"detail": {"a": []}}, {"detail": {"a": "x"}}, {"detail": 5}, ["x"]]
        patterns += [{"$or": one} for one in ([{"a": [1]}], {"a": [1]}, [{"a": [1]}, 5], [{"a": [1]}, {}])]
        patterns += [{"$or": [{"a": [1]}, {"prefix": ["x"]}]}]
        events = self.client("events")
        for pattern in patterns:
            with self.subTest(pattern=pattern):
                text = json.dumps(pattern)
                self.fails("InvalidEventPatternException", events.put_rule, Name="r", EventPattern=text)
                given = {"EventPattern": text, "Event": json.dumps(EVENT)}
                self.fails("InvalidEventPatternException", events.test_event_pattern, **given)
        self.fails("InvalidEventPatternException", events.put_rule, Name="r", EventPattern='{"source": ["s"]')

    def test_the_reason(self) -> None:
        pattern = json.dumps({"detail": {"a": [{"numeric": [">", 5, "<", 1]}]}})
        problem = self.fails("InvalidEventPatternException", self.client("events").put_rule, Name="r", EventPattern=pattern)
        self.assertIn("Event pattern is not valid. Reason: Bottom must be less than top", str(problem))

    def test_an_event_is_whole(self) -> None:
        test = self.client("events").test_event_pattern
        for event in ("[]", "{", json.dumps({name: value for name, value in EVENT.items() if name != "region"})):
            self.fails("ValidationException", test, EventPattern='{"source": ["s"]}', Event=event)


if __name__ == "__main__":
    unittest.main()
