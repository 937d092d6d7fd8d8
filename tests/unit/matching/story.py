"""Stories: a readable text of what was told and what was posted, folded for real, and the outcome as readable text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from reconcile.jobs import fold_check
from tests.unit.matching.folding import DAY, Folder, balance_of, digest, paid, posted, rows_of, told


@dataclass
class Story:
    """Plays a text line by line; lines that begin with `>` are what each `fold` must have said."""

    folder: Folder
    labels: dict[str, str] = field(default_factory=dict)
    own: list[dict[str, Any]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    confirmations: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] | None = None
    statement: dict[Any, Any] = field(default_factory=dict)
    matched: set[tuple[str, ...]] = field(default_factory=set)

    def play(self, text: str) -> str:
        """The text again, with what was really heard in place of its `>` lines."""
        for line in text.splitlines():
            if line.startswith(">"):
                continue
            self.heard.append(line)
            verb, _, rest = line.partition(" ")
            words = [word for word in rest.split() if "=" not in word]
            options = dict(word.split("=", 1) for word in rest.split() if "=" in word)
            if verb == "told":
                label, at, reference, account, amount = words
                row = told(
                    clock(at),
                    None if reference == "-" else reference,
                    account,
                    int(amount),
                    message=f"m-{label}",
                    **options,
                )
                self.labels.setdefault(row["confirmation_id"], label)
                self.confirmations.append(row)
            elif verb == "posted":
                label, at, reference, account, amount = words
                row = posted(
                    clock(at), None if reference == "-" else reference, account, int(amount), row=label, **options
                )
                self.labels[row["entry_id"]] = label
                self.entries.append(row)
            elif verb == "paid":
                label, at, reference, account, amount = words
                row = paid(
                    clock(at), None if reference == "-" else reference, account, int(amount), row=label, **options
                )
                self.labels[row["payment_id"]] = label
                self.payments = [*(self.payments or []), row]
            elif verb == "sent":
                key, at, purchase, account, amount = words
                break_id = next(id_ for id_, label in self.labels.items() if label == purchase)
                self.own.append(
                    {
                        "own_key": key,
                        "intent_id": digest(key),
                        "break_id": break_id,
                        "account": account,
                        "asset": options.get("unit", "XOF"),
                        "amount_minor": int(amount),
                        "sent_at": clock(at),
                        "status": options.get("status", "confirmed"),
                    }
                )
            elif verb == "option":
                declared = replace(self.folder.rules.options, **{name: int(value) for name, value in options.items()})
                self.folder.rules = replace(self.folder.rules, options=declared)
            elif verb == "fold":
                self._fold(words[0], options)
        return "\n".join(self.heard) + "\n"

    def _fold(self, at: str, options: dict[str, str]) -> None:
        outcome = self.folder.fold(
            self.confirmations,
            self.entries,
            complete=clock(at),
            own=self.own,
            payments=self.payments,
            paid_complete=clock(options["paid"]) if "paid" in options else None,
            ledger_complete=clock(options["ledger"]) if "ledger" in options else None,
            grade=options.get("grade", "proven"),
            as_of=clock(options["as_of"]) if "as_of" in options else None,
            held_accounts=tuple(options["held"].split(",")) if "held" in options else (),
            held_references=tuple(options["held_reference"].split(",")) if "held_reference" in options else (),
            withdrawn=tuple(options["withdrawn"].split(",")) if "withdrawn" in options else (),
        )
        self.folder.cluster = None  # only a first fold is for several machines
        facts = fold_check.facts_of(outcome)
        assert facts.pop("match_rows") == facts.pop("matched_pairs")
        assert not any(facts.values()), facts
        self.confirmations, self.entries = [], []
        self.payments = None if self.payments is None else []
        matches = rows_of(outcome.matches)
        for match in sorted(
            matches, key=lambda row: (self._label(row["confirmation_id"]), self._label(row["entry_id"]))
        ):
            delta = f" delta {match['delta_minor']}" if match["delta_minor"] else ""
            words = (
                "match",
                match["pass"],
                self._label(match["confirmation_id"]),
                self._label(match["entry_id"]) + delta,
            )
            # What is still awake is written again by each run.
            if words not in self.matched:
                self._hear(*words)
                self.matched.add(words)
        for verdict in rows_of(outcome.verdicts):
            self._hear(
                "verdict",
                f"v{verdict['version']}",
                verdict["kind"],
                self._label(verdict["break_id"]),
                f"[{' '.join(map(self._label, verdict['entry_ids']))}]",
                f"confirmed {verdict['confirmed_minor']} credited {verdict['credited_minor']} own {verdict['own_minor']}",
                f"owed {verdict['owed_minor']} known {short(verdict['decidable_at'])}",
                *([f"whole {short(verdict['credited_at'])}"] if verdict["credited_at"] else []),
                *([f"balance {balance['says']}"] if (balance := balance_of(verdict)) else []),
                *([f"blocked: {verdict['blocked']}"] if verdict["blocked"] else []),
            )
        for row in rows_of(outcome.own):
            self._hear("own", row["verdict"], row["own_key"], row["sum_minor"])
        self.statement |= {(day.asset, day.day): day for day in outcome.statement}
        for (unit, day), table in sorted(self.statement.items()):
            self._hear("statement", day, unit, table.verdict)
            for side, lines in table.lines.items():
                said = [f"{name} {line.rows}/{line.minor}" for name, line in lines.items() if line.rows or line.minor]
                if said:
                    self._hear("", f"{side}:", ", ".join(said))

    def _label(self, id_: str) -> str:
        return self.labels[id_]

    def _hear(self, *words: object) -> None:
        self.heard.append("> " + " ".join(str(word) for word in words))


def clock(text: str) -> datetime:
    """`13:47`, `13:47:05`, or `+1d 13:47` written as `1d13:47`."""
    days, _, of_day = text.rpartition("d")
    return datetime.combine(DAY.date(), time.fromisoformat(of_day), UTC) + timedelta(days=int(days or 0))


def short(instant: str) -> str:
    return instant.removeprefix("2024-07-09 ").removesuffix("+00").removesuffix(":00")
