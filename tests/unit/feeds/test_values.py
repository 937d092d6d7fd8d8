from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from reconcile.domain.money import asset
from reconcile.feeds.values import (
    Unreadable,
    read_account,
    read_amount,
    read_asset,
    read_flag,
    read_key,
    read_minor,
    read_moment,
)

ABIDJAN, PARIS, MONTREAL = ZoneInfo("Africa/Abidjan"), ZoneInfo("Europe/Paris"), ZoneInfo("America/Montreal")


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("1050", ".", "1050"),
        ("-1050", ".", "-1050"),
        ("+12.50", ".", "12.50"),
        ("12,50", ",", "12.50"),
        ("0", ".", "0"),
    ],
)
def test_an_amount_is_read_as_it_is_written(text, mark, amount):
    assert read_amount(text, mark) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 050",
        "1,050",
        "1.050.000",
        "1O5O",
        "1e3",
        "1_050",
        "NaN",
        "inf",
        "--5",
        "5-",
        "0x10",
        ".5",
        "5.",
        "\u0661",
        "12,5",
    ],
)
def test_what_has_another_reading_or_none_is_no_amount(text):
    with pytest.raises(Unreadable, match="is not an amount"):
        read_amount(text, ".")


def test_an_amount_must_fit_its_asset_exactly():
    assert read_minor(Decimal("12.50"), asset("CAD")) == 1250
    with pytest.raises(Unreadable, match="more decimals than XOF"):
        read_minor(Decimal("12.50"), asset("XOF"))


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2024-07-09 13:45:10", ABIDJAN, datetime(2024, 7, 9, 13, 45, 10, tzinfo=UTC)),
        ("2024-07-09T13:45:10.250", PARIS, datetime(2024, 7, 9, 11, 45, 10, 250_000, tzinfo=UTC)),
        ("2024-07-09T13:45:10Z", PARIS, datetime(2024, 7, 9, 13, 45, 10, tzinfo=UTC)),
        ("2024-07-09T13:45:10-04:00", PARIS, datetime(2024, 7, 9, 17, 45, 10, tzinfo=UTC)),
        ("2024-10-27 01:59:59", PARIS, datetime(2024, 10, 26, 23, 59, 59, tzinfo=UTC)),
        ("2024-10-27 03:00:00", PARIS, datetime(2024, 10, 27, 2, tzinfo=UTC)),
        ("2024-02-29 00:00:00", MONTREAL, datetime(2024, 2, 29, 5, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_the_zone_of_its_feed(text, zone, instant):
    assert read_moment(text, zone) == instant


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("2024-10-27 02:30:00", PARIS, "clocks in Europe/Paris showed twice"),
        ("2024-03-31 02:30:00", PARIS, "clocks in Europe/Paris showed never"),
        ("2024-11-03 01:15:00", MONTREAL, "showed twice"),
        ("2023-02-29 00:00:00", PARIS, "is not a time"),
        ("09/07/2024 13:45", PARIS, "is not a time"),
        ("0001-01-01T00:00:00+14:00", PARIS, "no time of this calendar"),
    ],
)
def test_a_local_time_that_was_shown_twice_or_never_is_refused(text, zone, said):
    with pytest.raises(Unreadable, match=said):
        read_moment(text, zone)


def test_another_way_to_write_times_can_be_configured():
    assert read_moment("09/07/2024 13:45", PARIS, ["%d/%m/%Y %H:%M"]) == datetime(2024, 7, 9, 11, 45, tzinfo=UTC)
    with pytest.raises(Unreadable, match="of the form %d/%m/%Y"):
        read_moment("2024-07-09", PARIS, ["%d/%m/%Y"])


@pytest.mark.parametrize("text", ["0707123456", "07 07 12 34 56", "+225 07 07 12 34 56", "00225 0707123456"])
def test_an_account_has_one_form(text):
    assert read_account(text, "CI") == "+2250707123456"


@pytest.mark.parametrize("text", ["0707", "07071234567890123", "inconnu", "XXXX3456"])
def test_what_is_no_number_is_not_repeated_in_the_message(text):
    with pytest.raises(Unreadable) as error:
        read_account(text, "CI")
    assert text not in str(error.value)


def test_an_asset_is_read_in_any_case():
    assert read_asset("xof") == asset("XOF")
    with pytest.raises(Unreadable, match="'FCFA' is not an asset"):
        read_asset("FCFA")


@pytest.mark.parametrize(("text", "flag"), [("true", True), ("OUI", True), ("1", True), ("non", False), ("No", False)])
def test_a_flag_is_a_yes_or_a_no(text, flag):
    assert read_flag(text) is flag


def test_anything_else_is_no_flag():
    with pytest.raises(Unreadable, match="neither yes nor no"):
        read_flag("maybe")


@pytest.mark.parametrize("text", ["E\x1f1", "E\x07", "E" * 201, "E\u2028"])
def test_a_key_is_printable_and_not_endless(text):
    with pytest.raises(Unreadable):
        read_key(text)


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "amount"),
    [
        ("1 050", ".", " ", "1050"),
        ("1\u00a0050,50", ",", " ", "1050.50"),
        ("1\u202f234\u202f567", ".", " ", "1234567"),
        ("-1,050.25", ".", ",", "-1050.25"),
        ("1.050", ",", ".", "1050"),
        ("1'050.00", ".", "'", "1050"),
        ("1050", ",", ".", "1050"),
    ],
)
def test_an_amount_may_have_its_digits_in_groups_of_three(text, decimal, thousands, amount):
    assert read_amount(text, decimal, thousands) == Decimal(amount)


@pytest.mark.parametrize("text", ["10,50", "1,05", "1,0500", ",105", "1,050,5", "1050,000", "1.050.000"])
def test_digits_in_other_groups_are_no_amount(text):
    with pytest.raises(Unreadable, match="is not an amount"):
        read_amount(text, ".", ",")


def test_one_of_several_forms_of_a_time_must_fit_and_no_two_may_disagree():
    forms = ["%d/%m/%Y", "%Y-%m-%d"]
    assert read_moment("09/07/2024", ABIDJAN, forms) == read_moment("2024-07-09", ABIDJAN, forms)
    with pytest.raises(Unreadable, match="is another time by each of the forms %d/%m/%Y or %m/%d/%Y"):
        read_moment("09/07/2024", ABIDJAN, ["%d/%m/%Y", "%m/%d/%Y"])
    assert read_moment("25/07/2024", ABIDJAN, ["%d/%m/%Y", "%m/%d/%Y"]) == datetime(2024, 7, 25, tzinfo=UTC)


def test_a_time_may_be_counted_since_1970():
    assert read_moment("1720526400", PARIS, ["epoch"]) == datetime(2024, 7, 9, 12, tzinfo=UTC)
    assert read_moment("1720526400123", PARIS, ["epoch_ms"]) == datetime(2024, 7, 9, 12, 0, 0, 123000, tzinfo=UTC)
    for text in ("-1", "1.5", "", "9" * 30):
        with pytest.raises(Unreadable, match="is not a time of the form epoch"):
            read_moment(text, PARIS, ["epoch"])


def test_a_rule_says_which_of_two_instants_a_time_is_that_clocks_showed_twice():
    text = "2024-10-27T02:30:00"
    assert read_moment(text, PARIS, ambiguity="earlier") == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert read_moment(text, PARIS, ambiguity="later") == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)
    with pytest.raises(Unreadable, match="showed never"):
        read_moment("2024-03-31T02:30:00", PARIS, ambiguity="earlier")
