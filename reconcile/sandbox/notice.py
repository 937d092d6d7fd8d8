"""Notices as they arrived at the sinks: SMS and mail, in order, durable."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconcile.sandbox.database import Database, next_turn
from reconcile.sandbox.instants import from_iso, to_iso


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one recipient; `turn` orders it among notices and credits, `arrived_at` is business time."""

    turn: int
    channel: Literal["sms", "email"]
    arrived_at: datetime
    sender: str
    recipient: str
    text: str


class NoticeStore:
    """The durable notices."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    def keep_mail(self, arrived_at: datetime, sender: str, recipients: list[str], text: str) -> None:
        """One mail, once per recipient."""
        with self._database.transaction() as connection:
            for recipient in recipients:
                keep_notice(connection, "email", arrived_at, sender, recipient, text)

    def all(self) -> list[Notice]:
        """Every notice so far, in order."""
        rows = self._database.rows("SELECT * FROM notice ORDER BY turn")
        return [
            Notice(
                turn=row["turn"],
                channel=row["channel"],
                arrived_at=from_iso(row["arrived_at"]),
                sender=row["sender"],
                recipient=row["recipient"],
                text=row["text"],
            )
            for row in rows
        ]


def keep_notice(
    connection: sqlite3.Connection,
    channel: Literal["sms", "email"],
    arrived_at: datetime,
    sender: str,
    recipient: str,
    text: str,
) -> None:
    """Write one notice inside the caller's transaction."""
    connection.execute(
        "INSERT INTO notice VALUES (?, ?, ?, ?, ?, ?)",
        (next_turn(connection), channel, to_iso(arrived_at), sender, recipient, text),
    )
