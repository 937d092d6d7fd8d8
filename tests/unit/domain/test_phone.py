import pytest

from reconcile.domain.phone import PhoneError, masked, masked_within, to_e164


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'0707123456' is not an amount", "'••••56' is not an amount"),
        ("'+225 07 07 12 34 56' is not a time", "'••••56' is not a time"),
        ("'2024-07-09 25:00' is not a time", "'2024-07-09 25:00' is not a time"),
        ("RC240709.1145.A00011, 1050", "RC240709.1145.A00011, 1050"),
    ],
)
def test_what_may_be_a_number_is_masked_within_a_text(text, shown):
    assert masked_within(text) == shown
