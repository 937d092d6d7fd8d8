"""Who may propose and approve, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from reconcile.desk.roles import ALLOWED, Permission, Proposal, Role, decide_approve, decide_propose, may

NOW = datetime(2024, 7, 9, 15, tzinfo=UTC)
FRESH = Proposal(maker="awa", expires_at=NOW + timedelta(hours=8))
STALE = Proposal(maker="awa", expires_at=NOW)


@pytest.mark.parametrize(
    ("role", "proposable", "proposal", "refusal"),
    [
        (Role.AGENT, True, None, ""),
        (Role.SUPERVISOR, True, None, ""),
        (Role.AGENT, True, STALE, ""),
        (Role.AUDITOR, True, None, "refused.role_may_not_propose"),
        (Role.ENGINEER, True, None, "refused.role_may_not_propose"),
        (Role.ADMIN, True, None, "refused.role_may_not_propose"),
        (Role.AGENT, True, FRESH, "refused.already_proposed"),
        (Role.AGENT, False, None, "refused.nothing_to_propose"),
    ],
)
def test_who_may_propose(role, proposable, proposal, refusal):
    decision = decide_propose(role, proposable=proposable, proposal=proposal, now=NOW)
    assert (decision.allowed, decision.reason) == (refusal == "", refusal)


@pytest.mark.parametrize(
    ("role", "username", "proposal", "refusal"),
    [
        (Role.SUPERVISOR, "issa", FRESH, ""),
        (Role.SUPERVISOR, "awa", FRESH, "refused.own_proposal"),
        (Role.SUPERVISOR, "issa", STALE, "refused.expired"),
        (Role.SUPERVISOR, "issa", None, "refused.nothing_proposed"),
        (Role.AGENT, "issa", FRESH, "refused.role_may_not_approve"),
        (Role.AUDITOR, "issa", FRESH, "refused.role_may_not_approve"),
        (Role.ENGINEER, "issa", FRESH, "refused.role_may_not_approve"),
        (Role.ADMIN, "issa", FRESH, "refused.role_may_not_approve"),
    ],
)
def test_who_may_approve(role, username, proposal, refusal):
    decision = decide_approve(role, username, proposal=proposal, now=NOW)
    assert (decision.allowed, decision.reason) == (refusal == "", refusal)


def test_only_whoever_talks_to_customers_sees_their_numbers():
    assert {role for role in Role if may(role, Permission.SEE_NUMBERS)} == {Role.AGENT, Role.SUPERVISOR}


def test_nobody_approves_without_being_a_supervisor():
    assert {role for role in Role if may(role, Permission.APPROVE)} == {Role.SUPERVISOR}
    assert ALLOWED.allowed
