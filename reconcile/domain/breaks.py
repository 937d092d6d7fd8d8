"""The kinds of break: what remains when the time is up."""

from enum import StrEnum


class BreakKind(StrEnum):
    """One word for what went wrong; `docs/glossary.md` says each in a sentence."""

    NEVER_CREDITED = "never_credited"
    UNDER_CREDITED = "under_credited"
    OVER_CREDITED = "over_credited"
    MISDIRECTED = "misdirected"
    WRONG_ASSET = "wrong_asset"
    REVERSED_AFTER_CREDIT = "reversed_after_credit"
    ORPHAN_CREDIT = "orphan_credit"
    LATE_CREDIT = "late_credit"
    AMBIGUOUS = "ambiguous"
    RECREDIT_MISSING = "recredit_missing"
    RECREDIT_DOUBLED = "recredit_doubled"
    HELD = "held"
    PAID_NOT_TOLD = "paid_not_told"
    CHARGED_TWICE = "charged_twice"


SETTLED = "settled"
"""What a verdict says when nothing is left to explain: the break has closed."""

OWING = frozenset(
    {
        BreakKind.NEVER_CREDITED,
        BreakKind.UNDER_CREDITED,
        BreakKind.MISDIRECTED,
        BreakKind.WRONG_ASSET,
        BreakKind.REVERSED_AFTER_CREDIT,
        BreakKind.PAID_NOT_TOLD,
    }
)
"""Kinds in which the customer lacks something that was confirmed or paid."""
