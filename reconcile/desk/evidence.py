"""The evidence of a verdict, in the viewer's words: which passes were tried, and why each failed."""

from collections.abc import Mapping
from typing import Any

from reconcile.reports.texts import Texts


def passes_of(evidence: Mapping[str, Any], texts: Texts) -> list[tuple[str, str]]:
    """(pass, what it found) in the order in which they were tried, and whatever else was noted."""
    found = [
        (texts("fact.pass", name=texts.word("pass", tried["pass"])), texts.word("found", tried["found"]))
        for tried in evidence.get("passes", ())
    ]
    if evidence.get("explained"):
        found.append((texts("fact.explained"), texts.word("found", evidence["explained"])))
    return found


def blocked_of(blocked: str | None, texts: Texts) -> list[str]:
    """Why no automatic money may move, one sentence each."""
    return [texts.word("found", part) for part in blocked.split("; ")] if blocked else []
