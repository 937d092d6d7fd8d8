"""The database of a feed: opened so that nothing in it changes, and asked within limits."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from reconcile.config import Configuration, ConfigurationError, Feed
from reconcile.feeds.inbox import UnreachableError
from reconcile.feeds.sql.deadline import OverdueError, within
from reconcile.feeds.sql.dialect import Dialect, dialect_of
from reconcile.feeds.sql.look import Look
from reconcile.feeds.sql.reason import reason_of

_T = TypeVar("_T")

FETCHED_ROWS: Final = 5_000
"""Rows that the driver holds at a time."""
_UNANSWERED: Final = (sa.exc.SQLAlchemyError, OSError, ValueError, ArithmeticError)
"""What a driver raises for a database that does not answer, refuses, or gives what Python cannot hold."""


class SourceError(UnreachableError):
    """The database of a feed did not give its rows. The message holds neither address nor secret nor any value of a row."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one snapshot, as they come; `look`: what was seen just before it was taken."""

    look: Look
    columns: tuple[str, ...]
    partitions: Iterator[list[Any]]


class Source:
    """The database of one feed. Raises `ConfigurationError` without its password or its driver."""

    def __init__(self, configuration: Configuration, feed: Feed, seconds: float) -> None:
        self._feed = feed
        self._seconds = seconds
        self._zone = ZoneInfo(feed.zone)
        self._url = _url(configuration, feed)
        self._dialect: Dialect = dialect_of(self._url)
        self._statement = self._text(feed.query or "")
        self._raw: Any = None
        try:
            self._engine = sa.create_engine(
                self._url,
                connect_args=self._dialect.connect_arguments(self._url.get_driver_name()),
                poolclass=sa.NullPool,
                hide_parameters=True,
            )
        except ImportError as error:
            raise ConfigurationError(
                f"feed {feed.name}: the driver for {self._url.drivername} is not installed: {error.name}"
            ) from None
        sa.event.listen(self._engine, "connect", self._prepare)

    def read(self, since: datetime, until: datetime, take: Callable[[Rows], _T]) -> _T:
        """What `take` makes of the rows that the feed's query gives between two instants (aware), read in one snapshot.

        Raises `SourceError`, also when that takes longer than the limit.
        """

        def work() -> _T:
            with self._open(since, until) as rows:
                return take(rows)

        return self._answer(work)

    @property
    def shows_transactions(self) -> bool:
        """Whether this kind of database can say which transactions are open in it."""
        return self._url.get_backend_name() == "postgresql"

    def plan(self, since: datetime, until: datetime) -> Any:
        """PostgreSQL's plan for the query, as its JSON; None where the database is another."""
        if not self.shows_transactions:
            return None
        explained = self._text(f"EXPLAIN (FORMAT JSON) {self._feed.query}")

        def work() -> Any:
            with self._engine.connect() as connection:
                return connection.execute(explained, self._bounds(since, until)).scalar_one()

        return self._answer(work)

    def _text(self, query: str) -> sa.TextClause:
        instant = sa.DateTime(timezone=self._dialect.knows_zones)
        return sa.text(query).bindparams(sa.bindparam("since", type_=instant), sa.bindparam("until", type_=instant))

    @contextmanager
    def _open(self, since: datetime, until: datetime) -> Iterator[Rows]:
        with self._engine.connect() as connection:
            look = self._look(connection)
            connection.rollback()  # the snapshot of the rows must be taken after what is open was looked at
            result = connection.execution_options(stream_results=True, max_row_buffer=FETCHED_ROWS).execute(
                self._statement, self._bounds(since, until)
            )
            columns = tuple(result.keys())
            self._check(columns)
            yield Rows(look, columns, (list(some) for some in result.partitions(FETCHED_ROWS)))

    def _look(self, connection: sa.Connection) -> Look:
        row = connection.execute(sa.text(self._dialect.look)).mappings().one()
        try:
            return Look.of(dict(row))
        except ValueError as error:
            raise SourceError(f"feed {self._feed.name}: its database is {error}") from None

    def _check(self, columns: tuple[str, ...]) -> None:
        for name in self._feed.named_columns.values():
            if columns.count(name) != 1:
                wrong = "gives twice" if name in columns else "does not give"
                raise SourceError(
                    f"feed {self._feed.name}: its query {wrong} the column {name!r}; it gives {', '.join(columns)}"
                )

    def _bounds(self, since: datetime, until: datetime) -> dict[str, datetime]:
        moments = {"since": since.astimezone(self._zone), "until": until.astimezone(self._zone)}
        if self._dialect.knows_zones:
            return moments
        return {name: moment.replace(tzinfo=None) for name, moment in moments.items()}

    def _prepare(self, raw: Any, _: Any) -> None:
        self._raw = raw
        cursor = raw.cursor()
        for statement in self._dialect.prepare:
            cursor.execute(statement.format(zone=self._feed.zone))
        cursor.close()
        raw.commit()

    def _answer(self, work: Callable[[], _T]) -> _T:
        self._raw = None
        try:
            return within(self._seconds, work)
        except OverdueError:
            self._cut_off()
            raise SourceError(
                f"feed {self._feed.name}: its database did not answer within the {self._seconds:g} s that one read may take"
            ) from None
        except _UNANSWERED as error:
            # Not chained: the driver's own words name host and user, and a traceback shows them.
            connected = "its query failed" if self._raw is not None else "its database cannot be reached"
            raise SourceError(f"feed {self._feed.name}: {connected}: {reason_of(error, self._url)}") from None

    def _cut_off(self) -> None:
        """Ends a connection that nothing comes from, so that the thread which waits for it ends too."""
        # Suppressed: a driver without a socket to end, or one that has ended meanwhile.
        with contextlib.suppress(Exception), socket.socket(fileno=os.dup(self._raw.fileno())) as connected:
            connected.shutdown(socket.SHUT_RDWR)


def _url(configuration: Configuration, feed: Feed) -> sa.URL:
    url = sa.make_url(feed.location)
    if feed.password is not None:
        url = url.set(password=feed.password.read())
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith("file:"):
        path = configuration.path(Path(url.database))
        # Opened as it is: a file that is not there would else be made, and be an empty database.
        url = url.set(database=f"file:{path}").update_query_dict({"mode": "rw", "uri": "true"})
    return url
