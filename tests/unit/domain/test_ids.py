from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.domain import ids

SECRET = b"only for this test"


def test_the_same_facts_give_the_same_id_on_any_machine():
    assert ids.confirmation_id("topup", "maxit|RC1") == UUID("341d16a5-1b04-5040-82f2-59d7fc684ae5")
    assert ids.derive("a", "bc") != ids.derive("ab", "c")


@given(st.uuids())
def test_a_case_number_is_recognised_however_it_is_typed(case_id):
    number = ids.case_number(case_id, SECRET)
    assert ids.normalise_case_number(number) == number
    assert ids.normalise_case_number(f" {number.lower().replace('-', ' ')} ") == number


@given(st.uuids(), st.integers(0, 7), st.integers(1, 22))
def test_one_wrong_symbol_is_noticed(case_id, position, shift):
    symbols = list(ids.case_number(case_id, SECRET).replace("-", ""))
    alphabet = "23456789CDFGHJKMPQRTVWX"
    symbols[position] = alphabet[(alphabet.index(symbols[position]) + shift) % len(alphabet)]
    assert ids.normalise_case_number("".join(symbols)) is None


@given(st.uuids(), st.integers(0, 5))
def test_two_neighbours_swapped_are_noticed(case_id, position):
    symbols = list(ids.case_number(case_id, SECRET).replace("-", ""))
    if symbols[position] == symbols[position + 1]:
        return
    symbols[position], symbols[position + 1] = symbols[position + 1], symbols[position]
    assert ids.normalise_case_number("".join(symbols)) is None


@pytest.mark.parametrize("text", ["", "K7M2", "AAAA-AAAA", "K7M2-QX4D9", "0707123456"])
def test_what_is_no_case_number_is_none(text):
    assert ids.normalise_case_number(text) is None


def test_a_number_cannot_be_told_from_the_case_without_the_secret():
    case_id = uuid4()
    assert ids.case_number(case_id, SECRET) != ids.case_number(case_id, b"another")
    assert ids.case_number(case_id, SECRET) != ids.case_number(case_id, SECRET, retry=1)
