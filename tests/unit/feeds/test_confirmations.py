from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconcile.config import ConfigurationError
from reconcile.domain.ids import NAMESPACE, case_number, confirmation_id
from reconcile.feeds.confirmations import Confirmations
from reconcile.feeds.messages import Catalogue, Reading
from reconcile.feeds.side import side_of

from .conftest import row

TEXT = "Achat d'unites reussi. Montant: 1 050 FCFA. Beneficiaire: 0707123456. Solde: 12 340,00 FCFA. Ref: RC240709.1345.A00011"
CELLS = {
    "message_id": "M1",
    "sender": "MaxIt",
    "recipient": "0505111111",
    "text": TEXT,
    "sent_at": "2024-07-09T13:45:10Z",
}
CATALOGUE = Catalogue.load()


class Said:
    """A catalogue that reads one thing in every message."""

    def __init__(self, reading):
        self.reading = reading

    def read_batch(self, messages):
        return [self.reading for _ in messages]


@pytest.fixture
def read(configured):
    def read(feed=None, *, catalogue=CATALOGUE, own_sender=None, **cells):
        configuration = configured(side="confirmation", **{"provider": "maxit", **(feed or {})})
        side = Confirmations(configuration.feeds[0], configuration.flows[0], catalogue, own_sender)
        (draft,) = side.read([row(**{**CELLS, **cells})])
        return draft

    return read


def test_a_message_is_read_in_the_forms_in_which_everything_is_compared(read):
    assert read().found == {
        "id": confirmation_id("topup", "maxit|RC240709.1345.A00011").hex,
        "row_key": "M1",
        "reading": "parsed",
        "reference": "RC240709.1345.A00011",
        "account": "+2250707123456",
        "payer": "+2250505111111",
        "asset": "XOF",
        "amount_minor": 1050,
        "balance_minor": None,
        "product": "airtime",
        "outcome": "success",
        "confidence": "high",
        "confirmed_at": datetime(2024, 7, 9, 13, 45, 10, tzinfo=UTC),
    }


def parsed(**fields):
    given = {"kind": "airtime", "outcome": "success", "amount": Decimal(500), "currency": "XOF", "confidence": "high"}
    return Reading("parsed", **{**given, **fields})


def test_a_message_without_a_reference_is_known_by_its_own_id(read):
    draft = read(catalogue=Said(parsed()))
    assert draft.found["id"] == confirmation_id("topup", "message|M1").hex


def test_a_message_that_names_no_account_is_about_the_payers_own(read):
    assert read(catalogue=Said(parsed())).found["account"] == "+2250505111111"


def test_references_of_feeds_with_one_provider_are_the_same_and_others_are_not(read):
    assert read().found["id"] == read({"name": "b"}).found["id"] != read({"provider": "loto"}).found["id"]


@pytest.mark.parametrize(
    ("reading", "in_scope"),
    [
        (parsed(), True),
        (parsed(kind="bundle"), True),
        (parsed(outcome="reversed", reference="RC1"), True),
        (parsed(outcome="reversed", kind="reversal", reference="RC1"), True),
        (parsed(outcome="pending"), False),
        (parsed(outcome="failed"), False),
        (parsed(kind="transfer"), False),
        (parsed(kind="balance_inquiry"), False),
        (parsed(kind="transfer", confidence="low"), True),
        (parsed(kind=None, confidence="low"), True),
        (parsed(outcome="failed", confidence="low"), True),
        (Reading("not_a_transaction"), False),
        (Reading("unparsed"), True),
        (Reading("ambiguous", alternatives=(parsed(), parsed(amount=None))), True),
    ],
)
def test_in_scope_is_what_tells_of_a_purchase_or_cannot_be_told(read, reading, in_scope):
    assert read(catalogue=Said(reading)).out_of_scope == (not in_scope)


@pytest.mark.parametrize("doubt", [{"kind": "transfer"}, {"kind": None}, {"outcome": "pending"}, {"outcome": "failed"}])
def test_a_reading_of_low_confidence_drops_no_message(read, doubt):
    draft = read(catalogue=Said(parsed(confidence="low", **doubt)))

    assert not draft.out_of_scope
    assert (draft.found["reading"], draft.found["account"], draft.found["id"]) == ("uncertain", "+2250505111111", None)
    assert read(catalogue=Said(parsed(confidence="low"))).found["reading"] == "parsed"


BALANCE = {"running_balance": Decimal(2500)}


@pytest.mark.parametrize(
    ("said", "balance"),
    [
        (BALANCE, 2500),
        ({"balance": Decimal(2500)}, None),  # whose, or of what, the text does not say
        ({**BALANCE, "account": "0505111111"}, 2500),
        ({**BALANCE, "account": "0707123456"}, None),  # it reached another than the credited one
        ({**BALANCE, "confidence": "low"}, None),
        ({**BALANCE, "outcome": "reversed"}, None),
        ({"running_balance": Decimal("2500.5")}, None),
    ],
)
def test_a_balance_is_taken_only_where_it_is_surely_that_of_the_credited_account(read, said, balance):
    draft = read(catalogue=Said(parsed(**said)))
    assert (draft.found["balance_minor"], draft.problems) == (balance, {})


def test_which_kinds_are_purchases_can_be_configured(read):
    feed = {"kinds": {"purchase": ["deposit"]}}
    assert not read(feed, catalogue=Said(parsed(kind="deposit"))).out_of_scope
    assert read(feed, catalogue=Said(parsed())).out_of_scope


@pytest.mark.parametrize(
    ("sender", "in_scope"), [("MaxIt", True), ("maxit", True), ("BanqueSud", False), (None, False)]
)
def test_other_senders_are_out_of_scope_and_nothing_of_theirs_is_read(read, sender, in_scope):
    draft = read({"senders": ["MaxIt"]}, sender=sender)
    assert draft.out_of_scope == (not in_scope)
    if not in_scope:
        assert set(draft.found.values()) == {None}


@pytest.mark.parametrize("senders", [[], ["MaxIt"]])
def test_our_own_notices_are_out_of_scope(read, senders):
    number = case_number(NAMESPACE, b"a secret")
    notice = f"Vos 1050 FCFA d'unites sont arrives. Dossier {number}."
    assert read({"senders": senders}, own_sender="MaxIt", text=notice).out_of_scope


def test_the_operators_messages_under_the_sender_that_we_use_too_stay_in_scope(read):
    assert not read({"senders": ["MaxIt"]}, own_sender="MaxIt").out_of_scope


def test_a_message_that_cannot_be_read_can_be_found_by_whom_it_reached(read):
    draft = read(catalogue=Said(Reading("unparsed")))
    assert (draft.found["reading"], draft.found["account"], draft.found["id"]) == ("unparsed", "+2250505111111", None)


OWN = """
[[template]]
name = "novapay-airtime"
language = "fr"
kind = "airtime"
outcome = "success"
pattern = "Nova {amount} Ref {reference}"
"""
EXAMPLES = '[[template.examples]]\ntext = "Nova 5 F Ref A1"\n' * 2


def test_a_feed_may_bring_templates_of_its_own(configured, tmp_path):
    (tmp_path / "nova.toml").write_text(OWN + EXAMPLES)
    configuration = configured(side="confirmation", templates=[str(tmp_path / "nova.toml")])

    (draft,) = side_of(configuration, configuration.feeds[0]).read(
        [row(**{**CELLS, "text": "Nova 1 050 F Ref NP00042A"})]
    )

    assert (draft.found["confidence"], draft.found["amount_minor"]) == ("high", 1050)


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "nova.toml: .*No such file"), (OWN, "nova.toml: .*examples")]
)
def test_a_template_that_cannot_be_used_is_an_error_of_the_configuration(configured, tmp_path, content, complaint):
    if content:
        (tmp_path / "nova.toml").write_text(content)
    configuration = configured(side="confirmation", templates=[str(tmp_path / "nova.toml")])

    with pytest.raises(ConfigurationError, match=f"(?s)feed.templates: {complaint}"):
        side_of(configuration, configuration.feeds[0])
