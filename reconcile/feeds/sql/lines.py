"""Rows of a database as lines of JSON in which nothing is lost.

A whole number and a decimal are numbers with the digits that the database has; everything else is text, a truth value or null.
A time with a zone is written with its offset and one without is written without. What has no exact text (floating-point
numbers, bytes) is written as an object, which no column of ours accepts: the operator's query says how it is to be read.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

INEXACT: Final = frozenset({float, bytes, bytearray, memoryview})


def line_of(names: Sequence[str], values: Sequence[Any]) -> str:
    """One row as a JSON object on one line, in ASCII. `names`: as `names_of` gives them."""
    return "{" + ",".join(map("%s:%s".__mod__, zip(names, map(_written, values), strict=True))) + "}"


def names_of(columns: Sequence[str]) -> list[str]:
    """The names of the columns as they stand in each line."""
    return [json.dumps(name) for name in columns]


def _written(value: Any) -> str:
    return _WRITERS.get(type(value), _as_text)(value)


def _as_text(value: Any) -> str:
    return json.dumps(str(value))


def _decimal(value: Decimal) -> str:
    return f"{value:f}" if value.is_finite() else json.dumps(str(value))


def _iso(value: date | time) -> str:
    return f'"{value.isoformat()}"'


def _bytes(value: bytes | bytearray | memoryview) -> str:
    return f'{{"bytes":"{bytes(value).hex()}"}}'


def _structure(value: Any) -> str:
    return json.dumps(json.dumps(value, default=str))


def _float(value: float) -> str:
    return f'{{"float":"{value!r}"}}'


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "null",
    str: json.dumps,
    bool: lambda value: "true" if value else "false",
    int: str,
    Decimal: _decimal,
    datetime: _iso,
    date: _iso,
    time: _iso,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    float: _float,
    dict: _structure,
    list: _structure,
}
