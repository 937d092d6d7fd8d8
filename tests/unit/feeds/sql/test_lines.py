import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from reconcile.feeds.readers.jsonl import read_jsonl
from reconcile.feeds.sql.lines import line_of, names_of

LOCAL = datetime(2024, 7, 9, 12, 0, 0, 5)  # noqa: DTZ001 - a time without a zone is what this is about
EAST = timezone(timedelta(hours=5, minutes=45))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (12345678901234567890, "12345678901234567890"),
        (Decimal("1050.00"), "1050.00"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1000000000000000000000001"), "0.1000000000000000000000001"),
        (Decimal("NaN"), "NaN"),
        (True, "true"),
        ('0707 «é» \U0001f600 " \\ \n', '0707 «é» \U0001f600 " \\'),
        (LOCAL, "2024-07-09T12:00:00.000005"),
        (LOCAL.replace(tzinfo=UTC), "2024-07-09T12:00:00.000005+00:00"),
        (LOCAL.replace(tzinfo=EAST), "2024-07-09T12:00:00.000005+05:45"),
        (date(2024, 7, 9), "2024-07-09"),
        (time(12, 30), "12:30:00"),
        (UUID(int=7), str(UUID(int=7))),
        ({"a": [Decimal(1)]}, '{"a": ["1"]}'),
    ],
)  # fmt: skip
def test_a_value_is_read_again_as_the_database_had_it(value, text):
    line = line_of(names_of(["a b", 'c"d']), [value, 1])
    assert line.isascii()
    assert "\n" not in line
    (row,) = read_jsonl(iter([(1, line)]), {"first": "a b", "second": 'c"d'})
    assert row.problem is None
    assert row.cells == {"first": text, "second": "1"}


@pytest.mark.parametrize("value", [0.1, b"\xff", memoryview(b"1050")])
def test_what_has_no_exact_text_is_no_value_of_a_column(value):
    (row,) = read_jsonl(iter([(1, line_of(names_of(["a"]), [value]))]), {"a": "a"})
    assert row.problem == "holds a list or an object under 'a'"


def test_a_nul_in_a_text_is_a_problem_of_its_row():
    line = line_of(names_of(["a"]), ["1\0"])
    assert json.loads(line) == {"a": "1\0"}
    (row,) = read_jsonl(iter([(1, line)]), {"a": "a"})
    assert row.problem == "holds under 'a' characters that are no text"
