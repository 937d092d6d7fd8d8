"""How a job ends: in the log, in its totals, and in the breaker where an invariant did not hold."""

import logging
import re

import pytest
import sqlalchemy as sa

from reconcile.store.tables import breakers, job_runs, job_totals

PHONE = "2250701020304"


def totals(world):
    with world.database.begin() as connection:
        return connection.execute(sa.select(job_totals).order_by(job_totals.c.job, job_totals.c.subject)).all()


def breaker_of(world):
    with world.database.begin() as connection:
        return connection.execute(sa.select(breakers.c.open)).scalar_one_or_none()


def test_a_job_that_ends_well_is_said_and_counted(operator, caplog):
    with caplog.at_level(logging.INFO), operator.world.job("fold_flow", "topup") as run:
        run.counts["opened"] = 2
    events = [record for record in caplog.records if record.name == "reconcile.jobs.world"]
    assert [record.message for record in events] == ["job begins", "job ended"]
    assert events[1].counts == {"opened": 2}
    (total,) = totals(operator.world)
    assert (total.job, total.subject, total.succeeded, total.failed) == ("fold_flow", "topup", 1, 0)
    assert total.last_succeeded_at is not None


def test_a_job_that_fails_is_counted_without_what_its_error_says(operator):
    def failing():
        raise ValueError(PHONE)

    for _ in range(2):
        with pytest.raises(ValueError, match=PHONE), operator.world.job("take_feed", "ocs"):
            failing()
    with operator.world.job("take_feed", "smsc"):
        pass
    failed, other = totals(operator.world)
    assert (failed.subject, failed.failed, failed.failed_in_a_row, failed.succeeded) == ("ocs", 2, 2, 0)
    assert re.fullmatch(r"ValueError in jobs/world\.py:\d+", failed.last_error)
    assert (other.subject, other.failed, other.succeeded) == ("smsc", 0, 1)
    with operator.world.job("take_feed", "ocs"):
        pass
    assert totals(operator.world)[0].failed_in_a_row == 0
    with operator.world.database.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(job_runs)).scalar_one() == 2
    assert breaker_of(operator.world) is None


@pytest.mark.parametrize(("job", "subject"), [("fold_flow", "topup"), ("take_feed", "ocs"), ("send_notices", "")])
def test_an_invariant_that_does_not_hold_opens_the_breaker(operator, job, subject):
    def violated():
        try:
            assert 1 + 1 == 3, f"money was lost for {PHONE}"
        except AssertionError as error:
            raise RuntimeError("wrapped") from error

    with pytest.raises(ExceptionGroup), operator.world.job(job, subject):
        try:
            violated()
        except RuntimeError as error:
            raise ExceptionGroup("several", [ValueError("another"), error]) from None
    assert breaker_of(operator.world).startswith("an invariant did not hold: ")
    assert PHONE not in breaker_of(operator.world)
    assert totals(operator.world)[0].violated_at is not None


def test_a_failure_without_a_database_is_raised_as_it_is(operator, caplog, monkeypatch):
    def gone():
        raise ConnectionError("the database is gone")

    with pytest.raises(KeyError), operator.world.job("fold_flow", "topup"):
        monkeypatch.setattr(operator.world.database, "begin", gone)
        raise KeyError("the first")
    assert "could not be recorded" in caplog.text
