"""Delivery receipts: reading them off the wire, and moving notices on by them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from reconcile.notices.event import kind_of
from reconcile.store.tables import notices

AWAITED_FOR: Final = timedelta(days=2)
"""For how long after its submission a receipt is waited for, in business time: an SMSC keeps a message about as long."""

_ESM_TYPE_MASK: Final = 0x3C
_ESM_RECEIPT: Final = 0x04
_ID: Final = re.compile(rb"\bid:([^ \x00]{1,64})", re.IGNORECASE)
_STATE: Final = re.compile(rb"\bstat:([A-Z]{1,7})", re.IGNORECASE)
# SMPP 3.4, table 5-2 and appendix B.
_STATES: Final = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD"}
DELIVERED: Final = "DELIVRD"
UNDELIVERED: Final = frozenset({"EXPIRED", "DELETED", "UNDELIV", "REJECTD"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an SMSC says about a part that it took earlier. `state` is one of SMPP's words, such as DELIVRD."""

    provider_id: str
    state: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What the receipts changed. `failed` are the notices that are proven not to have been delivered."""

    counts: Counter[str]
    failed: tuple[UUID, ...]


def read_receipt(pdu: Any) -> Receipt | None:
    """The receipt in a `deliver_sm`, from its parameters or its customary text; None when it is somebody's message.

    A receipt that cannot be read is one about nothing: id and state are empty.
    """
    if (pdu.esm_class or 0) & _ESM_TYPE_MASK != _ESM_RECEIPT:
        return None
    text = pdu.short_message or getattr(pdu, "message_payload", None) or b""
    named, stated = _ID.search(text), _STATE.search(text)
    provider_id = getattr(pdu, "receipted_message_id", None) or (named[1] if named else b"")
    state = _STATES.get(getattr(pdu, "message_state", None) or 0) or (
        stated[1].decode("ascii").upper() if stated else ""
    )
    return Receipt(provider_id.rstrip(b"\0").decode("latin-1"), state, pdu.sequence)


_APPLY: Final = sa.text("""
    with seen as (
        select v.id, v.state from jsonb_to_recordset(:rows) as v(id text, state text)
    ), known as (
        select n.notice_id, n.receipts || jsonb_object_agg(s.id, s.state) as receipts
        from seen s join notices n on n.provider_ids ? s.id
        where n.channel = 'sms' and n.status in ('submitted', 'uncertain')
        group by n.notice_id
    ), judged as (
        select k.notice_id, k.receipts,
               (select count(*) from jsonb_each_text(k.receipts) r where r.value = 'DELIVRD') as delivered,
               (select count(*) from jsonb_each_text(k.receipts) r where r.value = any(:undelivered)) as undelivered
        from known k
    )
    update notices n
    set receipts = j.receipts,
        status = case when j.delivered = n.parts then 'delivered'
                      when j.undelivered = n.parts then 'failed'
                      else n.status end,
        delivered_at = case when j.delivered = n.parts then cast(:now as timestamptz) end,
        reason = case when j.undelivered = n.parts
                      then 'the SMSC could not deliver it: ' || (select min(value) from jsonb_each_text(j.receipts))
                      else n.reason end
    from judged j
    where n.notice_id = j.notice_id
    returning n.notice_id, n.event, n.status
""").bindparams(sa.bindparam("rows", type_=JSONB), sa.bindparam("undelivered", type_=sa.ARRAY(sa.Text)))


def apply(connection: sa.Connection, receipts: Sequence[Receipt], *, now: datetime) -> Applied:
    """Moves notices on: `delivered` when all their parts are, `failed` when all their parts are proven not to be."""
    newest = {receipt.provider_id: receipt.state for receipt in receipts}
    values = [{"id": provider_id, "state": state} for provider_id, state in newest.items() if provider_id]
    if not values:
        return Applied(Counter(), ())
    rows = connection.execute(_APPLY, {"rows": values, "undelivered": sorted(UNDELIVERED), "now": now}).all()
    ended = [row for row in rows if row.status in {"delivered", "failed"}]
    return Applied(
        counts=Counter(f"{kind_of(row.event)}.sms.{row.status}" for row in ended),
        failed=tuple(row.notice_id for row in ended if row.status == "failed"),
    )


def awaited(connection: sa.Connection, now: datetime) -> int:
    """How many SMS are submitted and may still get a receipt."""
    query = sa.select(sa.func.count()).where(
        notices.c.status == "submitted",
        notices.c.channel == "sms",
        notices.c.submitted_at > now - AWAITED_FOR,
    )
    return connection.execute(query).scalar_one()
