"""One wronged customer's story, told from the books."""

import re
from dataclasses import dataclass
from datetime import datetime

from reconcile.sandbox.books import Snapshot
from reconcile.sandbox.day import OUTAGE_END, OUTAGE_START
from reconcile.sandbox.fate import caught_in_outage
from reconcile.sandbox.instants import to_iso
from reconcile.sandbox.judge import Judgement, judge
from reconcile.sandbox.phone import CALLING_CODE, mask, to_national
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.truth import Standing, Truth


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happened while the clock stood at `at`; `turn` orders what happened at one tick."""

    at: datetime
    turn: int
    what: str
    text: str


def tell_story(snapshot: Snapshot) -> list[dict[str, str]]:
    """What happened to one customer of the outage whom we re-credited, in order; empty while there is none."""
    truth = Truth(snapshot.world, snapshot.credits_made, snapshot.now)
    judgement = judge(truth, snapshot.notices)
    chosen = _choose(truth, judgement)
    return [] if chosen is None else _tell(snapshot, truth, judgement, chosen)


def _choose(truth: Truth, judgement: Judgement) -> Purchase | None:
    """The one with the most notices, bought for another if there is a choice, the earliest of these."""
    notices: dict[str, int] = {}
    for verdict in judgement.verdicts:
        if verdict.reference is not None:
            notices[verdict.reference] = notices.get(verdict.reference, 0) + 1
    rightful = (credit.request.original_reference for credit, s in truth.standings if s is Standing.RIGHTFUL)
    candidates = [truth.purchases[reference] for reference in rightful if reference is not None]
    return min(
        filter(caught_in_outage, candidates),
        key=lambda p: (-notices.get(p.reference, 0), p.account == p.payer.msisdn, p.confirmed_at, p.reference),
        default=None,
    )


def _tell(snapshot: Snapshot, truth: Truth, judgement: Judgement, purchase: Purchase) -> list[dict[str, str]]:
    told = [
        _Event(message.sent_at, 0, "message", f"{message.sender}: {message.text}")
        for message in snapshot.world.messages
        if message.recipient == purchase.payer.msisdn and purchase.reference in message.text
    ]
    silence = f"Nothing reaches the balances until {OUTAGE_END:%H:%M}: the units do not arrive."
    told.append(_Event(max(purchase.due_at, OUTAGE_START), 0, "outage", silence))
    for credit in truth.ours(purchase.reference):
        text = f"{credit.request.amount_minor} F credited to {purchase.account} as {credit.transaction_reference}."
        told.append(_Event(credit.stood_at, credit.turn or 0, "credit", text))
    landed_at = truth.landed_at(purchase.reference)
    if landed_at is not None:
        told.append(_Event(landed_at, 0, "original", "The original credit surfaces after all."))
    told += [
        _Event(verdict.notice.arrived_at, verdict.notice.turn, verdict.notice.channel, verdict.notice.text)
        for verdict in judgement.about(purchase.reference)
    ]
    return [
        {
            "at": to_iso(event.at),
            "what": event.what,
            "text": _masked(event.text, purchase),
            "reference": purchase.reference,
        }
        for event in sorted(told, key=lambda event: (event.at, event.turn))
    ]


def _masked(text: str, purchase: Purchase) -> str:
    for msisdn in (purchase.account, purchase.payer.msisdn):
        digits = r"[\s.]?".join(to_national(msisdn))
        text = re.sub(rf"(?:{re.escape(CALLING_CODE)}\s?)?{digits}", mask(msisdn), text)
    return text if purchase.payer.email is None else text.replace(purchase.payer.email, "(e-mail address)")
