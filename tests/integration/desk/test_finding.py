"""One search field: whatever an agent has at hand leads to the one timeline."""

import re

import pytest
import sample
import sqlalchemy as sa

from reconcile.store.tables import audit, contacts

NUMBER = "07 07 12 34 56"
REMEDIED = f"/cases/{sample.case_number(sample.REMEDIED)}"
CREDITED = f"/timelines/{sample.case_id(sample.CREDITED)}"
PASTED = sample.FRENCH_SMS.format(amount=1050, account="0102030405", reference=sample.reference(sample.REMEDIED))


@pytest.fixture
def awa(sign_in):
    return sign_in("awa")


@pytest.fixture
def rows(world):
    def read(table):
        with world.database.begin() as connection:
            return connection.execute(sa.select(table)).all()

    return read


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (sample.case_number(sample.REMEDIED), REMEDIED),
        (sample.case_number(sample.REMEDIED).replace("-", " ").lower(), REMEDIED),
        (sample.reference(sample.REMEDIED), REMEDIED),
        (sample.reference(sample.REMEDIED).lower(), REMEDIED),
        (PASTED, REMEDIED),
        (f"«{PASTED}»\n-- \nOrange", REMEDIED),
        (f"ils disent RC240709.1345.A{sample.REMEDIED:05d} et rien", REMEDIED),
        (sample.reference(sample.CREDITED), CREDITED),
    ],
)
def test_what_names_one_purchase_opens_it(awa, query, path):
    answer = awa.search(query)
    assert answer.status_code == 200
    assert answer.url.path == path


@pytest.mark.parametrize("query", [NUMBER, "0707123456", "+225 0707123456", "+2250707123456"])
def test_a_phone_number_opens_all_its_purchases_and_stays_out_of_every_address(awa, query):
    answer = awa.search(query)
    assert answer.status_code == 200
    assert re.fullmatch(r"/searches/[0-9a-f-]{36}", answer.url.path)
    links = set(re.findall(r'href="((?:/cases|/timelines)/[^"]+)"', answer.text))
    assert links == {CREDITED, f"/cases/{sample.case_number(sample.WAITING)}"}
    for visited in [*answer.history, answer]:
        assert "707123456" not in str(visited.url)


def test_a_payer_finds_what_was_bought_for_somebody_else(awa):
    assert f"/cases/{sample.case_number(sample.WAITING)}" in awa.search("05 05 00 00 01").text


@pytest.mark.parametrize(
    "query",
    [
        "   ",
        "0799999999",
        "RC999999.9999.A99999",
        "bonjour, mon achat n'est pas arrivé",
        "'; drop table cases; --",
        "<script>alert(1)</script>",
    ],
)
def test_what_leads_nowhere_says_so(awa, query):
    answer = awa.search(query)
    assert answer.status_code in {200, 404}
    assert "<script" not in answer.text
    assert not re.search(r'href="/(cases|timelines)/', answer.text)


def test_every_search_is_a_contact_and_is_in_the_audit_without_the_number(awa, rows):
    awa.search(NUMBER)
    awa.search(PASTED)
    by_number, by_message = rows(contacts)
    assert (by_number.agent, by_number.account, by_number.outcome) == ("awa", "+2250707123456", "found")
    assert by_message.case_id == sample.case_id(sample.REMEDIED)
    searched = [row for row in rows(audit) if row.action == "searched"]
    assert [row.reason for row in searched] == ["by phone number", "by pasted message"]
    assert "707123456" not in str([tuple(row) for row in rows(audit)])


def test_somebody_elses_search_is_for_those_who_read_the_audit(sign_in, awa):
    path = awa.search(NUMBER).url.path
    assert sign_in("issa").get(path).status_code == 200
    other = sign_in("root")
    assert other.get(path).status_code == 403, "an administrator of accounts does not search"


def test_opening_a_case_is_itself_on_the_record(awa, rows):
    awa.page(REMEDIED)
    awa.page(CREDITED)
    looked = [(row.actor, row.subject_kind) for row in rows(audit) if row.action == "looked at"]
    assert looked == [("user:awa", "case"), ("user:awa", "confirmation")]
