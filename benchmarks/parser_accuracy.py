"""How well messages are read: right, abstained and wrong, per field and per language, on any corpus of messages.

Usage: python benchmarks/parser_accuracy.py CORPUS.jsonl [--show] [--general]

Each line of the corpus has `id`, `text`, `country`, `lang` and, under `expected`, what the text says: amounts as decimal
strings, `currency` as ISO 4217, an absent key where it says nothing, `amount_alternatives` where it says two things.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconcile.feeds.messages import Catalogue, Message, Reading

MONEY = ("amount", "fee", "balance")
FIELDS = ("outcome", "kind", "amount", "currency", "reference", "fee", "balance", "party", "occurred_at")
VERDICTS = ("right", "abstained", "wrong")


def verdict(field: str, expected: dict[str, Any], reading: Reading) -> str | None:
    """Right, abstained (said nothing where there was something) or wrong; None where neither says anything."""
    want, got = wanted(field, expected), given(field, reading)
    if got is None:
        return None if want is None else "abstained"
    if field == "party":
        return None if want is None else "right" if set(got) & set(want) else "wrong"
    if want is None and field in {"kind", "occurred_at"}:
        return None
    return "right" if got == want else "wrong"


def wanted(field: str, expected: dict[str, Any]) -> Any:
    if field in MONEY:
        return Decimal(expected[field]) if field in expected else None
    if field == "party":
        parties = [expected[key].lstrip("+") for key in ("msisdn", "account") if key in expected]
        return parties or None
    if field == "occurred_at":
        moment = expected.get("event_time") or expected.get("event_time_from_reference")
        return None if moment is None or "T" not in moment else moment.ljust(19, "_").replace("___", ":00")
    if field == "outcome":
        return None if expected["outcome"] == "none" else expected["outcome"]
    if field == "kind" and expected.get("kind") in {"not_a_transaction", "balance_inquiry"}:
        return None
    return expected.get(field)


def given(field: str, reading: Reading) -> Any:
    if field == "party":
        parties = [party.lstrip("+") for party in (reading.account, reading.payer) if party]
        return parties or None
    if field == "occurred_at":
        return reading.occurred_at and reading.occurred_at.replace(tzinfo=None).isoformat()
    if field == "outcome" and reading.status in {"unparsed", "not_a_transaction"}:
        return None
    return getattr(reading, field)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--show", action="store_true", help="print each message that is not fully right")
    parser.add_argument("--general", action="store_true", help="measure the general extractor alone, without templates")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.corpus.read_text("utf-8").splitlines() if line.strip()]
    catalogue = Catalogue(()) if arguments.general else Catalogue.load()
    counts: Counter[tuple[str, str]] = Counter()
    by_language: Counter[tuple[str, str]] = Counter()
    successes: Counter[str] = Counter()
    confidence: Counter[str] = Counter()
    for row in rows:
        reading = catalogue.read(Message(row["id"], row["text"], None, row.get("country")))
        verdicts = {field: verdict(field, row["expected"], reading) for field in FIELDS}
        for field, found in verdicts.items():
            if found:
                counts[field, found] += 1
        by_language[row["lang"], verdicts["amount"] or "nothing to read"] += 1
        confidence[f"{reading.status} {reading.confidence or ''}".strip()] += 1
        if row["expected"]["outcome"] == "success" and "amount" in row["expected"]:
            successes["all"] += 1
            fit = verdicts["amount"] == "right" and verdicts["reference"] in {"right", None}
            successes["right" if fit else "not"] += 1
        if arguments.show and any(verdicts[field] in {"wrong", "abstained"} for field in FIELDS):
            show(row, reading, verdicts)
    report(counts, by_language, successes, confidence)


def show(row: dict[str, Any], reading: Reading, verdicts: dict[str, str | None]) -> None:
    off = {field: (found, wanted(field, row["expected"]), given(field, reading)) for field, found in verdicts.items()}
    print(f"\n{row['id']} {row['country']} {row['lang']} [{reading.status} {reading.template}] {row['text']!r}")
    for field, (found, want, got) in off.items():
        if found in {"wrong", "abstained"}:
            print(f"    {field}: {found}, wanted {want}, read {got}")
    for alternative in reading.alternatives:
        print("    alternative:", {key: str(value) for key, value in asdict(alternative).items() if value is not None})


def report(counts: Counter[Any], by_language: Counter[Any], successes: Counter[str], confidence: Counter[str]) -> None:
    print(f"\n{'field':14}" + "".join(f"{name:>12}" for name in VERDICTS))
    for field in FIELDS:
        print(f"{field:14}" + "".join(f"{counts[field, name]:>12}" for name in VERDICTS))
    print(f"\n{'amount in':14}" + "".join(f"{name:>12}" for name in (*VERDICTS, "no amount")))
    for language in sorted({language for language, _ in by_language}):
        cells = [by_language[language, name] for name in (*VERDICTS, "nothing to read")]
        print(f"{language:14}" + "".join(f"{cell:>12}" for cell in cells))
    print("\nreadings: " + ", ".join(f"{count} {name}" for name, count in confidence.most_common()))
    share = 100 * successes["right"] / max(1, successes["all"])
    print(
        f"success messages with amount and reference right: {successes['right']} of {successes['all']} ({share:.1f} %)"
    )


if __name__ == "__main__":
    main()
