from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconcile.config import ConfigurationError
from reconcile.domain.ids import payment_id
from reconcile.feeds.payments import Payments

from .conftest import row

KINDS = {"payment": ["DEBIT"], "reversal": ["REFUND"]}
CELLS = {
    "row_key": "P1",
    "kind": "DEBIT",
    "account": "0707123456",
    "payer": "0505111111",
    "amount": "1050",
    "asset": "XOF",
    "reference": " rc1 ",
    "paid_at": "2024-07-09 13:45:10",
}


@pytest.fixture
def read(configured):
    def read(feed=None, **cells):
        configuration = configured(side="payment", **{"kinds": KINDS, **(feed or {})})
        (draft,) = Payments(configuration.feeds[0], configuration.flows[0]).read([row(**{**CELLS, **cells})])
        return draft

    return read


def test_a_payment_is_read_in_the_forms_in_which_everything_is_compared(read):
    assert read().found == {
        "id": payment_id("a", "P1").hex,
        "row_key": "P1",
        "reference": "RC1",
        "account": "+2250707123456",
        "payer": "+2250505111111",
        "asset": "XOF",
        "amount_minor": 1050,
        "kind": "payment",
        "paid_at": datetime(2024, 7, 9, 13, 45, 10, tzinfo=UTC),
    }


def test_a_payment_that_names_no_account_is_for_the_payers_own(read):
    assert read(account="").found["account"] == "+2250505111111"


def test_an_account_that_cannot_be_read_is_not_taken_for_the_payers(read):
    draft = read(account="?")
    assert (draft.found["account"], draft.problems) == (None, {"account": "not a phone number"})


@pytest.mark.parametrize("amount", ["1050", "-1050"])
def test_money_given_back_is_negative_and_its_delivered_sign_is_kept_for_the_control_sum(read, amount):
    draft = read(kind="REFUND", amount=amount)
    assert (draft.found["kind"], draft.found["amount_minor"], draft.delivered) == ("reversal", -1050, Decimal(amount))


def test_what_was_paid_for_something_else_is_out_of_scope(read):
    assert read(kind="BILL").out_of_scope


def test_a_payment_feed_may_do_without_accounts_but_not_without_payers(configured):
    configured(side="payment", columns={"account": ""})
    with pytest.raises(ConfigurationError, match=r"columns\.payer: a payment feed cannot do without it"):
        configured(side="payment", columns={"payer": ""})


def test_words_are_not_sorted_into_kinds_that_the_side_does_not_have(configured):
    with pytest.raises(ConfigurationError, match=r"kinds\.purchase: a payment feed has ignored, payment, reversal"):
        configured(side="payment", kinds={"purchase": ["DEBIT"]})
    with pytest.raises(
        ConfigurationError, match=r"kinds\.payment: a ledger feed has held, ignored, purchase, reversal"
    ):
        configured(side="ledger", kinds={"payment": ["DEBIT"]})
