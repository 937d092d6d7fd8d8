"""A batch that turned out wrong is taken back: what it said leaves, nobody is paid or told on account of it."""

from datetime import UTC, datetime, timedelta

import pytest

from reconcile.domain.refusal import NotAllowedError
from reconcile.jobs.withdrawing import decided_on, release_batch, withdraw_batch
from reconcile.store.tables import audit, batches, cases, intents, notices, run_withdrawals, runs, statements

DAY = datetime(2024, 7, 9, tzinfo=UTC)
EVERY = timedelta(seconds=20)


def at(clock):
    hours, minutes = map(int, clock.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes)


def batch(operator, feed, clock):
    """The batch that the feed delivered at that time."""
    (found,) = operator.rows(batches, batches.c.feed == feed, batches.c.complete_through == at(clock))
    return found


def withdraw(operator, feed, clock, reason="another operator's file"):
    return withdraw_batch(operator.world, batch(operator, feed, clock).batch_id, actor="user:ines", reason=reason)


def credited(operator):
    """How many confirmations the newest statement calls credited."""
    return sum(row.lines["sides"]["confirmation"]["credited"]["rows"] for row in operator.rows(statements))


def state(operator):
    return [operator.rows(table) for table in (cases, intents, notices, run_withdrawals)]


@pytest.fixture
def one_missing(operator):
    """Everyday traffic, and one purchase at 10:30 that nobody credited, noticed at 11:00 and not paid yet."""
    operator.trade(at("10:00"), at("11:00"), every=EVERY)
    missing = operator.buy(at("10:30"))
    operator.tick(at("10:20"))
    operator.advance(at("11:00"))
    operator.fold()
    assert operator.case(missing).disposition == "pay"
    return missing


def test_what_was_decided_on_a_withdrawn_confirmation_is_listed_and_not_paid(operator, one_missing):
    done = withdraw(operator, "smsc", "11:00")
    (decided,) = done.decided
    assert (decided.number, decided.kind, decided.remedy) == (
        operator.case(one_missing).number, "never_credited", "approved"
    )  # fmt: skip
    assert (done.voided, [row.status for row in operator.rows(intents)]) == (1, ["void"])
    operator.dispatch()
    assert operator.own_keys == {}
    (noted,) = operator.rows(audit, audit.c.action == "batch_withdrawn")
    assert (noted.actor, noted.reason, noted.evidence["numbers"]) == (
        "user:ines", "another operator's file", [decided.number]
    )  # fmt: skip


def test_the_rows_of_a_withdrawn_batch_leave_with_the_next_fold_and_only_once(operator, one_missing):
    withdraw(operator, "smsc", "11:00")
    run_id = operator.fold()
    (taken,) = operator.rows(run_withdrawals)
    assert (str(taken.run_id), taken.batch_id) == (run_id, batch(operator, "smsc", "11:00").batch_id)
    assert operator.case(one_missing).status == "closed"
    before = state(operator)
    assert operator.fold() == run_id
    assert state(operator) == before
    operator.tick(at("11:20"))
    assert len(operator.rows(run_withdrawals)) == 1
    assert operator.own_keys == {}


def test_who_stands_in_a_withdrawn_ledger_batch_is_neither_paid_nor_told_anything(operator):
    bought = operator.trade(at("10:00"), at("11:00"), every=timedelta(minutes=5))
    operator.tick(at("11:00"))
    assert credited(operator) == len(bought)
    withdraw(operator, "ocs", "11:00")
    for clock in ("11:05", "11:20", "12:00"):
        operator.tick(at(clock))
    assert credited(operator) == 0
    assert [operator.case(one) for one in bought] == [None] * len(bought)
    assert (operator.own_keys, operator.told()) == ({}, {})


def test_while_a_ledger_batch_is_withdrawn_its_flow_pays_nothing(operator, one_missing):
    withdraw(operator, "ocs", "10:20")
    assert [row.status for row in operator.rows(intents)] == ["approved"]
    operator.dispatch()
    assert operator.own_keys == {}
    release_batch(
        operator.world, batch(operator, "ocs", "10:20").batch_id, actor="user:ines", reason="there was no such file"
    )
    operator.dispatch()
    assert len(operator.own_keys) == 1


def test_what_is_found_missing_while_the_proof_is_withdrawn_is_for_a_person(operator):
    operator.trade(at("10:00"), at("11:30"), every=EVERY)
    operator.tick(at("10:20"))
    withdraw(operator, "ocs", "10:20")
    missing = operator.buy(at("10:40"))
    operator.tick(at("11:00"))
    operator.tick(at("11:20"))
    found = operator.case(missing)
    assert (found.grade, found.disposition) == ("assumed", "await_approval")
    assert operator.own_keys == {}


def test_a_batch_is_withdrawn_once_and_only_when_it_is_published(operator, one_missing):
    withdraw(operator, "smsc", "11:00")
    with pytest.raises(NotAllowedError, match="is withdrawn; only one that is published can be withdrawn"):
        withdraw(operator, "smsc", "11:00")
    with pytest.raises(NotAllowedError, match="there is no batch"):
        withdraw_batch(operator.world, one_missing, actor="user:ines", reason="a slip")
    with pytest.raises(NotAllowedError, match="holds nothing that could be released"):
        release_batch(
            operator.world, batch(operator, "ocs", "11:00").batch_id, actor="user:ines", reason="it is published"
        )


def test_a_batch_that_was_never_folded_leaves_no_trace(operator):
    operator.trade(at("10:00"), at("10:10"), every=EVERY, credited=False)
    operator.advance(at("10:10"))
    withdraw(operator, "smsc", "10:10")
    operator.fold()
    operator.tick(at("11:00"))
    assert (operator.rows(cases), operator.rows(run_withdrawals)) == ([], [])
    assert len(operator.rows(runs)) == 2
    assert decided_on(operator.world, batch(operator, "smsc", "10:10").batch_id) == []
