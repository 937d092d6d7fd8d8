"""When many breaks are one incident, whether that incident is an outage, and when it is over.

Everything is read from the curve: for each minute, how many purchases were confirmed in it, and how many of those have
been credited since. An outage is a dip in that curve with healthy traffic before it, whose money is nowhere to be seen.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reconcile.domain.policy import Surroundings

MINUTE: Final = timedelta(minutes=1)
HEALTHY_BEFORE: Final = timedelta(hours=1)
"""How far back traffic must have been healthy for a dip to count as an outage."""
RECOVERED_FOR: Final = timedelta(minutes=5)
"""How long credits must have followed confirmations again, in minutes that are already judged."""
_NEARBY: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SurgeRules:
    """The part of a flow's policy that speaks of surges. `deadline_after`: when a confirmation is judged."""

    cases: int
    window: timedelta
    settle_after: timedelta
    recovered_share: float
    breaker_share: float
    deadline_after: timedelta

    @property
    def quiet_cases(self) -> int:
        """So many cases close together are still everyday faults; one more may be a surge that is only beginning."""
        return max(1, self.cases // 5)


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of the curve: purchases confirmed in it, and those of them that were credited, whenever that was."""

    at: datetime
    confirmed: int
    credited: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """A stretch of the curve in totals."""

    confirmed: int
    credited: int

    @property
    def broken(self) -> int:
        return self.confirmed - self.credited

    def follows(self, share: float) -> bool:
        """Whether at least `share` of it was credited; where nothing was confirmed there is nothing to complain of."""
        return self.credited >= share * self.confirmed


class Curve:
    """Minutes in order of time; a minute in which nothing was confirmed may be absent."""

    def __init__(self, minutes: Sequence[Minute]) -> None:
        self._minutes = sorted(minutes, key=lambda minute: minute.at)
        self._starts = [minute.at for minute in self._minutes]

    def within(self, start: datetime, end: datetime) -> Sequence[Minute]:
        """The minutes that begin in [start, end)."""
        return self._minutes[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def traffic(self, start: datetime, end: datetime) -> Traffic:
        """The totals of the minutes that begin in [start, end)."""
        minutes = self.within(start, end)
        return Traffic(sum(minute.confirmed for minute in minutes), sum(minute.credited for minute in minutes))

    def is_sick(self, minute: datetime, rules: SurgeRules, until: datetime | None = None) -> bool:
        """Whether credits did not follow confirmations in the minute that begins then; `until`: nothing later is looked at.

        One bad minute among good ones is an everyday fault: a minute is sick only together with its neighbours.
        """
        end = minute + _NEARBY + MINUTE
        alone = self.traffic(minute, minute + MINUTE)
        around = self.traffic(minute - _NEARBY, end if until is None else min(end, until))
        return not alone.follows(rules.recovered_share) and not around.follows(rules.recovered_share)


@dataclass(frozen=True, slots=True)
class Recognition:
    """Whether a surge is an outage of credits, about which customers may be told; `reason` is a sentence for people."""

    recognised: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Signs that the missing money lies somewhere else, which in an outage it does not.

    `breaks`: breaks of the surge whose money is seen on another account or entry, and credits that nobody can place.
    `unread_rows`: ledger rows beyond the usual number that were left out or quarantined since the surge began.
    """

    breaks: int
    unread_rows: int

    @property
    def total(self) -> int:
        return self.breaks + self.unread_rows


def minute_of(instant: datetime) -> datetime:
    """The beginning of its minute."""
    return instant.replace(second=0, microsecond=0)


def find_surge(broken_at: Sequence[datetime], curve: Curve, rules: SurgeRules) -> datetime | None:
    """When the surge among breaks confirmed at these instants began, to the minute, or None when there is none.

    Minutes in which credits otherwise followed confirmations are left out first, so that an everyday fault just before an
    outage does not move its beginning; a surge that hides in busy traffic is found without the curve.
    """
    ordered = sorted(broken_at)
    sick = [instant for instant in ordered if curve.is_sick(minute_of(instant), rules)]
    for candidates in (sick, ordered):
        for first, last in zip(candidates, candidates[rules.cases - 1 :], strict=False):
            if last - first <= rules.window:
                return minute_of(first)
    return None


def recognise(
    started_at: datetime, until: datetime, curve: Curve, missing: int, elsewhere: Elsewhere, rules: SurgeRules
) -> Recognition:
    """Whether the surge in [started_at, until) is an outage. Where it is not, the breaker opens (invariant 13).

    `missing`: how many purchases of it were ever found missing, also those whose originals have come since.
    """
    during = curve.traffic(started_at, minute_of(until))
    missing = max(missing, during.broken)
    if elsewhere.total > rules.breaker_share * missing:
        return Recognition(
            recognised=False,
            reason=f"{elsewhere.total} credits lie elsewhere or were not read, against {missing} that are missing: "
            "the matching may be wrong, not the crediting",
        )
    if during.follows(1 - rules.breaker_share):
        return Recognition(
            recognised=True, reason=f"{during.broken} of {during.confirmed} purchases are missing in busy traffic"
        )
    before = curve.traffic(started_at - HEALTHY_BEFORE, started_at)
    if before.confirmed < rules.cases:
        return Recognition(
            recognised=False,
            reason=f"only {before.confirmed} purchases are known from the hour before: nothing shows that it ever worked",
        )
    if not before.follows(rules.recovered_share):
        return Recognition(
            recognised=False,
            reason=f"{before.broken} of {before.confirmed} purchases were missing in the hour before as well",
        )
    return Recognition(
        recognised=True,
        reason=f"credits followed {before.credited} of {before.confirmed} purchases in the hour before, "
        f"then {during.credited} of {during.confirmed}",
    )


def recovered_since(started_at: datetime, judged_until: datetime, curve: Curve, rules: SurgeRules) -> datetime | None:
    """The minute since which credits follow confirmations again, or None while they do not or too little is judged."""
    judged_until = minute_of(judged_until)
    end = started_at
    for minute in curve.within(started_at, judged_until):
        if curve.is_sick(minute.at, rules, judged_until):
            end = minute.at + MINUTE
    since = curve.traffic(end, judged_until)
    enough = judged_until - end >= RECOVERED_FOR and since.confirmed > rules.quiet_cases
    return end if enough and since.follows(rules.recovered_share) else None


def settled_from(ended_at: datetime, last_late_at: datetime | None, rules: SurgeRules) -> datetime:
    """The earliest instant at which no more late originals are expected: `settle_after` without one."""
    return max(ended_at, last_late_at or ended_at) + rules.settle_after


class Timeline:
    """When the open cases of a flow were confirmed, those that belong to no incident."""

    def __init__(self, broken_at: Sequence[datetime]) -> None:
        self._broken_at = sorted(broken_at)

    def others_near(self, confirmed_at: datetime, window: timedelta) -> int:
        """How many other cases lie within `window` of it, on either side."""
        first = bisect_left(self._broken_at, confirmed_at - window)
        return max(0, bisect_right(self._broken_at, confirmed_at + window) - first - 1)

    def surroundings(
        self, confirmed_at: datetime, *, curve: Curve, ledger_until: datetime, judged_until: datetime, rules: SurgeRules
    ) -> Surroundings:
        """What is known of the minutes around a purchase that is missing, so that the first of a surge is not paid.

        At the beginning of an outage few purchases are judged yet; but of those that followed, none has its credit either.
        Once everything nearby is judged and no surge came of it, only a crowd of faults among few purchases needs a person.
        """
        crowded = self.others_near(confirmed_at, rules.window) > rules.quiet_cases
        if confirmed_at + rules.window <= judged_until:
            nearby = curve.traffic(minute_of(confirmed_at - rules.window), minute_of(confirmed_at + rules.window))
            everyday = nearby.follows(1 - rules.breaker_share)
            return Surroundings.CROWDED if crowded and not everyday else Surroundings.CALM
        after = curve.traffic(minute_of(confirmed_at) + MINUTE, minute_of(ledger_until - rules.deadline_after / 3))
        follows = after.confirmed > 0 and after.follows(rules.recovered_share)
        return Surroundings.CALM if follows and not crowded else Surroundings.FORMING
