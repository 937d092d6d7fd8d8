from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.domain.money import MAX_AMOUNT_MINOR, AmountError, UnknownAssetError, asset, to_decimal, to_minor


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [
        ("1050", "XOF", 1050),
        ("1050.00", "XOF", 1050),
        ("12.5", "CAD", 1250),
        ("-3.10", "CAD", -310),
        ("0.125", "TND", 125),
    ],
)
def test_major_units_become_minor_units_exactly(amount, code, minor):
    assert to_minor(amount, asset(code)) == minor


@pytest.mark.parametrize("amount", ["10.5", "ten", "NaN", "Infinity", "1e30", "", "1_0.5", str(MAX_AMOUNT_MINOR + 1)])
def test_what_does_not_fit_is_refused(amount):
    with pytest.raises(AmountError):
        to_minor(amount, asset("XOF"))


def test_an_asset_is_a_currency_or_a_known_unit():
    assert (asset("XOF").exponent, asset("CAD").exponent, asset("TND").exponent, asset("MB").exponent) == (0, 2, 3, 0)
    with pytest.raises(UnknownAssetError):
        asset("FCFA")


@given(st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR), st.sampled_from(["XOF", "CAD", "TND", "MB"]))
def test_there_and_back_is_the_same(minor, code):
    assert to_minor(to_decimal(minor, asset(code)), asset(code)) == minor


def test_a_decimal_shows_exactly_its_assets_decimals():
    assert str(to_decimal(1250, asset("CAD"))) == "12.50"
    assert to_decimal(1050, asset("XOF")) == Decimal(1050)
