"""Brings a database to the newest schema, from the Alembic scripts in `sql/migrations/`."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from reconcile.resources import folder
from reconcile.store.database import Database

_MIGRATION_LOCK = 0x5EC0_9C11  # any constant: two processes that upgrade at once take turns


def upgrade(database: Database) -> None:
    """Creates the schema when missing and applies what is pending; harmless when nothing is."""
    with database.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        connection.execute(sa.schema.CreateSchema(database.schema, if_not_exists=True))
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


def revisions(connection: sa.Connection) -> tuple[str | None, str | None]:
    """(revision of the database, newest revision known here)."""
    current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(_configuration()).get_current_head()


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(folder("sql") / "migrations").replace("%", "%%"))
    return configuration
