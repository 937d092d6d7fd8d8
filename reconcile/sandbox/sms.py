"""From submissions to SMS: alphabets, concatenation, delivery receipts; durable at each step."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconcile.sandbox.clock import Clock
from reconcile.sandbox.database import Database
from reconcile.sandbox.gsm7 import decode_gsm7
from reconcile.sandbox.instants import from_iso, to_iso
from reconcile.sandbox.notice import keep_notice
from reconcile.sandbox.phone import to_e164
from reconcile.sandbox.smpp_pdu import (
    ESM_HAS_HEADER,
    TAG_SAR_NUMBER,
    TAG_SAR_REFERENCE,
    TAG_SAR_TOTAL,
    Status,
    Submission,
)

PARTS_MAX: Final = 255
RECEIPTS_AT_ONCE: Final = 20
_CONCATENATION_SHORT: Final = 0x00
_CONCATENATION_LONG: Final = 0x08
_ENCODINGS: Final = {0x01: "ascii", 0x03: "latin-1", 0x08: "utf-16-be"}
_DEFAULT_ALPHABET: Final = 0x00


class SubmissionError(Exception):
    """A submission that is refused with a command state."""

    def __init__(self, status: Status) -> None:
        """Refuse with `status`."""
        super().__init__(status.name)
        self.status = status


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is due to the sender of a message that was delivered; `sender` and `recipient` are the message's."""

    message_id: int
    sender: str
    recipient: str
    accepted_at: datetime

    def text(self) -> bytes:
        """The customary text of a receipt."""
        stamp = f"{self.accepted_at:%y%m%d%H%M}"
        return (
            f"id:{self.message_id} sub:001 dlvrd:001 submit date:{stamp} done date:{stamp} stat:DELIVRD err:000 text:"
        ).encode("ascii")


@dataclass(frozen=True, slots=True)
class _Part:
    group: int
    count: int
    number: int
    payload: bytes


class SmsStore:
    """Accepts submissions and owes receipts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep everything in `database`, stamped by `clock`."""
        self._database = database
        self._clock = clock

    def accept(self, submission: Submission) -> int:
        """Make a submission durable and return its message id; raises SubmissionError."""
        recipient = to_e164(submission.destination)
        if recipient is None:
            raise SubmissionError(Status.INVALID_DESTINATION)
        part = _split_header(submission)
        now = self._clock.now()
        with self._database.transaction() as connection:
            whole = _collect(connection, submission.source, recipient, part)
            if whole is not None:
                text = _decode(whole, submission.data_coding)
                keep_notice(connection, "sms", now, submission.source, recipient, text)
            cursor = connection.execute(
                "INSERT INTO receipt (sender, recipient, accepted_at, is_wanted) VALUES (?, ?, ?, ?)",
                (submission.source, recipient, to_iso(now), submission.wants_receipt),
            )
        assert cursor.lastrowid is not None, "a row was inserted"
        return cursor.lastrowid

    def owed_receipts(self, after: int) -> Iterator[Receipt]:
        """The next receipts, beyond message id `after`, that nobody has acknowledged."""
        rows = self._database.rows(
            "SELECT * FROM receipt WHERE is_wanted AND message_id > ? ORDER BY message_id LIMIT ?",
            after,
            RECEIPTS_AT_ONCE,
        )
        for row in rows:
            yield Receipt(row["message_id"], row["sender"], row["recipient"], from_iso(row["accepted_at"]))

    def acknowledge(self, message_id: int) -> None:
        """The receipt has arrived and is owed no longer."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE receipt SET is_wanted = 0 WHERE message_id = ?", (message_id,))


def _split_header(submission: Submission) -> _Part:
    """The part that a submission carries, by user data header or by SAR parameters; a short SMS is its only part."""
    payload = submission.payload
    if submission.esm_class & ESM_HAS_HEADER:
        if not payload or len(payload) <= payload[0]:
            raise SubmissionError(Status.INVALID_MESSAGE_LENGTH)
        header, payload = payload[1 : payload[0] + 1], payload[payload[0] + 1 :]
        return _read_header(header, payload)
    tags = submission.tags
    if TAG_SAR_REFERENCE in tags and TAG_SAR_TOTAL in tags and TAG_SAR_NUMBER in tags:
        group, count, number = (
            int.from_bytes(tags[tag], "big") for tag in (TAG_SAR_REFERENCE, TAG_SAR_TOTAL, TAG_SAR_NUMBER)
        )
        return _checked(_Part(group, count, number, payload))
    return _Part(0, 1, 1, payload)


def _read_header(header: bytes, payload: bytes) -> _Part:
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if element == _CONCATENATION_SHORT and len(value) == 3:
            return _checked(_Part(value[0], value[1], value[2], payload))
        if element == _CONCATENATION_LONG and len(value) == 4:
            return _checked(_Part(int.from_bytes(value[:2], "big"), value[2], value[3], payload))
        at += 2 + length
    return _Part(0, 1, 1, payload)


def _checked(part: _Part) -> _Part:
    if not 1 <= part.number <= part.count <= PARTS_MAX:
        raise SubmissionError(Status.SUBMIT_FAILED)
    return part


def _collect(connection: sqlite3.Connection, sender: str, recipient: str, part: _Part) -> bytes | None:
    """The payload once all parts are there; until then the part is put aside."""
    if part.count == 1:
        return part.payload
    key = (sender, recipient, part.group, part.count)
    connection.execute("INSERT OR REPLACE INTO sms_part VALUES (?, ?, ?, ?, ?, ?)", (*key, part.number, part.payload))
    parts = connection.execute(
        "SELECT payload FROM sms_part WHERE (sender, recipient, group_number, part_count) = (?, ?, ?, ?)"
        " ORDER BY part_number",
        key,
    ).fetchall()
    if len(parts) < part.count:
        return None
    connection.execute("DELETE FROM sms_part WHERE (sender, recipient, group_number, part_count) = (?, ?, ?, ?)", key)
    return b"".join(row["payload"] for row in parts)


def _decode(payload: bytes, data_coding: int) -> str:
    try:
        if data_coding == _DEFAULT_ALPHABET:
            return decode_gsm7(payload)
        if data_coding in _ENCODINGS:
            return payload.decode(_ENCODINGS[data_coding])
    except ValueError as error:
        raise SubmissionError(Status.SUBMIT_FAILED) from error
    raise SubmissionError(Status.INVALID_DATA_CODING)
