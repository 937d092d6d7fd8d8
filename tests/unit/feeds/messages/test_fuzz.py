"""A stranger decides what stands in a message: whatever it is, it is read or left alone, and quickly."""

import io
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from reconcile.feeds.messages import Catalogue, Message
from reconcile.feeds.messages.lines import parse_stream
from reconcile.feeds.messages.markup import MAX_MARKUP_CHARACTERS
from reconcile.feeds.messages.text import MAX_TEXT_CHARACTERS
from reconcile.feeds.messages.vocabulary import vocabulary

CATALOGUE = Catalogue.load()
STATUSES = {"parsed", "ambiguous", "unparsed", "not_a_transaction"}
COUNTRIES = st.sampled_from([None, "CI", "CM", "KE", "GH", "XX", "", "ci"])
EXAMPLES = [example.text for template in CATALOGUE.templates for example in template.row.examples]
FRAGMENTS = st.sampled_from(
    [
        *vocabulary().phrases,
        *EXAMPLES,
        "1 050 FCFA",
        "Ksh1,000.00",
        "RC240709.1345.A00011",
        ". ",
        ": ",
        "\n",
        "0707123456",
    ]
)


@given(st.text(max_size=2000), COUNTRIES)
@settings(max_examples=300, deadline=None)
def test_any_text_has_a_reading(text: str, country: str | None) -> None:
    assert CATALOGUE.read(Message("1", text, country=country)).status in STATUSES


@given(st.lists(FRAGMENTS, max_size=20).map(" ".join), COUNTRIES)
@settings(max_examples=300, deadline=None)
def test_any_mixture_of_what_messages_are_made_of_has_a_reading(text: str, country: str | None) -> None:
    reading = CATALOGUE.read(Message("1", text, country=country))

    assert reading.status in STATUSES
    assert (reading.amount is None) or (reading.currency is not None)
    assert (reading.status == "ambiguous") == bool(reading.alternatives)


@given(st.sampled_from(EXAMPLES), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_a_mutilated_message_has_a_reading(text: str, chance: random.Random) -> None:
    characters = list(text)
    for _ in range(chance.randrange(1, 12)):
        place = chance.randrange(len(characters))
        characters[place] = chance.choice([*"0123456789.,: \n", "", characters[place] * 2])

    assert CATALOGUE.read(Message("1", "".join(characters), country="CI")).status in STATUSES


REPEATED = [
    "1 ", "9" * 50, "1.", "1,000 ", "a", "frais ", "solde de ", ": ", "FCFA ", "vous avez recu ", "*1", "(", "\n", "é", "مبلغ ",
    "<p></p>", "<!--", "&amp;<br>", "12:30 ", "12/12/24 ", "RC240709.1345.A00011 ", "http://", "Votre paiement de 5 F a ",
]  # fmt: skip


def test_the_longest_texts_have_a_reading() -> None:
    """How long they take is measured by `benchmarks/parser_speed.py`."""
    for length in (MAX_TEXT_CHARACTERS, MAX_MARKUP_CHARACTERS):
        for piece in REPEATED:
            text = (piece * length)[:length]

            assert CATALOGUE.read(Message("1", text, country="CI")).status in STATUSES, piece


@given(st.lists(st.one_of(st.text(max_size=300), st.sampled_from(EXAMPLES)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_each_line_in_makes_one_line_out_in_order(texts: list[str]) -> None:
    lines = [to_json({"id": str(number), "text": text}) + b"\n" for number, text in enumerate(texts)]
    sink = io.StringIO()

    assert parse_stream(io.BytesIO(b"".join(lines)), sink, processes=1, batch_lines=3) == len(texts)
    assert [json.loads(line)["id"] for line in sink.getvalue().splitlines()] == [str(n) for n in range(len(texts))]
