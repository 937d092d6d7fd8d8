"""An incident's life on a real PostgreSQL, with cases and curves put there by hand."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from reconcile.cases import incidents
from reconcile.cases.incidents import Sight
from reconcile.domain.ids import derive
from reconcile.domain.surge import Curve, Minute, SurgeRules
from reconcile.store.database import Database
from reconcile.store.tables import breakers, cases
from reconcile.store.tables import incidents as rows_of_incidents

START = datetime(2024, 7, 9, 12, 0, tzinfo=UTC)
RULES = SurgeRules(
    cases=10,
    window=timedelta(minutes=15),
    settle_after=timedelta(minutes=15),
    recovered_share=0.9,
    breaker_share=0.25,
    deadline_after=timedelta(minutes=15),
)


def at(minute):
    return START + timedelta(minutes=minute)


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.dispose()


def owe(database, minutes):
    """One open case for each of these minutes; returns their ids."""
    rows = [
        {
            "case_id": derive("case", str(minute), str(number)), "number": f"N{minute}-{number}", "flow": "topup",
            "status": "open", "kind": "never_credited", "version": 1, "account": "+2250707000001", "asset": "XOF",
            "confirmed_minor": 1050, "owed_minor": 1050, "confirmed_at": at(minute), "detected_at": at(minute + 15),
            "grade": "proven", "disposition": "wait", "disposition_reason": "new", "owner": "policy",
        }
        for number, minute in enumerate(minutes)
    ]  # fmt: skip
    with database.begin() as connection:
        connection.execute(sa.insert(cases), rows)
    return [row["case_id"] for row in rows]


def settle(database, case_ids, when):
    """Their originals land late."""
    with database.begin() as connection:
        these = sa.update(cases).where(cases.c.case_id.in_(case_ids))
        connection.execute(these.values(status="self_settled", kind="late_credit", owed_minor=0, credited_at=when))
        connection.execute(these.values(status="closed", closed_at=when))


def watch(database, now, *, sick=()):
    """One run at that minute; traffic of twenty a minute is credited but in the `sick` minutes."""
    curve = Curve([Minute(at(minute), 20, 0 if minute in sick else 20) for minute in range(-60, now)])
    sight = Sight(curve=curve, ledger_until=at(now), judged_until=at(now - 15), now=at(now))
    with database.begin() as connection:
        incidents.watch(connection, flow="topup", asset="XOF", sight=sight, rules=RULES)
        return list(connection.execute(sa.select(rows_of_incidents).order_by(rows_of_incidents.c.detected_at)))


def members(database):
    with database.begin() as connection:
        query = sa.select(cases.c.case_id).where(cases.c.incident_id.is_not(None))
        return set(connection.execute(query).scalars())


def test_older_cases_that_break_in_numbers_later_move_its_beginning(database):
    owe(database, [30] * 10)
    (incident,) = watch(database, 46, sick=range(30, 46))
    assert incident.started_at == at(30)
    owe(database, [10] * 10)
    (incident,) = watch(database, 47, sick=range(30, 46))
    assert (incident.started_at, incident.scope["confirmed_from"]) == (at(10), at(10).isoformat())
    assert len(members(database)) == 20
    assert watch(database, 48, sick=range(30, 46))[0].started_at == at(10)


def test_the_same_minutes_can_break_twice(database):
    first = owe(database, [30] * 10)
    watch(database, 46, sick=range(30, 32))
    settle(database, first, at(50))
    (incident,) = watch(database, 60, sick=range(30, 32))
    assert incident.status == "closed"
    owe(database, [30.5] * 10)
    found = watch(database, 61, sick=range(30, 32))
    assert [(row.status, row.number) for row in found] == [("closed", "TOPUP-240709-1"), ("open", "TOPUP-240709-2")]
    assert found[0].started_at == found[1].started_at


def test_cases_of_another_flow_and_cases_after_its_end_do_not_join(database):
    inside = owe(database, [30] * 10)
    watch(database, 46, sick=range(30, 32))
    watch(database, 60, sick=range(30, 32))
    owe(database, [40])
    (incident,) = watch(database, 61, sick=range(30, 32))
    assert (incident.status, incident.ended_at, incident.settle_until) == ("recovered", at(32), at(47))
    assert members(database) == set(inside)


def test_an_outage_that_looks_like_one_leaves_the_breaker_alone(database):
    owe(database, [30] * 10)
    watch(database, 46, sick=range(30, 46))
    with database.begin() as connection:
        assert connection.execute(sa.select(breakers)).all() == []
