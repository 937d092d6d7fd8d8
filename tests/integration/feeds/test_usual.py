"""Deliveries that are whole and well formed, and yet not what they should be: another day, or far too many rows."""

from datetime import timedelta

import pytest

from reconcile.domain.refusal import NotAllowedError
from reconcile.feeds import acceptance, usual
from reconcile.feeds.usual import Usual

from .conftest import NOON, entry

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


@pytest.fixture
def few_are_many(monkeypatch):
    """A test need not deliver thousands of rows."""
    monkeypatch.setattr(usual, "TOLERATED_ROWS", 20)
    monkeypatch.setattr(usual, "NOTABLE_ROWS", 5)


def deliver(operator, through, rows, *, happened=None):
    """A ledger file of that many rows, spread over the hour before `happened`, taken a minute after `through`."""
    happened = happened or through
    lines = [
        entry(f"{through:%d%H%M}-{number}", reference=f"RC{through:%d%H}{number}",
              at=f"{happened - HOUR * (number + 1) / (rows + 1):%Y-%m-%d %H:%M:%S}")
        for number in range(rows)
    ]  # fmt: skip
    name = f"{through:%Y%m%dT%H%M}.csv"
    operator.ledger(name, lines, through=through)
    operator.at(through + timedelta(minutes=1))
    operator.take("ocs")
    return operator.batch(name)


def a_month(operator, *, rows=10):
    """Four weeks, each with the hour before noon of one day; the hour before that is covered too."""
    for week in range(4, 0, -1):
        deliver(operator, NOON - week * WEEK - HOUR, 1)
        deliver(operator, NOON - week * WEEK, rows)
    deliver(operator, NOON - HOUR, 1)


def accept(operator, batch):
    with operator.database.begin() as connection:
        acceptance.accept(
            connection, batch["batch_id"], actor="user:ines", reason="a sale", now=operator.world.clock.now()
        )


def test_many_times_the_usual_rows_are_refused_until_a_person_accepts_them(operator, few_are_many):
    a_month(operator)
    batch = deliver(operator, NOON, 101)
    assert batch["status"] == "refused"
    assert "volume_is_usual: The file has 101 new rows, where 100 are the most" in batch["reason"]
    assert operator.watermark("ocs") == NOON - HOUR
    accept(operator, batch)
    operator.take("ocs")
    assert operator.batch(batch["source"])["status"] == "published"
    assert operator.watermark("ocs") == NOON
    (noted,) = operator.query("select actor, evidence from audit where action = 'batch_accepted'")
    assert tuple(noted.values()) == ("user:ines", {"broken": ["volume_is_usual"]})


def test_a_volume_that_was_accepted_is_usual_for_a_day(operator, few_are_many):
    half_past = NOON + HOUR / 2
    for week in range(4, 0, -1):
        deliver(operator, NOON - week * WEEK - HOUR, 1)
        deliver(operator, NOON - week * WEEK, 10)
        deliver(operator, half_past - week * WEEK, 5)
    deliver(operator, NOON - HOUR, 1)
    accept(operator, deliver(operator, NOON, 101))
    operator.take("ocs")
    assert usual_at(operator, half_past).rows == pytest.approx(101 / 2)
    operator.at(NOON + timedelta(days=2))
    assert usual_at(operator, half_past).rows == pytest.approx(10 / 2)


def test_just_the_most_that_is_usual_is_taken(operator, few_are_many):
    a_month(operator)
    assert deliver(operator, NOON, 100)["status"] == "published"


def test_without_history_there_is_no_usual_volume(operator, few_are_many):
    deliver(operator, NOON - HOUR, 1)
    assert deliver(operator, NOON, 200)["status"] == "published"


def test_another_hour_of_the_week_has_its_own_volume(operator, few_are_many):
    a_month(operator)
    deliver(operator, NOON, 10)
    assert deliver(operator, NOON + HOUR, 200)["status"] == "published"


def test_a_silent_ledger_is_taken_and_remarked(operator, few_are_many):
    a_month(operator)
    batch = deliver(operator, NOON, 0)
    assert (batch["status"], batch["remark"]) == ("published", "has 0 new rows where some 10 are usual")
    assert operator.watermark("ocs") == NOON


def test_the_file_of_another_day_is_refused_until_a_person_accepts_it(operator):
    deliver(operator, NOON - HOUR, 10)
    batch = deliver(operator, NOON, 10, happened=NOON - timedelta(days=1))
    assert batch["status"] == "refused"
    assert "rows_are_of_their_period: 100.0% of the rows are from before 2024-07-09 05:00" in batch["reason"]
    assert operator.watermark("ocs") == NOON - HOUR
    accept(operator, batch)
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON


def test_yesterdays_file_under_todays_name_does_not_make_today_complete(operator):
    deliver(operator, NOON - timedelta(days=1), 10)
    deliver(operator, NOON - HOUR, 10)
    yesterday = operator.folder / "inbox" / "ocs" / f"{NOON - timedelta(days=1):%Y%m%dT%H%M}.csv"
    operator.deliver("ocs", "again.csv", yesterday.read_bytes(), rows=10)
    operator.at(NOON)
    operator.take("ocs")
    assert operator.batch("again.csv")["status"] == "refused"
    assert operator.watermark("ocs") == NOON - HOUR


def test_a_few_late_rows_are_no_other_day(operator):
    deliver(operator, NOON - HOUR, 10)
    late = [entry(f"L{number}", at="2024-07-08 09:00:00") for number in range(5)]
    operator.ledger("late.csv", late)
    operator.at(NOON)
    operator.take("ocs")
    assert operator.batch("late.csv")["status"] == "published"


def test_what_was_not_announced_cannot_be_accepted(operator):
    operator.ledger("1.csv", [entry("E1")], rows=2)
    operator.take("ocs")
    with pytest.raises(NotAllowedError, match="cannot be taken as it is, have it delivered again"):
        accept(operator, operator.batch("1.csv"))
    operator.ledger("2.csv", [entry("E2")])
    operator.take("ocs")
    with pytest.raises(NotAllowedError, match="is published; only one that was refused can be accepted"):
        accept(operator, operator.batch("2.csv"))


@pytest.mark.parametrize(("rows", "most"), [(None, None), (1, 1_000), (1_000, 10_000)])
def test_a_handful_is_never_too_many(rows, most):
    assert Usual(NOON, NOON, rows).most_rows(10) == most


def usual_at(operator, through):
    with operator.database.begin() as connection:
        return usual.usual(
            connection, operator.world.configuration.feed("ocs"), through, zone="UTC", now=operator.world.clock.now()
        )
