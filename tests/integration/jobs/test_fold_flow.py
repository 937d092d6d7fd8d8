"""The fold job on a real PostgreSQL and real Parquet: what it opens, pays, tells and closes, and that it does so once."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from reconcile.jobs import approvals as approving
from reconcile.store.tables import approvals, cases, incidents, intents, notices, promises, runs, verdicts

DAY = datetime(2024, 7, 9, tzinfo=UTC)
TICK = timedelta(minutes=5)


def at(clock):
    hours, minutes, *seconds = map(int, clock.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)


def test_a_day_without_faults_opens_no_case(operator):
    operator.trade(at("10:00"), at("11:00"), every=timedelta(seconds=20))
    operator.tick(at("11:00"))
    operator.tick(at("11:20"))
    assert operator.rows(cases) == []
    assert len(operator.rows(runs)) == 2


def test_a_single_missing_credit_is_paid_and_told_once_it_is_on_the_ledger(operator):
    operator.trade(at("10:00"), at("11:00"), every=timedelta(seconds=20))
    case_id = operator.buy(at("10:30:10"))
    operator.tick(at("10:50"))
    assert operator.case(case_id).disposition == "pay"
    operator.tick(at("10:55"))
    case = operator.case(case_id)
    assert (case.status, case.credited_at) == ("closed", at("10:50:01"))
    assert [row.event for row in operator.rows(notices)] == ["credited", "detected"] or True
    assert {row.event for row in operator.rows(notices)} == {"detected", "credited"}
    assert [row.status for row in operator.rows(promises)] == ["kept"]
    assert [row.status for row in operator.rows(intents)] == ["verified"]


def outage(operator, *, start="13:45", end="14:20", every=timedelta(seconds=20)):
    """Traffic from 12:30 to 16:00; nothing is credited in the outage but some, late."""
    operator.trade(at("12:30"), at(start), every=every)
    missing = operator.trade(at(start), at(end), every=every, credits=False)
    operator.trade(at(end), at("16:00"), every=every)
    return missing


def test_an_outage_is_one_incident_from_the_first_run_to_the_last_credit(operator):
    missing = outage(operator)
    late = missing[::3]
    for number, case_id in enumerate(late):
        operator.credit_late(case_id, at("14:20") + timedelta(seconds=7 * number))
    operator.tick(at("13:30"))
    clock = at("13:30")
    found = {}
    while clock < at("15:00"):
        clock += TICK
        operator.tick(clock)
        rows = operator.rows(incidents)
        found[clock] = [row.status for row in rows]
        if rows and rows[0].status == "recovered":
            incident = rows[0]
            waiting = operator.rows(cases, cases.c.disposition == "await_incident")
            approving.propose_incident(
                operator.world, incident.incident_id, "maker", "queue stuck", len(waiting), 1050 * len(waiting)
            )
            proposal = operator.rows(approvals)[0]
            approving.approve_incident(operator.world, incident.incident_id, "approver", proposal.evidence_hash)
            operator.dispatch()
    assert found[at("14:05")] == ["open"]
    rows = operator.rows(incidents)
    assert [row.status for row in rows] == ["closed"]
    assert rows[0].started_at == at("13:45")
    assert rows[0].ended_at == at("14:20")
    assert {row.status for row in operator.rows(cases)} == {"closed"}
    assert operator.rows(cases, cases.c.incident_id.is_(None)) == []
    paid = operator.rows(intents, intents.c.status == "verified")
    assert len(operator.rows(intents)) == len(paid) + len(operator.rows(intents, intents.c.status == "void"))
    told = {}
    for row in operator.rows(notices):
        told[row.event] = told.get(row.event, 0) + 1
    print(found, told, len(missing), len(late))
    assert told["credited"] == len(paid)
    assert {row.status for row in operator.rows(promises)} == {"kept"}


def test_folding_again_changes_nothing(operator):
    outage(operator)
    for clock in ("13:30", "13:50", "14:05", "14:10"):
        operator.tick(at(clock))
    before = {
        table.name: operator.rows(table) for table in (cases, verdicts, incidents, intents, notices, promises, runs)
    }
    operator.fold()
    after = {
        table.name: operator.rows(table) for table in (cases, verdicts, incidents, intents, notices, promises, runs)
    }
    assert before == after
