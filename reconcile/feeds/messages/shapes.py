"""Which formats fit a text, and where: found once for all texts that differ in nothing but their digits.

A feed says few things, each with other figures in them. A pattern that asks for digits asks for any digit, so that two texts
of one shape fit the same patterns at the same places. The few patterns that name a digit ("15% VAT") are asked each time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from reconcile.feeds.messages.expressions import ExpressionSet, Spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconcile.feeds.messages.template import Template

MAX_SHAPES = 1 << 12
MAX_SHAPE_BYTES = 1_000
"""Longer texts are no feed's daily bread, and are not remembered."""

_SHAPE = bytes(ord("0") if chr(byte) in "0123456789" else byte for byte in range(256))
# What stands for every digit alike, and the numbers of a repetition: {2,4}.
_ANY_DIGIT = re.compile(r"0-9|\\d|(?<!\\)\{[0-9]+(?:,[0-9]*)?\}|\(\?P<\w+>")
_DIGIT = re.compile(r"[0-9]")


class Fit(NamedTuple):
    """A template whose pattern matches the whole text; `spans` are byte offsets, of all of it and of each group."""

    place: int
    template: Template
    spans: Spans


class Shapes:
    """The patterns of templates, tried all at once."""

    def __init__(self, templates: Sequence[Template]) -> None:
        named = [names_a_digit(template.source) for template in templates]
        self._by_shape = _Formats((n, t) for n, t in enumerate(templates) if not named[n])
        self._by_text = _Formats((n, t) for n, t in enumerate(templates) if named[n])
        self._remembered = lru_cache(maxsize=MAX_SHAPES)(self._by_shape.fitting)

    def fitting(self, data: bytes) -> Sequence[Fit]:
        """The templates that fit a folded text, in their order."""
        shape = data.translate(_SHAPE)
        find = self._remembered if len(shape) <= MAX_SHAPE_BYTES else self._by_shape.fitting
        found, named = find(shape), self._by_text.fitting(data)
        return sorted([*found, *named]) if named else found


class _Formats:
    """Some of the templates, each with its place among all of them."""

    def __init__(self, templates: Iterable[tuple[int, Template]]) -> None:
        self._templates = list(templates)
        self._set = ExpressionSet(template.source for _, template in self._templates)

    def fitting(self, data: bytes) -> list[Fit]:
        fits = []
        for number in self._set.matching(data):
            place, template = self._templates[number]
            spans = template.expression.full(data)
            if spans is not None:
                fits.append(Fit(place, template, spans))
        return fits


def names_a_digit(source: str) -> bool:
    """Whether a pattern tells one digit from another; where that is not plain, it does."""
    return _DIGIT.search(_ANY_DIGIT.sub("", source)) is not None
