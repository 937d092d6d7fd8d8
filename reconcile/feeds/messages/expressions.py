"""The one place that talks to RE2: expressions that match in time linear in the text, whatever a stranger writes.

The package's own `re2.match` objects cost several times what matching costs, and every message needs dozens of matches,
so its extension class is called directly; `test_expressions.py` holds both against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import re2
from re2 import _re2

if TYPE_CHECKING:
    from collections.abc import Iterable

Spans = list[tuple[int, int]]

# RE2 builds its automaton as texts come; past this it forgets and starts over, which costs time but nothing else.
_MEMORY_BYTES = 64 * 2**20
_UNANCHORED = _re2.RE2.Anchor.UNANCHORED
_BOTH = _re2.RE2.Anchor.ANCHOR_BOTH
_NOTHING = (-1, -1)


class ExpressionError(ValueError):
    """An expression does not compile."""


class Expression:
    """A compiled expression over UTF-8 bytes, without regard to case. Spans are byte offsets, (-1, -1) for no group."""

    __slots__ = ("_compiled", "groups")

    def __init__(self, source: str, *, longest: bool = False) -> None:
        self._compiled: Any = _re2.RE2(source.encode(), _options(longest=longest))
        if not self._compiled.ok():
            raise ExpressionError(self._compiled.error())
        self.groups: dict[str, int] = {name.decode(): number for name, number in self._compiled.NamedCapturingGroups()}

    def full(self, data: bytes) -> Spans | None:
        """The spans of a match of the whole text: of all of it, then of each group."""
        spans: Spans = self._compiled.Match(_BOTH, data, 0, len(data))
        return None if spans[0] == _NOTHING else spans

    def texts(self, data: bytes, spans: Spans) -> dict[str, str]:
        """The texts of the named groups that took part in a match."""
        return {
            name: data[spans[number][0] : spans[number][1]].decode()
            for name, number in self.groups.items()
            if spans[number][0] >= 0
        }

    def search(self, data: bytes, start: int = 0) -> Spans | None:
        """The spans of the first match from `start` on."""
        spans: Spans = self._compiled.Match(_UNANCHORED, data, start, len(data))
        return None if spans[0] == _NOTHING else spans

    def replaced(self, data: bytes, replacement: bytes) -> bytes:
        """The text with every match replaced. The expression must not match nothing."""
        kept: list[bytes] = []
        at = 0
        while spans := self.search(data, at):
            start, end = spans[0]
            assert end > start, "an expression that matches nothing would never end"
            kept += [data[at:start], replacement]
            at = end
        return b"".join([*kept, data[at:]])


class ExpressionSet:
    """Many expressions tried at once: one pass over the text says which of them match all of it."""

    __slots__ = ("_set",)

    def __init__(self, sources: Iterable[str]) -> None:
        self._set: Any = re2.Set.FullMatchSet(_options(longest=False))
        for source in sources:
            self._set.Add(source.encode())
        self._set.Compile()

    def matching(self, data: bytes) -> list[int]:
        """The numbers of the expressions that match, in their order."""
        return sorted(self._set.Match(data) or ())


def _options(*, longest: bool) -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.case_sensitive = False
    options.dot_nl = True
    options.longest_match = longest
    options.log_errors = False
    return options
