"""A stranger decides what stands in a message: whatever it is, it is read or left alone, and quickly."""

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.feeds.messages import Catalogue, Message
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

# The promise is 50 ms for any input on an idle machine; tests share theirs with others.
LONGEST_SECONDS = 0.25


@given(st.text(max_size=2000), COUNTRIES)
@settings(max_examples=300)
def test_any_text_has_a_reading(text: str, country: str | None) -> None:
    assert CATALOGUE.read(Message("1", text, country=country)).status in STATUSES


@given(st.lists(FRAGMENTS, max_size=20).map(" ".join), COUNTRIES)
@settings(max_examples=300)
def test_any_mixture_of_what_messages_are_made_of_has_a_reading(text: str, country: str | None) -> None:
    reading = CATALOGUE.read(Message("1", text, country=country))

    assert reading.status in STATUSES
    assert (reading.amount is None) or (reading.currency is not None)
    assert (reading.status == "ambiguous") == bool(reading.alternatives)


@given(st.sampled_from(EXAMPLES), st.randoms(use_true_random=False))
@settings(max_examples=300)
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


def test_the_longest_texts_take_no_longer_than_promised() -> None:
    for length in (MAX_TEXT_CHARACTERS, MAX_MARKUP_CHARACTERS):
        for piece in REPEATED:
            text = (piece * length)[:length]
            before = time.thread_time()
            CATALOGUE.read(Message("1", text, country="CI"))

            assert time.thread_time() - before < LONGEST_SECONDS, piece
