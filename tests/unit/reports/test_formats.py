"""Figures as each language writes them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from reconcile.reports.formats import Formats

FR, EN = Formats("fr", "Africa/Abidjan"), Formats("en", "Africa/Abidjan")
N, NN = "\u00a0", "\u202f"
MOMENT = datetime(2024, 7, 9, 13, 45, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minor", "code", "french", "english"),
    [
        (1050, "XOF", f"1{NN}050{N}FCFA", f"1,050{N}FCFA"),
        (-1050, "XAF", f"\u22121{NN}050{N}FCFA", f"\u22121,050{N}FCFA"),
        (1250, "CAD", f"12,50{N}$CA", "CA$12.50"),
        (1024, "MB", f"1{NN}024{N}Mo", f"1,024{N}MB"),
        (None, "XOF", "\u2013", "\u2013"),
        (7, None, "7", "7"),
    ],
)
def test_money(minor, code, french, english):
    assert (FR.money(minor, code), EN.money(minor, code)) == (french, english)


def test_instants_are_in_the_zone_of_the_flow():
    assert FR.moment(MOMENT) == "9 juil. 2024, 13:45"
    assert FR.spoken_clock(MOMENT) == f"13{N}h{N}45"
    assert EN.spoken_clock(MOMENT) == "13:45"
    assert Formats("en", "America/Toronto").second(MOMENT) == "09:45:07"
    assert FR.day(date(2024, 7, 9)) == "mardi 9 juillet 2024"


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (0, f"0{N}s"),
        (59.4, f"59{N}s"),
        (60, f"1{N}min"),
        (timedelta(minutes=65), f"1{N}h{N}05"),
        (timedelta(days=3, hours=4), f"3{N}j{N}4{N}h"),
        (None, "\u2013"),
    ],
)
def test_lengths_of_time(length, shown):
    assert FR.length(length) == shown


def test_shares():
    assert FR.share(0.0123) == f"1,2{N}%"
    assert EN.share(None) == "\u2013"
