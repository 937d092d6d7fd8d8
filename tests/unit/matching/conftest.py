"""Stories: a readable text of what was told and what was posted, folded for real, and the outcome as readable text."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.domain import ids
from reconcile.domain.confirmation import identity
from reconcile.domain.flow import FlowRules
from reconcile.domain.money import asset
from reconcile.jobs import fold_check
from reconcile.matching import columns, dormant, state
from reconcile.matching.engine import Engine
from reconcile.matching.fold import fold
from reconcile.matching.watermark import Completeness, Watermark
from reconcile.store.place import open_place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconcile.matching.cluster import Cluster
    from reconcile.matching.outcome import Outcome

DAY = datetime(2024, 7, 9, tzinfo=UTC)
FLOW = "topup"
ARROW = {
    "UUID": pa.string(),
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}
RULES = FlowRules(FLOW, asset("XOF"), DAY, grace=timedelta(minutes=10), window=timedelta(minutes=15))


def digest(*parts: str) -> str:
    return str(UUID(hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()))


def told(
    at: datetime,
    reference: str | None,
    account: str,
    amount: int,
    *,
    message: str,
    payer: str | None = None,
    unit: str = "XOF",
    outcome: str = "success",
    confidence: str = "high",
    provider: str = "maxit",
    balance: int | str | None = None,
) -> dict[str, Any]:
    """A confirmation as the feeds publish it."""
    return {
        "confirmation_id": str(ids.confirmation_id(FLOW, identity(provider, reference, message))),
        "message_id": message,
        "match_key": digest(FLOW, reference, account, unit) if reference else None,
        "account_key": digest(FLOW, account, unit),
        "reference": reference,
        "account": account,
        "payer": payer or account,
        "asset": unit,
        "amount_minor": amount,
        "product": "airtime",
        "outcome": outcome,
        "confidence": confidence,
        "confirmed_at": at,
        "balance_minor": None if balance is None else int(balance),
    }


def posted(
    at: datetime,
    reference: str | None,
    account: str,
    amount: int,
    *,
    row: str,
    unit: str = "XOF",
    own_key: str | None = None,
    kind: str | None = None,
) -> dict[str, Any]:
    """A ledger entry as the feeds publish it; a reversal is negative, and what is held moves nothing."""
    return {
        "entry_id": str(uuid5(ids.NAMESPACE, f"entry {row}")),
        "match_key": digest(FLOW, reference, account, unit) if reference else None,
        "account_key": digest(FLOW, account, unit),
        "reference": reference,
        "account": account,
        "asset": unit,
        "amount_minor": amount,
        "kind": kind or ("reversal" if amount < 0 else "purchase"),
        "own_key": own_key,
        "posted_at": at,
    }


def paid(
    at: datetime,
    reference: str | None,
    account: str,
    amount: int,
    *,
    row: str,
    payer: str | None = None,
    unit: str = "XOF",
) -> dict[str, Any]:
    """A payment as the feeds publish it; what is given back is negative."""
    return {
        "payment_id": str(uuid5(ids.NAMESPACE, f"payment {row}")),
        "match_key": digest(FLOW, reference, account, unit) if reference else None,
        "account_key": digest(FLOW, account, unit),
        "reference": reference,
        "account": account,
        "payer": payer or account,
        "asset": unit,
        "amount_minor": amount,
        "paid_at": at,
    }


def write_rows(rows: list[dict[str, Any]], kinds: dict[str, str], file: Path) -> str:
    """A file of published rows; its name is that of its batch."""
    rows = [{**row, "batch_id": digest(file.stem)} for row in rows]
    table = pa.Table.from_pylist(rows, schema=pa.schema([(name, ARROW[kind]) for name, kind in kinds.items()]))
    pq.write_table(table, file)
    return str(file)


@dataclass
class Folder:
    """Folds batch after batch in a folder of its own, each on the state of the one before."""

    home: Path
    rules: FlowRules = RULES
    cluster: Cluster | None = None
    place: str | None = None
    """A URL below which the batches lie; without one they lie in `home`."""
    outcomes: list[Outcome] = field(default_factory=list)

    def fold(
        self,
        confirmations: list[dict[str, Any]],
        entries: list[dict[str, Any]],
        *,
        complete: datetime | None,
        ledger_complete: datetime | None = None,
        own: list[dict[str, Any]] | None = None,
        grade: str = "proven",
        as_of: datetime | None = None,
        held_accounts: tuple[str, ...] = (),
        held_references: tuple[str, ...] = (),
        withdrawn: tuple[str, ...] = (),
        payments: list[dict[str, Any]] | None = None,
        paid_complete: datetime | None = None,
    ) -> Outcome:
        number = len(self.outcomes)
        self.home.mkdir(parents=True, exist_ok=True)
        with_payments = payments is not None
        paid = Watermark(paid_complete or complete, grade) if with_payments else None
        both = Completeness(Watermark(complete, grade), Watermark(ledger_complete or complete, grade), paid)
        own_schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.OWN_ATTEMPT.items()])
        outcome = fold(
            rules=self.rules,
            previous=self.outcomes[-1].folder if self.outcomes else None,
            confirmations=[self._batch(confirmations, columns.CONFIRMATION, f"c{number}.parquet")],
            entries=[self._batch(entries, columns.ENTRY, f"e{number}.parquet")],
            payments=[self._batch(payments or [], columns.PAYMENT, f"p{number}.parquet")] if with_payments else [],
            own=pa.Table.from_pylist(own, schema=own_schema) if own else None,
            completeness=both,
            as_of=as_of or complete or DAY,
            out=self.home / f"run{number}",
            held_accounts=held_accounts,
            held_references=held_references,
            withdrawn=[digest(name) for name in withdrawn],
            engine=Engine(
                threads=1, cluster=self.cluster, filesystem=None if self.place is None else open_place(self.place)[0]
            ),
        )
        self.outcomes.append(outcome)
        return outcome

    def _batch(self, rows: list[dict[str, Any]], kinds: Mapping[str, str], name: str) -> str:
        file = write_rows(rows, dict(kinds), self.home / name)
        if self.place is None:
            return file
        filesystem, folder = open_place(self.place)
        filesystem.put_file(file, f"{folder}/{name}")
        return f"{self.place}/{name}"


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Rows of an output file; ids as text, instants as text in UTC."""
    with duckdb.connect() as connection:
        return _rows(connection, f"read_parquet('{file}')")


def _rows(connection: Any, source: str) -> list[dict[str, Any]]:
    connection.execute("SET TimeZone = 'UTC'")
    described = connection.execute(f"DESCRIBE FROM {source}").fetchall()
    casts = {"UUID": "VARCHAR", "UUID[]": "VARCHAR[]", "TIMESTAMP WITH TIME ZONE": "VARCHAR"}
    chosen = ", ".join(f'"{name}"::{casts.get(kind, kind)} AS "{name}"' for name, kind, *_ in described)
    connection.execute(f"SELECT {chosen} FROM {source}")
    names = [name for name, *_ in connection.description]
    return [dict(zip(names, row, strict=True)) for row in connection.fetchall()]


ASLEEP = {
    state.CONFIRMATIONS: "confirmation",
    state.ENTRIES: "entry",
    state.HEARD: "heard",
    state.JUDGED: "verdict",
    state.TOTALS: "sum",
    state.MINUTES: "minute",
}


def state_rows(folder: Path, file: str) -> list[dict[str, Any]]:
    """Rows of an output or a state file as if nothing slept: what sleeps is among them, and not in the sums."""
    rows, asleep = rows_of(folder / file), []
    if file not in ASLEEP:
        return rows
    sleeping = dormant.asleep(folder.with_name("keys"), state.read(folder, FLOW).sleepers, ASLEEP[file])
    if sleeping is not None:
        with duckdb.connect() as connection:
            connection.register("sleeping", sleeping.drop_columns(["component"]))
            asleep = _rows(connection, "sleeping")
    if file not in {state.TOTALS, state.MINUTES}:
        return sorted(rows + asleep, key=lambda row: str(sorted(row.items())))
    sums: dict[Any, Counter[str]] = {}
    for sign, some in ((1, rows), (-1, asleep)):
        for row in some:
            counted = {name: sign * value for name, value in row.items() if isinstance(value, int)}
            of = tuple(value for value in row.values() if not isinstance(value, int))
            sums.setdefault(of, Counter()).update(counted)
    return [{"of": of, **counts} for of, counts in sorted(sums.items(), key=str) if any(counts.values())]


def balance_of(verdict: dict[str, Any]) -> dict[str, Any] | None:
    """What the running balance says of a verdict, if its message tells one."""
    found: dict[str, Any] | None = json.loads(verdict["evidence"]).get("running_balance")
    return found


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


@pytest.fixture(autouse=True)
def _sleepy(monkeypatch: pytest.MonkeyPatch) -> None:
    """In these small worlds, too, whatever can sleep does."""
    monkeypatch.setattr(dormant, "AWAKE_MAX", -1)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(Folder(tmp_path))


# What the property tests build worlds from; functions, because tests cannot import this file.


@pytest.fixture(scope="session")
def told_row() -> Any:
    return told


@pytest.fixture(scope="session")
def posted_row() -> Any:
    return posted


@pytest.fixture(scope="session")
def paid_row() -> Any:
    return paid


@pytest.fixture(scope="session", name="rows_of")
def _rows_of() -> Any:
    return rows_of


@pytest.fixture(scope="session", name="state_rows")
def _state_rows() -> Any:
    return state_rows


@pytest.fixture(scope="session", name="balance_of")
def _balance_of() -> Any:
    return balance_of


@pytest.fixture(scope="session")
def at() -> Any:
    return lambda minute: DAY + timedelta(hours=12, minutes=minute)


@pytest.fixture(scope="session")
def new_folder() -> Any:
    return Folder


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


def said_in(folder: Path) -> dict[str, Any]:
    """All that a fold wrote."""
    tables = {file.name: rows_of(file) for file in sorted(folder.glob("*.parquet")) if file.name not in ASLEEP}
    tables |= {name: state_rows(folder, name) for name in ASLEEP}
    tables["matches.parquet"].sort(key=lambda row: tuple(map(str, row.values())))
    return tables | {"statement": json.loads((folder / "statement.json").read_text())}


@pytest.fixture(scope="session")
def crowd() -> Any:
    return crowd_of


@pytest.fixture(scope="session")
def said() -> Any:
    return said_in
