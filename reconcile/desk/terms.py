"""The terms of a proposal, each in words: exactly what will be paid, to whom, on what evidence."""

from collections.abc import Mapping
from typing import Any, Final

from reconcile.desk.evidence import blocked_of
from reconcile.desk.page import Page

VALUE_CHARACTERS_MAX: Final = 200
_OF_THE_CASE: Final = frozenset({"account", "payer"})
_WORDS: Final = {"kind": "kind", "grade": "grade", "disposition": "disposition", "before": "disposition"}
"""Terms whose values are words of the store, and the family of texts that has them."""


def terms_of(page: Page, terms: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, value) of every term, nothing left out: what is approved is what is shown."""
    unit = terms.get("asset")
    return [
        (page.texts.word("term", name), _value(page, name, value, unit))
        for name, value in terms.items()
        if value is not None and name != "asset"
    ]


def _value(page: Page, name: str, value: Any, unit: str | None) -> str:
    if name in _OF_THE_CASE:
        return page.numbers(str(value))
    if name.endswith("minor") and isinstance(value, int):
        return page.formats.money(value, unit)
    if isinstance(value, int) and not isinstance(value, bool):
        return page.formats.count(value)
    if name in _WORDS:
        return page.texts.word(_WORDS[name], str(value))
    if name == "blocked":
        return " ".join(f"{sentence}." for sentence in blocked_of(str(value), page.texts))
    if isinstance(value, list):
        return page.formats.count(len(value))
    if isinstance(value, Mapping):
        return " · ".join(
            f"{page.texts.word('kind', key)} {_value(page, key, part, unit)}" for key, part in value.items()
        )
    text = str(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}…"
