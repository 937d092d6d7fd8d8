"""The fold's own output at the gate: what must hold of it before anything is published, paid or told on account of it."""

from typing import Any, Final

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from reconcile import resources
from reconcile.domain.breaks import SETTLED, BreakKind
from reconcile.feeds import gate
from reconcile.matching.outcome import Outcome
from reconcile.matching.statement import PARTS, Line, StatementDay

SUITE: Final = "fold"
MATCHES_EXAMINED_MAX: Final = 1_000_000
"""More matches than these are counted and not looked at one by one; conservation covers them."""


class FoldRefusedError(AssertionError):
    """What the fold says cannot be true. This is a bug: nothing of the run is published, and the breaker opens."""


def check(flow: str, outcome: Outcome) -> None:
    """Raises `FoldRefusedError`, which names each expectation of `expectations/fold.json` that does not hold."""
    facts = facts_of(outcome)
    failures = gate.examine(SUITE, pd.DataFrame([facts], dtype=object))
    if failures:
        said = "; ".join(f"{failure.name}: {failure.meaning.format_map(facts)}" for failure in failures)
        raise FoldRefusedError(f"the fold of {flow} is not published: {said}")


def facts_of(outcome: Outcome) -> dict[str, Any]:
    """What the suite looks at: one row, see `sql/match/facts.sql`."""
    match_rows = pq.read_metadata(outcome.matches).num_rows
    examined = match_rows <= MATCHES_EXAMINED_MAX
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, file in (("verdict", outcome.verdicts), ("own", outcome.own), ("match", outcome.matches)):
            few = "" if examined or name != "match" else " LIMIT 0"
            connection.read_parquet(str(file)).create_view(f"{name}_file")
            connection.execute(f"CREATE VIEW {name} AS FROM {name}_file{few}")
        connection.execute("SET VARIABLE known_kinds = $1", [[*map(str, BreakKind), SETTLED]])
        connection.execute("SET VARIABLE through = $1", [outcome.completeness.through])
        result = connection.execute(resources.text("sql/match/facts.sql"))
        names = [column[0] for column in result.description or ()]
        row = result.fetchone()
    assert row is not None, "an aggregate is one row"
    return {
        **dict(zip(names, row, strict=True)),
        "match_rows": match_rows,
        "matched_pairs": outcome.counts.matched_pairs,
        "unexplained_lines": sum(_unexplained(day) for day in outcome.statement),
    }


def _unexplained(day: StatementDay) -> int:
    """Sides of a day whose lines do not add up to their total, in rows or in money."""
    return sum(
        sum((day.lines[side][part] for part in parts), Line()) != day.lines[side][total]
        for side, (total, parts) in PARTS.items()
    )
