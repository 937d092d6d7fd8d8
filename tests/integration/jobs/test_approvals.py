"""Two people, one decision: what is refused, and what an approval opens."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from reconcile.domain.terms import evidence_hash
from reconcile.jobs import approvals as approving
from reconcile.jobs.approvals import ChangedSinceSeen, Expired, NotAllowed
from reconcile.store.tables import approvals, audit, cases, incidents, intents

DAY = datetime(2024, 7, 9, tzinfo=UTC)
EVERY = timedelta(seconds=20)


def at(clock):
    hours, minutes = map(int, clock.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes)


@pytest.fixture
def dear(operator):
    """One case that only a person may pay: policy has proposed it."""
    operator.trade(at("10:00"), at("11:20"), every=EVERY)
    case_id = operator.buy(at("10:30"), amount=6000)
    operator.tick(at("10:50"))
    return operator.case(case_id)


@pytest.fixture
def recovered(operator):
    """An incident of 45 cases that can be proposed."""
    operator.trade(at("12:45"), at("13:45"), every=EVERY)
    operator.trade(at("13:45"), at("14:00"), every=EVERY, credited=False)
    operator.trade(at("14:00"), at("14:40"), every=EVERY)
    for clock in ("13:40", "14:10", "14:30"):
        operator.tick(at(clock))
    (incident,) = operator.rows(incidents)
    assert (incident.status, len(operator.waiting(incident.incident_id))) == ("recovered", 45)
    return incident


def proposal(operator):
    (row,) = operator.rows(approvals, approvals.c.status == "proposed")
    return row


class TestCase:
    def test_policy_proposes_what_only_a_person_may_decide_with_everything_that_must_be_seen(self, operator, dear):
        row = proposal(operator)
        assert (row.maker, row.subject_id, row.reason) == (
            "policy",
            dear.case_id,
            "more than policy pays without a person",
        )
        assert row.evidence_hash == evidence_hash(row.terms)
        assert row.terms["amount_minor"] == 6000
        assert row.terms["account"] == dear.account
        assert row.terms["entry_ids"] == []
        assert row.terms["confirmation_ids"] == [str(dear.case_id)]

    def test_an_approval_lets_it_be_paid(self, operator, dear):
        assert approving.approve_case(operator.world, dear.number, "amina", proposal(operator).evidence_hash) == 1
        (intent,) = operator.rows(intents)
        (approval,) = operator.rows(approvals)
        assert (intent.status, intent.approval_id) == ("approved", approval.approval_id)
        assert (approval.status, approval.approver, approval.decided_at) == ("approved", "amina", operator.now)
        operator.dispatch()
        assert list(operator.own_keys.values()) == [6000]

    def test_nobody_approves_twice(self, operator, dear):
        evidence = proposal(operator).evidence_hash
        approving.approve_case(operator.world, dear.number, "amina", evidence)
        with pytest.raises(NotAllowed, match="nothing is proposed"):
            approving.approve_case(operator.world, dear.number, "kofi", evidence)

    def test_what_was_turned_down_stays_with_a_person_and_can_be_proposed_again(self, operator, dear):
        evidence = proposal(operator).evidence_hash
        approving.reject_case(operator.world, dear.number, "amina", evidence, "the customer was refunded")
        operator.tick(at("10:55"))
        case = operator.case(dear.case_id)
        assert (case.disposition, case.owner) == ("review", "queue:rejected")
        approving.propose_case(operator.world, dear.number, "kofi", "the refund did not happen")
        with pytest.raises(NotAllowed, match="whoever proposes"):
            approving.approve_case(operator.world, dear.number, "kofi", evidence)
        approving.approve_case(operator.world, dear.number, "amina", proposal(operator).evidence_hash)
        assert operator.case(dear.case_id).disposition == "pay"

    def test_a_second_proposal_of_the_same_case_is_refused(self, operator, dear):
        with pytest.raises(NotAllowed, match="proposed already"):
            approving.propose_case(operator.world, dear.number, "kofi", "please")

    def test_what_was_not_seen_cannot_be_approved(self, operator, dear):
        with pytest.raises(ChangedSinceSeen):
            approving.approve_case(operator.world, dear.number, "amina", "0" * 64)

    def test_an_approval_comes_too_late_when_the_proposal_has_expired_and_policy_proposes_anew(self, operator, dear):
        row = proposal(operator)
        operator.clock_file.write_text(row.expires_at.isoformat())
        with pytest.raises(Expired):
            approving.approve_case(operator.world, dear.number, "amina", row.evidence_hash)
        operator.tick(row.expires_at + timedelta(minutes=5))
        assert sorted(one.status for one in operator.rows(approvals)) == ["expired", "proposed"]

    def test_a_new_verdict_voids_the_approval_and_nothing_is_paid_on_it(self, operator, dear):
        approving.approve_case(operator.world, dear.number, "amina", proposal(operator).evidence_hash)
        operator.post(at("10:52"), dear.account, 2000, reference=dear.reference)
        operator.advance(at("10:55"))
        operator.fold()
        assert operator.dispatch() == {}
        case = operator.case(dear.case_id)
        assert (case.kind, case.owed_minor, case.disposition) == ("under_credited", 4000, "review")
        assert [row.status for row in operator.rows(approvals)] == ["void"]
        assert [row.status for row in operator.rows(intents)] == ["void"]

    def test_what_is_paid_already_cannot_be_proposed(self, operator):
        operator.trade(at("10:00"), at("11:20"), every=EVERY)
        case_id = operator.buy(at("10:30"))
        operator.tick(at("10:50"))
        with pytest.raises(NotAllowed, match="its re-credit is credited already"):
            approving.propose_case(operator.world, operator.case(case_id).number, "kofi", "please")

    def test_a_case_that_does_not_exist_is_not_allowed(self, operator):
        with pytest.raises(NotAllowed, match="there is no case"):
            approving.propose_case(operator.world, "2222-2222", "kofi", "please")

    def test_the_database_itself_refuses_an_approver_who_is_the_maker(self, operator, dear):
        with (
            pytest.raises(IntegrityError, match="approver_is_not_maker"),
            operator.world.database.begin() as connection,
        ):
            connection.execute(sa.update(approvals).values(status="approved", approver="policy"))


class TestIncident:
    def propose(self, operator, incident, count=45, minor=45 * 1050):
        approving.propose_incident(operator.world, incident.incident_id, "kofi", "a queue was stuck", count, minor)
        return proposal(operator).evidence_hash

    def test_it_binds_its_cause_and_its_maximum_and_opens_a_budget_for_its_cases(self, operator, recovered):
        evidence = self.propose(operator, recovered)
        assert approving.approve_incident(operator.world, recovered.incident_id, "amina", evidence) == 45
        (incident,) = operator.rows(incidents)
        assert (incident.status, incident.cause) == ("approved", "a queue was stuck")
        assert (incident.max_count, incident.max_minor, incident.used_count) == (45, 47250, 0)
        operator.dispatch()
        (incident,) = operator.rows(incidents)
        assert (incident.used_count, incident.used_minor) == (45, 47250)

    def test_the_value_binds_as_well_as_the_count(self, operator, recovered):
        evidence = self.propose(operator, recovered, minor=10 * 1050 + 1)
        assert approving.approve_incident(operator.world, recovered.incident_id, "amina", evidence) == 10
        operator.dispatch()
        assert len(operator.own_keys) == 10

    def test_whoever_proposes_does_not_approve(self, operator, recovered):
        evidence = self.propose(operator, recovered)
        with pytest.raises(NotAllowed, match="whoever proposes"):
            approving.approve_incident(operator.world, recovered.incident_id, "kofi", evidence)
        assert {case.disposition for case in operator.rows(cases)} == {"await_incident"}

    def test_one_that_lasts_cannot_be_proposed(self, operator):
        operator.trade(at("12:45"), at("13:45"), every=EVERY)
        operator.trade(at("13:45"), at("14:10"), every=EVERY, credited=False)
        operator.tick(at("13:40"))
        operator.tick(at("14:10"))
        (incident,) = operator.rows(incidents)
        with pytest.raises(NotAllowed, match="the incident is open"):
            self.propose(operator, incident)

    def test_a_rejection_leaves_it_proposable(self, operator, recovered):
        evidence = self.propose(operator, recovered)
        approving.reject_incident(operator.world, recovered.incident_id, "amina", evidence, "too many")
        evidence = self.propose(operator, recovered, count=5, minor=5250)
        assert approving.approve_incident(operator.world, recovered.incident_id, "amina", evidence) == 5

    def test_a_proposal_that_expired_can_be_made_again(self, operator, recovered):
        evidence = self.propose(operator, recovered)
        operator.clock_file.write_text((operator.now + timedelta(hours=8)).isoformat())
        with pytest.raises(Expired):
            approving.approve_incident(operator.world, recovered.incident_id, "amina", evidence)
        evidence = self.propose(operator, recovered)
        assert approving.approve_incident(operator.world, recovered.incident_id, "amina", evidence) == 45

    @pytest.mark.parametrize(("cause", "count", "minor"), [(" ", 1, 1), ("why", 0, 1), ("why", 1, 0)])
    def test_a_proposal_without_a_cause_or_a_maximum_is_refused(self, operator, recovered, cause, count, minor):
        with pytest.raises(NotAllowed):
            approving.propose_incident(operator.world, recovered.incident_id, "kofi", cause, count, minor)

    def test_every_step_has_its_row_in_the_audit(self, operator, recovered):
        evidence = self.propose(operator, recovered)
        approving.approve_incident(operator.world, recovered.incident_id, "amina", evidence)
        steps = operator.rows(audit, audit.c.subject_kind == "incident")
        assert [(row.actor, row.action) for row in steps] == [
            ("job:fold_flow", "incident opened"),
            ("job:fold_flow", "incident recovered"),
            ("user:kofi", "approval proposed"),
            ("user:amina", "approval approved"),
        ]
        assert all("+225" not in str(row.evidence) + row.reason for row in operator.rows(audit))


def test_a_breaker_that_is_closed_cannot_be_reopened(operator):
    with pytest.raises(NotAllowed, match="is closed"):
        approving.propose_reopening(operator.world, "topup", "kofi", "please")
