"""Payments as a third side: what was paid and neither told nor credited, or paid twice, reaches a person and no machine pays it."""

from datetime import UTC, datetime, timedelta

import pytest

from reconcile.store.tables import intents, notices, runs, statements

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
ACCOUNT = "+2250700000001"


@pytest.fixture
def more_feeds():
    return [{"name": "debits", "flow": "topup", "side": "payment", "reader": "csv", "location": "paid/*.csv"}]


def test_what_was_paid_and_neither_told_nor_credited_waits_for_a_person_and_is_paid_when_two_agree(operator):
    paid = operator.pay(NOON, ACCOUNT, 1050, reference="R1")
    operator.tick(NOON + timedelta(hours=1))
    operator.tick(NOON + timedelta(hours=2))
    case = operator.case(paid)
    assert (case.kind, case.owed_minor, case.disposition, case.owner) == (
        "paid_not_told",
        1050,
        "await_approval",
        "queue:approvals",
    )
    assert operator.own_keys == {}
    assert operator.rows(notices) == []
    assert operator.rows(runs)[-1].payment_watermark == NOON + timedelta(hours=2)
    assert {row.lines["sides"]["payment"]["not_told"]["rows"] for row in operator.rows(statements)} == {1}


def test_a_payer_who_was_charged_twice_is_a_case_for_refunds_and_never_credited_by_a_machine(operator):
    operator.buy(NOON, account=ACCOUNT, reference="R1", credited=NOON + timedelta(seconds=5))
    first = operator.pay(NOON - timedelta(seconds=9), ACCOUNT, 1050, reference="R1")
    operator.pay(NOON - timedelta(seconds=4), ACCOUNT, 1050, reference="R1")
    operator.tick(NOON + timedelta(hours=2))
    case = operator.case(first)
    assert (case.kind, case.owed_minor, case.disposition, case.owner) == (
        "charged_twice",
        1050,
        "review",
        "queue:refunds",
    )
    assert operator.rows(intents) == []


def test_a_purchase_whose_payment_was_given_back_is_not_paid_by_a_machine(operator):
    bought = operator.buy(NOON, account=ACCOUNT, reference="R1")
    operator.pay(NOON, ACCOUNT, 1050, reference="R1")
    operator.pay(NOON + timedelta(minutes=8), ACCOUNT, -1050, reference="R1")
    operator.tick(NOON + timedelta(minutes=40))
    operator.tick(NOON + timedelta(hours=2))
    case = operator.case(bought)
    assert (case.kind, case.disposition) == ("never_credited", "review")
    assert case.blocked == "its payment was given back: a person decides"
    assert operator.own_keys == {}
