"""One timeline: from the message as it was received to the last word that the customer heard."""

import re

import pytest
import sample
import sqlalchemy as sa

from reconcile.store.tables import notices


def case(number):
    return f"/cases/{sample.case_number(number)}"


def titles(page):
    found = re.findall(r'<h3><span class="family">.*?</span>\s*(.*?)</h3>', page)
    return [re.sub(r"&#39;", "'", title).replace("\u00a0", " ") for title in found]


def plain(page):
    return page.replace("\u00a0", " ").replace("\u202f", " ").replace("&#39;", "'")


def test_a_case_that_went_all_the_way_is_told_in_order(sign_in):
    page = sign_in("awa").page(case(sample.REMEDIED))
    assert titles(page) == [
        "Message reçu par le client",
        "Verdict 1 : jamais crédité",
        "Décision : nouveau crédit",
        "SMS : constaté",
        "Promis : prochaine nouvelle",
        "Appel 1 à la passerelle : envoi",
        "Appel 1 à la passerelle : question",
        "Crédité par nous",
        "Verdict 2 : réglé",
        "Notre crédit est au grand livre, une seule fois",
        "SMS : crédité",
    ]
    text = plain(page)
    assert "Vous avez achete 1050 FCFA d'unites pour le 0102030405" in text, "the message as it was received"
    assert "ce reçu sur ce compte" in text, "why a pass failed"
    assert "sans réponse claire : on demande avant de renvoyer" in text
    assert "Nous les avons crédités à 12 h 41" in text, "what may be said"


def test_a_purchase_that_never_was_a_case_shows_where_and_when_it_was_credited(sign_in):
    page = plain(sign_in("awa").page(f"/timelines/{sample.case_id(sample.CREDITED)}"))
    assert titles(page) == ["Message reçu par le client", "Crédité"]
    assert "13:40:20" in page
    assert "1 050 FCFA confirmés à 13 h 40, crédités à 13 h 40" in page
    assert "ocs, ligne 1" in page


def test_a_purchase_that_is_a_case_has_one_page(sign_in):
    answer = sign_in("awa").get(f"/timelines/{sample.case_id(sample.REMEDIED)}")
    assert answer.headers["location"] == case(sample.REMEDIED)


def test_a_misdirected_credit_is_shown_with_the_account_that_has_it(sign_in):
    page = plain(sign_in("issa").page(case(sample.MISDIRECTED)))
    assert "Crédité sur un autre compte avec ce reçu" in page
    assert "01 02 02 0202" in page


def test_a_credit_without_a_purchase_has_a_page_as_well(sign_in):
    page = plain(sign_in("awa").page(f"/cases/{sample.ORPHAN}"))
    assert "Crédité, sans message" in titles(page)
    assert "Nous voyons un crédit sur votre compte" in page


def numbers_on(page):
    """Whatever looks like a phone number of the country, outside receipts, ids and instants."""
    text = re.sub(r"RC\d+\.\d+\.A\d+|[0-9a-f-]{36}|datetime=\"[^\"]+\"", "", page)
    return re.findall(r"0[157](?: ?\d\d){4}", text)


def test_whoever_may_not_see_numbers_sees_none_of_them_anywhere(sign_in):
    agent, auditor = sign_in("awa"), sign_in("odile")
    for path in (case(sample.REMEDIED), case(sample.MISDIRECTED), f"/incidents/{sample.INCIDENT}", "/approvals"):
        assert numbers_on(agent.page(path)), path
        assert not numbers_on(auditor.page(path)), path
    assert "••••05" in auditor.page(case(sample.REMEDIED))


def test_only_those_who_read_the_audit_see_who_looked(sign_in):
    path = case(sample.REMEDIED)
    agent, supervisor = sign_in("awa"), sign_in("issa")
    agent.page(path)
    assert "a ouvert cette page" not in agent.page(path)
    assert "a ouvert cette page 2 fois" in plain(supervisor.page(path))


def test_an_english_speaking_viewer_reads_english_and_the_customer_is_still_told_in_french(sign_in):
    page = plain(sign_in("marc").page(case(sample.REMEDIED)))
    assert "Verdict 1: never credited" in page
    assert '<q lang="fr">Vos 1 050 FCFA' in page


def test_the_language_can_be_changed_from_any_page(sign_in):
    person = sign_in("awa")
    fields = person.form("/incidents", None).fields
    answer = person.client.post("/language", data={**fields, "choice": "en"})
    assert answer.headers["location"] == "/incidents"
    assert '<html lang="en">' in person.page("/incidents")


@pytest.mark.parametrize(
    "path",
    [
        "/cases/AAAA-AAAA",
        "/cases/2222-2223",
        f"/timelines/{sample.INCIDENT}",
        f"/incidents/{sample.RUN}",
        "/flows/nothing",
        "/reports/2024-07-09/..%2f..%2fetc",
        "/reports/2024-07-09/a.csv",
    ],
)
def test_what_does_not_exist_is_not_found(sign_in, path):
    assert sign_in("issa").get(path).status_code == 404


def test_a_text_from_outside_is_shown_as_text(sign_in, world):
    with world.database.begin() as connection:
        connection.execute(sa.update(notices).values(text="<img src=x onerror=alert(1)>"))
    page = sign_in("awa").page(case(sample.REMEDIED))
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
