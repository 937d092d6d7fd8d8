import pytest

from reconcile.domain.phone import PhoneError, masked, to_e164


@pytest.mark.parametrize(
    "text", ["0707123456", "07 07 12 34 56", "+225 0707123456", "002250707123456", "2250707123456"]
)
def test_one_number_has_one_form_however_it_is_written(text):
    assert to_e164(text, "CI") == "+2250707123456"


@pytest.mark.parametrize("text", ["", "12", "abc", "07071234567890123", "07XXXXXXXX"])
def test_what_is_no_number_is_refused_without_repeating_it(text):
    with pytest.raises(PhoneError) as caught:
        to_e164(text, "CI")
    assert not text or text not in str(caught.value)


def test_only_the_end_of_a_number_is_shown():
    assert masked("+2250707123456") == "••••56"
