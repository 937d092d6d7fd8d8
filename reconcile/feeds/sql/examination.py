"""What can be said about the database of a feed without reading it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from reconcile.config import Configuration, Feed, Snapshot
from reconcile.feeds.sql.look import Look
from reconcile.feeds.sql.reading import END_OF_TIME
from reconcile.feeds.sql.source import Rows, Source

ANSWER_SECONDS: Final = 30
CLOCK_TOLERANCE: Final = timedelta(seconds=5)
LONG_OPEN: Final = timedelta(minutes=10)
COSTLY: Final = 10_000
"""PostgreSQL's cost of reading a table of some hundred thousand rows from end to end."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for a person; `is_warning`: something there should be changed."""

    text: str
    is_warning: bool = True


def examine_source(configuration: Configuration, feed: Feed, now: datetime) -> list[Remark]:
    """Opens the database of a feed and looks at its clock, its transactions, the columns of its query and their plan.

    `now`: business time. Raises `SourceError` and `ConfigurationError`.
    """
    assert isinstance(feed.completeness, Snapshot)
    source = Source(configuration, feed, ANSWER_SECONDS)
    since = now - feed.completeness.overlap
    look = source.read(since, END_OF_TIME, _look_at_first)
    warnings = [
        *_about(look, datetime.now(UTC), source.shows_transactions),
        *_about_plan(source.plan(since, END_OF_TIME)),
    ]
    return warnings or [Remark("its database answers, and the query gives every column", is_warning=False)]


def _look_at_first(rows: Rows) -> Look:
    next(rows.partitions, None)
    return rows.look


def _about(look: Look, machine_time: datetime, shows_transactions: bool) -> Iterator[Remark]:
    ahead = look.clock - machine_time
    if abs(ahead) > CLOCK_TOLERANCE:
        side = "ahead of" if ahead > timedelta(0) else "behind"
        yield Remark(f"the clock of its database is {abs(ahead).total_seconds():.0f} s {side} this machine's")
    if look.prepared:
        yield Remark("its database holds prepared transactions: the watermark stands until they end")
    if look.oldest_running is not None and look.clock - look.oldest_running > LONG_OPEN:
        yield Remark(
            f"a transaction is open in its database since {look.oldest_running:%Y-%m-%d %H:%M:%S}Z, and holds the watermark"
        )
    if look.unseen and shows_transactions:
        yield Remark(
            "the transactions of others in its database cannot be seen (a standby, or a role without pg_read_all_stats): "
            "commit_lag must be longer than the longest that writes"
        )


def _about_plan(plan: Any) -> Iterator[Remark]:
    for table in sorted(_scanned(plan)):
        yield Remark(
            f"its query reads the table {table} from end to end: an index on what :since is compared with is missing"
        )


def _scanned(node: Any) -> set[str]:
    """Tables that a plan of PostgreSQL reads whole, at a cost that is felt."""
    if isinstance(node, list):
        return {table for part in node for table in _scanned(part)}
    if not isinstance(node, dict):
        return set()
    here = {node["Relation Name"]} if node.get("Node Type") == "Seq Scan" and node["Total Cost"] > COSTLY else set()
    return here.union(*(_scanned(node.get(part)) for part in ("Plan", "Plans")))
