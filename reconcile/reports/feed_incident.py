"""What the incident of a feed waits for, in words: for the desk and for the daily report."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconcile.reports.formats import Formats
from reconcile.reports.texts import Texts


def waits_of(scope: Mapping[str, Any], texts: Texts, formats: Formats) -> list[tuple[str, str]]:
    """(name, value) of each thing that keeps the feed where it is, as far as it is known; `scope` as `jobs` wrote it."""
    rows = []
    if scope.get("unproven_count"):
        names = ", ".join(scope["unproven"])
        rest = "" if scope["unproven_count"] == len(scope["unproven"]) else " …"
        rows.append((texts("feed_incident.unproven"), f"{formats.count(scope['unproven_count'])}: {names}{rest}"))
    if scope.get("gaps"):
        rows.append((texts("feed_incident.gaps"), ", ".join(scope["gaps"])))
    if scope.get("waiting"):
        rows.append((texts("feed_incident.waiting"), formats.count(scope["waiting"])))
    looked_at = scope.get("looked_at")
    moment = formats.moment(datetime.fromisoformat(looked_at) if looked_at else None)
    return [*rows, (texts("feed_incident.looked_at"), moment)]
