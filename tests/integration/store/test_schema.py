"""What the database itself refuses, tried on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from reconcile.domain.ids import derive
from reconcile.domain.lifecycles import TRANSITIONS
from reconcile.store import audit, migrate
from reconcile.store.database import Database
from reconcile.store.tables import audit as audit_table
from reconcile.store.tables import batches, feeds, metadata, transitions
from reconcile.store.transitions import StaleStatusError, advance

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.dispose()


def test_models_and_migrations_agree(database):
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_lifecycles_in_code_are_the_transitions_in_the_schema(database):
    with database.begin() as connection:
        rows = connection.execute(sa.select(transitions)).all()
    assert {(row.entity, row.from_status, row.to_status) for row in rows} == {
        (entity, *step) for entity, steps in TRANSITIONS.items() for step in steps
    }


def test_upgrading_twice_changes_nothing(database):
    migrate.upgrade(database)
    with database.begin() as connection:
        current, newest = migrate.revisions(connection)
    assert current == newest


def add_batch(connection, status="landed"):
    connection.execute(
        sa.insert(feeds).values(feed="ocs", flow="topup", side="ledger", grade="proven", updated_at=NOON)
    )
    batch_id = derive("batch", "test")
    connection.execute(
        sa.insert(batches).values(
            batch_id=batch_id, feed="ocs", flow="topup", side="ledger", source="a.csv", sha256="00", status=status,
            landed_path="landed/a.csv", landed_at=NOON,
        )
    )  # fmt: skip
    return batch_id


def test_a_step_that_no_lifecycle_holds_is_refused_by_the_database(database):
    with pytest.raises(sa.exc.IntegrityError, match="a batch may not go from new to published"), database.begin() as c:
        add_batch(c, status="published")
    with (
        pytest.raises(sa.exc.IntegrityError, match="a batch may not go from landed to withdrawn"),
        database.begin() as c,
    ):
        advance(c, batches, add_batch(c), expected="landed", status="withdrawn", reason="wrong day")


def test_a_row_that_somebody_else_moved_first_is_not_moved_again(database):
    with database.begin() as connection:
        batch_id = add_batch(connection)
        advance(connection, batches, batch_id, expected="landed", status="refused", reason="wrong day")
        with pytest.raises(StaleStatusError):
            advance(connection, batches, batch_id, expected="landed", status="refused", reason="wrong day")


def test_a_batch_that_loses_a_row_cannot_be_published(database):
    with pytest.raises(sa.exc.IntegrityError, match="nothing_lost"), database.begin() as connection:
        batch_id = add_batch(connection)
        advance(
            connection, batches, batch_id, expected="landed", status="published",
            raw_rows=10, published_rows=9, path="a.parquet",
        )  # fmt: skip


def test_a_watermark_never_moves_back(database):
    with database.begin() as connection:
        add_batch(connection)
        connection.execute(sa.update(feeds).values(watermark=NOON))
    with pytest.raises(sa.exc.IntegrityError, match="may not move back"), database.begin() as connection:
        connection.execute(sa.update(feeds).values(watermark=NOON - timedelta(seconds=1)))


def record_three(connection):
    for number in range(3):
        audit.record(
            connection, at=NOON, actor="job:test", action="tried", subject=("case", str(number)), reason="a test",
            evidence={"number": number},
        )  # fmt: skip


def test_the_audit_is_chained_and_the_chain_verifies(database):
    with database.begin() as connection:
        record_three(connection)
        assert audit.seal(connection) == 3
        record_three(connection)
        assert audit.seal(connection) == 3
        assert audit.seal(connection) == 0
        assert audit.verify(connection) == 6


@pytest.mark.parametrize("change", [sa.update(audit_table).values(reason="another"), sa.delete(audit_table)])
def test_an_audit_row_cannot_be_changed_or_removed(database, change):
    with database.begin() as connection:
        record_three(connection)
    with pytest.raises(sa.exc.IntegrityError, match="never changed"), database.begin() as connection:
        connection.execute(change)


def test_a_change_behind_the_triggers_back_breaks_the_chain(database):
    with database.begin() as connection:
        record_three(connection)
        audit.seal(connection)
        connection.execute(sa.text("alter table audit disable trigger audit_is_append_only"))
        connection.execute(sa.update(audit_table).where(audit_table.c.chain_position == 2).values(reason="another"))
        with pytest.raises(audit.AuditBrokenError, match="position 2"):
            audit.verify(connection)
