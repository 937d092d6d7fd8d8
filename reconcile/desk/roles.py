"""Who may do what at the desk. Decisions are values with their reason; pages and actions ask here and nowhere else."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Final


class Role(StrEnum):
    """What somebody is at the desk."""

    AGENT = auto()
    SUPERVISOR = auto()
    AUDITOR = auto()
    ENGINEER = auto()
    ADMIN = auto()


class Permission(StrEnum):
    """One thing that a role may be allowed to do."""

    SEARCH = auto()
    SEE_CASES = auto()
    SEE_NUMBERS = auto()
    SEE_AUDIT = auto()
    SEE_STATEMENT = auto()
    SEE_REPORTS = auto()
    PROPOSE = auto()
    APPROVE = auto()
    DISMISS = auto()


_READING: Final = frozenset({Permission.SEE_CASES, Permission.SEE_STATEMENT})

PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.AGENT: _READING | {Permission.SEARCH, Permission.SEE_NUMBERS, Permission.PROPOSE},
    Role.SUPERVISOR: _READING
    | {
        Permission.SEARCH,
        Permission.SEE_NUMBERS,
        Permission.SEE_AUDIT,
        Permission.SEE_REPORTS,
        Permission.PROPOSE,
        Permission.APPROVE,
        Permission.DISMISS,
    },
    Role.AUDITOR: _READING | {Permission.SEARCH, Permission.SEE_AUDIT, Permission.SEE_REPORTS},
    Role.ENGINEER: _READING | {Permission.SEARCH, Permission.SEE_AUDIT, Permission.SEE_REPORTS, Permission.DISMISS},
    Role.ADMIN: _READING | {Permission.SEE_AUDIT, Permission.SEE_REPORTS},
}


def may(role: Role, permission: Permission) -> bool:
    """Whether the role holds the permission."""
    return permission in PERMISSIONS[role]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an action is offered, and accepted. `reason` is a key of the texts: why not, or `""`."""

    allowed: bool
    reason: str = ""


ALLOWED: Final = Decision(allowed=True)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What stands to be approved: who proposed it, and until when that holds (business time)."""

    maker: str
    expires_at: datetime


def decide_propose(role: Role, *, proposable: bool, proposal: Proposal | None, now: datetime) -> Decision:
    """May a person of that role propose a subject that the lifecycle calls `proposable`, given its open proposal?"""
    if not may(role, Permission.PROPOSE):
        return Decision(allowed=False, reason="refused.role_may_not_propose")
    if proposal is not None and now < proposal.expires_at:
        return Decision(allowed=False, reason="refused.already_proposed")
    if not proposable:
        return Decision(allowed=False, reason="refused.nothing_to_propose")
    return ALLOWED


def decide_approve(role: Role, username: str, *, proposal: Proposal | None, now: datetime) -> Decision:
    """May this person approve (or reject) the open proposal? The maker never may: invariant 14."""
    if proposal is None:
        return Decision(allowed=False, reason="refused.nothing_proposed")
    if not may(role, Permission.APPROVE):
        return Decision(allowed=False, reason="refused.role_may_not_approve")
    if proposal.maker == username:
        return Decision(allowed=False, reason="refused.own_proposal")
    if now >= proposal.expires_at:
        return Decision(allowed=False, reason="refused.expired")
    return ALLOWED
