"""The curve of an incident: confirmed against credited, minute by minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from reconcile.reports.charts import Chart, Series, line_chart
from reconcile.reports.formats import Formats
from reconcile.reports.lake_rows import files_of, lake_rows
from reconcile.reports.texts import Texts
from reconcile.store.lake import Lake

BEFORE: Final = timedelta(minutes=20)
AFTER: Final = timedelta(minutes=40)
LENGTH_MAX: Final = timedelta(hours=12)
"""An incident that lasts longer is drawn from its start: its beginning is what explains it."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Minute:
    """What was confirmed, credited by the operator and credited by us within one minute, in counts."""

    minute: datetime
    confirmed: int = 0
    credited: int = 0
    recredited: int = 0


def minutes_of(connection: sa.Connection, lake: Lake, incident: sa.Row[Any], *, now: datetime) -> list[Minute]:
    """The minutes around one incident (a row of `incidents`), from before its start until a while after its end."""
    begin = (incident.started_at - BEFORE).replace(second=0, microsecond=0)
    ended = incident.settle_until or incident.ended_at or now
    until = min(max(ended, incident.started_at) + AFTER, now + _MINUTE, begin + LENGTH_MAX)
    return minutes(connection, lake, incident.flow, begin=begin, until=until)


def curve(rows: list[Minute], incident: sa.Row[Any], *, texts: Texts, formats: Formats) -> Chart | None:
    """The chart of these minutes as SVG with its figures, or None when there are none."""
    if not rows:
        return None
    series = [
        Series(texts("chart.confirmed"), "confirmed", [row.confirmed for row in rows]),
        Series(texts("chart.credited"), "credited", [row.credited for row in rows]),
    ]
    ours = Series(texts("chart.recredited"), "recredited", [row.recredited for row in rows])
    return line_chart(
        [row.minute for row in rows],
        series,
        formats=formats,
        title=texts("chart.curve"),
        marked=(incident.started_at, incident.ended_at),
        below=ours if ours.total else None,
    )


def minutes(connection: sa.Connection, lake: Lake, flow: str, *, begin: datetime, until: datetime) -> list[Minute]:
    """Every minute of a flow from `begin` to the last one before `until` in which anything happened; `begin` is a full one."""
    told = lake_rows(
        lake, "confirmed_minutes", files_of(connection, lake, flow=flow, side="confirmation"), begin=begin, until=until
    )
    posted = lake_rows(
        lake, "credited_minutes", files_of(connection, lake, flow=flow, side="ledger"), begin=begin, until=until
    )
    confirmed = {row["minute"]: row["confirmed"] for row in told}
    credited = {row["minute"]: (row["credited"], row["recredited"]) for row in posted}
    last = max([*confirmed, *credited], default=None)
    if last is None:
        return []
    count = int((last - begin) / _MINUTE) + 1
    moments = [begin + number * _MINUTE for number in range(count)]
    return [Minute(moment, confirmed.get(moment, 0), *credited.get(moment, (0, 0))) for moment in moments]
