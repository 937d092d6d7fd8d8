"""Judging notices: is what the customer was told true, told once, and was the next word given when promised?"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reconcile.sandbox.claim import Claim, Reading, read_notice
from reconcile.sandbox.instants import to_minute
from reconcile.sandbox.notice import Notice
from reconcile.sandbox.purchase import Purchase
from reconcile.sandbox.truth import Truth

# "Credited at 14:48" may name the minute before or after that of the booking.
CLAIMED_TIME_SLACK: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One notice: the purchase and the claim it is about, and why it is untrue (None: it is true)."""

    notice: Notice
    reference: str | None
    claim: Claim | None
    untrue: str | None
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All notices, and what is wrong with them as a whole."""

    verdicts: tuple[Verdict, ...]
    duplicates: int
    broken_promises: int

    def about(self, reference: str) -> list[Verdict]:
        """The notices about one purchase, in order."""
        return [verdict for verdict in self.verdicts if verdict.reference == reference]


def judge(truth: Truth, notices: Sequence[Notice]) -> Judgement:
    """Judge every notice by the books as they stood when it arrived."""
    verdicts = tuple(_judge_one(truth, notice) for notice in notices)
    return Judgement(
        verdicts=verdicts,
        duplicates=_duplicates(verdicts),
        broken_promises=_broken_promises(verdicts, truth.now),
    )


def _judge_one(truth: Truth, notice: Notice) -> Verdict:
    reading = read_notice(notice.text)
    reference = next(iter(reading.references)) if len(reading.references) == 1 else None
    claim = next(iter(reading.claims)) if len(reading.claims) == 1 else None
    return Verdict(
        notice=notice,
        reference=reference,
        claim=claim,
        untrue=_why_untrue(truth, notice, reading, reference, claim),
        due=_due(notice.arrived_at, reading.promised_by),
    )


def _why_untrue(
    truth: Truth, notice: Notice, reading: Reading, reference: str | None, claim: Claim | None
) -> str | None:
    if claim is None:
        return "says more than one thing" if reading.claims else "says nothing that is known to be true"
    purchase = truth.purchases.get(reference or "")
    if purchase is None:
        return "names no purchase, or several"
    if reading.amounts_minor != {purchase.amount_minor}:
        return "does not name the amount, or names another"
    if notice.recipient not in _addresses(notice, purchase):
        return "went to somebody other than the payer"
    return _why_claim_untrue(truth, notice, reading, purchase, claim)


def _why_claim_untrue(truth: Truth, notice: Notice, reading: Reading, purchase: Purchase, claim: Claim) -> str | None:
    ours = [credit for credit in truth.ours(purchase.reference) if (credit.turn or 0) < notice.turn]
    held_minor = truth.original_minor(purchase.reference, notice.arrived_at)
    held_minor += sum(credit.request.amount_minor for credit in ours)
    has_arrived = held_minor >= purchase.amount_minor
    match claim:
        case Claim.NOT_ARRIVED | Claim.STILL_NOT_ARRIVED:
            return "says not arrived, and it had" if has_arrived else None
        case Claim.ARRIVED if not has_arrived:
            return "says arrived, and it had not"
        case Claim.ARRIVED:
            instants = truth.posted_instants(purchase.reference)
            is_named = reading.named_at is None or reading.named_at in _minutes_near(instants)
        case Claim.CREDITED if not ours:
            return "says credited by us, and it was not"
        case Claim.CREDITED:
            is_named = reading.named_at in _minutes_near([credit.posted_at for credit in ours if credit.posted_at])
    return None if is_named else "names a time at which nothing was credited"


def _addresses(notice: Notice, purchase: Purchase) -> set[str | None]:
    return {purchase.payer.msisdn} if notice.channel == "sms" else {purchase.payer.email}


def _minutes_near(instants: Sequence[datetime]) -> set[str]:
    slack = (-CLAIMED_TIME_SLACK, timedelta(), CLAIMED_TIME_SLACK)
    return {to_minute(instant + shift) for instant in instants for shift in slack}


def _due(arrived_at: datetime, promised_by: str | None) -> datetime | None:
    """The promised time: today, or tomorrow when it is past already."""
    if promised_by is None:
        return None
    hour, minute = (int(part) for part in promised_by.split(":"))
    span = timedelta(hours=hour, minutes=minute)
    due = arrived_at.replace(hour=0, minute=0, second=0) + span
    return due if due >= arrived_at else due + timedelta(days=1)


def _duplicates(verdicts: Sequence[Verdict]) -> int:
    """Notices that say again what was said; that it has still not arrived may be said as often as news of it was promised."""
    told = Counter((v.reference, v.claim) for v in verdicts if v.reference is not None and v.claim is not None)
    promised = Counter(v.reference for v in verdicts if v.due is not None)
    return sum(
        max(0, count - max(1, promised[reference] if claim is Claim.STILL_NOT_ARRIVED else 1))
        for (reference, claim), count in told.items()
    )


def _broken_promises(verdicts: Sequence[Verdict], now: datetime) -> int:
    """Promises whose time has passed without another notice about the same purchase."""
    arrivals: dict[str | None, list[tuple[int, datetime]]] = defaultdict(list)
    for verdict in verdicts:
        arrivals[verdict.reference].append((verdict.notice.turn, verdict.notice.arrived_at))
    return sum(
        verdict.due is not None
        and verdict.due < now
        and not any(turn > verdict.notice.turn and at <= verdict.due for turn, at in arrivals[verdict.reference])
        for verdict in verdicts
    )
