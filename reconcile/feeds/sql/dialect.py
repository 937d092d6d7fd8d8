"""What differs between databases: how they tell the time, and how a session is kept from changing or holding up anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from reconcile import resources

CONNECT_SECONDS: Final = 10
STATEMENT_SECONDS: Final = 300
"""What the database itself allows one statement of ours, where it can; for a cursor, one fetch from it."""
APPLICATION: Final = "reconcile_feed"
"""How our sessions are called in PostgreSQL; `running_postgresql.sql` knows them by it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """`look`: a query of one row, with the columns of `Look`. `prepare`: statements that open a session; `zone` stands in them
    for the feed's. `knows_zones`: whether an instant is compared with its zone; otherwise it is given in the feed's zone.
    """

    look: str
    prepare: tuple[str, ...] = ()
    knows_zones: bool = False
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Driver → arguments of its `connect`."""

    def connect_arguments(self, driver: str) -> dict[str, Any]:
        return dict(self.arguments.get(driver, {}))


def dialect_of(url: sa.URL) -> Dialect:
    """The configuration has seen to it that there is one."""
    return _DIALECTS[url.get_backend_name()]


def _clock(instant: str) -> str:
    """A look at a database that does not show which transactions are open."""
    return f"SELECT {instant} AS clock, NULL AS oldest_running, 0 AS prepared, 1 AS unseen"


_LIBPQ: Final = {"connect_timeout": CONNECT_SECONDS}
_MYSQL: Final = Dialect(
    look=_clock("utc_timestamp(6)"),
    prepare=("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION TRANSACTION READ ONLY"),
    arguments={
        "pymysql": {"connect_timeout": CONNECT_SECONDS, "read_timeout": STATEMENT_SECONDS},
        "mysqldb": {"connect_timeout": CONNECT_SECONDS, "read_timeout": STATEMENT_SECONDS},
    },
)
_DIALECTS: Final[Mapping[str, Dialect]] = {
    "postgresql": Dialect(
        look=resources.text("sql/feeds/running_postgresql.sql"),
        prepare=(
            f"SET application_name = '{APPLICATION}'",
            "SET default_transaction_isolation = 'repeatable read'",
            "SET default_transaction_read_only = on",
            f"SET statement_timeout = '{STATEMENT_SECONDS}s'",
            "SET timezone = '{zone}'",
        ),
        knows_zones=True,
        arguments={"psycopg2": _LIBPQ, "psycopg": _LIBPQ},
    ),
    "sqlite": Dialect(
        look=_clock("strftime('%Y-%m-%dT%H:%M:%f', 'now')"),
        prepare=("PRAGMA query_only = ON",),
        arguments={"pysqlite": {"timeout": CONNECT_SECONDS}},
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "oracle": Dialect(look=f"{_clock('sys_extract_utc(systimestamp)')} FROM dual"),
    # Refused by a database that does not allow it, and there is no other way to see one state of a table there.
    "mssql": Dialect(look=_clock("sysutcdatetime()"), prepare=("SET TRANSACTION ISOLATION LEVEL SNAPSHOT",)),
}
