"""The columns that the fold reads of published rows and of our attempts, with their DuckDB types."""

from collections.abc import Collection, Mapping, Sequence

CONFIRMATION: Mapping[str, str] = {
    "confirmation_id": "UUID",
    "message_id": "VARCHAR",
    "match_key": "UUID",
    "account_key": "UUID",
    "reference": "VARCHAR",
    "account": "VARCHAR",
    "payer": "VARCHAR",
    "asset": "VARCHAR",
    "amount_minor": "BIGINT",
    "product": "VARCHAR",
    "outcome": "VARCHAR",
    "confidence": "VARCHAR",
    "confirmed_at": "TIMESTAMPTZ",
    "batch_id": "UUID",
    "balance_minor": "BIGINT",
}

HEARD: Mapping[str, str] = {**CONFIRMATION, "heard_for": "UUID"}
"""A message that stands next to one whose credit is missing: `heard_for`."""

ENTRY: Mapping[str, str] = {
    "entry_id": "UUID",
    "match_key": "UUID",
    "account_key": "UUID",
    "reference": "VARCHAR",
    "account": "VARCHAR",
    "asset": "VARCHAR",
    "amount_minor": "BIGINT",
    "kind": "VARCHAR",
    "own_key": "VARCHAR",
    "posted_at": "TIMESTAMPTZ",
    "batch_id": "UUID",
}

PAYMENT: Mapping[str, str] = {
    "payment_id": "UUID",
    "match_key": "UUID",
    "account_key": "UUID",
    "reference": "VARCHAR",
    "account": "VARCHAR",
    "payer": "VARCHAR",
    "asset": "VARCHAR",
    "amount_minor": "BIGINT",
    "paid_at": "TIMESTAMPTZ",
    "batch_id": "UUID",
}

OWN_ATTEMPT: Mapping[str, str] = {
    "own_key": "VARCHAR",
    "intent_id": "UUID",
    "break_id": "UUID",
    "account": "VARCHAR",
    "asset": "VARCHAR",
    "amount_minor": "BIGINT",
    "sent_at": "TIMESTAMPTZ",
    "status": "VARCHAR",
}

VERDICT: Mapping[str, str] = {
    "break_id": "UUID",
    "version": "INTEGER",
    "kind": "VARCHAR",
    "account": "VARCHAR",
    "payer": "VARCHAR",
    "reference": "VARCHAR",
    "asset": "VARCHAR",
    "product": "VARCHAR",
    "message_id": "VARCHAR",
    "confirmation_ids": "UUID[]",
    "entry_ids": "UUID[]",
    "confirmed_minor": "BIGINT",
    "credited_minor": "BIGINT",
    "own_minor": "BIGINT",
    "owed_minor": "BIGINT",
    "confirmed_at": "TIMESTAMPTZ",
    "deadline_at": "TIMESTAMPTZ",
    "credited_at": "TIMESTAMPTZ",
    "decidable_at": "TIMESTAMPTZ",
    "grade": "VARCHAR",
    "blocked": "VARCHAR",
    "evidence": "VARCHAR",
}

UNTRACEABLE: Mapping[str, str] = {"id": "UUID"}
"""Purchases, entries and payments that came when what could explain them was looked up no more."""

TOTAL: Mapping[str, str] = {
    "asset": "VARCHAR",
    "day": "DATE",
    "side": "VARCHAR",
    "line": "VARCHAR",
    "rows": "BIGINT",
    "minor": "BIGINT",
}

MINUTE: Mapping[str, str] = {
    "asset": "VARCHAR",
    "minute": "TIMESTAMPTZ",
    "confirmed_rows": "BIGINT",
    "confirmed_minor": "BIGINT",
    "credited_rows": "BIGINT",
    "credited_minor": "BIGINT",
}


LATER: frozenset[str] = frozenset({"batch_id", "kind", "balance_minor"})
"""Columns that files of earlier versions do not have."""


def select(columns: Mapping[str, str], missing: Collection[str] = ()) -> str:
    """A select list that also checks the types: a cast that changes nothing costs nothing. `missing` ones are NULL."""
    return ", ".join(
        f"NULL::{kind} AS {name}" if name in missing else f"{name}::{kind} AS {name}" for name, kind in columns.items()
    )


def empty(columns: Mapping[str, str], numbers: Sequence[str] = ()) -> str:
    """A query with these columns, and row numbers of these names, and no rows."""
    typed = {**columns, **dict.fromkeys(numbers, "UINTEGER")}
    return "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in typed.items()) + " WHERE false"


def with_text_ids(columns: Mapping[str, str]) -> Mapping[str, str]:
    """The same columns for rows whose ids are other people's text."""
    return {name: kind.replace("UUID", "VARCHAR") for name, kind in columns.items()}


def of_foreign(columns: Mapping[str, str]) -> Mapping[str, str]:
    """The same columns as `foreign.normalised` gives them: ids are text, and a key is a digest."""
    return {**with_text_ids(columns), "match_key": "UBIGINT", "batch_id": "UUID"}
