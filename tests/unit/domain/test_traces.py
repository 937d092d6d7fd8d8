"""One number in all the ways in which people and machines write it, and nothing else."""

import pytest

from reconcile.domain.traces import Traces


@pytest.mark.parametrize(
    "text",
    [
        "+2250707123456", "2250707123456", "002250707123456", "0707123456", "07 07 12 34 56", "07.07.12.34.56",
        "(+225) 07-07-12-34-56", "le 0707123456.", '"msisdn":2250707123456,', "+225\xa007\xa007\xa012\xa034\xa056",
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(text):
    assert Traces("+2250707123456").in_text(text)


@pytest.mark.parametrize("text", ["0707123457", "10707123456", "07071234561", "+2250707 12 34", "RC240709", ""])
def test_another_number_or_a_longer_one_is_not(text):
    assert not Traces("+2250707123456").in_text(text)


def test_a_number_without_a_leading_zero_is_found_with_one():
    assert Traces("+33612345678").in_text("appelez le 06 12 34 56 78")
