import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from reconcile.notices.facts import Facts

BOUGHT = datetime(2024, 7, 9, 13, 47, tzinfo=UTC)
GIVEN = {
    "number": "K7M2-QX4D",
    "amount_minor": 1050,
    "asset": "XOF",
    "confirmed_at": BOUGHT,
    "account": "+1",
    "payer": None,
}


def test_facts_come_back_from_their_stored_form_as_they_were():
    facts = Facts.read({**GIVEN, "reference": "RC1", "credited_at": BOUGHT + timedelta(hours=1), "next_news_at": None})
    assert Facts.read(json.loads(json.dumps(facts.stored()))) == facts


def test_an_instant_of_another_zone_is_the_same_instant():
    local = BOUGHT.astimezone(timezone(timedelta(hours=2)))
    assert Facts.read({**GIVEN, "confirmed_at": local.isoformat()}).confirmed_at == BOUGHT


def test_a_fact_that_is_missing_is_named():
    with pytest.raises(KeyError, match="lacks its account, asset"):
        Facts.read({name: value for name, value in GIVEN.items() if name not in {"account", "asset"}})


@pytest.mark.parametrize(("payer", "other"), [(None, False), ("+1", False), ("+2", True)])
def test_units_are_for_another_when_another_number_paid(payer, other):
    assert Facts.read({**GIVEN, "payer": payer}).for_other is other
