"""From files to published batches, where nothing is wrong."""

from datetime import UTC, datetime
from decimal import Decimal

from .conftest import NOON, entry, message


def test_ledger_rows_are_published_with_their_signs_put_right(operator):
    operator.ledger(
        "a.csv",
        [
            entry("E1"),
            entry("E2", kind="REVERSAL", amount="1050"),
            entry("E3", kind="REVERSAL", amount="-1050"),
            entry("E4", kind="BONUS", amount="500"),
        ],
        total="1550",
    )
    operator.take("ocs")
    rows = operator.published("ocs")
    assert [(row["kind"], row["amount_minor"]) for row in rows] == [("purchase", 1050), ("reversal", -1050), ("reversal", -1050)]
    batch = operator.batch("a.csv")
    assert (batch["raw_rows"], batch["published_rows"], batch["out_of_scope_rows"]) == (4, 3, 1)
    assert batch["money"]["XOF"] == {
        "raw": -550, "published": -1050, "quarantined": 0, "duplicate": 0, "out_of_scope": 500
    }  # fmt: skip
    assert operator.watermark("ocs") == NOON


def test_a_message_becomes_a_confirmation(operator):
    operator.messages("a.jsonl.gz", [message("M1"), message("M2", "code 123456", sender="BanqueSud")])
    operator.take("smsc")
    (row,) = operator.published("smsc")
    assert row["account"] == "+2250707123456"
    assert row["amount_minor"] == 1050
    assert row["confirmed_at"] == datetime(2024, 7, 9, 11, 45, tzinfo=UTC)
