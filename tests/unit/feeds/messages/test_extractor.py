import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconcile.feeds.messages import Catalogue, Message

GOLDEN = Path(__file__).parents[3] / "golden" / "messages" / "general.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()]
GENERAL = Catalogue(())


def amount(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_message_of_an_operator_without_template_is_read_or_left_alone(row: dict[str, Any]) -> None:
    expected = row["expected"]

    reading = GENERAL.read(Message(row["id"], row["text"], country=row["country"]))

    assert reading.amount == amount(expected.get("amount"))
    assert reading.currency == (expected.get("currency") if "amount" in expected else reading.currency)
    assert reading.fee == amount(expected.get("fee"))
    assert reading.balance == amount(expected.get("balance"))
    assert reading.confidence in {"low", None}
    if "amount" in expected:
        assert reading.outcome == expected["outcome"]
        assert reading.reference == expected.get("reference")
    if expected["kind"] == "not_a_transaction":
        assert reading.status == "not_a_transaction"
