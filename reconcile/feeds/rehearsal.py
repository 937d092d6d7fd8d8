"""What would become of a file, row by row, without taking it: nothing is written anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from reconcile.config import Configuration
from reconcile.feeds.control import Control, read_control
from reconcile.feeds.intake import Intake
from reconcile.feeds.limits import DEFAULT_LIMITS, Limits
from reconcile.feeds.refusal import Refused
from reconcile.feeds.side import side_of
from reconcile.feeds.sql.reading import Reading, first_start
from reconcile.feeds.sql.source import Source
from reconcile.feeds.staging import Fate, Share, Staging
from reconcile.store.scratch import scratch_folder

ROWS_SHOWN: Final = 1_000
"""Rows that are shown unless more are asked for; all are read and counted."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`refused`: why the file would be refused, or None. `control`: what its control file says, or None without one.

    `shares`: disposition → rows and money, of all rows that could be read. `rows`: the first of them, in their order.
    """

    refused: str | None
    control: Control | None
    shares: Mapping[str, Share]
    rows: tuple[Fate, ...]


def rehearse_rows(configuration: Configuration, feed_name: str, *, now: datetime, rows: int) -> Rehearsal:
    """Reads the first rows that the query of a feed gives as a delivery of it.

    Raises `ConfigurationError` when there is no such feed, and `SourceError` when its database does not give them.
    """
    feed, limits = configuration.feed(feed_name), DEFAULT_LIMITS
    with scratch_folder("try") as folder:
        reading = Reading(Source(configuration, feed, limits.read_seconds), feed, folder, limits, now)
        path = reading.sample(first_start(feed, configuration.flow(feed.flow), now), rows)
        return rehearse(configuration, feed_name, path, now=now, rows_shown=rows)


def rehearse(
    configuration: Configuration,
    feed_name: str,
    path: Path,
    *,
    now: datetime,
    rows_shown: int = ROWS_SHOWN,
    limits: Limits = DEFAULT_LIMITS,
) -> Rehearsal:
    """Reads a file as a delivery of that feed. Whether its rows were delivered before is not looked at.

    A control file is used where it lies beside the file. Raises `ConfigurationError` when there is no such feed, and
    `OSError` when the file cannot be opened.
    """
    feed = configuration.feed(feed_name)
    side = side_of(configuration, feed)
    intake = Intake(feed, configuration.flow(feed.flow), side, now, limits)
    control, refused = None, None
    with scratch_folder("try") as folder, Staging(folder, side) as staging:
        try:
            if path.stat().st_size > limits.file_bytes:
                raise Refused(f"is larger than {limits.file_bytes} bytes")  # noqa: TRY301 - as all that refuses it
            suffix = feed.control_suffix
            if suffix is not None and (said := path.with_name(path.name + suffix)).is_file():
                control = read_control(said.read_bytes(), path.name)
            tally = intake.stage(path, staging)
            staging.judge([])
            intake.check(tally, staging, control)
        except Refused as refusal:
            refused = f"{path.name}: {refusal}"
            staging.judge([])
        return Rehearsal(refused, control, staging.shares(), tuple(staging.fates(rows_shown)))
