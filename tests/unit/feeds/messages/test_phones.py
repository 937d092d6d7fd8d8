import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconcile.feeds.messages.phones import international


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("0707123456", "CI", "+2250707123456"),
        ("2250707123456", "CI", "+2250707123456"),
        ("0712345678", "KE", "+254712345678"),
        ("+254712345678", None, "+254712345678"),
        ("14012565081000", "BF", "14012565081000"),
        ("019XXXXXXXX", "BD", "019XXXXXXXX"),
        ("0707123456", None, "0707123456"),
    ],
)
def test_a_number_is_international_where_it_is_a_phone_number(number: str, country: str | None, expected: str) -> None:
    assert international(number, country) == expected


@example("002200", "BF")
@example("002100", "BF")
@example("0241234567", "GH")
@example("233241234567", "GH")
@example("2330241234567", "GH")
@given(
    st.from_regex(r"\A(225|226|00225|254|256|233|234|260|0)?[0-9]{6,12}\Z"),
    st.sampled_from(["CI", "BF", "SN", "CM", "BJ", "KE", "UG", "GH", "NG", "TZ", "ZM", "CD", "MG", "MA", "FR", "US"]),
)
@settings(max_examples=500, deadline=None)
def test_the_quick_way_says_what_the_library_says(number: str, country: str) -> None:
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        expected = number
    else:
        valid = phonenumbers.is_valid_number(parsed)
        expected = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if valid else number

    assert international(number, country) == expected
