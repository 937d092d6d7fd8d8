"""What comes next, state by state; what is said must be true in every one of them."""

import pytest

from reconcile.desk.next_step import decide
from reconcile.desk.page import texts
from reconcile.reports.texts import LANGUAGES

OPEN = {
    "case_status": "open",
    "kind": "never_credited",
    "owed_minor": 1050,
    "disposition": "wait",
    "intent_status": None,
    "attempt_unknown": False,
    "proposal_open": False,
    "credited": False,
    "promised": True,
    "may_propose": False,
    "may_approve": False,
}
NO_CASE = {"case_status": None, "kind": None, "owed_minor": 0, "disposition": None}
ENDED = {"case_status": "closed", "kind": "settled", "owed_minor": 0}


@pytest.mark.parametrize(
    ("facts", "key", "say"),
    [
        ({**NO_CASE, "credited": True}, "credited", "credited"),
        (NO_CASE, "too_early", "too_early"),
        ({}, "wait", "known"),
        ({"disposition": "pay"}, "will_be_sent", "known"),
        ({"disposition": "await_incident"}, "await_incident", "known"),
        ({"disposition": "review"}, "review", "known"),
        ({"disposition": "review", "may_propose": True}, "propose", "known"),
        ({"proposal_open": True}, "awaiting_approver", "known"),
        ({"proposal_open": True, "may_approve": True}, "approve", "known"),
        ({"intent_status": "awaiting_approval", "disposition": "await_incident"}, "await_incident", "known"),
        ({"intent_status": "approved"}, "being_sent", "on_its_way"),
        ({"intent_status": "executing"}, "being_sent", "on_its_way"),
        ({"intent_status": "executing", "attempt_unknown": True}, "unknown", "looking"),
        ({"intent_status": "escalated"}, "unknown", "looking"),
        ({"intent_status": "credited"}, "sent", "on_its_way"),
        ({"kind": "over_credited", "owed_minor": -1050, "credited": True}, "excess", "credited"),
        (
            {"kind": "orphan_credit", "owed_minor": -500, "promised": False, "credited": True},
            "excess",
            "looking_credit",
        ),
        ({**ENDED, "intent_status": "verified", "credited": True}, "made_whole", "made_whole"),
        ({**ENDED, "credited": True}, "self_settled", "self_settled"),
        ({**ENDED, "intent_status": "void", "credited": True}, "self_settled", "self_settled"),
        ({**ENDED, "case_status": "rejected"}, "rejected", "looking"),
        (ENDED, "closed", "looking"),
    ],
)
def test_the_next_step_and_what_may_be_said(facts, key, say):
    step = decide(**{**OPEN, **facts})
    assert (step.key, step.say) == (key, say)
    for language in LANGUAGES:
        assert texts(language).has(f"step.{key}")
        assert texts(language).has(f"say.{say}")
