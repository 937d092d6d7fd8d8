import pytest

from reconcile.domain.ids import notice_id

from .conftest import NOW, PAYER


def test_an_event_that_is_planned_stays_as_it_is_also_when_the_customer_changes_their_mind(town):
    case_id = town.case()
    assert town.plan(case_id) == 1
    town.knows(PAYER, channel="email", email="awa@example.ci", language="en")
    assert town.plan(case_id) == 0
    (notice,) = town.notices()
    assert (notice.channel, notice.language, notice.status) == ("sms", "fr", "planned")
    assert notice.notice_id == notice_id(case_id, "detected", "sms")


def test_the_same_event_twice_in_one_call_is_one_notice(town):
    case_id = town.case()
    assert town.plan(case_id, case_id) == 1


def test_a_second_delay_is_another_event(town):
    case_id = town.case()
    assert town.plan(case_id, event="delayed:1") == 1
    assert town.plan(case_id, event="delayed:2") == 1


def test_an_address_that_no_mail_server_takes_is_not_used(town):
    town.knows(PAYER, channel="email", email="awa@example.ci\r\nBcc: all@example.ci")
    town.plan(town.case())
    assert [(notice.channel, notice.recipient) for notice in town.notices()] == [("sms", PAYER)]


def test_the_facts_are_kept_with_the_notice(town):
    town.plan(town.case(account="+2250707000099"), next_news_at=NOW)
    (notice,) = town.notices()
    assert notice.facts == {
        "number": notice.facts["number"],
        "amount_minor": 1050,
        "asset": "XOF",
        "confirmed_at": "2024-07-09T13:47:00+00:00",
        "account": "+2250707000099",
        "payer": PAYER,
        "reference": "RC240709.1347.A00001",
        "next_news_at": "2024-07-09T14:50:00+00:00",
    }


def test_no_events_are_no_notices(town):
    assert town.plan() == 0


def test_credited_without_its_time_is_a_bug_and_no_notice(town):
    with pytest.raises(KeyError, match=r"credited of case .* lacks its credited_at"):
        town.plan(town.case(), event="credited")
    assert town.notices() == []
