"""From events to rows of the outbox: whom to tell, in which language, by which channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from reconcile.config import Flow
from reconcile.domain.ids import notice_id
from reconcile.notices.address import is_mailbox, is_number
from reconcile.notices.event import CREDITED, Event, kind_of
from reconcile.notices.facts import Facts
from reconcile.notices.writing import language_for
from reconcile.store.accounts import suppressed
from reconcile.store.tables import cases, directory, notices

Channel = Literal["sms", "email"]


@dataclass(frozen=True, slots=True)
class Contact:
    """How a customer can be told. `email` is None when there is none that can be used."""

    payer: str | None
    language: str | None
    email: str | None
    prefers: Channel
    opted_out: bool

    def recipient(self, channel: Channel) -> str | None:
        """The address on that channel, or None."""
        if channel == "email":
            return self.email
        return self.payer if self.payer is not None and is_number(self.payer) else None

    def route(self) -> tuple[Channel, str | None]:
        """The channel to use and the address there: the preferred channel where it has an address, else the other one."""
        for channel in (self.prefers, other(self.prefers)):
            if recipient := self.recipient(channel):
                return channel, recipient
        return self.prefers, None


def other(channel: Channel) -> Channel:
    """The channel to fall back to."""
    return "email" if channel == "sms" else "sms"


def plan(connection: sa.Connection, *, now: datetime, flow: Flow, events: Sequence[Event]) -> int:
    """Puts one row for each event into the outbox, in the caller's transaction; returns how many are new.

    An event that is planned already, by whichever channel, is left as it is. A customer who must not or cannot be told has
    a row as well, `suppressed` with its reason. Raises `ValueError` for an event that no customer is told, `KeyError` for
    one that lacks a fact.
    """
    if not events:
        return 0
    wanted = {(event.case_id, event.name): event for event in events}
    planned = _planned(connection, [event.case_id for event in events])
    new = [event for key, event in wanted.items() if key not in planned]
    numbers = _numbers(connection, [event.case_id for event in new])
    facts = {(event.case_id, event.name): _facts(event, numbers) for event in new}
    found = contacts(connection, [fact.payer for fact in facts.values() if fact.payer is not None])
    rows = []
    for (case_id, name), fact in facts.items():
        contact = found[fact.payer]
        rows.append(row(case_id, name, fact, *contact.route(), contact, flow, now))
    return insert(connection, rows)


def contacts(connection: sa.Connection, payers: Sequence[str]) -> Mapping[str | None, Contact]:
    """How each of the payers can be told; also those that the directory does not know, and None."""
    query = sa.select(directory).where(directory.c.account.in_(set(payers)))
    known = {entry.account: entry for entry in connection.execute(query)}
    silent = suppressed(connection, set(payers))
    return {payer: _contact(payer, known.get(payer), suppressed=payer in silent) for payer in {*payers, None}}


def row(
    case_id: UUID,
    event: str,
    facts: Facts,
    channel: Channel,
    recipient: str | None,
    contact: Contact,
    flow: Flow,
    now: datetime,
) -> dict[str, Any]:
    """One row of the outbox; its `reason` is not None when it may not go out."""
    reason = None
    if contact.opted_out:
        reason = "the customer does not want to be told"
    elif recipient is None:
        reason = "no address is known for the customer"
    return {
        "notice_id": notice_id(case_id, event, channel),
        "case_id": case_id,
        "event": event,
        "channel": channel,
        "status": "planned",
        "recipient": recipient or "",
        "language": language_for(contact.language, flow),
        "facts": facts.stored(),
        "reason": reason,
        "planned_at": now,
    }


def insert(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Puts rows in where there are none, then moves on those that have a reason not to go out; returns how many are new."""
    if not rows:
        return 0
    new = connection.execute(
        postgresql.insert(notices).on_conflict_do_nothing().returning(notices.c.notice_id, notices.c.reason), list(rows)
    ).all()
    silent = [found.notice_id for found in new if found.reason is not None]
    if silent:  # no row begins anywhere but at `planned`
        connection.execute(
            sa.update(notices)
            .where(notices.c.notice_id.in_(silent), notices.c.status == "planned")
            .values(status="suppressed")
        )
    return len(new)


def _planned(connection: sa.Connection, case_ids: Sequence[UUID]) -> set[tuple[UUID, str]]:
    query = sa.select(notices.c.case_id, notices.c.event).where(notices.c.case_id.in_(case_ids))
    return {(found.case_id, found.event) for found in connection.execute(query)}


def _numbers(connection: sa.Connection, case_ids: Sequence[UUID]) -> dict[UUID, str]:
    query = sa.select(cases.c.case_id, cases.c.number).where(cases.c.case_id.in_(case_ids))
    return {found.case_id: found.number for found in connection.execute(query)}


def _facts(event: Event, numbers: Mapping[UUID, str]) -> Facts:
    facts = Facts.read({**event.facts, "number": numbers[event.case_id]})
    if kind_of(event.name) == CREDITED and facts.credited_at is None:
        raise KeyError(f"{event.name} of case {event.case_id} lacks its credited_at")
    return facts


def _contact(payer: str | None, entry: Any, *, suppressed: bool) -> Contact:
    if entry is None:
        return Contact(payer, None, None, "sms", opted_out=suppressed)
    email = entry.email if entry.email and is_mailbox(entry.email) else None
    return Contact(payer, entry.language, email, entry.channel or "sms", opted_out=entry.opted_out or suppressed)
