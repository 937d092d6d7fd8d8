"""What one fold hands to the next: the open items, the newest verdicts, the sums so far, and which batches it knows."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from reconcile.matching.dormant import NOBODY, Sleepers
from reconcile.matching.dormant_segment import Segment
from reconcile.matching.key_index import KeySegment

FORMAT = 1
MANIFEST = "state.json"
CONFIRMATIONS = "open_confirmations.parquet"
ENTRIES = "open_entries.parquet"
PAYMENTS = "open_payments.parquet"
HEARD = "heard.parquet"
UNTRACEABLE = "untraceable.parquet"
JUDGED = "judged.parquet"
TOTALS = "totals.parquet"
MINUTES = "minutes.parquet"
STATEMENT = "statement.json"
WOKEN = "woken.npy"
LATER = frozenset({PAYMENTS, HEARD, UNTRACEABLE, WOKEN})
"""Files that states of earlier versions do not have."""
MANIFEST_FILES = (MANIFEST, WOKEN)
"""What `read` reads."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FoldedFile:
    """A published batch that has been folded, and the time of its first and last row (microseconds since 1970, UTC).

    `number`: what the key index calls it; 0 while its keys are in no segment.
    """

    path: str
    first_us: int
    last_us: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """The batches within the horizon: their rows can be recalled, those of older batches cannot. And the ledger's
    watermark: an entry before it that comes later is overdue. `keys`: where the keys of those rows lie; `last_number`: of the
    numbers that files have had, none is given twice. `forgotten_through_us`: the last row of any batch that was dropped; 0 as long
    as none was, None in a state of an earlier version. `sleepers`: the open items that are not in the state's own files.
    """

    flow: str
    confirmations: tuple[FoldedFile, ...] = ()
    entries: tuple[FoldedFile, ...] = ()
    ledger_through_us: int | None = None
    payments: tuple[FoldedFile, ...] = ()
    keys: tuple[KeySegment, ...] = ()
    last_number: int = 0
    forgotten_through_us: int | None = 0
    sleepers: Sleepers = NOBODY

    def with_forgotten(self, horizon: timedelta) -> "Manifest":
        """Of an earlier version, which kept nothing but a horizon before its watermarks: all before that is forgotten."""
        if self.forgotten_through_us is not None:
            return self
        through_us = self.ledger_through_us
        return replace(self, forgotten_through_us=0 if through_us is None else through_us - horizon // _MICROSECOND)

    def without_older_than(self, cutoff: datetime | None) -> "Manifest":
        """Batches whose last row is before `cutoff` are dropped."""
        if cutoff is None:
            return self
        limit = microseconds(cutoff)
        dropped = [file.last_us for file in self.files if file.last_us < limit]
        return replace(
            self,
            forgotten_through_us=max((self.forgotten_through_us or 0, *dropped)),
            confirmations=tuple(file for file in self.confirmations if file.last_us >= limit),
            entries=tuple(file for file in self.entries if file.last_us >= limit),
            payments=tuple(file for file in self.payments if file.last_us >= limit),
        )

    def without(self, withdrawn: Collection[str]) -> "Manifest":
        """Without the files of these paths."""
        return replace(
            self,
            confirmations=tuple(file for file in self.confirmations if file.path not in withdrawn),
            entries=tuple(file for file in self.entries if file.path not in withdrawn),
            payments=tuple(file for file in self.payments if file.path not in withdrawn),
        )

    @property
    def first_us(self) -> int | None:
        """The earliest row that can still be recalled."""
        return min((file.first_us for file in self.files), default=None)

    @property
    def files(self) -> tuple[FoldedFile, ...]:
        """The batches of all sides."""
        return (*self.confirmations, *self.entries, *self.payments)


class StateError(RuntimeError):
    """A folder is not a state of this flow, or was written by another version of this package."""


def read(folder: Path, flow: str) -> Manifest:
    """The manifest in `folder`; raises `StateError`."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StateError(f"{folder} holds no state of a fold") from error
    if content["format"] != FORMAT:
        raise StateError(f"{folder} has format {content['format']}; this version reads {FORMAT}")
    if content["flow"] != flow:
        raise StateError(f"{folder} is a state of the flow {content['flow']}, not of {flow}")
    return Manifest(
        flow,
        _files(content["confirmations"]),
        _files(content["entries"]),
        content["ledger_through_us"],
        # Absent in states of before there were any.
        _files(content.get("payments", [])),
        tuple(KeySegment(**segment) for segment in content.get("keys", [])),
        content.get("last_number", 0),
        content.get("forgotten_through_us"),
        _sleepers(folder, content.get("sleepers")),
    )


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest: last, so that a folder with one is whole."""
    np.save(folder / WOKEN, manifest.sleepers.woken)
    said = {field.name: getattr(manifest, field.name) for field in fields(manifest)}
    content = {"format": FORMAT, **said, "sleepers": _said(manifest.sleepers)}
    # Without indentation: with it, thousands of files take ten times as long.
    (folder / MANIFEST).write_text(json.dumps(content, default=asdict, sort_keys=True) + "\n", encoding="utf-8")


def needed_files(folder: Path, flow: str) -> frozenset[str]:
    """Paths of the batches that the next fold may read again: housekeeping must leave them."""
    return frozenset(file.path for file in read(folder, flow).files)


def needed_keys(folder: Path, flow: str) -> frozenset[str]:
    """Names of the files that the next fold reads in the folder of the flow's key index: the index, and what sleeps."""
    manifest = read(folder, flow)
    index = frozenset(path for segment in manifest.keys for path in segment.paths)
    return index | frozenset(path for segment in manifest.sleepers.segments for path in segment.paths)


def microseconds(instant: datetime) -> int:
    """An aware instant as microseconds since 1970 in UTC, exactly."""
    whole_seconds = int(instant.replace(microsecond=0).timestamp())
    return whole_seconds * 1_000_000 + instant.microsecond


def _said(sleepers: Sleepers) -> dict[str, object]:
    return {
        "frozen_before_us": sleepers.frozen_before_us,
        "last": sleepers.last,
        "segments": [asdict(segment) for segment in sleepers.segments],
        "under": sleepers.under,
    }


def _sleepers(folder: Path, content: dict[str, Any] | None) -> Sleepers:
    if content is None:  # an earlier version: all its open items are in its own files
        return NOBODY
    segments = tuple(Segment(**{**row, "index": KeySegment(**row["index"])}) for row in content["segments"])
    return Sleepers(segments, np.load(folder / WOKEN), content["last"], content["under"], content["frozen_before_us"])


def _files(content: Sequence[dict[str, object]]) -> tuple[FoldedFile, ...]:
    return tuple(
        FoldedFile(
            str(row["path"]), int(str(row["first_us"])), int(str(row["last_us"])), int(str(row.get("number", 0)))
        )
        for row in content
    )
