"""The bytes of the feed files: message centre, ledger, directory, and the control file beside each."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconcile.sandbox.customer import Customer
from reconcile.sandbox.instants import to_iso, to_local
from reconcile.sandbox.ledger import LedgerRow
from reconcile.sandbox.message import Message

CURRENCY: Final = "XOF"
_LEDGER_COLUMNS: Final = (
    "entry_id",
    "type",
    "msisdn",
    "amount",
    "currency",
    "reference",
    "external_id",
    "posted_at",
)
_DIRECTORY_COLUMNS: Final = ("msisdn", "language", "email", "channel", "opt_out")


@dataclass(frozen=True, slots=True)
class Export:
    """One feed file: content, number of rows, and for the ledger the sum of the amounts that can be read."""

    content: bytes
    rows: int
    sum_minor: int | None = None


def export_messages(messages: Sequence[Message]) -> Export:
    """JSON lines, gzipped without a time stamp so that equal messages make equal bytes."""
    lines = (
        json.dumps(
            {
                "id": message.message_id,
                "sender": message.sender,
                "recipient": message.recipient,
                "text": message.text,
                "sent_at": to_iso(message.sent_at),
            },
            ensure_ascii=False,
        )
        for message in messages
    )
    content = "".join(f"{line}\n" for line in lines).encode()
    return Export(gzip.compress(content, compresslevel=6, mtime=0), rows=len(messages))


def export_ledger(fresh: Sequence[LedgerRow], issued_again: Sequence[LedgerRow]) -> Export:
    """CSV; `fresh` rows may show an unreadable amount, rows `issued_again` show it right."""
    readable = [*issued_again, *(row for row in fresh if row.unreadable is None)]
    table = [
        *(_ledger_cells(row, str(row.amount_minor)) for row in issued_again),
        *(_ledger_cells(row, str(row.amount_minor) if row.unreadable is None else row.unreadable) for row in fresh),
    ]
    return Export(_to_csv(_LEDGER_COLUMNS, table), rows=len(table), sum_minor=sum(row.amount_minor for row in readable))


def export_directory(customers: Sequence[Customer]) -> Export:
    """CSV of how each customer wants to be told."""
    table = [
        (one.msisdn, one.language, one.email or "", one.channel, "true" if one.opted_out else "false")
        for one in customers
    ]
    return Export(_to_csv(_DIRECTORY_COLUMNS, table), rows=len(table))


def export_control(file_name: str, export: Export, complete_through: datetime) -> bytes:
    """JSON that closes a feed file: its rows, its sum, and the instant up to which nothing is missing."""
    control: dict[str, str | int] = {"file": file_name, "rows": export.rows}
    if export.sum_minor is not None:
        control["sum"] = str(export.sum_minor)
    control["complete_through"] = to_iso(complete_through)
    return f"{json.dumps(control)}\n".encode()


def _ledger_cells(row: LedgerRow, amount: str) -> tuple[str, ...]:
    return (
        row.entry_id,
        row.kind,
        row.account,
        amount,
        CURRENCY,
        row.reference or "",
        row.external_id or "",
        to_local(row.posted_at),
    )


def _to_csv(columns: Sequence[str], table: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(table)
    return text.getvalue().encode()
