"""A row on its way: read as far as it can be read, not yet judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

from reconcile.feeds.readers import RawRow
from reconcile.feeds.values import Unreadable

_P = ParamSpec("_P")
_T = TypeVar("_T")

WHOLE_ROW = "row"
"""The column of a problem that is the row's as a whole; the gate sees it as `row_problem`."""


@dataclass(slots=True)
class Draft:
    """`found`: what was read, by column, None where nothing could be; `problems`: column → why not.

    `node`, `number`: of a feed that numbers its rows. `delivered`: the amount as it stands in the file, in major units, before any sign was put right.
    """

    row: RawRow
    found: dict[str, Any]
    problems: dict[str, str] = field(default_factory=dict)
    out_of_scope: bool = False
    delivered: Decimal | None = None
    node: str | None = None
    number: int | None = None

    @classmethod
    def of(cls, row: RawRow, columns: Mapping[str, Any]) -> "Draft":
        """A draft with nothing read yet; what kept the row from being taken apart is its first problem."""
        return cls(row, dict.fromkeys(columns), {WHOLE_ROW: row.problem} if row.problem else {})

    def attempt(self, column: str, read: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        """What `read` makes of its arguments, put into `column`; None, and a problem, where it can make nothing of them."""
        try:
            value = read(*args, **kwargs)
        except Unreadable as error:
            self.problems[column] = str(error)
            return None
        self.found[column] = value
        return value
