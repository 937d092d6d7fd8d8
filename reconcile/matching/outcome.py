from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconcile.matching.statement import StatementDay
from reconcile.matching.watermark import Completeness


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of one run: for logs, metrics and the run's row in the store."""

    new_confirmations: int
    new_entries: int
    open_confirmations: int
    open_entries: int
    matched_pairs: int
    verdicts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fold says. All files are Parquet in `folder`, sorted by their first column where not stated otherwise.

    `folder` itself is the state for the next fold. `matches`: match_id, confirmation_id, entry_id, pass, confidence,
    delta_minor, in the order of the input. `verdicts`: new or changed verdicts, see `columns.VERDICT`. `own`: own_key,
    intent_id, break_id, verdict, entry_ids, entries, sum_minor, posted_at. `curve`: asset, minute, confirmed and credited rows
    and minor units by the minute of confirmation, for the whole horizon. `statement`: days that changed.
    """

    folder: Path
    matches: Path
    verdicts: Path
    own: Path
    curve: Path
    statement: tuple[StatementDay, ...]
    completeness: Completeness
    as_of: datetime
    counts: Counts
