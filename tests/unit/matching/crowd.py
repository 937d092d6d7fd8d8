"""Crowds: rows of many small worlds that share all that rows can share."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from tests.unit.matching.folding import DAY, digest, paid, posted, told


def crowd_of(seed: int) -> dict[str, list[Any]]:
    """Rows of many small worlds, whose accounts share references, ids, payments and our own credits in every way that there is."""
    chance = random.Random(seed)
    start = DAY + timedelta(hours=12)
    rows: dict[str, list[Any]] = {"told": [], "posted": [], "paid": [], "own": []}
    for world in range(150):
        accounts = [f"{world}{letter}" for letter in "ABC"]
        references = [
            None,
            f"{world}R1",
            f"{world}R1",
            f"{world}R12",
            f"{world}R21",
            "SHARED" if world % 10 == 0 else f"{world}RO",
        ]
        for number in range(chance.randint(0, 12)):
            name, minute = f"{world}/{number}", start + timedelta(minutes=chance.randint(0, 60))
            reference, account = chance.choice(references), chance.choice(accounts)
            unit, amount = chance.choice(["XOF", "XOF", "XOF", "MB"]), chance.choice([100, 100, 200])
            match chance.randint(0, 9):
                case 0 | 1 | 2 | 3:
                    outcome = chance.choice(["success", "success", "success", "reversed"])
                    # One purchase may be told twice, with another account.
                    message = chance.choice([name, f"{world}/twice"])
                    rows["told"].append(
                        told(
                            minute,
                            reference,
                            account,
                            amount,
                            message=message,
                            unit=unit,
                            outcome=outcome,
                            balance=chance.choice([None, 100, 200, 300]),
                        )
                    )
                case 4 | 5 | 6 | 7:
                    signed, own_key = chance.choice([1, 1, 1, 1, -1]) * amount, None
                    if rows["told"] and chance.random() < 0.05:
                        own_key = name
                        purchase = chance.choice(rows["told"])
                        rows["own"].append(attempt(own_key, purchase, start))
                        account = chance.choice([account, purchase["account"]])
                    kind = chance.choice([None, None, None, "held"]) if own_key is None else None
                    rows["posted"].append(
                        posted(minute, reference, account, signed, row=name, unit=unit, kind=kind, own_key=own_key)
                    )
                case _:
                    rows["paid"].append(paid(minute, reference, account, amount, row=name, unit=unit))
    return rows


def attempt(own_key: str, purchase: dict[str, Any], sent_at: Any) -> dict[str, Any]:
    return {
        "own_key": own_key,
        "intent_id": digest(own_key),
        "break_id": purchase["confirmation_id"],
        "account": purchase["account"],
        "asset": purchase["asset"],
        "amount_minor": purchase["amount_minor"],
        "sent_at": sent_at,
        "status": "confirmed",
    }
