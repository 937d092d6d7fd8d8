"""The sandbox's books: what came of every purchase, every credit and every notice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from reconcile.sandbox.claim import Claim
from reconcile.sandbox.credit import Credit
from reconcile.sandbox.instants import to_iso
from reconcile.sandbox.judge import Judgement, judge
from reconcile.sandbox.naive import run_naive
from reconcile.sandbox.notice import Notice
from reconcile.sandbox.truth import Standing, Truth
from reconcile.sandbox.world import World

_CHANNELS: Final = ("sms", "email")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the books are made from, as of one moment."""

    world: World
    now: datetime
    ticks: tuple[datetime, ...]
    credits_made: tuple[Credit, ...]
    notices: tuple[Notice, ...]
    fault_rates: Mapping[str, float]


def make_books(snapshot: Snapshot) -> dict[str, object]:
    """The truth as JSON; counts are of purchases unless they are named for something else."""
    truth = Truth(snapshot.world, snapshot.credits_made, snapshot.now)
    judgement = judge(truth, snapshot.notices)
    wronged = [purchase for purchase in snapshot.world.purchases if truth.is_wronged(purchase)]
    waits = sorted(at - purchase.confirmed_at for purchase in wronged if (at := truth.whole_at(purchase)) is not None)
    standings = Counter(standing for _, standing in truth.standings)
    alone = Truth(snapshot.world, (), snapshot.now)
    return {
        "clock": to_iso(snapshot.now),
        "purchases": sum(purchase.confirmed_at <= snapshot.now for purchase in snapshot.world.purchases),
        "wronged": len(wronged),
        "whole": len(waits),
        "not_whole": len(wronged) - len(waits),
        "paid_twice_by_us": _paid_twice(truth),
        "wrongly_paid": standings[Standing.WRONG],
        "landed_after_we_paid": _landed_after(truth),
        "over_credited_by_operator": _over_credited(truth),
        "credits_by_us": len(snapshot.credits_made),
        **_notice_figures(snapshot, judgement),
        "minutes_to_whole": _quantiles(waits),
        "naive": asdict(run_naive(snapshot.world, alone, snapshot.ticks, snapshot.fault_rates)),
    }


def _notice_figures(snapshot: Snapshot, judgement: Judgement) -> dict[str, object]:
    verdicts = judgement.verdicts
    told = Counter((v.claim, v.notice.channel) for v in verdicts)
    opted_out = {customer.msisdn for customer in snapshot.world.customers if customer.opted_out}
    opted_out |= {customer.email for customer in snapshot.world.customers if customer.opted_out and customer.email}
    reasons = Counter(v.untrue for v in verdicts if v.untrue is not None)
    return {
        "untrue_notices": sum(reasons.values()),
        "untrue_reasons": dict(reasons.most_common()),
        "duplicate_notices": judgement.duplicates,
        "broken_promises": judgement.broken_promises,
        "notices_despite_opt_out": sum(v.notice.recipient in opted_out for v in verdicts),
        "notices": {claim: {channel: told[claim, channel] for channel in _CHANNELS} for claim in Claim},
        "sms_received": sum(notice.channel == "sms" for notice in snapshot.notices),
        "emails_received": sum(notice.channel == "email" for notice in snapshot.notices),
    }


def _paid_twice(truth: Truth) -> int:
    return len({credit.request.original_reference for credit, s in truth.standings if s is Standing.AGAIN})


def _landed_after(truth: Truth) -> int:
    """Purchases whose original surfaced after a re-credit that was right when it was made."""
    rightful = [credit for credit, standing in truth.standings if standing is Standing.RIGHTFUL]
    return sum(
        truth.original_minor(credit.request.original_reference or "", truth.now) >= credit.request.amount_minor
        for credit in rightful
    )


def _over_credited(truth: Truth) -> int:
    """Purchases that the operator itself credited beyond what was bought, and has not taken back."""
    return sum(
        truth.original_minor(purchase.reference, truth.now) > purchase.amount_minor
        for purchase in truth.purchases.values()
    )


def _quantiles(waits: Sequence[timedelta]) -> dict[str, float | None]:
    """Minutes to one decimal, by nearest rank."""
    if not waits:
        return {"p50": None, "p99": None, "worst": None}
    minutes = [round(wait.total_seconds() / 60, 1) for wait in waits]
    ranks = {"p50": -(-len(minutes) // 2), "p99": -(-len(minutes) * 99 // 100), "worst": len(minutes)}
    return {name: minutes[rank - 1] for name, rank in ranks.items()}
