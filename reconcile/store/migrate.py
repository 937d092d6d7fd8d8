"""Brings a database to the newest schema, from the Alembic scripts in `sql/migrations/`."""

from functools import cache

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from reconcile.resources import folder
from reconcile.store.database import Database, SchemaError

_MIGRATION_LOCK = 0x5EC0_9C11  # any constant: two processes that upgrade at once take turns
_LOCK_NOT_AVAILABLE = "55P03"


def upgrade(database: Database) -> tuple[str | None, str]:
    """Creates the schema when missing and applies what is pending; returns the revisions of before and now.

    All of it is one transaction: what fails leaves the old schema. Raises `SchemaError` where the schema is newer than this
    program, or where jobs at work do not let it be changed within the lock timeout.
    """
    try:
        with database.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            connection.execute(sa.schema.CreateSchema(database.schema, if_not_exists=True))
            before, newest = revisions(connection)
            _refuse_newer(before, newest)
            configuration = _configuration()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise SchemaError(
            "the schema was not changed: a job holds what is to be changed; let the jobs end, or stop them, and run it again"
        ) from error
    return before, newest


def revisions(connection: sa.Connection) -> tuple[str | None, str]:
    """(revision of the database, newest revision known here)."""
    return MigrationContext.configure(connection).get_current_revision(), _known()[-1]


def require(connection: sa.Connection) -> None:
    """Raises `SchemaError` unless the database has exactly the schema that this program was written for."""
    current, newest = revisions(connection)
    _refuse_newer(current, newest)
    if current != newest:
        raise SchemaError(f"the schema is at revision {current or 'none'}, {newest} is needed: run `reconcile migrate`")


def _refuse_newer(current: str | None, newest: str) -> None:
    if current is not None and current not in _known():
        raise SchemaError(
            f"the schema is at revision {current}, which is newer than this program, which knows {newest}: "
            "run the newer program, or restore the backup from before the upgrade"
        )


@cache
def _known() -> tuple[str, ...]:
    """All revisions, the oldest first."""
    scripts = ScriptDirectory.from_config(_configuration()).walk_revisions()
    return tuple(script.revision for script in scripts)[::-1]


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(folder("sql") / "migrations").replace("%", "%%"))
    return configuration
