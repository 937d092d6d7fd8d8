"""Phone numbers for those who may see them, and for those who may not."""

import pytest

from reconcile.desk.numbers import Numbers

SHOWN = Numbers("CI", shown=True)
MASKED = Numbers("CI", shown=False)


def test_a_number_of_the_country_is_written_as_people_write_it():
    assert SHOWN("+2250707123456") == "07 07 12 3456"
    assert SHOWN("+33612345678") == "+33 6 12 34 56 78"


def test_an_account_that_is_no_phone_number_stays_as_it_is():
    assert SHOWN("player-77") == "player-77"
    assert SHOWN(None) == "\u2013"


def test_without_the_permission_only_the_end_is_readable():
    assert MASKED("+2250707123456") == "••••56"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("d'unites pour le 0707123456. Frais: 0 FCFA.", "d'unites pour le ••••56. Frais: 0 FCFA."),
        ("pour le 07 07 12 34 56 merci", "pour le ••••56 merci"),
        ("pour le +225 0707123456", "pour le ••••56"),
        ("ID Trans: RC240709.1345.A00011.", "ID Trans: RC240709.1345.A00011."),
        ("Nouveau solde: 12340 FCFA, 12 340,00 FCFA", "Nouveau solde: 12340 FCFA, 12 340,00 FCFA"),
    ],
)
def test_numbers_inside_a_message_are_masked_and_references_are_not(text, shown):
    assert MASKED.text(text) == shown
    assert SHOWN.text(text) == text
