"""What is usual for a feed: since when it is complete, and how many rows it delivers at that hour of the week."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from reconcile.config import Feed
from reconcile.config.database import Snapshot

HISTORY: Final = timedelta(weeks=8)
WEEKS_MIN: Final = 3
"""Deliveries of as many weeks, of this hour of this day of the week, make a baseline; with fewer there is none."""
TOLERATED_ROWS: Final = 1_000
"""As many rows are never too many: the night's handful grows a hundredfold without saying anything."""
NOTABLE_ROWS: Final = 100
"""Where fewer are usual, few say nothing either."""
ACCEPTED_FOR: Final = timedelta(days=1)
"""So long a volume that a person accepted is usual: a surge does not ask again with every delivery."""

_BASELINE: Final = sa.text("""
    with spans as (
        select complete_through, accepted_at, published_rows + quarantined_rows as new_rows,
               extract(epoch from complete_through - lag(complete_through) over (order by complete_through)) as seconds
        from batches
        where feed = :feed and status = 'published' and complete_through < :through and complete_through >= :oldest
    ), alike as (
        select * from spans
        where seconds > 0
          and extract(isodow from complete_through at time zone :zone) = extract(isodow from :through at time zone :zone)
          and extract(hour from complete_through at time zone :zone) = extract(hour from :through at time zone :zone)
    )
    select (select max(complete_through) from spans) as since,
           percentile_cont(0.5) within group (order by new_rows / seconds) as rate,
           count(distinct date_trunc('week', complete_through)) as weeks,
           (select max(new_rows / seconds) from spans where seconds > 0 and accepted_at >= :accepted_since) as accepted_rate
    from alike
""").bindparams(
    sa.bindparam("through", type_=sa.DateTime(timezone=True)),
    sa.bindparam("oldest", type_=sa.DateTime(timezone=True)),
    sa.bindparam("accepted_since", type_=sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Usual:
    """`since`: up to when earlier deliveries are complete; rows before `oldest` are not of this one's period. `rows`: how many new
    rows are usual for the period, None where there is no baseline.
    """

    since: datetime | None
    oldest: datetime | None
    rows: float | None

    def most_rows(self, factor: float) -> int | None:
        """More are refused."""
        return None if self.rows is None else max(TOLERATED_ROWS, int(self.rows * factor))

    def remark(self, new_rows: int, factor: float) -> str | None:
        """Few rows are no reason to refuse: in an outage the ledger is silent and complete. But they are worth a word."""
        if self.rows is None or self.rows < NOTABLE_ROWS or new_rows * factor >= self.rows:
            return None
        return f"has {new_rows:,} new rows where some {round(self.rows):,} are usual"


UNKNOWN: Final = Usual(None, None, None)


def usual(connection: sa.Connection, feed: Feed, through: datetime, *, zone: str, now: datetime) -> Usual:
    """What is usual for a delivery that is complete up to `through`."""
    row = connection.execute(
        _BASELINE,
        {
            "feed": feed.name, "through": through, "zone": zone, "oldest": through - HISTORY,
            "accepted_since": now - ACCEPTED_FOR,
        },
    ).one()  # fmt: skip
    if row.since is None:
        return UNKNOWN
    overlap = feed.completeness.overlap if isinstance(feed.completeness, Snapshot) else timedelta()
    rate = None if row.weeks < WEEKS_MIN else max(float(row.rate), float(row.accepted_rate or 0))
    seconds = (through - row.since).total_seconds()
    return Usual(row.since, row.since - max(feed.reaches_back, overlap), None if rate is None else rate * seconds)
