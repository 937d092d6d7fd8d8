"""Is it a surge, is it an outage, has it recovered: from curves that are drawn in the tests, one character a minute."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.domain.policy import Surroundings
from reconcile.domain.surge import (
    Curve,
    Elsewhere,
    Minute,
    SurgeRules,
    Timeline,
    find_surge,
    recognise,
    recovered_since,
    settled_from,
)

START = datetime(2024, 7, 9, 12, 0, tzinfo=UTC)
RULES = SurgeRules(
    cases=20,
    window=timedelta(minutes=15),
    settle_after=timedelta(minutes=15),
    recovered_share=0.9,
    breaker_share=0.25,
    deadline_after=timedelta(minutes=15),
)
NOWHERE = Elsewhere(breaks=0, unread_rows=0)
CONFIRMED = 20
CREDITED = {"#": 20, "+": 19, "=": 18, "-": 10, ".": 0}


def at(minute, second=0):
    return START + timedelta(minutes=minute, seconds=second)


def drawn(*parts):
    """`#` all credited, `+` all but one, `=` all but two, `-` half, `.` none, a space: nobody bought. `("#", 60)` is an hour of `#`."""
    text = "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)
    minutes = [Minute(at(number), CONFIRMED, CREDITED[sign]) for number, sign in enumerate(text) if sign != " "]
    return Curve(minutes)


def broken(curve, length=300):
    """One instant for each purchase that the curve shows as not credited."""
    return [
        minute.at + timedelta(seconds=number)
        for minute in curve.within(START, at(length))
        for number in range(minute.confirmed - minute.credited)
    ]


class TestSurge:
    def test_many_breaks_close_together_are_a_surge_from_their_first_minute(self):
        curve = drawn(("#", 60), ("-", 5))
        assert find_surge(broken(curve), curve, RULES) == at(60)

    def test_an_everyday_fault_just_before_does_not_move_its_beginning(self):
        curve = drawn(("#", 55), "+", ("#", 4), (".", 5))
        assert find_surge(broken(curve), curve, RULES) == at(60)

    @pytest.mark.parametrize(("count", "found"), [(19, None), (20, START)])
    def test_it_takes_the_threshold_and_nothing_less(self, count, found):
        instants = [at(0, 40 * number) for number in range(count)]
        assert find_surge(instants, Curve([]), RULES) == found

    @pytest.mark.parametrize(("span", "found"), [(15, START), (16, None)])
    def test_they_must_lie_within_the_window(self, span, found):
        instants = [START] * 19 + [at(span)]
        assert find_surge(instants, Curve([]), RULES) == found

    def test_a_surge_that_hides_in_busy_traffic_is_found_all_the_same(self):
        curve = drawn(("=", 30))
        assert find_surge(broken(curve), curve, RULES) == START

    def test_everyday_faults_spread_over_the_day_are_none(self):
        curve = drawn(*["+" + "#" * 9] * 20)
        assert find_surge(broken(curve), curve, RULES) is None

    @given(st.lists(st.integers(0, 24 * 60), max_size=60))
    def test_whatever_is_found_is_dense_where_it_begins(self, minutes):
        instants = [at(minute) for minute in minutes]
        started_at = find_surge(instants, Curve([]), RULES)
        dense = [instant for instant in instants if started_at and started_at <= instant <= started_at + RULES.window]
        assert started_at is None or len(dense) >= RULES.cases


class TestRecognition:
    def test_a_dip_after_healthy_traffic_whose_money_is_nowhere_is_an_outage(self):
        curve = drawn(("#", 60), (".", 5))
        assert recognise(at(60), at(65), curve, 100, NOWHERE, RULES).recognised

    def test_a_break_that_was_always_there_is_the_mappings_fault(self):
        curve = drawn((".", 65))
        seen = recognise(at(60), at(65), curve, 100, NOWHERE, RULES)
        assert not seen.recognised
        assert "hour before" in seen.reason

    def test_traffic_that_nobody_knows_proves_nothing(self):
        curve = drawn((" ", 60), (".", 5))
        assert not recognise(at(60), at(65), curve, 100, NOWHERE, RULES).recognised

    @pytest.mark.parametrize("elsewhere", [Elsewhere(breaks=26, unread_rows=0), Elsewhere(breaks=0, unread_rows=26)])
    def test_money_that_lies_elsewhere_is_not_missing(self, elsewhere):
        curve = drawn(("#", 60), (".", 5))
        seen = recognise(at(60), at(65), curve, 100, elsewhere, RULES)
        assert not seen.recognised
        assert "26" in seen.reason

    def test_a_few_misdirected_credits_belong_to_every_outage(self):
        curve = drawn(("#", 60), (".", 5))
        assert recognise(at(60), at(65), curve, 100, Elsewhere(breaks=25, unread_rows=0), RULES).recognised

    def test_originals_that_come_later_do_not_make_the_rest_suspicious(self):
        curve = drawn(("#", 60), ("+", 5))
        assert recognise(at(60), at(65), curve, 100, Elsewhere(breaks=5, unread_rows=0), RULES).recognised

    def test_a_small_share_of_busy_traffic_needs_no_hour_before(self):
        curve = drawn((" ", 60), ("+", 20))
        assert recognise(at(60), at(80), curve, 20, NOWHERE, RULES).recognised


class TestRecovery:
    @pytest.mark.parametrize(
        ("after", "ended"),
        [
            ("#####", 65),
            ("####", None),
            ("-----", None),
            (".....", None),
            ("#####.", None),
            ("#+##+#", 65),
            ("##-##", 65),
            ("-#####", 66),
            ("     ", None),
        ],
    )
    def test_it_has_recovered_when_credits_follow_again_for_five_judged_minutes(self, after, ended):
        curve = drawn(("#", 60), (".", 5), after)
        found = recovered_since(at(60), at(65 + len(after)), curve, RULES)
        assert found == (None if ended is None else at(ended))

    def test_minutes_that_are_not_judged_yet_do_not_count(self):
        curve = drawn(("#", 60), (".", 5), ("#", 10))
        assert recovered_since(at(60), at(69, 59), curve, RULES) is None
        assert recovered_since(at(60), at(70), curve, RULES) == at(65)

    def test_a_second_dip_moves_its_end(self):
        curve = drawn(("#", 60), (".", 5), ("#", 8), (".", 5), ("#", 6))
        assert recovered_since(at(60), at(84), curve, RULES) == at(78)

    def test_late_originals_are_waited_for_anew_each_time_that_one_lands(self):
        assert settled_from(at(35), None, RULES) == at(50)
        assert settled_from(at(35), at(20), RULES) == at(50)
        assert settled_from(at(35), at(47), RULES) == at(62)


class TestSurroundings:
    @staticmethod
    def of(curve, minute, *, now, others=()):
        timeline = Timeline([at(minute), *(at(other) for other in others)])
        return timeline.surroundings(
            at(minute), curve=curve, ledger_until=at(now), judged_until=at(now - 15), rules=RULES
        )

    def test_a_fault_among_credited_purchases_is_calm(self):
        assert self.of(drawn(("#", 30), "+", ("#", 30)), 30, now=46) is Surroundings.CALM

    def test_the_first_fault_of_an_outage_is_not_since_nothing_after_it_is_credited_either(self):
        assert self.of(drawn(("#", 30), (".", 16)), 30, now=46) is Surroundings.FORMING

    def test_where_nobody_bought_afterwards_nothing_is_known(self):
        assert self.of(drawn(("#", 30), "+", (" ", 30)), 30, now=46) is Surroundings.FORMING

    def test_more_than_a_few_together_may_be_a_beginning(self):
        curve = drawn(("#", 30), "+", ("#", 30))
        assert self.of(curve, 30, now=46, others=range(27, 31)) is Surroundings.CALM
        assert self.of(curve, 30, now=46, others=range(26, 31)) is Surroundings.FORMING

    def test_once_everything_nearby_is_judged_a_few_are_everyday_faults(self):
        curve = drawn(("#", 30), "+", ("#", 60))
        assert self.of(curve, 30, now=60, others=range(20, 40)) is Surroundings.CALM

    def test_a_crowd_of_faults_among_few_purchases_is_for_a_person(self):
        curve = drawn((" ", 26), ("-", 5), (" ", 60))
        assert self.of(curve, 30, now=60, others=range(25, 30)) is Surroundings.CROWDED

    def test_a_lone_fault_in_the_night_is_not_a_crowd(self):
        curve = drawn((" ", 30), ".", (" ", 60))
        assert self.of(curve, 30, now=60) is Surroundings.CALM
