"""A ledger that credits nothing, and a ledger feed that stopped: told apart, on each kind of completeness.

Purchases are confirmed every minute from 11:30 to 13:00, and credited until 12:00. After that the ledger is silent: in an
outage its feed goes on delivering, a feed that stopped does not.
"""

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from reconcile.feeds.sql.source import SourceError
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.write_report import write_report
from reconcile.remedy import modes

from .conftest import CONFIGURATION, LEDGER_HEADER, NOON, entry, message

HOUR = timedelta(hours=1)
TICK = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


def configured(operator, **ledger):
    """The usual operator, whose ledger says in this way how far it is complete; in shadow, with surges from ten cases on."""
    smsc, ocs, _ = CONFIGURATION["feed"]
    operator.configure({
        **CONFIGURATION, "feed": [smsc, {**ocs, **ledger}], "policy": {"topup": {"surge_cases": 10}},
    })  # fmt: skip
    configuration = operator.world.configuration
    limits = modes.Limits.of(configuration.flow("topup"), configuration.policy("topup"))
    with operator.database.begin() as connection:
        modes.activate(
            connection, flow="topup", mode="shadow", limits=limits, actor="test", reason="test", now=NOON - 2 * HOUR
        )


def bought(begin, until):
    """(number, when) of the purchases in that time."""
    first = int((begin - (NOON - TICK)) / MINUTE)
    return [(first + number, begin + number * MINUTE) for number in range(int((until - begin) / MINUTE))]


def reference(number):
    return f"RC240709.1145.A{number:05d}"


def tell(operator, begin, until):
    rows = [
        message(
            f"M{number}",
            "Vous avez achete 1050 FCFA d'unites pour le 0707123456. Frais: 0 FCFA. Nouveau solde: 12340 FCFA. "
            f"ID Trans: {reference(number)}.",
            at=at.isoformat(),
        )
        for number, at in bought(begin, until)
    ]
    operator.messages(f"{until:%H%M}.jsonl", rows, through=until)


def credited(begin, until):
    """The ledger's rows of that time: none after noon."""
    return [
        entry(f"E{number}", reference=reference(number), at=f"{at + timedelta(seconds=3):%Y-%m-%d %H:%M:%S}")
        for number, at in bought(begin, min(until, NOON))
    ]


def live(operator, ledger, *, told_until=NOON + HOUR):
    """An hour and a half in ticks; `ledger(begin, until)` delivers what the ledger delivers in each."""
    now = NOON - TICK
    while now < NOON + HOUR:
        begin, now = now, now + TICK
        operator.at(now)
        if now <= told_until:
            tell(operator, begin, now)
        ledger(begin, now)
        operator.take("smsc")
        with contextlib.suppress(SourceError):
            operator.take("ocs")
        fold_flow(operator.world, "topup")


def outcome(operator):
    """(cases by kind and grade, incidents, verdict of the day)."""
    cases = operator.query("select kind, grade, count(*) as count from cases group by 1, 2 order by 1, 2")
    incidents = operator.query("select kind, status, scope->>'feed' as feed from incidents order by kind")
    [day] = operator.query("select verdict from statements")
    return (
        [(row["kind"], row["grade"], row["count"]) for row in cases],
        [(row["kind"], row["status"], row["feed"]) for row in incidents],
        day["verdict"],
    )


def told(operator):
    return operator.query("select event from notices")


OWED = 45
"""Purchases from 12:00 on whose deadline has passed when the last run sees both feeds complete up to 13:00."""
OUTAGE = ([("never_credited", "proven", OWED)], [("credits", "open", None)], "breaks")
STOPPED = ([], [("feed", "open", "ocs")], "incomplete")


def by_control(operator, until, rows):
    operator.ledger(f"{until:%H%M}.csv", rows, through=until)


def number(until):
    """Deliveries are numbered from 1, at noon."""
    return int((until - NOON) / TICK) + 1


def by_files(operator, until, rows):
    name = f"ocs_A_{number(until)}_{until:%Y%m%d%H%M%S}.csv"
    operator.deliver("ocs", name, "\n".join([LEDGER_HEADER, *rows]) + "\n", control=False)


def by_rows(operator, until, rows):
    """Every movement has its number; other movements than purchases go on, one of them at the end of each tick."""
    bonus = entry(f"B{until:%H%M}", kind="BONUS", at=f"{until:%Y-%m-%d %H:%M:%S}")
    first = 1 if until == NOON else 31 + number(until) - 1
    lines = [f"{row};{first + place}" for place, row in enumerate([*rows, bonus])]
    name = f"{until:%H%M}.csv"
    operator.deliver("ocs", name, "\n".join([f"{LEDGER_HEADER};seq", *lines]) + "\n", control=False)


def by_snapshot(operator, until, rows):
    """A table of the ledger's own database, into which rows are written; nothing is delivered."""
    names = LEDGER_HEADER.split(";")
    with contextlib.closing(sqlite3.connect(operator.folder / "ledger.sqlite")) as connection, connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS entries ({', '.join(names)})")
        values = [
            [int(cell) if name == "amount" else cell or None for name, cell in zip(names, row.split(";"), strict=True)]
            for row in rows
        ]
        connection.executemany(f"INSERT INTO entries VALUES ({', '.join('?' * len(names))})", values)


FILES = {
    "kind": "sequence", "numbers": "files", "nodes": ["A"],
    "pattern": r"ocs_(?P<node>[A-Z])_(?P<number>\d+)_(?P<through>\d{14})\.csv",
}  # fmt: skip
ROWS = {"kind": "sequence", "numbers": "rows", "disorder": "0s"}
KINDS = {
    "control": ({"kind": "control"}, by_control),
    "files": (FILES, by_files),
    "rows": (ROWS, by_rows),
    "snapshot": ({"kind": "snapshot", "commit_lag": "30s"}, by_snapshot),
}
"""Each proven kind of completeness: its configuration, and what delivers the rows of a tick."""


OTHER = {
    "control": {},
    "files": {"stable_for": "0s"},
    "snapshot": {
        "reader": "sql",
        "location": "sqlite:///ledger.sqlite",
        "query": "SELECT * FROM entries WHERE posted_at >= :since AND posted_at < :until",
    },
    "rows": {"stable_for": "0s", "columns": {"account": "msisdn", "own_key": "external_id", "number": "seq"}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_outage_breaks_purchases_and_is_no_fault_of_the_feed(operator, kind):
    completeness, deliver = KINDS[kind]
    configured(operator, completeness=completeness, **OTHER[kind])
    live(operator, lambda begin, until: deliver(operator, until, credited(begin, until)))
    assert outcome(operator) == OUTAGE


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_feed_declares_nothing_missing_and_is_an_incident_of_its_own(operator, kind):
    completeness, deliver = KINDS[kind]
    configured(operator, completeness=completeness, **OTHER[kind])

    def ledger(begin, until):
        if until <= NOON:
            deliver(operator, until, credited(begin, until))
        else:  # what is read instead of delivered stops by not being there
            (operator.folder / "ledger.sqlite").unlink(missing_ok=True)

    live(operator, ledger)
    assert outcome(operator) == STOPPED
    assert told(operator) == []


def test_by_numbered_rows_a_ledger_without_any_row_is_not_called_an_outage(operator):
    """Nothing says then how late it is: nothing is declared missing, and somebody is called."""
    completeness, deliver = KINDS["rows"]
    configured(operator, completeness=completeness, **OTHER["rows"])

    def ledger(begin, until):
        if until <= NOON:
            deliver(operator, until, credited(begin, until))
        else:
            operator.deliver("ocs", f"{until:%H%M}.csv", f"{LEDGER_HEADER};seq\n" + "\n" * number(until), control=False)

    live(operator, ledger)
    assert outcome(operator) == STOPPED


def test_by_delay_a_stop_cannot_be_told_from_an_outage_so_people_pay_and_somebody_is_called(operator):
    configured(operator, completeness={"kind": "delay", "delay": "5m"}, stable_for="0s")

    def ledger(begin, until):
        if until <= NOON:
            operator.ledger(f"{until:%H%M}.csv", credited(begin, until), control=False)

    live(operator, ledger)
    [(kind, grade, _)], incidents, verdict = outcome(operator)
    assert (kind, grade) == ("never_credited", "assumed")  # money by a person only
    assert incidents == [("credits", "open", None), ("feed", "open", "ocs")]
    assert verdict == "breaks"


def test_by_delay_an_outage_with_deliveries_calls_nobody_about_the_feed(operator):
    configured(operator, completeness={"kind": "delay", "delay": "5m"}, stable_for="0s")

    def ledger(begin, until):
        # Other movements go on; a file that is the same as the one before would be the same delivery.
        bonus = entry(f"B{until:%H%M}", kind="BONUS", at=f"{until:%Y-%m-%d %H:%M:%S}")
        operator.ledger(f"{until:%H%M}.csv", [*credited(begin, until), bonus], control=False)

    live(operator, ledger)
    [(kind, grade, _)], incidents, _ = outcome(operator)
    assert (kind, grade, incidents) == ("never_credited", "assumed", [("credits", "open", None)])


def test_a_stopped_confirmation_feed_makes_the_day_incomplete_too(operator):
    configured(operator)
    live(
        operator,
        lambda begin, until: operator.ledger(f"{until:%H%M}.csv", credited(begin, until), through=until),
        told_until=NOON,
    )
    assert outcome(operator) == ([], [("feed", "open", "smsc")], "incomplete")


def test_a_day_on_which_both_feeds_stop_does_not_stay_green(operator):
    configured(operator)

    def ledger(begin, until):
        if until <= NOON:
            operator.ledger(f"{until:%H%M}.csv", credited(begin, until), through=until)

    live(operator, ledger, told_until=NOON)
    cases, incidents, verdict = outcome(operator)
    assert (cases, verdict) == ([], "incomplete")
    assert sorted(feed for _, _, feed in incidents) == ["ocs", "smsc"]
    runs = operator.query("select count(*) as count from runs")[0]["count"]
    fold_flow(operator.world, "topup")
    assert operator.query("select count(*) as count from runs")[0]["count"] == runs, "nothing is new a second time"


def test_an_incident_of_a_feed_says_what_waits_and_closes_when_the_feed_goes_on(operator, tmp_path):
    configured(operator)

    def ledger(begin, until):
        if until <= NOON:
            operator.ledger(f"{until:%H%M}.csv", credited(begin, until), through=until)
        elif until == NOON + TICK:
            operator.ledger("1230.csv", [], rows=7, through=until)  # refused: other rows than announced
        else:
            operator.deliver("ocs", "1300.csv", LEDGER_HEADER + "\n", control=False)  # its control file never comes

    live(operator, ledger)
    [incident] = operator.query("select * from incidents")
    assert incident["started_at"] == NOON
    assert incident["detected_at"] == NOON + HOUR, "the first run in which it lay more than half an hour behind"
    assert incident["asset"] is None
    scope = incident["scope"]
    assert (scope["unproven"], scope["unproven_count"], scope["waiting"]) == (["1230.csv"], 1, 1)
    written = write_report(operator.world, NOON.date())
    [page] = [Path(path).read_text() for path in written if path.endswith("report.en.html")]
    assert "Deliveries that hold it up" in page

    operator.ledger("1230.csv", [], through=NOON + TICK)
    operator.deliver("ocs", "1300.csv", LEDGER_HEADER + "\n", rows=0, through=NOON + HOUR)
    operator.take("ocs")
    fold_flow(operator.world, "topup")
    incidents = operator.query("select kind, status, ended_at from incidents order by kind desc")
    assert [(row["kind"], row["status"]) for row in incidents] == [("feed", "closed"), ("credits", "open")]
    assert incidents[0]["ended_at"] == NOON + HOUR
    said = operator.query(
        "select action, reason from audit where subject_kind = 'incident' and reason like '%feed%' order by audit_id"
    )
    assert [tuple(row.values()) for row in said] == [
        ("incident opened", "a feed has stopped"), ("incident closed", "the feed keeps up again"),
    ]  # fmt: skip
