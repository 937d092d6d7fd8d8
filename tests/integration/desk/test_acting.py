"""Proposing and approving by the desk's own forms, as people do it and as the database ends up."""

import pytest
import sample
import sqlalchemy as sa

from reconcile.store.tables import approvals, incidents

INCIDENT = f"/incidents/{sample.INCIDENT}"
MISDIRECTED = f"/cases/{sample.case_number(sample.MISDIRECTED)}"


@pytest.fixture
def incident(world):
    def read():
        with world.database.begin() as connection:
            return connection.execute(sa.select(incidents)).one()

    return read


def test_one_proposes_an_incident_and_another_approves_it_by_prefilled_forms(sign_in, incident):
    maker, approver = sign_in("awa"), sign_in("issa")
    assert f'data-incident href="{INCIDENT}"' in maker.page("/incidents")
    form = maker.form(INCIDENT, "propose")
    assert (form.fields["max_count"], form.fields["max_value"]) == ("24", "25200")
    assert maker.post_form(INCIDENT, "propose").status_code == 303
    assert approver.post_form(INCIDENT, "approve").status_code == 303
    assert (incident().status, incident().max_count, incident().max_minor) == ("approved", 24, 25_200)


def test_whoever_proposes_sees_no_form_to_approve_and_is_refused_without_one(sign_in, incident, world):
    issa = sign_in("issa")
    issa.post_form(INCIDENT, "propose")
    page = issa.page(INCIDENT)
    assert 'id="approve"' not in page
    assert "votre propre proposition" in page
    with world.database.begin() as connection:
        seen = connection.execute(
            sa.select(approvals.c.evidence_hash).order_by(approvals.c.proposed_at.desc())
        ).scalars()
        evidence_hash = seen.first()
    fields = issa.form("/", None).fields
    answer = issa.client.post(f"{INCIDENT}/approve", data={**fields, "evidence_hash": evidence_hash})
    assert answer.status_code == 409
    assert incident().status == "recovered"


def test_an_agent_may_not_approve_whatever_is_sent(sign_in, incident):
    awa, fatou = sign_in("awa"), sign_in("fatou")
    fatou.post_form(INCIDENT, "propose")
    assert 'id="approve"' not in awa.page(INCIDENT)
    fields = awa.form("/", None).fields
    assert awa.client.post(f"{INCIDENT}/approve", data={**fields, "evidence_hash": "00"}).status_code == 403
    assert incident().status == "recovered"


def test_what_is_not_what_was_seen_is_not_approved(sign_in, incident):
    maker, approver = sign_in("awa"), sign_in("issa")
    maker.post_form(INCIDENT, "propose")
    answer = approver.post_form(INCIDENT, "approve", evidence_hash="0" * 64)
    assert answer.status_code == 409
    assert "a changé" in answer.text
    assert incident().status == "recovered"


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_count", "0"), ("max_count", "many"), ("max_value", "-1"), ("max_value", "1.5"), ("cause", "")],
)
def test_a_proposal_that_makes_no_sense_is_turned_back(sign_in, incident, field, value):
    assert sign_in("awa").post_form(INCIDENT, "propose", **{field: value}).status_code == 400
    assert incident().status == "recovered"


def test_a_rejected_incident_can_be_proposed_again(sign_in):
    maker, approver = sign_in("awa"), sign_in("issa")
    maker.post_form(INCIDENT, "propose")
    assert approver.post_form(INCIDENT, "reject", reason="the cause is not known yet").status_code == 303
    assert maker.form(INCIDENT, "propose").action == f"{INCIDENT}/propose"


def test_a_single_case_that_policy_proposed_is_listed_and_approved(sign_in, world):
    approver = sign_in("issa")
    assert f'data-case href="{MISDIRECTED}"' in approver.page("/approvals")
    assert approver.post_form(MISDIRECTED, "reject", reason="let me look").status_code == 303
    maker = sign_in("awa")
    assert f'data-case href="{MISDIRECTED}"' in maker.page("/approvals"), "it is a person's to review now"
    assert maker.post_form(MISDIRECTED, "propose").status_code == 303
    assert approver.post_form(MISDIRECTED, "approve").status_code == 303
    with world.database.begin() as connection:
        decided = connection.execute(sa.select(approvals).where(approvals.c.status == "approved")).one()
    assert (decided.maker, decided.approver, decided.subject_kind) == ("awa", "issa", "case")


def test_an_auditor_reads_everything_and_is_offered_nothing(sign_in):
    auditor = sign_in("odile")
    for path in (INCIDENT, MISDIRECTED):
        page = auditor.page(path)
        assert 'id="propose"' not in page
        assert 'id="approve"' not in page
