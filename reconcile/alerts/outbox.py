"""What has been told, and what is still to be told. Telling comes after the commit; a crash in between tells twice, never not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from reconcile.alerts.alert import OVER, Alert
from reconcile.store.database import Database
from reconcile.store.tables import alerts

TOLD_PER_RUN_MAX: Final = 50
_LOCK: Final = sa.text("select pg_try_advisory_lock(hashtextextended('alerts.teller/' || current_schema(), 0))")
_UNLOCK: Final = sa.text("select pg_advisory_unlock(hashtextextended('alerts.teller/' || current_schema(), 0))")


@contextmanager
def only_teller(database: Database) -> Iterator[bool]:
    """Whether this process is the one that tells; another one that does it at the same moment is enough."""
    # A connection of its own: however this process ends, PostgreSQL lets the lock go, though some time after a connection was closed,
    # so that whoever is done says so.
    connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    try:
        alone = bool(connection.execute(_LOCK).scalar_one())
        yield alone
        if alone:
            connection.execute(_UNLOCK)
    finally:
        connection.close()


def bring_up_to_date(connection: sa.Connection, current: Sequence[Alert]) -> None:
    """Keeps what is, marks what is over, and forgets what was over before anybody was told of it."""
    for alert in current:
        values = {name: getattr(alert, name) for name in ("kind", "subject", "stage", "text", "since")}
        row = insert(alerts).values(alert_key=alert.key, **values)
        connection.execute(row.on_conflict_do_update(index_elements=["alert_key"], set_=values))
    gone = alerts.c.alert_key.not_in([alert.key for alert in current])
    connection.execute(
        sa.delete(alerts).where(gone, sa.or_(alerts.c.told_stage.is_(None), alerts.c.told_stage == OVER))
    )
    connection.execute(sa.update(alerts).where(gone).values(stage=OVER))


def to_tell(connection: sa.Connection) -> list[Alert]:
    """The news: what stands otherwise than it was told, the oldest first."""
    news = alerts.c.told_stage.is_distinct_from(alerts.c.stage)
    query = sa.select(alerts).where(news).order_by(alerts.c.since, alerts.c.alert_key).limit(TOLD_PER_RUN_MAX)
    return [
        Alert(row.alert_key, row.kind, row.subject, row.stage, row.text, row.since) for row in connection.execute(query)
    ]


def told(connection: sa.Connection, alert: Alert) -> None:
    """Somebody was told."""
    here = alerts.c.alert_key == alert.key
    connection.execute(
        sa.update(alerts).where(here).values(told_stage=alert.stage, told_at=sa.func.clock_timestamp(), tries=0)
    )


def not_told(connection: sa.Connection, alert: Alert) -> None:
    """No address took it; the next run tries again."""
    connection.execute(sa.update(alerts).where(alerts.c.alert_key == alert.key).values(tries=alerts.c.tries + 1))
