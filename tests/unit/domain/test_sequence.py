from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.domain.sequence import NumberRange, Reach, reach

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)


def numbers(first, last, minutes=None):
    return NumberRange(first, last, None if minutes is None else NOON + timedelta(minutes=minutes))


def after(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("known", "ranges", "reached"),
    [
        (None, [], None),
        (None, [numbers(7, 7, 0)], Reach(7, 7, NOON)),
        (None, [numbers(8, 9, 5), numbers(7, 7, 0)], Reach(7, 9, after(5))),
        (None, [numbers(7, 7, 0), numbers(9, 9, 10)], Reach(7, 7, NOON, (8, 8))),
        (Reach(1, 7, NOON), [numbers(9, 9, 10), numbers(12, 12, 20)], Reach(1, 7, NOON, (8, 8))),
        (Reach(1, 7, NOON, (8, 8)), [numbers(8, 8), numbers(9, 9, 10)], Reach(1, 9, after(10))),
        # An empty delivery without a time moves the numbers, and not the time.
        (Reach(1, 7, NOON), [numbers(8, 8)], Reach(1, 8, NOON)),
        # What overlaps is counted once; an older time takes nothing back.
        (Reach(1, 7, NOON), [numbers(5, 8, -5), numbers(6, 10, 5)], Reach(1, 10, after(5))),
    ],
)
def test_what_comes_before_the_first_gap_is_complete(known, ranges, reached):
    assert reach(known, ranges) == reached


@given(st.permutations([numbers(place, place, place) for place in range(1, 9)]), st.data())
def test_neither_order_nor_the_runs_in_which_numbers_come_make_a_difference(ranges, data):
    cut = data.draw(st.integers(0, len(ranges)))
    first = reach(Reach(1, 0, None), ranges[:cut])
    assert reach(first, ranges) == reach(Reach(1, 0, None), ranges) == Reach(1, 8, after(8))
    missing = min(set(range(1, 10)) - {one.first for one in ranges[:cut]})
    assert first.last == missing - 1
