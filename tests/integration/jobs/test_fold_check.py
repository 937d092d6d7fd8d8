"""What a fold says is looked at before it is published: a day that is true passes, each kind of nonsense is refused."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from reconcile.jobs import fold_check, folding
from reconcile.jobs.fold_check import FoldRefusedError
from reconcile.store.tables import breakers, cases, runs

DAY = datetime(2024, 7, 9, tzinfo=UTC)
TRUE = {
    "doubled_verdicts": 0, "unknown_kinds": 0, "unbalanced_verdicts": 0, "hasty_verdicts": 0, "doubled_own": 0,
    "doubled_rows": 0, "unexplained_lines": 0,
}  # fmt: skip


@pytest.fixture
def outcome(operator, tmp_path):
    """What a fold says of an hour in which half of the purchases were not credited."""
    start = DAY + timedelta(hours=10)
    operator.trade(start, start + timedelta(minutes=20), every=timedelta(minutes=1))
    operator.trade(
        start + timedelta(minutes=20), start + timedelta(minutes=40), every=timedelta(minutes=1), credited=False
    )
    operator.advance(start + timedelta(hours=1))
    with operator.world.database.begin() as connection:
        intake = folding.read(
            connection, operator.world.configuration, operator.world.configuration.flow("topup"), operator.now
        )
    return folding.run_fold(intake, operator.world.lake, tmp_path / "scratch")


def rewritten(file, select):
    """The file with other rows in it."""
    copy = file.with_name("before.parquet")
    shutil.move(file, copy)
    with duckdb.connect() as connection:
        query = select.format(repr(str(copy)))
        connection.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")


def test_a_true_outcome_breaks_nothing(outcome):
    facts = fold_check.facts_of(outcome)
    assert {name: facts[name] for name in TRUE} == TRUE
    assert facts["match_rows"] == facts["matched_pairs"] == 20
    fold_check.check("topup", outcome)


@pytest.mark.parametrize(
    ("name", "file", "select"),
    [
        ("breaks_have_one_verdict", "verdicts", "FROM {0} UNION ALL (FROM {0} LIMIT 1)"),
        ("kinds_are_known", "verdicts", "SELECT * REPLACE ('gone' AS kind) FROM {0}"),
        ("sums_add_up", "verdicts", "SELECT * REPLACE (2 * owed_minor AS owed_minor) FROM {0}"),
        (
            "deadlines_are_respected",
            "verdicts",
            "SELECT * REPLACE (deadline_at + INTERVAL 1 DAY AS deadline_at) FROM {0}",
        ),
        (
            "own_credits_stand_once",
            "own",
            "SELECT * REPLACE ('k' AS own_key) FROM (VALUES (0), (1)) LEFT JOIN {0} ON true",
        ),
        (
            "rows_are_matched_once",
            "matches",
            "SELECT * REPLACE ((SELECT min(entry_id) FROM {0}) AS entry_id) FROM {0}",
        ),
        ("matches_are_all_written", "matches", "FROM {0} LIMIT 19"),
    ],
)
def test_what_cannot_be_true_is_refused_by_name(outcome, name, file, select):
    rewritten(getattr(outcome, file), select)
    with pytest.raises(FoldRefusedError, match=f"the fold of topup is not published: .*{name}: "):
        fold_check.check("topup", outcome)


def test_a_statement_that_does_not_add_up_is_refused(outcome):
    (day,) = outcome.statement
    lines = {side: dict(parts) for side, parts in day.lines.items()}
    lines["confirmation"]["owed"] = replace(lines["confirmation"]["owed"], minor=0)
    with pytest.raises(FoldRefusedError, match="statement_leaves_nothing: 1 sides of the statement do not add up"):
        fold_check.check("topup", replace(outcome, statement=(replace(day, lines=lines),)))


def test_a_refused_run_commits_nothing_and_stops_the_money(operator, monkeypatch):
    start = DAY + timedelta(hours=10)
    operator.trade(start, start + timedelta(minutes=20), every=timedelta(minutes=1), credited=False)
    operator.advance(start + timedelta(hours=1))
    monkeypatch.setattr(
        fold_check, "facts_of", lambda _: {**TRUE, "hasty_verdicts": 3, "match_rows": 0, "matched_pairs": 0}
    )
    with pytest.raises(FoldRefusedError, match="3 purchases are called missing before their deadline"):
        operator.fold()
    assert (operator.rows(runs), operator.rows(cases)) == ([], [])
    (breaker,) = operator.rows(breakers)
    assert breaker.open is not None
    monkeypatch.undo()
    operator.fold()
    assert len(operator.rows(cases)) == 20
    operator.dispatch()
    assert operator.own_keys == {}
