"""What is done about a case: the whole table of decisions, one row a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.domain.breaks import OWING, BreakKind
from reconcile.domain.policy import (
    AUTOMATIC,
    CaseFacts,
    Disposition,
    FlowStanding,
    Mode,
    Policy,
    Surroundings,
    decide,
)

POLICY = Policy(version="p1", max_amount_minor=5000, approval_expires=timedelta(hours=8), news_every=timedelta(hours=1))
LIVE = FlowStanding(mode=Mode.LIVE, breaker=None, outage=False)
PROVEN = CaseFacts(kind="never_credited", owed_minor=1050, remedy_minor=None, grade="proven", blocked=None)


def decided(flow=LIVE, **facts):
    return decide(replace(PROVEN, **facts), POLICY, flow)


def test_a_proven_case_within_policy_is_paid_and_told():
    decision = decided()
    assert decision.disposition is Disposition.PAY
    assert decision.owner == "policy"
    assert decision.tell


@pytest.mark.parametrize(
    ("facts", "disposition", "owner"),
    [
        ({"kind": "over_credited", "owed_minor": -1050}, "review", "queue:over_credits"),
        ({"kind": "orphan_credit", "owed_minor": -1050}, "review", "queue:orphan_credits"),
        ({"kind": "ambiguous"}, "review", "queue:ambiguous"),
        ({"kind": "held"}, "review", "queue:held"),
        ({"kind": "charged_twice"}, "review", "queue:refunds"),
        ({"kind": "recredit_missing"}, "review", "queue:recredits"),
        ({"kind": "recredit_doubled", "owed_minor": -1050}, "review", "queue:recredits"),
        ({"kind": "never_credited", "owed_minor": 0}, "review", "queue:ambiguous"),
        ({"blocked": "an unclaimed entry"}, "review", "queue:blocked"),
        ({"remedy": "escalated", "remedy_minor": 1050}, "review", "queue:recredits"),
        ({"remedy": "void", "remedy_minor": 1050}, "review", "queue:recredits"),
        ({"remedy": "verified", "remedy_minor": 1050}, "review", "queue:recredits"),
        ({"remedy": "approved", "remedy_minor": 1050, "owed_minor": 550}, "review", "queue:recredits"),
        ({"kind": "misdirected", "blocked": "on another account"}, "await_approval", "queue:approvals"),
        ({"kind": "wrong_asset", "blocked": "in another asset"}, "await_approval", "queue:approvals"),
        ({"kind": "reversed_after_credit"}, "await_approval", "queue:approvals"),
        ({"kind": "paid_not_told"}, "await_approval", "queue:approvals"),
        ({"grade": "assumed"}, "await_approval", "queue:approvals"),
        ({"owed_minor": 5001}, "await_approval", "queue:approvals"),
        ({"owed_minor": 5000}, "pay", "policy"),
        ({"kind": "under_credited", "owed_minor": 550}, "pay", "policy"),
        ({"surroundings": Surroundings.FORMING}, "wait", "policy"),
        ({"surroundings": Surroundings.CROWDED}, "await_approval", "queue:approvals"),
        ({"owed_minor": 5001, "approved": True}, "pay", "policy"),
        ({"blocked": "an unclaimed entry", "approved": True}, "pay", "policy"),
        ({"kind": "misdirected", "blocked": "x", "approved": True}, "pay", "policy"),
        ({"remedy": "executing", "remedy_minor": 1050, "surroundings": Surroundings.FORMING}, "pay", "policy"),
        ({"incident": "open"}, "await_incident", "policy"),
        ({"incident": "open", "approved": True}, "await_incident", "policy"),
        ({"incident": "recovered"}, "await_incident", "policy"),
        ({"incident": "recovered", "covered": True}, "await_incident", "policy"),
        ({"incident": "approved"}, "await_incident", "policy"),
        ({"incident": "approved", "covered": True}, "pay", "policy"),
        ({"incident": "approved", "covered": True, "owed_minor": 9000}, "pay", "policy"),
        ({"incident": "approved", "covered": True, "grade": "assumed"}, "pay", "policy"),
        ({"incident": "approved", "covered": True, "blocked": "an unclaimed entry"}, "review", "queue:blocked"),
        ({"incident": "open", "kind": "misdirected", "blocked": "x"}, "await_incident", "policy"),
        ({"incident": "approved", "covered": True, "kind": "misdirected", "blocked": "x"}, "await_approval", "queue:approvals"),
        ({"incident": "approved", "kind": "misdirected", "blocked": "x", "approved": True}, "await_incident", "policy"),
        ({"incident": "approved", "covered": True, "kind": "misdirected", "blocked": "x", "approved": True}, "pay", "policy"),
        ({"incident": "recovered", "covered": True, "kind": "misdirected", "approved": True}, "await_incident", "policy"),
    ],
)  # fmt: skip
def test_every_kind_of_case_has_one_disposition_and_an_owner(facts, disposition, owner):
    decision = decided(**facts)
    assert (decision.disposition, decision.owner) == (disposition, owner)
    assert decision.reason


@pytest.mark.parametrize(
    ("flow", "disposition"),
    [
        (FlowStanding(mode=Mode.LIVE, breaker="too many", outage=False), "wait"),
        (FlowStanding(mode=Mode.STOPPED, breaker=None, outage=False), "wait"),
        (FlowStanding(mode=Mode.LIVE, breaker=None, outage=True), "wait"),
        (FlowStanding(mode=Mode.SHADOW, breaker=None, outage=False), "pay"),
        (FlowStanding(mode=Mode.CANARY, breaker=None, outage=False), "pay"),
    ],
)
def test_the_flow_as_a_whole_can_hold_a_case_back(flow, disposition):
    assert decided(flow).disposition == disposition


@pytest.mark.parametrize("name", ["breaker", "shadow", "stopped"])
@pytest.mark.parametrize("incident", [None, "open", "approved"])
def test_nobody_is_told_behind_an_open_breaker_nor_in_shadow_nor_when_stopped(name, incident):
    flow = FlowStanding(
        mode=Mode.LIVE if name == "breaker" else Mode(name),
        breaker="too many" if name == "breaker" else None,
        outage=False,
    )
    assert not decided(flow, incident=incident, covered=True).tell


@pytest.mark.parametrize(
    ("facts", "tell"),
    [
        ({}, True),
        ({"incident": "open"}, True),
        ({"kind": "misdirected", "blocked": "x"}, True),
        ({"owed_minor": 5001}, True),
        ({"surroundings": Surroundings.FORMING}, False),
        ({"blocked": "an unclaimed entry"}, False),
        ({"kind": "under_credited", "owed_minor": 550}, False),
        ({"kind": "reversed_after_credit"}, False),
        ({"kind": "over_credited", "owed_minor": -1050}, False),
        ({"kind": "ambiguous"}, False),
        ({"kind": "recredit_missing"}, False),
    ],
)
def test_only_what_is_surely_missing_is_told_to_be_missing(facts, tell):
    assert decided(**facts).tell is tell


def test_customers_are_told_while_an_outage_lasts():
    assert decided(FlowStanding(mode=Mode.LIVE, breaker=None, outage=True)).tell


facts = st.builds(
    CaseFacts,
    kind=st.sampled_from([*BreakKind, "settled"]),
    owed_minor=st.integers(-6000, 6000),
    grade=st.sampled_from(["proven", "assumed"]),
    blocked=st.none() | st.just("an unclaimed entry"),
    incident=st.sampled_from([None, "open", "recovered", "approved"]),
    covered=st.booleans(),
    surroundings=st.sampled_from(list(Surroundings)),
    approved=st.booleans(),
    remedy=st.sampled_from([None, "awaiting_approval", "approved", "executing", "credited", "escalated", "void"]),
    remedy_minor=st.integers(1, 6000),
)
standings = st.builds(
    FlowStanding, mode=st.sampled_from(list(Mode)), breaker=st.none() | st.just("why"), outage=st.booleans()
)


@given(facts, standings)
def test_money_only_moves_on_its_own_when_every_condition_holds(case, flow):
    decision = decide(case, POLICY, flow)
    if decision.disposition is not Disposition.PAY or case.remedy in {"executing", "credited"}:
        return
    assert case.kind in OWING
    assert case.owed_minor > 0
    assert flow.breaker is None
    assert flow.mode is not Mode.STOPPED
    assert case.incident != "open"
    if not case.approved:
        assert case.kind in AUTOMATIC
        assert case.blocked is None
    if case.incident is None:
        assert not flow.outage
    else:
        assert case.incident == "approved"
        assert case.covered
    if case.incident is None and not case.approved:
        assert case.grade == "proven"
        assert case.owed_minor <= POLICY.max_amount_minor
        assert case.surroundings is Surroundings.CALM


@given(facts, standings)
def test_telling_needs_a_flow_that_may_speak_and_units_that_are_surely_missing(case, flow):
    if decide(case, POLICY, flow).tell:
        assert flow.breaker is None
        assert flow.mode in {Mode.CANARY, Mode.LIVE}
        assert case.kind in {BreakKind.NEVER_CREDITED, BreakKind.MISDIRECTED}
        assert case.owed_minor > 0
