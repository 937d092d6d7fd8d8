from datetime import UTC, datetime, timedelta

import pytest

from reconcile.feeds.watermark import Standing, furthest

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def proven(name, minutes):
    return Standing(name, at(minutes), proven=True)


def unproven(name, minutes=None):
    return Standing(name, None if minutes is None else at(minutes), proven=False)


CASES = {
    "nothing was delivered": ([], (), None),
    "the latest of all": ([proven("a", 5), proven("b", 10)], (), 10),
    "a refused one between": ([proven("a", 5), unproven("b", 10), proven("c", 15)], (), 5),
    "a refused one at first": ([unproven("a", 5), proven("b", 10)], (), None),
    "a refused one after all": ([proven("a", 5), unproven("b", 10)], (), 5),
    "a refused one that is no later than another": ([proven("a", 5), unproven("b", 5)], (), None),
    "a late one that was refused": ([proven("b", 10), unproven("a", 5)], (), None),
    "a refused one that says no time": ([proven("a", 5), unproven("b"), proven("c", 15)], (), 5),
    "one that waits": ([proven("a", 5), proven("c", 15)], ("b",), 5),
    "one that waits behind all": ([proven("a", 5), proven("c", 15)], ("d",), 15),
    "a published one that says no time": ([Standing("a", None, proven=True), proven("b", 10)], (), 10),
}


@pytest.mark.parametrize(("standings", "waiting", "minutes"), CASES.values(), ids=CASES)
def test_a_feed_is_complete_as_far_as_every_delivery_is_proven(standings, waiting, minutes):
    expected = None if minutes is None else at(minutes)
    assert furthest(standings, waiting) == expected
    assert furthest(reversed(standings), waiting) == expected
