"""One row as it was delivered."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RawRow:
    """`number`: the line on which it begins, from 1 (in Parquet: its place). `cells`: column → text, None where empty.

    A row that cannot be taken apart has a `problem` and no cells.
    """

    number: int
    raw: str
    cells: Mapping[str, str | None] = field(default_factory=dict)
    problem: str | None = None
