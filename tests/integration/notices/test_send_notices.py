"""The whole way of a notice, over a real SMSC and a real mail server."""

from datetime import timedelta

from .conftest import NOW


def test_each_customer_is_told_once_by_the_channel_they_prefer(town, smsc, post_office):
    town.connect(sms=smsc.port, email=post_office.port)
    town.knows("+2250707000022", channel="email", email="awa@example.ci", language="en")
    by_sms, by_mail = town.case(), town.case(payer="+2250707000022")
    assert town.plan(by_sms, by_mail, next_news_at=NOW + timedelta(minutes=40)) == 2

    counts = town.send()
    assert counts == {"detected.sms.submitted": 1, "detected.sms.delivered": 1, "detected.email.submitted": 1}
    ((recipient, text),) = smsc.texts
    assert recipient == "+2250707000011"
    assert "pas encore arrivés" in text
    assert "RC240709.1347.A00001" in text
    assert "Prochaine nouvelle avant 15h30" in text
    (mail,) = post_office.mails
    assert mail.rcpt_tos == ["awa@example.ci"]
    assert b"Auto-Submitted: auto-generated" in mail.content
    assert sorted(town.statuses()) == [("email", "submitted"), ("sms", "delivered")]

    assert town.plan(by_sms, by_mail) == 0
    assert town.send() == {}
    assert len(smsc.texts) == len(post_office.mails) == 1
