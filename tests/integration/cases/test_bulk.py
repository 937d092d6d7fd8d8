"""Many rows in one statement, on a real PostgreSQL: all of them or none."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from reconcile.cases import bulk
from reconcile.domain.ids import derive
from reconcile.store.database import Database
from reconcile.store.tables import cases

NOW = datetime(2024, 7, 9, 14, 5, tzinfo=UTC)


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def case_ids(database):
    """Three open cases."""
    found = [derive("case", str(number)) for number in range(3)]
    with database.begin() as connection:
        connection.execute(
            sa.insert(cases),
            [
                {
                    "case_id": case_id, "number": f"N{number}", "flow": "topup", "status": "open", "kind": "never_credited",
                    "version": 1, "account": "+2250707000001", "asset": "XOF", "confirmed_minor": 1050, "owed_minor": 1050,
                    "detected_at": NOW, "grade": "proven", "disposition": "wait", "disposition_reason": "new", "owner": "policy",
                }
                for number, case_id in enumerate(found)
            ],
        )  # fmt: skip
    return found


def rows(database):
    with database.begin() as connection:
        return list(connection.execute(sa.select(cases).order_by(cases.c.number)))


def test_each_row_gets_its_own_values_of_any_type(database, case_ids):
    changes = [
        {"case_id": case_id, "owed_minor": number, "blocked": None if number else "why", "credited_at": NOW if number else None}
        for number, case_id in enumerate(case_ids)
    ]  # fmt: skip
    with database.begin() as connection:
        bulk.update(connection, cases, changes, expected="open")
    assert [(row.owed_minor, row.blocked, row.credited_at) for row in rows(database)] == [
        (0, "why", None),
        (1, None, NOW),
        (2, None, NOW),
    ]


def test_a_row_that_somebody_moved_first_is_an_error_and_nothing_is_changed(database, case_ids):
    with database.begin() as connection:
        bulk.move(connection, cases, case_ids[:1], expected="open", status="rejected")
    changes = [{"case_id": case_id, "owed_minor": 7} for case_id in case_ids]
    with pytest.raises(bulk.ChangedUnderneathError, match="3 rows of cases"), database.begin() as connection:
        bulk.update(connection, cases, changes, expected="open")
    with pytest.raises(bulk.ChangedUnderneathError), database.begin() as connection:
        bulk.move(connection, cases, case_ids, expected="open", status="rejected")
    assert [(row.status, row.owed_minor) for row in rows(database)] == [
        ("rejected", 1050),
        ("open", 1050),
        ("open", 1050),
    ]


def test_no_rows_are_no_statement(database):
    with database.begin() as connection:
        bulk.update(connection, cases, [])
        bulk.move(connection, cases, [], expected="open", status="rejected")
