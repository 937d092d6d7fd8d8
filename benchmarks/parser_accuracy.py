"""How well messages are read: right, abstained and wrong, by field, language and operator, on any corpus of messages.

Usage: python benchmarks/parser_accuracy.py CORPUS.jsonl [--show] [--general] [--json]

Each line of the corpus has `id`, `text`, `country`, `lang`, perhaps `provider`, and, under `expected`, what the text says: amounts as decimal
strings, `currency` as ISO 4217, an absent key where it says nothing, `amount_alternatives` where it says two things.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
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
    parser.add_argument("--json", action="store_true", help="print the counts as JSON instead of tables")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.corpus.read_text("utf-8").splitlines() if line.strip()]
    catalogue = Catalogue(()) if arguments.general else Catalogue.load()
    score = Score()
    for row in rows:
        reading = catalogue.read(Message(row["id"], row["text"], None, row.get("country")))
        verdicts = {field: verdict(field, row["expected"], reading) for field in FIELDS}
        score.add(row, reading, verdicts)
        if arguments.show and any(verdicts[field] in {"wrong", "abstained"} for field in FIELDS):
            show(row, reading, verdicts)
    print(json.dumps(score.as_dict(), indent=2, ensure_ascii=False) if arguments.json else score.as_text())


class Score:
    """Counts of verdicts for each field, over everything and by language and operator."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str, str]] = Counter()
        self.readings: Counter[str] = Counter()
        self.successes = self.successes_right = 0

    def add(self, row: dict[str, Any], reading: Reading, verdicts: dict[str, str | None]) -> None:
        groups = {"all": "all", "language": row["lang"], "operator": row.get("provider") or "unnamed"}
        for field, found in verdicts.items():
            for grouping, group in groups.items():
                if found:
                    self.counts[grouping, group, field, found] += 1
        self.readings[f"{reading.status} {reading.confidence or ''}".strip()] += 1
        if row["expected"]["outcome"] == "success" and "amount" in row["expected"]:
            self.successes += 1
            self.successes_right += verdicts["amount"] == "right" and verdicts["reference"] in {"right", None}

    def groups(self, grouping: str) -> list[str]:
        return sorted({group for name, group, _, _ in self.counts if name == grouping}, key=str.casefold)

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            grouping: {
                group: {
                    field: {name: self.counts[grouping, group, field, name] for name in VERDICTS} for field in FIELDS
                }
                for group in self.groups(grouping)
            }
            for grouping in ("all", "language", "operator")
        }
        success = {"messages": self.successes, "amount_and_reference_right": self.successes_right}
        return {**found, "readings": dict(self.readings), "success": success}

    def as_text(self) -> str:
        lines = [f"{'field':14}" + "".join(f"{name:>12}" for name in VERDICTS)]
        lines += [
            f"{field:14}" + "".join(f"{self.counts['all', 'all', field, name]:>12}" for name in VERDICTS)
            for field in FIELDS
        ]
        for grouping in ("language", "operator"):
            lines += ["", f"{grouping + ', right/abstained/wrong':34}" + "".join(f"{field:>12}" for field in FIELDS)]
            for group in self.groups(grouping):
                cells = (
                    "/".join(str(self.counts[grouping, group, field, name]) for name in VERDICTS) for field in FIELDS
                )
                lines.append(f"{group:34}" + "".join(f"{cell if cell != '0/0/0' else '':>12}" for cell in cells))
        lines += ["", "readings: " + ", ".join(f"{count} {name}" for name, count in self.readings.most_common())]
        share = 100 * self.successes_right / max(1, self.successes)
        right = f"{self.successes_right} of {self.successes} ({share:.1f} %)"
        return "\n".join([*lines, f"success messages with amount and reference right: {right}"])


def show(row: dict[str, Any], reading: Reading, verdicts: dict[str, str | None]) -> None:
    off = {field: (found, wanted(field, row["expected"]), given(field, reading)) for field, found in verdicts.items()}
    print(f"\n{row['id']} {row['country']} {row['lang']} [{reading.status} {reading.template}] {row['text']!r}")
    for field, (found, want, got) in off.items():
        if found in {"wrong", "abstained"}:
            print(f"    {field}: {found}, wanted {want}, read {got}")
    for alternative in reading.alternatives:
        print(
            "    alternative:", {key: str(value) for key, value in alternative._asdict().items() if value is not None}
        )


if __name__ == "__main__":
    main()
