"""A feed whose files or rows bear numbers without gaps: how they are read, and what they prove."""

from datetime import timedelta
from typing import Final, Literal

import re2
from pydantic import model_validator

from reconcile.config.values import Duration, Section

_GROUPS: Final = frozenset({"node", "number", "through"})


class Numbering(Section):
    """Each node numbers its files, or its rows, without gaps; what comes before the first gap of each node is complete. Proven.

    `pattern`: of the names of files, with the named groups `number`, `node` (where there are several) and `through` (the time
    up to which the file is complete). Where no name says a time, that is the newest row's, less `disorder`.
    """

    kind: Literal["sequence"]
    numbers: Literal["files", "rows"]
    nodes: tuple[str, ...] = ()
    pattern: str | None = None
    through_format: str = "%Y%m%d%H%M%S"
    disorder: Duration = timedelta(minutes=1)

    @model_validator(mode="after")
    def _pattern_fits(self) -> "Numbering":
        if (self.pattern is None) == (self.numbers == "files"):
            raise ValueError("pattern: numbered files are read from their names by one, numbered rows have none")
        if self.pattern is not None:
            groups = self._groups(self.pattern)
            if "number" not in groups or groups - _GROUPS:
                raise ValueError(f"pattern: the named groups number, node, through (found {', '.join(sorted(groups))})")
            if ("node" in groups) != bool(self.nodes):
                raise ValueError("nodes: listed where the pattern has a group node, and only there")
        return self

    @staticmethod
    def _groups(pattern: str) -> set[str]:
        try:
            return set(re2.compile(pattern).groupindex)
        except re2.error as error:
            raise ValueError(f"pattern: an expression of RE2 ({error})") from error

    @property
    def all_nodes(self) -> tuple[str, ...]:
        """The nodes that must each be complete; one without a name where they are not told apart."""
        return self.nodes or ("",)
