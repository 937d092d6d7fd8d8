"""All passes over the rows at hand, in their order, inside one session."""

from datetime import datetime, timedelta

from reconcile.domain.breaks import OWING, SETTLED, BreakKind
from reconcile.domain.flow import FlowRules
from reconcile.matching.identity import Candidate, link_all
from reconcile.matching.plain import PlainPairs, find_plain_pairs
from reconcile.matching.session import Session
from reconcile.matching.statement import ConservationError, StatementDay, statement
from reconcile.matching.watermark import Completeness

CLOSED_KINDS = (SETTLED, BreakKind.LATE_CREDIT.value)
"""Verdicts that leave nothing open."""

_MICROSECOND = timedelta(microseconds=1)


def set_rules(session: Session, rules: FlowRules, completeness: Completeness) -> None:
    """The variables of flow and watermarks that the SQL reads."""
    session.set_variable("since", "TIMESTAMPTZ", rules.since)
    session.set_variable("deadline_after", "INTERVAL", rules.deadline_after)
    session.set_variable("deadline_after_us", "BIGINT", rules.deadline_after // _MICROSECOND)
    session.set_variable("match_window", "INTERVAL", rules.window)
    session.set_variable("match_window_us", "BIGINT", rules.window // _MICROSECOND)
    session.set_variable("complete_through", "TIMESTAMPTZ", completeness.through)
    session.set_variable("ledger_through", "TIMESTAMPTZ", completeness.ledger.complete_through)
    session.set_variable("grade", "VARCHAR", completeness.grade)
    session.set_variable("owing_kinds", "VARCHAR[]", sorted(OWING))
    session.set_variable("closed_kinds", "VARCHAR[]", list(CLOSED_KINDS))


def run_passes(session: Session, rules: FlowRules) -> PlainPairs:
    """From the views `confirmation` and `entry` to verdicts, matches and sums. Raises `ConservationError`."""
    session.run("own")
    plain = find_plain_pairs(session)
    session.set_variable("plain_pairs", "BIGINT", len(plain))
    for step in ("rest", "own_verdict", "identity"):
        session.run(step)
    _link(session, rules)
    for step in ("easy", "judge", "verdict", "lines", "matches", "totals", "conservation"):
        session.run(step)
    wrong = session.rows("SELECT what, difference FROM conservation WHERE difference <> 0 ORDER BY what")
    if wrong:
        raise ConservationError("; ".join(f"{what}: {difference}" for what, difference in wrong))
    return plain


def statement_days(
    session: Session, rules: FlowRules, completeness: Completeness, as_of: datetime
) -> tuple[StatementDay, ...]:
    """The statement of everything that the session knows."""
    broken = session.rows(
        "SELECT asset, timezone('UTC', coalesce(confirmed_at, credited_at))::DATE AS day, count(*) FROM latest "
        "WHERE kind NOT IN (SELECT unnest(getvariable('closed_kinds'))) GROUP BY ALL"
    )
    return statement(
        rules.name,
        session.rows("SELECT asset, day, side, line, rows, minor FROM statement_line"),
        {(asset, day): count for asset, day, count in broken},
        completeness=completeness,
        deadline_after=rules.deadline_after,
        as_of=as_of,
    )


def _link(session: Session, rules: FlowRules) -> None:
    """The table `link`, from the candidates of the identity pass."""
    rows = session.rows("SELECT class, side, at_us, id, has_reference FROM candidate ORDER BY class, at_us, side, id")
    links = list(link_all([Candidate(*row) for row in rows], rules.window // _MICROSECOND))
    session.execute(
        "CREATE TEMP TABLE link AS FROM simple_link UNION ALL "
        "SELECT unnest($1::UBIGINT[]), unnest($2::UBIGINT[]), unnest($3::VARCHAR[])",
        [[row.unit_id for row in links], [row.group_id for row in links], [row.found_by for row in links]],
    )
