"""From verdicts to cases on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from reconcile.cases import verdicts
from reconcile.cases.verdict import Verdict
from reconcile.domain.ids import derive, normalise_case_number
from reconcile.store.database import Database
from reconcile.store.tables import audit, cases, runs
from reconcile.store.tables import verdicts as versions

NOW = datetime(2024, 7, 9, 14, 5, tzinfo=UTC)
RUN = derive("run", "1")


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    with database.begin() as connection:
        connection.execute(
            sa.insert(runs).values(
                run_id=RUN, flow="topup", sequence=1, path="runs/1", as_of=NOW, grade="proven", new_rows=0, open_items=0
            )
        )
    yield database
    database.dispose()


def missing(number: int, **changes) -> Verdict:
    confirmed_at = NOW - timedelta(minutes=20)
    verdict = Verdict(
        break_id=derive("case", str(number)), version=1, kind="never_credited", account="+2250707000001",
        payer="+2250707000001", reference=f"RC{number}", message_id=f"M{number}", product="airtime", asset="XOF",
        confirmed_minor=1050, credited_minor=0, own_minor=0, owed_minor=1050, confirmed_at=confirmed_at,
        deadline_at=confirmed_at + timedelta(minutes=15), credited_at=None, decidable_at=NOW, grade="proven", blocked=None,
        confirmation_ids=(str(derive("case", str(number))),), entry_ids=(), evidence={"passes": []},
    )  # fmt: skip
    return replace(verdict, **changes)


def settled(number: int, version: int = 2, **changes) -> Verdict:
    values = {"kind": "late_credit", "credited_minor": 1050, "owed_minor": 0, "credited_at": NOW, "version": version}
    return missing(number, **(values | changes))


def apply(database, *rows: Verdict, now: datetime = NOW) -> verdicts.Applied:
    with database.begin() as connection:
        return verdicts.apply(connection, flow="topup", run_id=RUN, now=now, rows=rows)


def stored(database, table):
    with database.begin() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))


def test_a_new_break_is_an_open_case_with_a_number_that_can_be_spoken(database):
    applied = apply(database, missing(1), missing(2))
    assert applied.touched == [derive("case", "1"), derive("case", "2")]
    rows = stored(database, cases)
    assert {row.status for row in rows} == {"open"}
    assert all(normalise_case_number(row.number) == row.number for row in rows)


def test_a_new_version_changes_its_case_and_stands_beside_the_old_one(database):
    apply(database, missing(1))
    applied = apply(database, missing(1, version=2, kind="under_credited", credited_minor=500, owed_minor=550))
    assert applied.changed == [derive("case", "1")]
    (row,) = stored(database, cases)
    assert (row.kind, row.version, row.owed_minor) == ("under_credited", 2, 550)
    assert [(row.version, row.owed_minor) for row in stored(database, versions)] == [(1, 1050), (2, 550)]


@pytest.mark.parametrize(("own_minor", "how"), [(0, "self_settled"), (1050, "remedied")])
def test_a_case_closes_by_whoever_made_it_whole(database, own_minor, how):
    apply(database, missing(1))
    applied = apply(database, settled(1, own_minor=own_minor, credited_minor=1050 - own_minor))
    assert getattr(applied, how) == applied.closed == [derive("case", "1")]
    (row,) = stored(database, cases)
    assert (row.status, row.disposition, row.closed_at) == ("closed", "done", NOW)
    assert stored(database, audit)[-1].action == f"case {how}"


def test_a_credit_that_came_late_before_anybody_looked_is_a_case_that_opens_and_closes_at_once(database):
    applied = apply(database, settled(1, version=1))
    assert (applied.touched, applied.self_settled) == ([], [derive("case", "1")])
    assert [row.action for row in stored(database, audit)] == ["case opened", "case self_settled"]


def test_a_closed_case_opens_again_with_its_number_when_a_verdict_says_so(database):
    apply(database, missing(1))
    apply(database, settled(1))
    number = stored(database, cases)[0].number
    applied = apply(database, missing(1, version=3, kind="over_credited", credited_minor=2100, owed_minor=-1050))
    assert applied.reopened == applied.touched == [derive("case", "1")]
    (row,) = stored(database, cases)
    assert (row.status, row.closed_at, row.number) == ("open", None, number)


def test_two_cases_never_share_a_number(database, monkeypatch):
    def few(case_id: UUID, secret: bytes, retry: int = 0) -> str:
        assert len(secret) >= 16
        return f"{case_id.int % 2}-{retry}"

    monkeypatch.setattr(verdicts, "case_number", few)
    apply(database, *(missing(number) for number in range(6)))
    apply(database, *(missing(number) for number in range(6, 10)))
    assert len({row.number for row in stored(database, cases)}) == 10


def test_a_thousand_verdicts_are_a_handful_of_statements(database):
    statements = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    apply(database, *(missing(number) for number in range(1000)))
    apply(database, *(settled(number) for number in range(1000)))
    assert len(statements) < 25
    assert {row.status for row in stored(database, cases)} == {"closed"}


def test_a_case_that_the_fold_has_forgotten_goes_on_from_its_own_last_version(database):
    apply(database, missing(1))
    apply(database, settled(1))
    assert apply(database, missing(1)).reopened == [missing(1).break_id]
    assert apply(database, settled(1)).self_settled == [missing(1).break_id]
    assert [row.version for row in stored(database, versions)] == [1, 2, 3, 4]
    [case] = stored(database, cases)
    assert (case.version, case.status) == (4, "closed")
