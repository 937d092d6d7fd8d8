"""What is kept back, what it holds, and how it is settled."""

from datetime import timedelta

from reconcile.desk.explaining import explain
from reconcile.feeds import quarantine
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.withdrawing import release_batch, withdraw_batch

from .conftest import NOON, entry, message

LATER = NOON + timedelta(minutes=1)
"""By then the purchase of `message` should have been credited."""


def deliver_both_sides(operator, row):
    """One purchase and one ledger row, both sides complete; returns the batches of the ledger."""
    operator.at(LATER)
    operator.messages("1.jsonl", [message("M1")], through=LATER)
    operator.ledger("1.csv", [row], through=LATER)
    operator.take("smsc")
    return operator.take("ocs")


def test_a_quarantined_ledger_row_keeps_whom_it_may_be_about(operator):
    operator.ledger("1.csv", [entry("E1", amount="?", account="0707123456", reference=" rc9 ")])
    operator.take("ocs")
    (row,) = operator.query("select * from quarantine")
    assert (row["account"], row["reference"], row["row_key"]) == ("+2250707123456", "RC9", "E1")


def test_the_corrected_row_settles_the_one_in_quarantine(operator):
    operator.ledger("1.csv", [entry("E1", amount="?"), entry("E2", amount="?")])
    operator.take("ocs")
    operator.ledger("2.csv", [entry("E1")])
    operator.take("ocs")
    found = operator.query("select row_key, status, resolved_at from quarantine order by row_key")
    assert [tuple(row.values()) for row in found] == [("E1", "superseded", NOON), ("E2", "held", None)]


def test_a_bad_row_that_comes_after_its_correction_holds_nobody(operator):
    operator.ledger("1.csv", [entry("E1")])
    operator.ledger("2.csv", [entry("E1", amount="?"), entry("E2"), entry("E2", amount="?")])
    operator.take("ocs")
    found = operator.query("select row_key, status from quarantine order by row_key")
    assert [tuple(row.values()) for row in found] == [("E1", "superseded"), ("E2", "superseded")]


def test_a_newer_bad_version_takes_the_place_of_the_older(operator):
    operator.ledger("1.csv", [entry("E1", amount="?")])
    operator.ledger("2.csv", [entry("E1", amount="??")])
    operator.take("ocs")
    found = operator.query("select raw, status from quarantine order by quarantined_at, raw desc")
    assert {row["raw"].split(";")[3]: row["status"] for row in found} == {"?": "superseded", "??": "held"}


def test_a_row_that_breaks_several_expectations_says_each(operator):
    operator.ledger("1.csv", [entry("E1", amount="?", account="inconnu", at="gestern")])
    operator.take("ocs")
    (row,) = operator.query("select * from quarantine")
    assert row["reason"] == (
        "account_is_readable: not a phone number; amount_is_readable: '?' is not an amount; "
        "time_is_readable: 'gestern' is not a time"
    )


def test_a_few_bad_rows_of_a_short_file_do_not_refuse_it(operator):
    operator.ledger("1.csv", [entry(f"E{number}", amount="?") for number in range(5)])
    operator.ledger("2.csv", [entry(f"F{number}", amount="?") for number in range(6)])
    operator.take("ocs")
    assert [operator.batch(name)["status"] for name in ("1.csv", "2.csv")] == ["published", "refused"]


def test_a_message_that_no_template_reads_can_be_found_by_the_customers_number(operator):
    operator.messages("1.jsonl", [message("M1", "Akwaba! 1050 F pour toi", recipient="0707123456"), message("M2")])
    operator.take("smsc")
    (row,) = operator.query("select * from quarantine")
    assert (row["account"], row["row_key"]) == ("+2250707123456", "M1")


def test_a_person_may_dismiss_a_row(operator):
    operator.ledger("1.csv", ["garbage", entry("E1")])
    operator.take("ocs")
    (row,) = operator.query("select quarantine_id from quarantine")
    assert operator.watermark("ocs") is None
    with operator.database.begin() as connection:
        quarantine.dismiss(
            connection, row["quarantine_id"], actor="user:ines", reason="a test row of the operator", now=NOON
        )
    operator.at(NOON + timedelta(minutes=5))
    operator.take("ocs")
    assert operator.watermark("ocs") == NOON
    (noted,) = operator.query("select actor, reason from audit where action = 'quarantine_dismissed'")
    assert tuple(noted.values()) == ("user:ines", "a test row of the operator")


def test_whoever_waits_for_a_quarantined_row_is_told_so(operator):
    deliver_both_sides(operator, entry("E1", amount="?", reference=""))
    fold_flow(operator.world, "topup")
    [found] = explain(operator.world, "RC240709.1145.A00011", region="CI")
    assert found.complete_through > found.deadline_at
    assert (found.verdict, found.blocked, found.earliest) == ("pending", "a quarantined row could settle it", None)
    assert ("identity", "not tried: a quarantined row could settle it") in found.passes
    assert "`reconcile quarantine list`" in found.settles


def test_whoever_waited_for_a_dismissed_row_is_judged_by_the_next_fold_also_when_nothing_was_delivered(operator):
    deliver_both_sides(operator, entry("E1", amount="?", reference=""))
    waiting = fold_flow(operator.world, "topup")
    assert fold_flow(operator.world, "topup") == waiting
    (row,) = operator.query("select quarantine_id from quarantine")
    with operator.database.begin() as connection:
        quarantine.dismiss(connection, row["quarantine_id"], actor="user:ines", reason="a test row", now=LATER)
    judged = fold_flow(operator.world, "topup")
    assert judged != waiting
    assert [tuple(case.values()) for case in operator.query("select kind, blocked from cases")] == [
        ("never_credited", None)
    ]
    assert fold_flow(operator.world, "topup") == judged


def test_whoever_waits_for_what_stands_in_the_place_of_a_withdrawn_batch_is_told_so(operator):
    (wrong,) = deliver_both_sides(operator, entry("E1"))
    fold_flow(operator.world, "topup")
    withdraw_batch(operator.world, wrong, actor="user:ines", reason="another operator's file")
    fold_flow(operator.world, "topup")
    [found] = explain(operator.world, "RC240709.1145.A00011", region="CI")
    assert (found.verdict, found.blocked) == ("pending", "a row of a withdrawn batch could settle it")
    assert "`reconcile batch list --status withdrawn`" in found.settles


def test_whoever_waited_for_a_released_batch_is_judged_by_the_next_fold_also_when_nothing_was_delivered(operator):
    (wrong,) = deliver_both_sides(operator, entry("E1"))
    fold_flow(operator.world, "topup")
    withdraw_batch(operator.world, wrong, actor="user:ines", reason="another operator's file")
    waiting = fold_flow(operator.world, "topup")
    assert operator.query("select kind from cases") == []
    release_batch(operator.world, wrong, actor="user:ines", reason="nothing is to come")
    judged = fold_flow(operator.world, "topup")
    assert judged != waiting
    assert [case["kind"] for case in operator.query("select kind from cases")] == ["never_credited"]
    assert fold_flow(operator.world, "topup") == judged
