from datetime import UTC, datetime, timedelta
from itertools import pairwise

from reconcile.runtime.day import ticks


def test_the_clock_stops_every_five_minutes_around_the_outage_and_once_at_midnight() -> None:
    instants = list(ticks())
    assert instants[0] == datetime(2024, 7, 9, 13, 30, tzinfo=UTC)
    assert instants[-2:] == [datetime(2024, 7, 9, 15, 30, tzinfo=UTC), datetime(2024, 7, 10, tzinfo=UTC)]
    assert {later - earlier for earlier, later in pairwise(instants[:-1])} == {timedelta(minutes=5)}
    assert len(instants) == 26
