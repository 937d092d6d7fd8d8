"""Two files compared, without a database and without configuration: `reconcile match CONFIRMATIONS LEDGER --out DIR`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.domain import ids
from reconcile.domain.flow import FlowRules
from reconcile.domain.money import asset
from reconcile.matching import foreign, inputs, picture
from reconcile.matching.engine import DEFAULT_ENGINE, Engine
from reconcile.matching.page import render
from reconcile.matching.passes import run_passes, statement_days
from reconcile.matching.session import Session
from reconcile.matching.spread.sources import CheckedFile
from reconcile.matching.spread.spread import spread_passes
from reconcile.matching.statement import StatementDay, StatementVerdict
from reconcile.matching.statement_file import as_json
from reconcile.matching.terms import Terms
from reconcile.matching.watermark import Completeness, Watermark

DEFAULT_RULES: Final = FlowRules(
    name="files",
    asset=asset("XOF"),
    since=datetime(1970, 1, 1, tzinfo=UTC),
    grace=timedelta(minutes=10),
    window=timedelta(minutes=15),
)
"""Rules for files that belong to no configured flow. Each row names its own currency; the asset here is not used."""

MATCHES: Final = "matches.parquet"
BREAKS: Final = "breaks.parquet"
STATEMENT: Final = "statement.json"

EXIT_CODES: Final = {"reconciled": 0, "reconciled with pending": 0, "breaks": 3, "incomplete": 4}
"""What a verdict is to a shell; 2 is bad input (`foreign.BadInputError`)."""

_SEVERITY: Final = ("reconciled", "reconciled with pending", "breaks", "incomplete")
_STEPS: Final = ("reading confirmations", "reading the ledger", "matching", "writing")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class BreakSum:
    """All breaks of one kind and asset. `owed_minor` is signed, in minor units."""

    kind: str
    asset: str
    breaks: int
    owed_minor: int


@dataclass(frozen=True, slots=True)
class MatchReport:
    """What the comparison said, and where it wrote it. `page` is None where none was asked for."""

    verdict: StatementVerdict
    days: tuple[StatementDay, ...]
    breaks: tuple[BreakSum, ...]
    confirmations: int
    entries: int
    as_of: datetime
    matches_file: Path
    breaks_file: Path
    statement_file: Path
    page: Path | None

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]


def match_files(
    confirmations: Path | str,
    ledger: Path | str,
    *,
    out: Path,
    rules: FlowRules = DEFAULT_RULES,
    as_of: datetime | None = None,
    report: Path | None = None,
    progress: Progress = lambda _doing, _done, _steps: None,
    engine: Engine = DEFAULT_ENGINE,
) -> MatchReport:
    """Compare two files (paths, or URLs), CSV or Parquet (columns: `foreign.REQUIRED` and an amount), and write the results into `out`.

    Without `as_of` both files are complete and every deadline has passed; with it, both are complete up to that instant and
    later rows do not exist yet. Raises `foreign.BadInputError`, `cluster.ClusterError`, and `statement.ConservationError` (a bug).
    """
    out.mkdir(parents=True, exist_ok=True)
    with Session(out, threads=engine.threads, memory_limit=engine.memory_limit) as session:
        progress(_STEPS[0], 0, len(_STEPS))
        told = _open(session, str(confirmations), "confirmation", as_of)
        progress(_STEPS[1], 1, len(_STEPS))
        posted = _open(session, str(ledger), "ledger", as_of)
        progress(_STEPS[2], 2, len(_STEPS))
        through = as_of or _after_everything(session, rules)
        both = Watermark(through, "proven")
        completeness = Completeness(both, both)
        terms = Terms(rules, completeness, foreign=True)
        inputs.nothing_before(session, terms)
        session.set_variable("as_of", "TIMESTAMPTZ", through)
        if engine.cluster is not None and (told.rows or posted.rows):
            spread_passes(session, terms, out / MATCHES, engine.cluster, [told, posted])
        else:
            run_passes(session, rules, out / MATCHES)
            foreign.refuse_two_faced(session, posted.file)
        days = statement_days(session, rules, completeness, through)
        progress(_STEPS[3], 3, len(_STEPS))
        session.run("breaks")
        _write_breaks(session, rules, out / BREAKS)
        verdict = _verdict(days)
        _write_statement(out / STATEMENT, rules, through, verdict, days)
        if report is not None:
            report.write_text(
                render(picture.take(session, Path(confirmations).name, Path(ledger).name), days, verdict),
                encoding="utf-8",
            )
        breaks = session.rows(
            "SELECT kind, asset, count(*), sum(owed_minor)::BIGINT FROM file_break GROUP BY ALL ORDER BY ALL"
        )
        progress("done", len(_STEPS), len(_STEPS))
    return MatchReport(
        verdict=verdict,
        days=days,
        breaks=tuple(BreakSum(*row) for row in breaks),
        confirmations=told.rows,
        entries=posted.rows,
        as_of=through,
        matches_file=out / MATCHES,
        breaks_file=out / BREAKS,
        statement_file=out / STATEMENT,
        page=report,
    )


def _open(session: Session, path: str, side: foreign.Side, as_of: datetime | None) -> CheckedFile:
    """The view `new_confirmation` or `new_entry` over one file."""
    file = foreign.with_exponents(
        session, foreign.landed(session, foreign.open_file(session, path, side), session.scratch)
    )
    file, rows = foreign.checked(session, file)
    name = "new_confirmation" if side == "confirmation" else "new_entry"
    session.execute(f"CREATE TEMP VIEW {name} AS FROM ({foreign.normalised(file)}) WHERE {foreign.known(file, as_of)}")
    return CheckedFile(file, path, rows, as_of)


def _after_everything(session: Session, rules: FlowRules) -> datetime:
    """An instant by which every deadline has passed."""
    [(last_us,)] = session.rows(
        "SELECT epoch_us(greatest((SELECT max(confirmed_at) FROM new_confirmation), (SELECT max(posted_at) FROM new_entry)))"
    )
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    # Twice: once for the deadline of the last row, once so that no feed counts as stalled.
    return epoch + timedelta(microseconds=last_us or 0) + 2 * rules.deadline_after + timedelta(seconds=1)


def _verdict(days: tuple[StatementDay, ...]) -> StatementVerdict:
    """The gravest of all days; two empty files prove nothing."""
    return max((day.verdict for day in days), key=_SEVERITY.index, default="incomplete")


def _write_breaks(session: Session, rules: FlowRules, file: Path) -> None:
    table: pa.Table = session.arrow(
        "SELECT break_id AS row_id, kind, account, reference, asset, owed_minor, confirmation_ids, entry_ids, reason "
        "FROM file_break ORDER BY kind, row_id"
    )
    of_side = ["confirmation" if confirmed else "entry" for confirmed in table["confirmation_ids"].to_pylist()]
    break_ids = [
        str(ids.derive(side, rules.name, row_id))
        for side, row_id in zip(of_side, table["row_id"].to_pylist(), strict=True)
    ]
    table = table.set_column(0, "break_id", pa.array(break_ids, pa.string()))
    pq.write_table(table, file, compression="zstd")


def _write_statement(
    file: Path, rules: FlowRules, as_of: datetime, verdict: StatementVerdict, days: tuple[StatementDay, ...]
) -> None:
    content: dict[str, Any] = {
        "flow": rules.name,
        "as_of": as_of.isoformat(),
        "verdict": verdict,
        "days": [as_json(day) for day in days],
    }
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
