"""What is done about a case: one pure decision from its facts, the safest reading first."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from reconcile.domain.breaks import OWING, SETTLED, BreakKind

AUTOMATIC: Final = frozenset({BreakKind.NEVER_CREDITED, BreakKind.UNDER_CREDITED})
"""Kinds that may be paid without a person. A reversal or a credit elsewhere may be somebody's deliberate act."""

TOLD: Final = frozenset({BreakKind.NEVER_CREDITED, BreakKind.MISDIRECTED})
"""Kinds of which "your units have not arrived" is true."""

CLOSING: Final = frozenset({SETTLED, BreakKind.LATE_CREDIT})
"""What a verdict says when the customer has what was confirmed."""


class Disposition(StrEnum):
    """What is being done about a case; `docs/cases.md` says each in a sentence."""

    PAY = "pay"
    AWAIT_INCIDENT = "await_incident"
    AWAIT_APPROVAL = "await_approval"
    REVIEW = "review"
    WAIT = "wait"
    DONE = "done"


class Surroundings(StrEnum):
    """What is known of the minutes around a case that belongs to no incident."""

    CALM = "calm"
    FORMING = "forming"
    CROWDED = "crowded"


class Mode(StrEnum):
    """The mode of a flow."""

    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules for cases of one flow, in minor units. `version` names the money keys that are in force."""

    version: str
    max_amount_minor: int
    approval_expires: timedelta
    news_every: timedelta


@dataclass(frozen=True, slots=True)
class FlowStanding:
    """How the flow stands as a whole. `breaker`: why it is open, or None. `outage`: whether an incident of it still lasts."""

    mode: Mode
    breaker: str | None
    outage: bool


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What the decision rests on.

    `incident`: the status of the case's incident, or None. `covered`: there is room for it in what that incident's approval
    allows. `approved`: an approval of this very case holds. `remedy`: the status of its intent, or None; `remedy_minor`: what
    that would pay. `from_shadow`: it was decided to be paid while the flow paid nothing.
    """

    kind: str
    owed_minor: int
    grade: str
    blocked: str | None
    incident: str | None = None
    covered: bool = False
    surroundings: Surroundings = Surroundings.CALM
    approved: bool = False
    remedy: str | None = None
    remedy_minor: int | None = None
    from_shadow: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """`owner` is the queue that has the case; `tell`: whether its customer may be told that the units are missing."""

    disposition: Disposition
    reason: str
    owner: str
    tell: bool = False


_QUEUES: Final = {
    BreakKind.OVER_CREDITED: ("queue:over_credits", "the ledger holds more than was confirmed"),
    BreakKind.ORPHAN_CREDIT: ("queue:orphan_credits", "a credit that no confirmation explains"),
    BreakKind.AMBIGUOUS: ("queue:ambiguous", "more than one reading of the rows is possible"),
    BreakKind.HELD: ("queue:held", "a condition outside of this system must be met first"),
    BreakKind.CHARGED_TWICE: ("queue:refunds", "the payer may be owed a refund"),
    BreakKind.RECREDIT_MISSING: ("queue:recredits", "our own credit is not on the ledger"),
    BreakKind.RECREDIT_DOUBLED: ("queue:recredits", "our own credit is on the ledger more than once"),
}
ON_ITS_WAY: Final = frozenset({"reserved", "executing", "credited"})
"""Statuses of an intent that may have paid already, or will in a moment."""
_SPENT: Final = frozenset({"verified", "void", "rejected", "expired"})


def decide(case: CaseFacts, policy: Policy, flow: FlowStanding) -> Decision:
    """The disposition of an open case. The order of the questions matters: what forbids comes before what allows."""
    decision = _decide(case, policy, flow)
    speaks = flow.mode in {Mode.CANARY, Mode.LIVE} and flow.breaker is None
    may_tell = speaks and case.kind in TOLD and case.owed_minor > 0 and not _doubtful(case)
    settled_on = decision.disposition is not Disposition.REVIEW and case.surroundings is not Surroundings.FORMING
    return Decision(decision.disposition, decision.reason, decision.owner, tell=may_tell and settled_on)


def _decide(case: CaseFacts, policy: Policy, flow: FlowStanding) -> Decision:
    review = _review(case)
    if review is not None:
        return review
    if case.remedy in ON_ITS_WAY:
        return _by_policy(Disposition.PAY, "our credit is on its way")
    if flow.breaker is not None:
        return _by_policy(Disposition.WAIT, f"the breaker is open: {flow.breaker}")
    if flow.mode is Mode.STOPPED:
        return _by_policy(Disposition.WAIT, "the flow is stopped")
    if case.incident is not None:
        return _in_incident(case)
    if flow.outage:
        return _by_policy(Disposition.WAIT, "an outage of this flow lasts: the original may still land")
    return _alone(case, policy)


def _review(case: CaseFacts) -> Decision | None:
    """Cases that no rule settles, and no proposal of ours: a person looks first."""
    if case.remedy == "escalated":
        return Decision(Disposition.REVIEW, "our own credit could not be confirmed by the ledger", "queue:recredits")
    if case.kind in _QUEUES:
        owner, reason = _QUEUES[BreakKind(case.kind)]
        return Decision(Disposition.REVIEW, reason, owner)
    if case.kind not in OWING or case.owed_minor <= 0:
        return Decision(Disposition.REVIEW, "nothing is owed, and yet it is not explained", "queue:ambiguous")
    if case.remedy in _SPENT:
        return Decision(
            Disposition.REVIEW, f"its one re-credit is {case.remedy}, and still it is owed", "queue:recredits"
        )
    if case.remedy not in {None, *ON_ITS_WAY} and case.remedy_minor != case.owed_minor:
        return Decision(
            Disposition.REVIEW, "what is owed has changed since its re-credit was decided", "queue:recredits"
        )
    if _doubtful(case) and not case.approved:
        return Decision(Disposition.REVIEW, str(case.blocked), "queue:blocked")
    return None


def _in_incident(case: CaseFacts) -> Decision:
    if case.incident == "open":
        return _by_policy(Disposition.AWAIT_INCIDENT, "the outage lasts, or late originals may still land")
    if case.kind not in AUTOMATIC and not case.approved:
        return _by_person(f"{case.kind}: its own approval is needed beside the incident's")
    if case.incident == "approved" and case.covered:
        return _by_policy(Disposition.PAY, "covered by the approval of its incident")
    return _by_policy(Disposition.AWAIT_INCIDENT, "its incident waits for an approval that covers it")


def _alone(case: CaseFacts, policy: Policy) -> Decision:
    if case.approved:
        return _by_policy(Disposition.PAY, "a second person has approved it")
    person = _person_needed(case, policy)
    if person is not None:
        return _by_person(person)
    if case.surroundings is Surroundings.FORMING:
        return _by_policy(Disposition.WAIT, "others broke around the same time: this may be the beginning of an outage")
    if case.surroundings is Surroundings.CROWDED:
        return _by_person("too many of the purchases around it broke for an everyday fault")
    return _by_policy(Disposition.PAY, "proven, within policy, and nothing else is wrong around it")


def _person_needed(case: CaseFacts, policy: Policy) -> str | None:
    if case.kind not in AUTOMATIC:
        return f"{case.kind}: only a person may decide to pay it"
    if case.from_shadow:
        return "it was found while the flow was in shadow"
    if case.grade != "proven":
        return "the ledger is only assumed to be complete"
    if case.owed_minor > policy.max_amount_minor:
        return "more than policy pays without a person"
    return None


def _doubtful(case: CaseFacts) -> bool:
    """Whether something on the ledger may be the credit after all. Of the kinds that a person decides anyway, matching
    says so in `blocked` for the kind alone.
    """
    return case.blocked is not None and case.kind in AUTOMATIC


def _by_policy(disposition: Disposition, reason: str) -> Decision:
    return Decision(disposition, reason, "policy")


def _by_person(reason: str) -> Decision:
    return Decision(Disposition.AWAIT_APPROVAL, reason, "queue:approvals")
