"""When a feed has stopped. Silence is not lateness: a feed whose statement of completeness moves on is well, however empty."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class FeedSight:
    """What is known of one feed at one moment. `complete_through`: its watermark, None while it has none.

    `heard_at`: when a delivery came last, None before the first. `assumed_lag`: for a feed that says nothing of its
    completeness, how far behind now it is assumed to be complete; None for one whose statement is proven.
    """

    complete_through: datetime | None
    heard_at: datetime | None
    assumed_lag: timedelta | None


def stopped_since(sight: FeedSight, *, since: datetime, stalls_after: timedelta, now: datetime) -> datetime | None:
    """The instant up to which a feed that has stopped is complete, or None while it keeps up. `since`: the flow's.

    An assumed watermark follows the clock, whatever has stopped, so there the last delivery counts as well: without one
    for too long it cannot be told whether the feed has stopped or has nothing to say, and somebody should look.
    """
    reached = max(sight.complete_through or since, since)
    usual = timedelta(0)
    if sight.assumed_lag is not None:
        usual = sight.assumed_lag
        reached = min(reached, max(sight.heard_at or since, since))
    return reached if now - reached > usual + stalls_after else None
