"""The connection to PostgreSQL and the unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

CONNECT_TIMEOUT_SECONDS: Final = 10
LOCK_TIMEOUT_SECONDS: Final = 30
STATEMENT_TIMEOUT_SECONDS: Final = 300
"""A day of ten million rows never passes through one statement: what takes longer than this is stuck."""
POOL_SIZE: Final = 16


class DatabaseUnavailableError(RuntimeError):
    """PostgreSQL does not answer. The message names host and database, never the password."""


class SchemaError(RuntimeError):
    """The database's schema is not the one that this program works with. Nothing was read or written."""


class Database:
    """One PostgreSQL schema. Threads may share it; each `begin()` takes a connection of its own."""

    def __init__(self, url: str, *, schema: str = "reconcile") -> None:
        self.url: Final = sa.make_url(url)
        self.schema: Final = schema
        options = " ".join(
            (
                f"-csearch_path={schema}",
                "-ctimezone=UTC",
                f"-clock_timeout={LOCK_TIMEOUT_SECONDS}s",
                f"-cstatement_timeout={STATEMENT_TIMEOUT_SECONDS}s",
                "-capplication_name=reconcile",
            )
        )
        self.engine: Final = sa.create_engine(
            self.url,
            connect_args={"options": options, "connect_timeout": CONNECT_TIMEOUT_SECONDS},
            pool_size=POOL_SIZE,
            pool_pre_ping=True,
            hide_parameters=True,  # parameters are phone numbers and money: they stay out of tracebacks
        )
        sa.event.listen(self.engine, "handle_error", _keep_first_line)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        with self.engine.begin() as connection:
            yield connection

    def check(self) -> None:
        """Raises `DatabaseUnavailableError` when PostgreSQL cannot be reached."""
        try:
            with self.engine.connect() as connection:
                connection.execute(sa.text("select 1"))
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise DatabaseUnavailableError(f"{self.url.render_as_string(hide_password=True)}: {reason}") from error

    def dispose(self) -> None:
        self.engine.dispose()


def _keep_first_line(context: sa.ExceptionContext) -> None:
    """PostgreSQL's DETAIL repeats the row that it refused, phone numbers and all: only what was wrong is kept."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            error.args = (str(error.args[0]).partition("\n")[0], *error.args[1:])
