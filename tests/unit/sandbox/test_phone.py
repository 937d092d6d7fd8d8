import pytest

from reconcile.sandbox.phone import mask, to_e164, to_national


@pytest.mark.parametrize(
    "written", ["+2250707123456", "2250707123456", "002250707123456", "0707123456", "07 07 12 34 56"]
)
def test_every_usual_spelling_is_one_number(written: str):
    assert to_e164(written) == "+2250707123456"


@pytest.mark.parametrize("written", ["", "144", "+33612345678", "MaxIt", "070712345"])
def test_what_is_no_number_of_the_country_is_none(written: str):
    assert to_e164(written) is None


def test_a_number_is_shown_masked():
    assert mask("+2250707123456") == "07 07 ** ** 56"
    assert to_national("+2250707123456") == "0707123456"
