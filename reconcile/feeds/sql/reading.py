"""From a database to deliveries: files of rows with their control files, as an operator would put them into a folder."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from reconcile.config import CONTROL_SUFFIX, Feed, Flow, Snapshot
from reconcile.feeds.limits import READS_PER_RUN, Limits
from reconcile.feeds.sql.lines import INEXACT, line_of, names_of
from reconcile.feeds.sql.look import Look
from reconcile.feeds.sql.source import Rows, Source, SourceError

END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""The bound of the newest delivery: a row that is dated in the future is read and quarantined, not passed over."""
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FEWER: Final = 8
"""How much shorter the next attempt is after one that found too many rows. Each such attempt has read a delivery's rows for
nothing, so they should be few; a time that turns out too short is doubled again.
"""
_SHORTEST: Final = timedelta(milliseconds=1)
_NAME: Final = "%Y%m%dT%H%M%S.%fZ"
ENDING: Final = ".jsonl.gz"


class _TooMany(Exception):  # noqa: N818 - not an error: the delivery is read in parts
    """More rows than one delivery is to have."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one snapshot gave."""

    look: Look
    rows: int


def first_start(feed: Feed, flow: Flow, now: datetime) -> datetime:
    """Where a feed is read from that was never read: one deadline before the flow's beginning, what is said about customers
    from the beginning of time.
    """
    return _BEGINNING if feed.side == "directory" else min(flow.since - flow.rules.deadline_after, now)


def name_of(start: datetime) -> str:
    """The name of the delivery that begins there. One that is refused is made good by the next that begins there too."""
    return f"{start.astimezone(UTC):{_NAME}}{ENDING}"


def start_of(name: str) -> datetime | None:
    """Where the delivery of that name begins; None for a name that another reader gave."""
    try:
        return datetime.strptime(name, _NAME + ENDING).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads what one feed's database holds into `folder`. `now` is business time."""

    source: Source
    feed: Feed
    folder: Path
    limits: Limits
    now: datetime

    def read_on(self, known: datetime, starts: Sequence[datetime]) -> None:
        """Writes what there is from the first of `starts` on, in as many deliveries as it takes; each of `starts` begins one.

        `known`: up to where the feed is complete already. Raises `SourceError`; what was written before that is whole.
        """
        reads = 0
        for start, until in pairwise([*starts, END_OF_TIME]):
            position = start - (self._snapshot.overlap if start == starts[0] else timedelta(0))
            step: timedelta | None = None
            while position < until and reads < READS_PER_RUN:
                end = self._end(position, until, step)
                # A part that holds the start is named after it, whatever overlap is read with it.
                name = name_of(start if position <= start < end else position)
                try:
                    rows = self._deliver(name, position, end, known)
                except _TooMany:
                    step = self._shorter(position, end)
                    continue
                reads += 1
                position = end
                if step is not None and rows < self.limits.read_rows // 4:
                    step *= 2

    def sample(self, since: datetime, rows: int) -> Path:
        """Writes the first rows that the query gives from `since` on into a file as it would be delivered."""
        path = self.folder / name_of(since)
        self.source.read(since, END_OF_TIME, lambda given: self._write(given, path, rows, cut=True))
        return path

    @property
    def _snapshot(self) -> Snapshot:
        assert isinstance(self.feed.completeness, Snapshot)
        return self.feed.completeness

    def _end(self, position: datetime, until: datetime, step: timedelta | None) -> datetime:
        if step is None or position + step >= self.now:
            return until
        return min(position + step, until)

    def _shorter(self, position: datetime, end: datetime) -> timedelta:
        """A part of the time that held too many rows."""
        step = (min(end, max(self.now, position)) - position) / _FEWER
        if step < _SHORTEST:
            raise SourceError(
                f"feed {self.feed.name}: its query gives more than {self.limits.read_rows} rows, or {self.limits.read_bytes} "
                f"bytes, from {position} on, and fewer than that cannot be asked for"
            )
        return step

    def _deliver(self, name: str, position: datetime, end: datetime, known: datetime) -> int:
        unfinished = self.folder / f"{name}.part"
        written = self.source.read(
            position, end, lambda given: self._write(given, unfinished, self.limits.read_rows, cut=False)
        )
        through = written.look.complete_through(known, self.now, self._snapshot.commit_lag)
        said = {
            "file": name,
            "rows": written.rows,
            "complete_through": min(end, through).isoformat(),
            "since": position.isoformat(),
            "until": end.isoformat(),
            "database_clock": written.look.clock.isoformat(),
            "oldest_running": written.look.oldest_running.isoformat() if written.look.oldest_running else None,
        }
        unfinished.rename(self.folder / name)
        (self.folder / f"{name}{CONTROL_SUFFIX}").write_text(json.dumps(said), encoding="utf-8")
        return written.rows

    def _write(self, given: Rows, path: Path, at_most: int, *, cut: bool) -> Written:
        """Writes rows as they come; raises `_TooMany` for more than `at_most`, unless those beyond are to be `cut` off."""
        names, count, size = names_of(given.columns), 0, 0
        # Equal rows are equal bytes, whenever they were read: no name and no time in the file's head.
        with path.open("wb") as file, gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as sink:
            for rows in given.partitions:
                if count == 0:
                    self._refuse_inexact(given.columns, rows)
                if not cut and count + len(rows) > at_most:
                    raise _TooMany
                content = "".join(f"{line_of(names, row)}\n" for row in rows[: at_most - count]).encode("ascii")
                count += min(len(rows), at_most - count)
                size += len(content)
                if size > self.limits.read_bytes:
                    raise _TooMany
                sink.write(content)
                if cut and count == at_most:
                    break
        return Written(given.look, count)

    def _refuse_inexact(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        for name in self.feed.named_columns.values():
            kinds = {type(row[columns.index(name)]) for row in rows} - {type(None)}
            if kinds and kinds <= INEXACT:
                raise SourceError(
                    f"feed {self.feed.name}: the column {name!r} holds values of type {min(kind.__name__ for kind in kinds)}, "
                    "which have no exact text: let the query write them out, as in CAST(… AS NUMERIC(18, 2)) or CAST(… AS TEXT)"
                )
