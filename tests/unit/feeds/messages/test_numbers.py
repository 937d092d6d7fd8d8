from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.feeds.messages.numbers import DecimalMark, numeral


@pytest.mark.parametrize(
    ("written", "exponent", "mark", "expected"),
    [
        ("1050", 0, None, "1050"),
        ("1,500", 2, None, "1500"),
        ("1 500", 0, None, "1500"),
        ("1.500", 0, None, "1500"),
        ("1,500.00", 2, None, "1500.00"),
        ("1 500,00", 0, None, "1500.00"),
        ("1.500,00", 2, None, "1500.00"),
        ("1 500 000", 0, None, "1500000"),
        ("1,00,000.50", 2, None, "100000.50"),
        ("1'250.75", 2, None, "1250.75"),
        ("36826.8", 0, None, "36826.8"),
        ("12,5", 2, None, "12.5"),
        ("541.3000", 2, None, "541.3000"),
        ("1420.104", 2, None, "1420.104"),
        ("0.500", 2, None, "0.500"),
        ("50.000", 3, None, "50.000"),
        ("420.104", 2, ".", "420.104"),
        ("1.500", 2, ",", "1500"),
        (".93", 2, None, "0.93"),
    ],
)
def test_a_numeral_with_one_reading_is_that_number(
    written: str, exponent: int, mark: DecimalMark | None, expected: str
) -> None:
    assert numeral(written, exponent, mark) == Decimal(expected)


@pytest.mark.parametrize(
    ("written", "exponent"),
    [
        ("420.104", 2),  # dollars: four hundred and twenty, or four hundred and twenty thousand
        ("1,500", 3),  # dinars, whose thousandths are written
        ("01 15293743", 0),
        ("12 34", 0),
        ("1,50,00", 2),
        ("1.234.56", 2),
        ("1,234,56", 2),
        ("1.5.", 2),
        ("12345678901234", 0),  # a meter token, not money
        ("", 0),
        ("a1", 0),
        ("1-2", 0),
    ],
)
def test_a_numeral_with_two_readings_or_none_is_not_read(written: str, exponent: int) -> None:
    assert numeral(written, exponent) is None


@given(st.integers(0, 10**9), st.sampled_from([" ", ",", "'"]))
def test_grouped_thousands_are_read_back(amount: int, separator: str) -> None:
    assert numeral(f"{amount:,}".replace(",", separator), 0) == amount


@given(st.text("0123456789.,' ", max_size=20), st.sampled_from([0, 2, 3, None]), st.sampled_from([".", ",", None]))
def test_what_is_read_has_the_digits_that_were_written(
    written: str, exponent: int | None, mark: DecimalMark | None
) -> None:
    read = numeral(written, exponent, mark)

    if read is not None:
        digits = "".join(character for character in written if character.isdecimal())
        assert format(read, "f").replace(".", "").lstrip("0") == digits.lstrip("0")
