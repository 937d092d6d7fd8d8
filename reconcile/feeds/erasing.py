"""Landed copies without the rows of one customer."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from reconcile.config import Configuration, ConfigurationError, Feed
from reconcile.domain import ids
from reconcile.domain.refusal import NotAllowedError
from reconcile.domain.traces import Traces
from reconcile.feeds.limits import Limits
from reconcile.feeds.partial_copy import copy_lines, copy_parquet
from reconcile.feeds.readers import RawRow
from reconcile.feeds.readers.lines import packing
from reconcile.feeds.refusal import Refused
from reconcile.store.lake import Lake
from reconcile.store.tables import batches

# A row that was read once may be rewritten, however long its file is.
_LIMITS = Limits(file_bytes=2**62, unpacked_bytes=2**62, rows=2**62)


def rewrite(
    configuration: Configuration, lake: Lake, batch: sa.Row[Any], traces: Traces, scratch: Path, now: datetime
) -> str:
    """Puts a copy of the batch's landed file into the lake in which nothing is left of the rows that name the number but
    that there were rows; returns its path, "" when none can be made. Raises `NotAllowedError` for a feed that is no longer
    configured, whose files nobody can take apart.
    """
    try:
        feed = configuration.feed(batch.feed)
    except ConfigurationError as error:
        raise NotAllowedError(
            f"landed files of the feed {batch.feed} name the number, and that feed is not configured any more: "
            "configure it again, or wait until retention has removed them"
        ) from error
    name = Path(batch.landed_path).name
    source, target = scratch / name, scratch / f"erased{packing(name)}"
    lake.fetch(batch.landed_path, source)
    try:
        _copy(source, target, feed, traces)
    except Refused:
        return ""  # it was refused when it landed, for the same reason: nobody reads the copy again
    stem, _, endings = name.partition(".")
    erased = ids.derive("erased", batch.landed_path, now.isoformat()).hex[:8]
    path = f"{Path(batch.landed_path).parent.as_posix()}/{stem.partition('-')[0]}-{erased}.{endings}"
    lake.put(target, path)
    if feed.control_suffix is not None and lake.exists(batch.landed_path + feed.control_suffix):
        control = scratch / "control"
        lake.fetch(batch.landed_path + feed.control_suffix, control)
        lake.put(control, path + feed.control_suffix)
    return path


def switch(connection: sa.Connection, batch_id: UUID, *, before: str, after: str) -> bool:
    """Lets the batch name the other file; False when it has come to name another one meanwhile."""
    which = (batches.c.batch_id == batch_id) & (batches.c.landed_path == before)
    # What a directory published is its landed copy.
    same = sa.case((batches.c.path == before, sa.func.nullif(after, "")), else_=batches.c.path)
    return connection.execute(sa.update(batches).where(which).values(landed_path=after, path=same)).rowcount == 1


def _copy(source: Path, target: Path, feed: Feed, traces: Traces) -> None:
    if feed.file_format == "parquet":
        copy_parquet(source, target, lambda batch: _without(batch, traces))
    else:
        copy_lines(source, target, feed, _LIMITS, lambda row: _left(row, traces))


def _left(row: RawRow, traces: Traces) -> str | None:
    return None if traces.in_text(row.raw) else row.raw


def _without(batch: Any, traces: Traces) -> Any:
    named = pa.array([False] * batch.num_rows)
    for column in batch.columns:
        if pa.types.is_integer(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found = [value is not None and traces.in_text(str(value)) for value in column.to_pylist()]
            named = pc.or_(named, pa.array(found))
    return pc.invert(named)
