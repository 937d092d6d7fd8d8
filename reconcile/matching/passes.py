"""All passes over the rows at hand, in their order, inside one session."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from reconcile.domain.breaks import OWING, SETTLED, BreakKind
from reconcile.domain.flow import FlowRules
from reconcile.matching.identity import Candidate, Link, link_all
from reconcile.matching.matches_file import MatchesFile
from reconcile.matching.plain import find_plain_pairs
from reconcile.matching.session import BATCH_ROWS, Session
from reconcile.matching.split import Part, split_all
from reconcile.matching.statement import ConservationError, StatementDay, statement
from reconcile.matching.watermark import Completeness

CLOSED_KINDS = (SETTLED, BreakKind.LATE_CREDIT.value)
"""Verdicts that leave nothing open."""

OpenPast = Callable[[int | None, int | None], None]
"""Makes the view `past_confirmation`: rows of the batches that were folded before, from and until (microseconds since 1970)."""

HELD_ROWS: Final = 500_000
"""Rows at hand, of both sides, that are read once and held in memory; more are read from their files whenever they are needed."""

_MICROSECOND = timedelta(microseconds=1)


def set_rules(session: Session, rules: FlowRules, completeness: Completeness) -> None:
    """The variables of flow, passes and watermarks that the SQL reads."""
    options = rules.options
    session.set_variable("references_unrelated", "BOOLEAN", options.references_unrelated)
    session.set_variable("baskets", "BOOLEAN", options.baskets)
    session.set_variable("keyless", "BOOLEAN", options.keyless)
    session.set_variable("fee_minor", "BIGINT", options.fee_minor)
    session.set_variable("fee_basis_points", "BIGINT", options.fee_basis_points)
    session.set_variable("since", "TIMESTAMPTZ", rules.since)
    session.set_variable("deadline_after", "INTERVAL", rules.deadline_after)
    session.set_variable("deadline_after_us", "BIGINT", rules.deadline_after // _MICROSECOND)
    session.set_variable("match_window", "INTERVAL", rules.window)
    session.set_variable("match_window_us", "BIGINT", rules.window // _MICROSECOND)
    session.set_variable("complete_through", "TIMESTAMPTZ", completeness.through)
    session.set_variable("ledger_through", "TIMESTAMPTZ", completeness.ledger.complete_through)
    session.set_variable("grade", "VARCHAR", completeness.grade)
    session.set_variable("asset", "VARCHAR", rules.asset.code)
    session.set_variable("paid_through", "TIMESTAMPTZ", completeness.paid_through)
    session.set_variable("payment_deadline_after", "INTERVAL", rules.payment_deadline_after)
    session.set_variable("grade_paid", "VARCHAR", completeness.grade_paid)
    session.set_variable("owing_kinds", "VARCHAR[]", sorted(OWING))
    session.set_variable("closed_kinds", "VARCHAR[]", list(CLOSED_KINDS))


def run_passes(
    session: Session,
    rules: FlowRules,
    matches: Path,
    *,
    paid: bool = False,
    open_past: OpenPast | None = None,
    wake: Callable[[], None] | None = None,
) -> int:
    """From the views `confirmation` and `entry` (and, where something is `paid`, the payments) to verdicts and sums, and the
    file of matches; returns the number of plain pairs. Raises `ConservationError`.

    Without `open_past` there is a view `past_confirmation` already. `wake`: brings dormant items that the odd rows concern.
    """
    sizes = _sizes(session)
    if sum(sizes) <= BATCH_ROWS:
        session.use_one_thread()
    if sum(sizes) <= HELD_ROWS:
        session.hold("confirmation")
        session.hold("entry")
    session.run("own")
    if rules.options.keyless:
        _find_own(session, rules)
    plain = find_plain_pairs(session, sizes)
    if wake is not None:
        wake()
    session.set_variable("plain_pairs", "BIGINT", plain.count)
    with MatchesFile(matches, plain) as file, ThreadPoolExecutor(max_workers=1) as beside:
        plain_written = beside.submit(file.write_plain)
        for step in ("rest", "own_verdict", "units", "near_reference", "identity"):
            session.run(step)
        _link_identity(session, rules)
        session.run("split")
        _link_split(session)
        session.run("easy")
        session.run("hold")
        if paid:
            _tie_payments(session, rules)
        else:
            session.run("unpaid")
        session.run("judge")
        _listen(session, open_past)
        for step in (
            "verdict",
            *(["pay_verdict"] if paid else []),
            "versions",
            "lines",
            "matches",
            "totals",
            "conservation",
        ):
            session.run(step)
        plain_written.result()
        file.write_closer(session)
    wrong = session.rows("SELECT what, difference FROM conservation WHERE difference <> 0 ORDER BY what")
    if wrong:
        raise ConservationError("; ".join(f"{what}: {difference}" for what, difference in wrong))
    return plain.count


def statement_days(
    session: Session, rules: FlowRules, completeness: Completeness, as_of: datetime
) -> tuple[StatementDay, ...]:
    """The statement of everything that the session knows."""
    broken = session.rows(
        "SELECT asset, timezone('UTC', coalesce(confirmed_at, credited_at))::DATE AS day, count(*) FROM latest "
        "WHERE kind NOT IN (SELECT unnest(getvariable('closed_kinds'))) GROUP BY ALL "
        "UNION ALL SELECT asset, day, rows FROM statement_line WHERE side = 'break'"
    )
    counts: Counter[tuple[str, date]] = Counter()
    for asset, day, count in broken:
        counts[asset, day] += count
    return statement(
        rules.name,
        session.rows("SELECT asset, day, side, line, rows, minor FROM statement_line WHERE side <> 'break'"),
        counts,
        completeness=completeness,
        deadline_after=rules.deadline_after,
        as_of=as_of,
    )


def _sizes(session: Session) -> tuple[int, int]:
    """More than any row number of either side."""
    [(told, posted)] = session.rows(
        "SELECT (SELECT coalesce(max(row)::BIGINT + 1, 0) FROM confirmation),"
        " (SELECT coalesce(max(row)::BIGINT + 1, 0) FROM entry)"
    )
    return told, posted


def _link_identity(session: Session, rules: FlowRules) -> None:
    rows = session.rows("SELECT class, side, at_us, id, named FROM candidate ORDER BY class, at_us, side, id")
    session.execute("INSERT INTO link FROM simple_link")
    _add_links(session, link_all([Candidate(*row) for row in rows], rules.window // _MICROSECOND))


def _link_split(session: Session) -> None:
    """Links of purchases with one solution; `doubt` about those with several, or with too many to tell."""
    rows = session.rows("SELECT group_id, amount_minor, unit_id, part_minor FROM part ORDER BY group_id, unit_id")
    found = split_all([Part(*row) for row in rows])
    _add_links(session, found.links)
    session.execute("INSERT INTO doubt SELECT unnest($1::UBIGINT[])", [found.doubtful])


def _find_own(session: Session, rules: FlowRules) -> None:
    """Our own credits on a ledger without our keys: each attempt takes the earliest entry that could be it."""
    session.run("own_candidate")
    rows = session.rows(
        "SELECT class, side, at_us, number, false FROM own_candidate ORDER BY class, at_us, side, number"
    )
    links = list(link_all([Candidate(*row) for row in rows], rules.deadline_after // _MICROSECOND))
    session.execute(
        "INSERT INTO own_link SELECT unnest($1::UBIGINT[]), unnest($2::UBIGINT[])",
        [[row.unit_id for row in links], [row.group_id for row in links]],
    )
    session.run("own_keyless")


def _listen(session: Session, open_past: OpenPast | None) -> None:
    """What the messages around a break say of it: of the batches that were folded before, only those of their time are opened."""
    session.run("listened")
    if open_past is not None:
        open_past(*session.rows("SELECT epoch_us(getvariable('heard_from')), epoch_us(getvariable('heard_until'))")[0])
    session.run("balance")


def _tie_payments(session: Session, rules: FlowRules) -> None:
    """Which purchase each payment paid for: `identity.py` looks from one window before it was told to one window after."""
    session.run("pay")
    rows = session.rows(
        "SELECT class, side, at_us, number, named FROM payment_candidate ORDER BY class, at_us, side, number"
    )
    links = list(link_all([Candidate(*row) for row in rows], 2 * rules.window // _MICROSECOND))
    session.execute(
        "INSERT INTO payment_link SELECT unnest($1::UBIGINT[]), unnest($2::UBIGINT[])",
        [[row.unit_id for row in links], [row.group_id for row in links]],
    )
    session.run("pay_bundle")


def _add_links(session: Session, found: Iterable[Link]) -> None:
    links = list(found)
    session.execute(
        "INSERT INTO link SELECT unnest($1::UBIGINT[]), unnest($2::UBIGINT[]), unnest($3::VARCHAR[])",
        [[row.unit_id for row in links], [row.group_id for row in links], [row.found_by for row in links]],
    )
