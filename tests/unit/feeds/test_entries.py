from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconcile.domain.ids import entry_id
from reconcile.feeds.entries import Entries
from reconcile.feeds.readers import RawRow

from .conftest import row

KINDS = {"purchase": ["RECHARGE"], "reversal": ["REVERSAL"]}
CELLS = {
    "row_key": "E1",
    "kind": "RECHARGE",
    "account": "0707123456",
    "amount": "1050",
    "asset": "XOF",
    "reference": " rc1 ",
    "own_key": "",
    "posted_at": "2024-07-09 13:45:10",
}


@pytest.fixture
def read(configured):
    def read(feed=None, **cells):
        configuration = configured(side="ledger", **{"kinds": KINDS, **(feed or {})})
        (draft,) = Entries(configuration.feeds[0], configuration.flows[0]).read([row(**{**CELLS, **cells})])
        return draft

    return read


def test_a_row_is_read_in_the_forms_in_which_everything_is_compared(read):
    assert read().found == {
        "id": entry_id("a", "E1").hex,
        "row_key": "E1",
        "reference": "RC1",
        "account": "+2250707123456",
        "asset": "XOF",
        "amount_minor": 1050,
        "kind": "purchase",
        "own_key": None,
        "posted_at": datetime(2024, 7, 9, 13, 45, 10, tzinfo=UTC),
    }


@pytest.mark.parametrize("amount", ["1050", "-1050"])
def test_a_reversal_is_negative_and_its_delivered_sign_is_kept_for_the_control_sum(read, amount):
    draft = read(kind="REVERSAL", amount=amount)
    assert draft.found["amount_minor"] == -1050
    assert draft.delivered == Decimal(amount)


@pytest.mark.parametrize(
    ("kinds", "word", "scope"),
    [
        (KINDS, "BONUS", "out"),
        (KINDS, "", "unknown"),
        ({**KINDS, "ignored": ["BONUS"]}, "BONUS", "out"),
        ({**KINDS, "ignored": ["BONUS"]}, "RECHARGF", "unknown"),
    ],
)
def test_a_kind_is_passed_over_only_where_that_is_certain(read, kinds, word, scope):
    draft = read({"kinds": kinds}, kind=word)
    assert draft.out_of_scope == (scope == "out")
    assert ("kind" in draft.problems) == (scope == "unknown")


@pytest.mark.parametrize(("amount", "kind"), [("5", "purchase"), ("-5", "reversal")])
def test_without_kinds_the_sign_tells_a_reversal(read, amount, kind):
    draft = read({"kinds": {}}, kind="", amount=amount)
    assert (draft.found["kind"], draft.found["amount_minor"]) == (kind, int(amount))


def test_a_feed_without_a_column_of_assets_is_in_the_flows(read):
    draft = read({"asset": "CAD", "columns": {"asset": ""}}, amount="12.50")
    assert (draft.found["asset"], draft.found["amount_minor"]) == ("CAD", 1250)


def test_what_cannot_be_read_is_empty_and_the_rest_is_kept(read):
    draft = read(amount="1O5O", account="?", posted_at="gestern")
    assert draft.problems == {
        "account": "not a phone number",
        "posted_at": "'gestern' is not a time",
        "amount_minor": "'1O5O' is not an amount",
    }
    assert (draft.found["reference"], draft.found["amount_minor"], draft.delivered) == ("RC1", None, None)


def test_a_row_that_could_not_be_taken_apart_is_a_draft_of_nothing(configured):
    configuration = configured(side="ledger", kinds=KINDS)
    entries = Entries(configuration.feeds[0], configuration.flows[0])
    (draft,) = entries.read([RawRow(2, "raw", problem="has 3 fields")])
    assert set(draft.found.values()) == {None}
    assert (draft.problems, draft.out_of_scope) == ({"row": "has 3 fields"}, False)
