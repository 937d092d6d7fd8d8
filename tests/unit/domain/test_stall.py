from datetime import UTC, datetime, timedelta

import pytest

from reconcile.domain.stall import FeedSight, stopped_since

SINCE = datetime(2024, 7, 9, tzinfo=UTC)
HALF = timedelta(minutes=30)
LAG = timedelta(minutes=15)


def at(hours, minutes=0):
    return SINCE + timedelta(hours=hours, minutes=minutes)


@pytest.mark.parametrize(
    ("sight", "now", "since"),
    [
        # A proven feed is judged by its watermark alone, however long nothing was delivered.
        (FeedSight(at(12), at(9), None), at(12, 30), None),
        (FeedSight(at(12), at(12, 40), None), at(12, 31), at(12)),
        # One that never spoke has been silent since the flow began, and not before.
        (FeedSight(None, None, None), at(0, 30), None),
        (FeedSight(None, None, None), at(0, 31), SINCE),
        (FeedSight(at(-48), None, None), at(0, 30), None),
        (FeedSight(None, None, None), at(-5), None),
        # An assumed watermark follows the clock: there the last delivery counts.
        (FeedSight(at(12), at(12, 10), LAG), at(12, 15), None),
        (FeedSight(at(12), at(11), LAG), at(12, 15), at(11)),
        (FeedSight(at(11), at(12, 10), LAG), at(12, 15), at(11)),
        (FeedSight(at(12), None, LAG), at(12, 15), SINCE),
    ],
)
def test_a_feed_has_stopped_when_what_it_is_complete_up_to_stays_behind(sight, now, since):
    assert stopped_since(sight, since=SINCE, stalls_after=HALF, now=now) == since
