"""The numbers that a sequence feed puts on its files or its rows, read from names and columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final
from zoneinfo import ZoneInfo

import re2

from reconcile.config import Feed, Numbering
from reconcile.feeds.refusal import Refused
from reconcile.feeds.values import Unreadable, read_moment

_MAX_NUMBER: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands in its node's sequence; `through`: what its name says it is complete up to, if it does."""

    node: str
    number: int
    through: datetime | None


def sequence_of(feed: Feed, numbers: str) -> Numbering | None:
    """How the feed numbers its files, or its rows; None where it does not."""
    completeness = feed.completeness
    return completeness if isinstance(completeness, Numbering) and completeness.numbers == numbers else None


def place_of(feed: Feed, sequence: Numbering, source: str) -> Place:
    """The place of a delivery by its name; raises `Refused` for a name that says none."""
    found = _compiled(sequence.pattern or "").fullmatch(PurePosixPath(source).name)
    if found is None:
        raise Refused("its name does not follow the pattern of the feed's sequence")
    said = found.groupdict()
    node = said.get("node") or ""
    if node not in sequence.all_nodes:
        raise Refused(f"its name says the node {node[:40]!r}, which the configuration does not list")
    number = _number(said["number"])
    if number is None:
        raise Refused("its name says no number that can be read")
    through = None
    if said.get("through"):
        try:
            through = read_moment(
                said["through"], ZoneInfo(feed.zone), (sequence.through_format,), feed.ambiguous_times
            )
        except Unreadable as error:
            raise Refused(f"its name says no time that can be read: {error}") from error
    return Place(node, number, through)


def order_of(feed: Feed, source: str) -> tuple[int, str]:
    """By what deliveries are put in order: their number, where their names say one, since 10 comes after 9; else their names."""
    sequence = sequence_of(feed, "files")
    if sequence is None:
        return 0, source
    try:
        return place_of(feed, sequence, source).number, source
    except Refused:
        return _MAX_NUMBER, source


def number_of(sequence: Numbering, cells: Mapping[str, str | None]) -> tuple[str, int]:
    """(node, number) of a row; raises `Unreadable`."""
    node = cells.get("node") or ""
    if node not in sequence.all_nodes:
        raise Unreadable(f"comes from the node {node[:40]!r}, which the configuration does not list")
    number = _number(cells["number"] or "")
    if number is None:
        raise Unreadable("has no number that can be read")
    return node, number


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
    return number if number is not None and number <= _MAX_NUMBER else None


@cache
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)
