"""A database of the first released schema, with a world in it, becomes one of today's; and what happens when it cannot."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from typer.testing import CliRunner

from reconcile.jobs.doctor import examine
from reconcile.jobs.write_report import write_report
from reconcile.store import audit, migrate
from reconcile.store.database import Database, SchemaError
from reconcile.store.tables import metadata
from tests.integration.keeping.conftest import FIRST, MOVED, Town
from tests.integration.keeping.test_erasing import remembered

RELEASED = "0002"
MONEY = ("intents", "attempts", "observations", "postings", "budgets", "approvals", "cases", "verdicts", "statements")


def at_revision(url: str, revision: str) -> Database:
    """A database with the schema of that revision, and nothing in it."""
    database = Database(url)
    with database.begin() as connection:
        connection.execute(sa.schema.CreateSchema(database.schema, if_not_exists=True))
        configuration = migrate._configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
    return database


def rows_of(database: Database, table: str, columns: str = "*") -> list[str]:
    with database.begin() as connection:
        return sorted(
            connection.execute(sa.text(f"select row_to_json(t)::text from (select {columns} from {table}) t")).scalars()
        )


def columns_of(database: Database, table: str) -> list[str]:
    with database.begin() as connection:
        return [column["name"] for column in sa.inspect(connection).get_columns(table, schema=database.schema)]


def quoted(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def carry_over(source: Database, target: Database) -> None:
    """Every row of a world into the tables as they once were; what they did not have is left out."""
    with target.begin() as connection:
        known = set(sa.inspect(connection).get_table_names(schema=target.schema))
        for table in (table for table in metadata.sorted_tables if table.name in known - {"transitions"}):
            connection.execute(sa.text(f"alter table {table.name} disable trigger user"))
            for row in rows_of(source, table.name):
                connection.execute(
                    sa.text(
                        f"insert into {table.name} overriding system value "
                        f"select * from json_populate_record(null::{table.name}, cast(:row as json))"
                    ),
                    {"row": row},
                )
            connection.execute(sa.text(f"alter table {table.name} enable trigger user"))
            for column in (column for column in table.columns if column.identity is not None):
                connection.execute(
                    sa.text(
                        f"select setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "
                        f"(select coalesce(max({column.name}), 1) from {table.name}))"
                    )
                )


@pytest.fixture
def released(moved_town: Town, empty_database_url: str):
    """The town's world in a database of the released schema."""
    remembered(moved_town)
    database = at_revision(empty_database_url, RELEASED)
    carry_over(moved_town.database, database)
    town = Town(moved_town.folder, database)
    town.at(MOVED)
    yield town
    database.dispose()


def test_a_released_database_with_a_world_in_it_goes_on_after_the_upgrade(released: Town):
    before = {table: columns_of(released.database, table) for table in MONEY}
    money = {table: rows_of(released.database, table, quoted(columns)) for table, columns in before.items()}
    assert all(
        money[table] for table in ("intents", "attempts", "postings", "approvals", "cases", "verdicts", "statements")
    )
    with released.database.begin() as connection:
        links = audit.verify(connection)

    assert migrate.upgrade(released.database) == (RELEASED, migrate._known()[-1])

    assert {table: rows_of(released.database, table, quoted(columns)) for table, columns in before.items()} == money
    with released.database.begin() as connection:
        migrate.require(connection)
        assert audit.verify(connection) == links > 0
    seen = released.seen()
    assert len(seen) > 20, "the desk and the reports read on"
    assert write_report(released.world, FIRST.date())
    released.trade(70, MOVED.replace(hour=23))
    released.keep()
    assert len(released.seen()) > len(seen)
    assert rows_of(released.database, "postings") == money["postings"]


def test_jobs_of_this_program_touch_no_older_schema(released: Town):
    before = released.query("select count(*) as n from batches")
    with pytest.raises(SchemaError, match=r"0002, .* is needed: run `reconcile migrate`"):
        released.fold()
    assert released.query("select count(*) as n from batches") == before
    (finding,) = [one for one in examine(released.world) if one.subject == "schema"]
    assert finding.level == "failure"
    assert "run `reconcile migrate`" in finding.text


def newer(town: Town) -> Town:
    town.query("update alembic_version set version_num = '9999' returning 1")
    return town


def test_a_program_that_is_older_than_the_schema_refuses_to_work(town: Town):
    newer(town)
    with pytest.raises(SchemaError, match="9999, which is newer than this program"):
        town.fold()
    with pytest.raises(SchemaError, match="newer than this program"):
        migrate.upgrade(town.database)
    assert town.query("select version_num from alembic_version") == [{"version_num": "9999"}]
    (finding,) = [one for one in examine(town.world) if one.subject == "schema"]
    assert (finding.level, "newer than this program" in finding.text) == ("failure", True)


def test_an_upgrade_that_fails_leaves_the_old_schema(released: Town, monkeypatch):
    tables = columns_of(released.database, "batches")
    upgrade = command.upgrade

    def failing(configuration, revision):
        upgrade(configuration, revision)
        raise OSError("the disk is full")

    monkeypatch.setattr(command, "upgrade", failing)
    with pytest.raises(OSError, match="the disk is full"):
        migrate.upgrade(released.database)
    monkeypatch.undo()
    assert columns_of(released.database, "batches") == tables
    assert released.query("select version_num from alembic_version") == [{"version_num": RELEASED}]
    assert migrate.upgrade(released.database)[0] == RELEASED


def test_an_upgrade_waits_for_a_job_at_work_and_gives_up_cleanly(released: Town):
    impatient = Database(released.database.url.render_as_string(hide_password=False))
    sa.event.listen(impatient.engine, "begin", lambda c: c.exec_driver_sql("set lock_timeout = '100ms'"))
    at_work, done = threading.Event(), threading.Event()

    def work():
        with released.database.begin() as connection:
            connection.execute(sa.text("update batches set reason = reason"))
            at_work.set()
            done.wait(30)

    worker = threading.Thread(target=work)
    worker.start()
    assert at_work.wait(30)
    with pytest.raises(SchemaError, match="a job holds what is to be changed"):
        migrate.upgrade(impatient)
    assert released.query("select version_num from alembic_version") == [{"version_num": RELEASED}]
    done.set()
    worker.join()
    assert migrate.upgrade(impatient)[0] == RELEASED, "the job ended well, and so does the upgrade"
    impatient.dispose()


def test_the_command_says_from_where_to_where(released: Town, monkeypatch):
    from reconcile.app import Application
    from reconcile.cli import app, console

    monkeypatch.setattr(console, "application", lambda: Application(released.world))
    newest = migrate._known()[-1]
    assert f"upgraded: {RELEASED} → {newest}" in CliRunner().invoke(app, ["migrate"]).output
    assert f"the schema is up to date: {newest}" in CliRunner().invoke(app, ["migrate"]).output


def test_each_revision_follows_on_one_that_is_there():
    """Engineers who work at once number their revisions alike; this is where it shows."""
    folder = Path(__file__).parents[3] / "sql" / "migrations" / "versions"
    names = sorted(path.name[:4] for path in folder.glob("[0-9]*.py"))
    assert list(migrate._known()) == names
