import pytest

from reconcile.feeds.readers.jsonl import read_jsonl

COLUMNS = {"row_key": "id", "amount": "amount"}


def read(line):
    (row,) = read_jsonl(iter([(7, line)]), COLUMNS)
    return row


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"1050"', "1050"),
        ("1050", "1050"),
        ("10.10", "10.10"),
        ("0.1000000000000000055", "0.1000000000000000055"),
        ("1e3", "1e3"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ("null", None),
        ('"  "', None),
        ('" a "', "a"),
        ('"\\u00e9"', "é"),
    ],
)
def test_a_value_is_its_text_and_no_float_comes_near_it(written, text):
    row = read(f'{{"id": "M1", "amount": {written}, "other": [1]}}')
    assert row.cells == {"row_key": "M1", "amount": text}
    assert row.number == 7


def test_a_key_that_is_not_there_is_empty():
    assert read("{}").cells == {"row_key": None, "amount": None}


def test_blank_lines_are_no_rows():
    assert list(read_jsonl(iter([(1, ""), (2, "  ")]), COLUMNS)) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is not JSON"),
        ("nonsense", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('"text"', "is not a JSON object"),
        ('{"id": 1, "id": 2}', "names a key twice"),
        ('{"id": NaN}', "holds NaN, which is not JSON"),
        ('{"amount": -Infinity}', "holds -Infinity, which is not JSON"),
        ('{"id": {"a": 1}}', "holds a list or an object under 'id'"),
        ('{"id": "a\\u0000b"}', "holds under 'id' characters that are no text"),
        ('{"id": "\\ud83d"}', "holds under 'id' characters that are no text"),
    ],
)
def test_a_line_that_can_be_read_in_two_ways_or_none_has_a_problem(line, problem):
    row = read(line)
    assert (row.problem, row.cells, row.raw) == (problem, {}, line)
