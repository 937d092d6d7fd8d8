"""Rows as the feeds publish them, folds of them in a folder, and what these wrote."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.domain import ids
from reconcile.domain.confirmation import identity
from reconcile.domain.flow import FlowRules
from reconcile.domain.money import asset
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


def said_in(folder: Path) -> dict[str, Any]:
    """All that a fold wrote."""
    tables = {file.name: rows_of(file) for file in sorted(folder.glob("*.parquet")) if file.name not in ASLEEP}
    tables |= {name: state_rows(folder, name) for name in ASLEEP}
    tables["matches.parquet"].sort(key=lambda row: tuple(map(str, row.values())))
    return tables | {"statement": json.loads((folder / "statement.json").read_text())}
