"""What a flow declares reaches matching, and the kinds that follow from it reach the right people."""

from datetime import UTC, datetime, timedelta

import pytest

from reconcile.store.tables import cases, intents

NOON = datetime(2024, 7, 9, 12, tzinfo=UTC)
ACCOUNT = "+2250700000001"


@pytest.mark.parametrize(("declared", "owed"), [({}, [50]), ({"fee": "50"}, []), ({"fee_percent": "5"}, [])])
def test_a_credit_less_a_declared_fee_is_no_break(operator, declared, owed):
    operator.buy(NOON, account=ACCOUNT, reference="R1", amount=1050)
    operator.post(NOON + timedelta(seconds=5), ACCOUNT, 1000, reference="R1")
    operator.advance(NOON + timedelta(minutes=30))
    operator.fold()
    assert [case.owed_minor for case in operator.rows(cases)] == owed


@pytest.mark.parametrize(
    ("declared", "kinds"), [({}, ["never_credited", "orphan_credit"]), ({"references": "unrelated"}, [])]
)
def test_references_speak_against_a_match_unless_the_flow_says_that_they_are_unrelated(operator, declared, kinds):
    operator.buy(NOON, account=ACCOUNT, reference="RC77", amount=1050)
    operator.post(NOON + timedelta(seconds=5), ACCOUNT, 1050, reference="L-000431")
    operator.advance(NOON + timedelta(minutes=40))
    operator.fold()
    assert sorted(case.kind for case in operator.rows(cases)) == kinds


@pytest.mark.parametrize(("declared", "kinds"), [({}, ["ambiguous"]), ({"baskets": True}, [])])
def test_two_amounts_under_one_receipt_are_a_basket_only_where_that_is_declared(operator, declared, kinds):
    for amount in (1000, 50):
        operator.buy(NOON, account=ACCOUNT, reference="R1", amount=amount)
    operator.post(NOON + timedelta(seconds=5), ACCOUNT, 1050, reference="R1")
    operator.advance(NOON + timedelta(minutes=30))
    operator.fold()
    assert [case.kind for case in operator.rows(cases)] == kinds


def test_what_the_operator_holds_back_has_an_owner_and_no_remedy_and_closes_when_it_is_released(operator):
    held = operator.buy(NOON, account=ACCOUNT, reference="R1")
    operator.post(NOON + timedelta(seconds=5), ACCOUNT, 1050, reference="R1", kind="held")
    operator.tick(NOON + timedelta(minutes=30))
    operator.tick(NOON + timedelta(hours=2))
    case = operator.case(held)
    assert (case.kind, case.disposition, case.owner) == ("held", "review", "queue:held")
    assert case.deadline_at == NOON + timedelta(minutes=15)
    assert operator.rows(intents) == []
    operator.credit_late(held, NOON + timedelta(hours=3))
    operator.tick(NOON + timedelta(hours=4))
    assert (operator.case(held).kind, operator.case(held).status) == ("late_credit", "closed")
