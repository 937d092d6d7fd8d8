import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from reconcile import resources
from reconcile.domain.flow import FlowRules
from reconcile.matching.watermark import Completeness

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Terms:
    """All that the passes must know and no batch says; it can be pickled, so that other machines hear the same.

    `frozen_before_us`, `ledger_through_before_us`, `forgotten_through_us`: microseconds since 1970 in UTC, see `sql/match/totals.sql`,
    `verdict.sql` and `untraceable.sql`.
    `own`: our attempts, see `columns.OWN_ATTEMPT`. `paid`: the flow has payments.
    `foreign`: rows of two files of other people's making, whose ids are text; else of published batches.
    """

    rules: FlowRules
    completeness: Completeness
    frozen_before_us: int | None = None
    ledger_through_before_us: int | None = None
    forgotten_through_us: int | None = None
    own: "pa.Table | None" = None
    held_accounts: tuple[str, ...] = ()
    held_references: tuple[str, ...] = ()
    paid: bool = False
    foreign: bool = False

    def judged_by(self) -> str:
        """A digest of all by which an open item is judged, but for the rows: where it differs, everything is judged anew."""
        texts = [file.read_text(encoding="utf-8") for file in sorted(resources.folder("sql").glob("match/*.sql"))]
        said = (self.rules, self.completeness.grade, self.completeness.grade_paid, self.paid, duckdb.__version__, texts)
        return hashlib.sha256(repr(said).encode()).hexdigest()
