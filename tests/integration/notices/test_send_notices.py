"""The whole way of a notice, over a real SMSC and a real mail server: told once, and only what is still true."""

import email
import email.policy
import logging
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from reconcile.notices.outcome import ChannelDownError
from reconcile.store import accounts, tables

from .conftest import NOW, PAYER, free_port

MAILED = "+2250707000022"


@pytest.fixture
def told(town, smsc, post_office):
    """The town with both channels."""
    town.connect(sms=smsc.port, email=post_office.port)
    town.knows(MAILED, channel="email", email="awa@example.ci", language="en")
    return town


def test_each_customer_is_told_once_by_the_channel_they_prefer(told, smsc, post_office):
    by_sms, by_mail = told.case(), told.case(payer=MAILED)
    assert told.plan(by_sms, by_mail, next_news_at=NOW + timedelta(minutes=40)) == 2

    assert told.send() == {"detected.sms.submitted": 1, "detected.sms.delivered": 1, "detected.email.submitted": 1}
    ((recipient, text),) = smsc.texts
    assert recipient == PAYER
    for words in ("pas encore arrivés", "RC240709.1347.A00001", "1 050 FCFA", "Prochaine nouvelle avant 15h30"):
        assert words in text
    (mail,) = post_office.mails
    assert mail.rcpt_tos == ["awa@example.ci"]
    assert sorted(told.statuses()) == [("email", "submitted"), ("sms", "delivered")]

    assert told.plan(by_sms, by_mail) == 0
    assert told.send() == {}
    assert (len(smsc.submitted), len(post_office.mails), post_office.connections) == (1, 1, 1)


def test_what_was_sent_is_what_is_stored(told, smsc, post_office):
    told.plan(told.case(), told.case(payer=MAILED))
    told.send()
    stored = {notice.channel: notice for notice in told.notices()}
    assert stored["sms"].text == smsc.texts[0][1]
    assert stored["sms"].parts == len(stored["sms"].provider_ids) == 1
    mail = email.message_from_bytes(post_office.mails[0].content, policy=email.policy.default)
    plain = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert stored["email"].text == f"{mail['Subject']}\n\n{plain}"
    assert stored["email"].provider_ids == [mail["Message-ID"]]


def test_a_mail_says_that_a_machine_wrote_it_and_keeps_its_id(told, post_office):
    case_id = told.case(payer=MAILED)
    told.plan(case_id)
    told.send()
    mail = email.message_from_bytes(post_office.mails[0].content, policy=email.policy.default)
    assert mail["Message-ID"] == f"<{told.notices()[0].notice_id}@maxit.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "en"
    assert mail["From"] == "Max it <no-reply@maxit.example>"
    html = mail.get_body(("html",)).get_content()
    assert "not arrived yet" in html
    assert "http" not in html


def test_nothing_is_opened_when_there_is_nothing_to_do(town):
    town.connect(sms=free_port(), email=free_port())  # nobody listens there
    assert town.send() == {}


@pytest.mark.parametrize("mode", ["stopped", None])
def test_nobody_is_told_anything_while_the_flow_is_stopped(told, smsc, mode):
    told.plan(told.case())
    with told.database.begin() as connection:
        if mode is None:
            connection.execute(sa.delete(tables.flow_modes))
        else:
            connection.execute(sa.update(tables.flow_modes).values(mode=mode))
    assert told.send() == {"detected.sms.held": 1}
    assert told.statuses() == [("sms", "planned")]
    assert smsc.submitted == []


def test_in_shadow_a_notice_is_dropped_for_good(told, smsc):
    told.plan(told.case())
    with told.database.begin() as connection:
        connection.execute(sa.update(tables.flow_modes).values(mode="shadow"))
    assert told.send() == {"detected.sms.suppressed": 1}
    assert told.notices()[0].reason == "the flow is in shadow"


def test_behind_an_open_breaker_a_notice_waits(told):
    told.plan(told.case())
    with told.database.begin() as connection:
        connection.execute(sa.insert(tables.breakers).values(flow="topup", open="too many breaks", changed_at=NOW))
    assert told.send() == {"detected.sms.held": 1}
    with told.database.begin() as connection:
        connection.execute(sa.update(tables.breakers).values(open=None))
    assert told.send()["detected.sms.submitted"] == 1


def test_a_customer_who_does_not_want_to_be_told_is_not(told, smsc):
    told.knows(PAYER, opted_out=True)
    late = told.case(payer="+2250707000033")
    assert told.plan(told.case(), late) == 2
    assert sorted(status for _, status in told.statuses()) == ["planned", "suppressed"]
    told.knows("+2250707000033", opted_out=True)  # after planning, before sending
    assert told.send() == {"detected.sms.suppressed": 1}
    assert smsc.submitted == []


def test_nothing_is_sent_to_a_suppressed_number_whatever_the_directory_says(told, smsc):
    told.plan(told.case(), told.case(payer="+2250707000033"))
    with told.database.begin() as connection:
        accounts.suppress(connection, PAYER, reason="asked never to be told anything", now=NOW)
    told.knows(PAYER, opted_out=False)
    counts = told.send()
    assert (counts["detected.sms.suppressed"], counts["detected.sms.submitted"]) == (1, 1)
    assert [recipient for recipient, _ in smsc.texts] == ["+2250707000033"]
    told.plan(told.case())
    assert told.send() == {}
    assert [status for _, status in told.statuses()].count("suppressed") == 2


def test_a_payer_without_an_address_is_not_told_and_that_is_written_down(told):
    told.plan(told.case(payer=None), told.case(payer="player-77"))
    assert [(notice.status, notice.reason) for notice in told.notices()] == [
        ("suppressed", "no address is known for the customer")
    ] * 2


def test_units_that_came_meanwhile_are_not_called_missing(told, smsc):
    case_id = told.case()
    told.plan(case_id)
    told.close(case_id, "self_settled")
    assert told.send() == {"detected.sms.suppressed": 1}
    told.plan(case_id, event="self_settled", credited_at=NOW - timedelta(minutes=3))
    told.send()
    ((_, text),) = smsc.texts
    assert "sont arrivés à 14h47" in text


@pytest.mark.parametrize("status", ["approved", "reserved", "executing", "credited"])
def test_units_that_we_are_crediting_are_not_called_missing(told, smsc, status):
    case_id = told.case()
    told.plan(case_id)
    told.remedy(case_id, status)
    assert told.send() == {"detected.sms.held": 1}
    assert smsc.submitted == []


def test_when_an_approved_credit_does_not_move_the_customer_is_told_after_all(told, smsc):
    case_id = told.case()
    told.plan(case_id)
    told.remedy(case_id, "approved")
    told.now += timedelta(minutes=10)
    told.fold()
    assert told.send()["detected.sms.submitted"] == 1


def test_nothing_is_called_missing_on_yesterdays_knowledge(told, smsc):
    told.plan(told.case())
    told.now += timedelta(minutes=5)
    assert told.send() == {"detected.sms.held": 1}
    told.fold()
    assert told.send()["detected.sms.submitted"] == 1


def test_credited_is_said_when_the_credit_is_on_the_ledger_and_not_before(told, smsc):
    early, verified = told.case(), told.case()
    told.remedy(early, "credited")
    told.remedy(verified, "verified")
    told.close(verified, "remedied")
    told.plan(early, verified, event="credited", credited_at=NOW - timedelta(minutes=2))
    counts = told.send()
    assert counts["credited.sms.suppressed"] == 1
    ((_, text),) = smsc.texts
    assert "crédités à 14h48" in text
    assert "A00002" in text


def test_a_case_that_was_opened_again_is_not_called_settled(told, smsc):
    case_id = told.case()
    told.close(case_id, "self_settled")
    told.plan(case_id, event="self_settled")
    with told.database.begin() as connection:
        connection.execute(sa.update(tables.cases).values(status="open", closed_at=None))
    assert told.send() == {"self_settled.sms.suppressed": 1}


def test_a_channel_that_is_down_does_not_hold_up_the_other_and_is_not_passed_over_in_silence(told, post_office):
    port = free_port()
    told.connect(sms=port, email=post_office.port)
    told.plan(told.case(), told.case(payer=MAILED))
    with pytest.raises(ChannelDownError, match=f"the SMSC at 127.0.0.1:{port} cannot be reached"):
        told.send()
    assert sorted(told.statuses()) == [("email", "submitted"), ("sms", "planned")]


def test_without_an_sms_channel_a_customer_with_an_address_gets_a_mail(town, post_office):
    town.connect(email=post_office.port)
    town.knows(PAYER, email="a@example.ci")
    town.plan(town.case(), town.case(payer="+2250707000044"))
    assert town.send() == {"sms.unconfigured": 2, "fallback.planned": 1, "detected.email.submitted": 1}
    assert sorted(town.statuses()) == [("email", "submitted"), ("sms", "suppressed"), ("sms", "suppressed")]


def test_a_thousand_customers_are_told_with_one_link_to_each_channel(told, smsc, post_office):
    for number in range(100):
        told.knows(f"+22507080{number:05d}", channel="email", email=f"c{number}@example.ci")
    cases = [told.case(payer=f"+22507080{number:05d}") for number in range(500)]
    assert told.plan(*cases) == 500
    counts = told.send()
    assert counts == {"detected.sms.submitted": 400, "detected.sms.delivered": 400, "detected.email.submitted": 100}
    assert {recipient for recipient, _ in smsc.texts} == {f"+22507080{number:05d}" for number in range(100, 500)}
    assert post_office.connections == 1


def test_two_senders_at_once_send_everything_once(told, smsc, post_office):
    told.plan(*[told.case(payer=f"+22507080{number:05d}") for number in range(300)])
    counts = []
    threads = [threading.Thread(target=lambda: counts.append(told.send())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(count.get("detected.sms.submitted", 0) for count in counts) == [0, 300]
    assert len(smsc.submitted) == 300


def test_no_number_no_address_and_no_secret_is_logged(told, caplog):
    caplog.set_level(logging.DEBUG)
    told.plan(told.case(), told.case(payer=MAILED))
    told.send()
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "mail.log"
    )  # that is the server's
    for secret in ("2250707000011", b"2250707000011".hex(), "awa@example.ci", "secret", b"secret".hex()):
        assert secret not in ours
