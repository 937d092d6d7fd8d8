"""Delimited text with a header."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from reconcile.feeds.limits import Limits
from reconcile.feeds.readers.row import RawRow
from reconcile.feeds.refusal import Refused

_SHOWN_NAMES: Final = 20


def read_csv(
    lines: Iterator[tuple[int, str]],
    delimiter: str,
    columns: Mapping[str, str],
    limits: Limits,
    known_header: Sequence[str] = (),
) -> Iterator[RawRow]:
    """The rows below the header, or all where it is known; `columns`: what a column is called here → what the file calls it.

    Raises `Refused` for a header that lacks a column or names one twice, and for a quote that is never closed. A row of
    another length than the header, or with quotes in wrong places, has a problem.
    """
    tape = _Tape(lines, limits)
    reader = csv.reader(tape, delimiter=delimiter, strict=True)
    header = list(known_header) or _header(reader, limits)
    tape.take()
    places = {column: _place(header, name) for column, name in columns.items()}
    while True:
        problem, fields = None, []
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"cannot be split into fields: {error}"
        number, raw = tape.take()
        if problem and tape.at_end and "\n" in raw:
            raise Refused("a quote is opened and never closed", row=number)
        if problem is None and not fields:
            continue
        if problem is None and len(fields) != len(header):
            problem = f"has {len(fields)} fields where the header has {len(header)}"
        if problem:
            yield RawRow(number, raw, problem=problem)
        else:
            yield RawRow(number, raw, {column: fields[place].strip() or None for column, place in places.items()})


def _header(reader: Iterator[list[str]], limits: Limits) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Refused(f"the header cannot be split into fields: {error}", row=1) from error
    if not header:
        raise Refused("has no header", row=1)
    if len(header) > limits.columns:
        raise Refused(f"has {len(header)} columns, more than the {limits.columns} that are allowed", row=1)
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise Refused("stands twice in the header", row=1, column=repr(twice[0]))
    return header


def _place(header: list[str], name: str) -> int:
    if name not in header:
        present = ", ".join(repr(other) for other in islice(header, _SHOWN_NAMES))
        raise Refused(f"is not in the header, which has {present}", row=1, column=repr(name))
    return header.index(name)


class _Tape:
    """Hands lines to the CSV reader and remembers those of the row being read: a quoted field may span several."""

    def __init__(self, lines: Iterator[tuple[int, str]], limits: Limits) -> None:
        self._lines = lines
        self._limits = limits
        self._number = 0
        self._held: list[str] = []
        self._held_characters = 0
        self.at_end = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            number, text = next(self._lines)
        except StopIteration:
            self.at_end = True
            raise
        if not self._held:
            self._number = number
        self._held.append(text)
        self._held_characters += len(text)
        if self._held_characters > self._limits.row_bytes:
            raise Refused("a quote is opened and not closed for many lines", row=self._number)
        return text + "\n"

    def take(self) -> tuple[int, str]:
        """(line on which it began, text) of the row just read."""
        raw = "\n".join(self._held)
        self._held.clear()
        self._held_characters = 0
        return self._number, raw
