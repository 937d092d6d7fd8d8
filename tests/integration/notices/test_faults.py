"""Lines that are cut, servers that refuse, senders that are killed: nobody is told the same thing twice (invariant 16)."""

import multiprocessing
import os
import signal
import time

import pytest
import sqlalchemy as sa

from reconcile.config import ConfigurationError
from reconcile.jobs.send_notices import send_notices
from reconcile.notices import sms
from reconcile.notices.outcome import ChannelDownError
from reconcile.notices.recording import TRIES_MAX
from reconcile.store import tables
from reconcile.store.database import Database

from .conftest import PATIENCE_SECONDS, PAYER, Line

THROTTLED, INVALID_DESTINATION, SYSTEM_ERROR, TRY_LATER = 0x58, 0x0B, 0x08, 0x64


def addressed(town, count):
    """Cases of different customers, so that each text has its own recipient."""
    return [town.case(payer=f"+22507080{number:05d}") for number in range(count)]


def test_an_sms_whose_answer_is_lost_with_the_bind_is_uncertain_and_never_sent_again(town, smsc, monkeypatch):
    monkeypatch.setattr(sms, "WINDOW", 1)
    line = Line(smsc.port)
    town.connect(sms=line.port)
    town.plan(*addressed(town, 3))

    def cut_at_the_second(_event, number):
        if number < 2:
            return None
        line.cut()
        return "hold"

    smsc.answer, smsc.receipt = cut_at_the_second, None
    with pytest.raises(ChannelDownError, match="cannot be reached"):  # the line is gone: a second link finds nobody
        town.send()
    assert sorted(status for _, status in town.statuses()) == ["planned", "submitted", "uncertain"]

    town.connect(sms=smsc.port)
    smsc.answer = lambda _event, _number: None
    assert town.send() == {"detected.sms.submitted": 1}
    assert sorted(status for _, status in town.statuses()) == ["submitted", "submitted", "uncertain"]
    assert len({recipient for recipient, _ in smsc.texts}) == len(smsc.submitted) == 2


def test_what_never_left_is_sent_by_the_next_link_of_the_same_run(town, smsc, monkeypatch):
    monkeypatch.setattr(sms, "WINDOW", 2)
    line = Line(smsc.port, then=smsc.port)
    town.connect(sms=line.port)
    town.plan(*addressed(town, 6))

    def cut_at_the_third(_event, number):
        if number != 3:
            return None
        line.cut()
        return "hold"

    smsc.answer = cut_at_the_third
    counts = town.send()
    assert counts["detected.sms.uncertain"] + counts["detected.sms.submitted"] == 6
    assert 1 <= counts["detected.sms.uncertain"] <= 2  # no more than were in the window
    recipients = [recipient for recipient, _ in smsc.texts]
    assert len(recipients) == len(set(recipients))


def test_an_smsc_that_falls_silent_is_given_up(town, smsc, monkeypatch):
    monkeypatch.setattr(sms, "RESPONSE_TIMEOUT_SECONDS", 1.5)
    smsc.receipt = None
    town.connect(sms=smsc.port)
    town.plan(*addressed(town, 2))
    smsc.answer = lambda _event, number: "hold" if number == 1 else None
    started = time.monotonic()
    town.send()
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert sorted(status for _, status in town.statuses()) == ["submitted", "uncertain"]


def test_a_throttling_smsc_gets_everything_more_slowly(town, smsc):
    town.connect(sms=smsc.port)
    town.plan(*addressed(town, 40))
    taken_at = []

    def ten_each_tenth_of_a_second(_event, _number):
        now = time.monotonic()
        if len([moment for moment in taken_at if now - moment < 0.1]) >= 10:
            return THROTTLED
        taken_at.append(now)
        return None

    smsc.answer = ten_each_tenth_of_a_second
    assert town.send()["detected.sms.submitted"] == 40
    recipients = [recipient for recipient, _ in smsc.texts]
    assert len(recipients) == len(set(recipients)) == 40


def test_an_smsc_that_only_throttles_is_left_alone_until_the_next_run(town, smsc, monkeypatch):
    monkeypatch.setattr(sms, "THROTTLED_BUDGET_SECONDS", 0.2)
    town.connect(sms=smsc.port)
    town.plan(*addressed(town, 5))
    smsc.answer = lambda _event, _number: THROTTLED
    assert town.send() == {"detected.sms.planned": 5}
    smsc.answer = lambda _event, _number: None
    assert town.send()["detected.sms.submitted"] == 5


def test_a_number_that_the_smsc_refuses_is_told_by_mail(town, smsc, post_office):
    town.connect(sms=smsc.port, email=post_office.port)
    town.knows(PAYER, email="a@example.ci")
    town.plan(town.case())
    smsc.answer = lambda _event, _number: INVALID_DESTINATION
    assert town.send() == {"detected.sms.failed": 1, "fallback.planned": 1, "detected.email.submitted": 1}
    assert town.notices()[1].reason == "Invalid Destination Address (0x0b)"


def test_a_system_error_proves_nothing_so_the_sms_is_uncertain(town, smsc, post_office):
    town.connect(sms=smsc.port, email=post_office.port)
    town.knows(PAYER, email="a@example.ci")
    town.plan(town.case())
    smsc.answer = lambda _event, _number: SYSTEM_ERROR
    assert town.send() == {"detected.sms.uncertain": 1}
    assert post_office.mails == []


def test_what_is_turned_away_for_the_time_being_is_tried_a_few_times_and_then_has_failed(town, smsc):
    town.connect(sms=smsc.port)
    town.plan(town.case())
    smsc.answer = lambda _event, _number: TRY_LATER
    for _ in range(TRIES_MAX - 1):
        assert town.send() == {"detected.sms.planned": 1}
    assert town.send() == {"detected.sms.failed": 1}
    assert town.send() == {}


@pytest.mark.parametrize("state", ["UNDELIV", "EXPIRED", "REJECTD"])
def test_an_sms_that_could_not_be_delivered_is_followed_by_a_mail(town, smsc, post_office, state):
    town.connect(sms=smsc.port, email=post_office.port)
    town.knows(PAYER, email="a@example.ci")
    town.plan(town.case())
    smsc.receipt = state
    counts = town.send()
    assert counts["detected.sms.failed"] == counts["fallback.planned"] == counts["detected.email.submitted"] == 1
    assert f"could not deliver it: {state}" in next(n.reason for n in town.notices() if n.channel == "sms")


def test_a_receipt_that_comes_later_is_taken_by_a_later_run(town, smsc):
    town.connect(sms=smsc.port)
    town.plan(town.case())
    smsc.receipt = None
    assert town.send() == {"detected.sms.submitted": 1}

    smsc.on_bind = lambda: smsc.owe_receipt("1")
    assert town.send() == {"detected.sms.delivered": 1}
    assert town.notices()[0].delivered_at is not None
    smsc.on_bind = None
    assert town.send() == {}


def test_a_receipt_about_nothing_of_ours_changes_nothing(town, smsc):
    town.connect(sms=smsc.port)
    town.plan(town.case())
    smsc.receipt = None
    town.send()
    smsc.on_bind = lambda: smsc.owe_receipt("999")
    assert town.send() == {}
    assert town.statuses() == [("sms", "submitted")]


def test_a_long_sms_is_delivered_when_all_its_parts_are(town, smsc):
    town.connect(sms=smsc.port)
    town.plan(town.case(reference="X" * 150))
    smsc.receipt = None
    assert town.send() == {"detected.sms.submitted": 1}
    first, second = smsc.submitted = sorted(smsc.submitted, key=lambda event: event.short_message[5])
    assert first.short_message[:4] == second.short_message[:4] == bytes((5, 0, 3, first.short_message[3]))
    assert (first.short_message[4:6], second.short_message[4:6]) == (b"\x02\x01", b"\x02\x02")
    assert "".join(text for _, text in smsc.texts) == town.notices()[0].text

    smsc.on_bind = lambda: smsc.owe_receipt("1")
    assert town.send() == {}
    smsc.on_bind = lambda: smsc.owe_receipt("2")
    assert town.send() == {"detected.sms.delivered": 1}
    assert town.notices()[0].receipts == {"1": "DELIVRD", "2": "DELIVRD"}


def test_a_long_sms_of_which_a_part_was_refused_is_uncertain(town, smsc):
    town.connect(sms=smsc.port)
    town.plan(town.case(reference="X" * 150))
    smsc.answer = lambda _event, number: INVALID_DESTINATION if number == 2 else None
    assert town.send() == {"detected.sms.uncertain": 1}
    assert town.send() == {}
    assert len(smsc.submitted) == 1


def test_a_text_that_no_sms_can_hold_harms_nobody_else(town, smsc):
    town.connect(sms=smsc.port)
    town.plan(town.case(reference="X" * 2000), town.case())
    counts = town.send()
    assert (counts["detected.sms.suppressed"], counts["detected.sms.submitted"]) == (1, 1)


def test_a_sender_that_smpp_cannot_say_is_refused_before_anything_is_claimed(town, smsc):
    town.connect(sms=smsc.port)
    town.settings["sms"]["sender"] = "Côté"
    town.plan(town.case())
    with pytest.raises(ConfigurationError, match=r"sms\.sender"):
        town.send()
    assert town.statuses() == [("sms", "planned")]


def test_a_password_that_smpp_would_cut_is_refused_by_name(town, smsc, monkeypatch):
    monkeypatch.setenv("TEST_SMPP_PASSWORD", "nine-long")
    town.connect(sms=smsc.port)
    town.plan(town.case())
    with pytest.raises(ConfigurationError, match=r"sms\.password: SMPP 3\.4 knows no passwords of more than 8"):
        town.send()
    assert town.statuses() == [("sms", "planned")]


@pytest.fixture
def mailed(town, post_office):
    """The town by mail, with the customers who have an address."""
    town.connect(email=post_office.port)
    for number in range(3):
        town.knows(f"+22507080{number:05d}", channel="email", email=f"c{number}@example.ci")
    return town


def test_a_mail_whose_reply_is_lost_after_data_is_uncertain_and_never_sent_again(mailed, post_office):
    mailed.plan(*addressed(mailed, 3))
    post_office.on_data = lambda number: None if number == 2 else "250 OK"
    assert mailed.send() == {"detected.email.submitted": 2, "detected.email.uncertain": 1, "detected.email.planned": 1}
    assert mailed.send() == {}
    recipients = [mail.rcpt_tos[0] for mail in post_office.mails]
    assert len(recipients) == len(set(recipients)) == 3


def test_a_mail_that_is_refused_for_now_is_tried_again_and_one_refused_for_good_goes_by_sms(mailed, smsc, post_office):
    mailed.connect(sms=smsc.port, email=post_office.port)
    mailed.plan(*addressed(mailed, 3))
    replies = {"c0@example.ci": "450 later", "c1@example.ci": "550 nobody here"}
    post_office.on_recipient = lambda address: replies.get(address, "250 OK")
    assert mailed.send() == {
        "detected.email.submitted": 1,
        "detected.email.planned": 1,
        "detected.email.failed": 1,
        "fallback.planned": 1,
    }
    replies.clear()
    counts = mailed.send()
    assert (counts["detected.sms.submitted"], counts["detected.email.submitted"]) == (1, 1)
    assert smsc.texts[0][0] == "+2250708000001"
    assert [mail.rcpt_tos for mail in post_office.mails] == [["c2@example.ci"], ["c0@example.ci"]]


def test_a_mail_that_is_refused_after_data_is_proven_undelivered(mailed, post_office):
    mailed.plan(*addressed(mailed, 1))
    post_office.on_data = lambda _number: "451 disk full"
    assert mailed.send() == {"detected.email.planned": 1}
    post_office.on_data = lambda _number: "250 OK"
    assert mailed.send() == {"detected.email.submitted": 1}
    assert len(post_office.mails) == 1


def send_from_another_process(world_of, url):
    database = Database(url)
    send_notices(world_of(database))


def test_a_sender_that_is_killed_leaves_uncertain_what_it_was_sending_and_it_is_not_sent_twice(
    town, smsc, database_url, monkeypatch
):
    town.connect(sms=smsc.port)
    town.plan(*addressed(town, 5))
    smsc.answer = lambda _event, number: None if number <= 2 else "hold"
    sender = multiprocessing.get_context("fork").Process(
        target=send_from_another_process, args=(town.world_on, database_url)
    )
    sender.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(smsc.held) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(sender.pid, signal.SIGKILL)
    sender.join(PATIENCE_SECONDS)
    assert {status for _, status in town.statuses()} == {"submitting"}

    smsc.answer = lambda _event, _number: None
    assert town.send() == {"uncertain": 5}
    assert len(smsc.submitted) == 2
    with town.database.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.notices)).scalar_one() == 5
