from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from reconcile.notices import catalogue
from reconcile.notices.formats import Formats

NOW = datetime(2024, 7, 9, 14, 50, tzinfo=UTC)


def formats(language="fr", channel="sms", zone="Africa/Abidjan", now=NOW):
    return Formats(catalogue.load()[language], channel, ZoneInfo(zone), now)


@pytest.mark.parametrize(
    ("language", "channel", "amount_minor", "asset", "written"),
    [
        ("fr", "sms", 1050, "XOF", "1 050 FCFA"),
        ("fr", "sms", 1_234_567, "XAF", "1 234 567 FCFA"),
        ("fr", "sms", 1250, "CAD", "12,50 CAD"),
        ("fr", "sms", 1024, "MB", "1 024 Mo"),
        ("en", "sms", 1050, "XOF", "1,050 FCFA"),
        ("en", "sms", 1250, "TND", "1.250 TND"),
        ("fr", "email", 1050, "XOF", "1\u202f050\u00a0F\u202fCFA"),
        ("fr", "email", 1250, "CAD", "12,50\u00a0$CA"),
        ("fr", "email", 3, "TICKET", "3 billets"),
        ("en", "email", 1050, "XOF", "F\u202fCFA\u00a01,050"),
        ("en", "email", 1250, "CAD", "CA$12.50"),
    ],
)
def test_an_amount_is_plain_in_an_sms_and_typeset_in_a_mail(language, channel, amount_minor, asset, written):
    assert formats(language, channel).amount(amount_minor, asset) == written


@pytest.mark.parametrize(
    ("language", "channel", "written", "yesterday"),
    [
        ("fr", "sms", "13h47", "13h47 le 08/07"),
        ("fr", "email", "13h47", "13h47 le 8 juillet 2024"),
        ("en", "sms", "13:47", "13:47 on 08/07"),
        ("en", "email", "13:47", "13:47 on July 8, 2024"),
    ],
)
def test_a_moment_has_its_day_when_that_is_not_today(language, channel, written, yesterday):
    assert formats(language, channel).moment(NOW.replace(hour=13, minute=47)) == written
    assert formats(language, channel).moment(NOW.replace(day=8, hour=13, minute=47)) == yesterday


def test_a_moment_is_told_in_the_zone_of_the_flow():
    assert formats(zone="America/Toronto").moment(NOW.replace(hour=3)) == "23h50 le 08/07"
    assert formats(zone="America/Toronto", now=NOW.replace(hour=2)).moment(NOW.replace(hour=3)) == "23h50"


def test_of_another_number_only_the_end_is_shown():
    assert formats().account("+2250707123456") == "**56"
    assert formats(channel="email").account("+2250707123456") == "••••56"
