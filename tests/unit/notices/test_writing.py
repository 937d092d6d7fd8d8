"""Every notice as its customer reads it: compared with `tests/golden/notices`, counted, and read as the sandbox's books do.

`RECONCILE_WRITE_GOLDEN=1` writes the golden files anew; what changed is then for a person to read.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reconcile.config import Flow
from reconcile.notices import catalogue, gsm
from reconcile.notices.event import KINDS
from reconcile.notices.facts import Facts
from reconcile.notices.writing import language_for, write_mail, write_sms
from reconcile.sandbox.claim import Claim, read_notice

GOLDEN = Path(__file__).parents[2] / "golden" / "notices"
WRITE = os.environ.get("RECONCILE_WRITE_GOLDEN") == "1"
LANGUAGES = sorted(catalogue.load())
NOW = datetime(2024, 7, 9, 14, 50, tzinfo=UTC)
FLOW = Flow(name="topup", asset="XOF", since=NOW, zone="Africa/Abidjan", brand="Max it")
OPEN = ("detected", "delayed")

OWN = Facts(
    number="K7M2-QX4D", amount_minor=1050, asset="XOF", confirmed_at=NOW.replace(hour=13, minute=47),
    account="+2250707123456", payer="+2250707123456", reference="RC240709.1345.A00011",
)  # fmt: skip
NEWS_AT = NOW.replace(hour=15, minute=30)


def variants(kind):
    """The situations in which an event of that kind is told, by name."""
    dated = replace(OWN, credited_at=NOW.replace(minute=48)) if kind not in OPEN else OWN
    found = {"for oneself": dated}
    if kind in OPEN:
        found["with a time for the next news"] = replace(dated, next_news_at=NEWS_AT)
    found["for somebody else"] = replace(dated, payer="+2250707000011", next_news_at=NEWS_AT if kind in OPEN else None)
    if kind == "self_settled":
        found["when it came is not known"] = OWN
    found["bought yesterday, without a reference"] = replace(
        dated, reference=None, confirmed_at=OWN.confirmed_at - timedelta(days=1)
    )
    return found


def agrees(name, text):
    path = GOLDEN / name
    if WRITE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"read what changed, then write {path.name} anew"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_sms_reads_as_the_golden_one(kind, language):
    blocks = []
    for situation, facts in variants(kind).items():
        sms = write_sms(kind, facts, flow=FLOW, language=language, now=NOW)
        size = gsm.size(sms.text)
        blocks.append(f"# {situation}: {size.parts} SMS, {size.units} of {size.alphabet}\n{sms.text}\n")
    agrees(f"{kind}.{language}.sms.txt", "\n".join(blocks))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_reads_as_the_golden_one(kind, language):
    blocks = []
    for situation, facts in variants(kind).items():
        mail = write_mail(kind, facts, flow=FLOW, language=language, now=NOW)
        blocks.append(f"# {situation}\nSubject: {mail.subject}\n\n{mail.plain}")
    agrees(f"{kind}.{language}.email.txt", "\n\n".join(blocks))


def test_the_page_of_a_mail_is_the_golden_one():
    mail = write_mail("detected", variants("detected")["for somebody else"], flow=FLOW, language="fr", now=NOW)
    agrees("detected.fr.email.html", mail.html)


class Visible(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.words = []
        self.feed(page)

    def handle_data(self, data):
        self.words += data.split()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_a_mail_says_what_its_plain_text_says_and_loads_nothing(kind, language):
    for facts in variants(kind).values():
        mail = write_mail(kind, facts, flow=FLOW, language=language, now=NOW)
        colon = catalogue.load()[language].mail.colon
        assert Visible(mail.html).words == mail.plain.replace(colon, " ").split()
        assert "src=" not in mail.html
        assert "href=" not in mail.html


def longest(language):
    """Slots as long as they get: a brand as long as the configuration allows, days beside all times, eight digits."""
    flow = FLOW.model_copy(update={"brand": "M" * 20, "noun": {language: "n" * 20}})
    facts = replace(
        OWN, amount_minor=99_999_999, payer="+2250707000011", reference="R" * 32,
        confirmed_at=NOW - timedelta(days=1), credited_at=NOW - timedelta(days=1), next_news_at=NOW + timedelta(days=1),
    )  # fmt: skip
    return flow, facts


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_sms_takes_as_many_parts_as_its_template_declares_with_the_longest_slots_and_no_more(kind, language):
    flow, facts = longest(language)
    sms = write_sms(kind, facts, flow=flow, language=language, now=NOW)
    assert gsm.size(sms.text).alphabet == "gsm"
    assert sms.parts == catalogue.load()[language].template(kind).sms_parts


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_everyday_sms_is_one_part_in_the_gsm_alphabet(kind, language):
    for facts in variants(kind).values():
        sms = write_sms(kind, replace(facts, amount_minor=100_000), flow=FLOW, language=language, now=NOW)
        assert gsm.size(sms.text).alphabet == "gsm"
        assert sms.parts == 1


CLAIMS = {
    "detected": Claim.NOT_ARRIVED,
    "delayed": Claim.STILL_NOT_ARRIVED,
    "credited": Claim.CREDITED,
    "self_settled": Claim.ARRIVED,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_customer_reads_one_claim_with_its_reference_its_amount_and_its_times(kind, language):
    for facts in variants(kind).values():
        sms = write_sms(kind, facts, flow=FLOW, language=language, now=NOW)
        mail = write_mail(kind, facts, flow=FLOW, language=language, now=NOW)
        for text in (sms.text, f"{mail.subject}\n\n{mail.plain}"):
            reading = read_notice(text)
            assert reading.claims == {CLAIMS[kind]}
            assert reading.references == ({facts.reference} if facts.reference else set())
            assert reading.amounts_minor == {1050}
            assert reading.promised_by == ("15:30" if facts.next_news_at else None)
            if kind == "credited":
                assert reading.named_at == "14:48"
            assert facts.number in text
            assert "0707123456" not in text


def test_a_promise_that_is_past_is_not_made_any_more():
    facts = replace(OWN, next_news_at=NOW)
    assert read_notice(write_sms("detected", facts, flow=FLOW, language="fr", now=NOW).text).promised_by is None
    assert read_notice(write_mail("detected", facts, flow=FLOW, language="fr", now=NOW).plain).promised_by is None


def test_a_brand_that_the_alphabet_lacks_does_not_make_the_sms_longer():
    flow = FLOW.model_copy(update={"brand": "Côté Forêt"})
    sms = write_sms("credited", variants("credited")["for oneself"], flow=flow, language="fr", now=NOW)
    assert sms.text.startswith("Coté Foret: vos")
    assert sms.parts == 1


def test_what_a_purchase_is_called_is_left_out_where_the_flow_has_no_word_for_it():
    flow = FLOW.model_copy(update={"noun": {"fr": "d'unités"}})
    assert "your 1,050 FCFA bought" in write_sms("detected", OWN, flow=flow, language="en", now=NOW).text


def test_names_from_outside_are_escaped_in_the_page_and_cannot_be_slots():
    facts = replace(OWN, reference="<b>{brand}</b>")
    mail = write_mail("detected", facts, flow=FLOW, language="fr", now=NOW)
    assert "&lt;b&gt;{brand}&lt;/b&gt;" in mail.html
    assert "<b>{brand}</b>" in mail.plain


@pytest.mark.parametrize(("wanted", "told"), [("en", "en"), ("fr", "fr"), ("sw", "fr"), (None, "fr")])
def test_a_customer_is_told_in_their_language_where_there_is_a_catalogue_else_in_that_of_the_flow(wanted, told):
    assert language_for(wanted, FLOW) == told
