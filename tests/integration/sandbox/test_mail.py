import smtplib
from email.message import EmailMessage

import pytest


def test_a_mail_is_kept_for_each_recipient_and_over_a_kill(sandbox):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Vos unités", "maxit@maxit.example", "awa@courriel.example"
    message.set_content("Vos 1\u202f050 F\u202fCFA ne sont pas encore arrivés.")
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), timeout=5) as server:
        server.send_message(message, to_addrs=["awa@courriel.example", "yao@courriel.example"])
    sandbox.restart_after_kill()
    books = sandbox.control.get("/books").json()
    assert books["emails_received"] == 2
    assert books["notices"]["not_arrived"] == {"sms": 0, "email": 2}
    assert books["untrue_reasons"] == {"names no purchase, or several": 2}


def test_a_mail_beyond_the_limit_is_refused(sandbox):
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), timeout=5) as server, pytest.raises(smtplib.SMTPException):
        server.sendmail("a@maxit.example", ["b@courriel.example"], b"Subject: x\n\n" + b"x" * 2_100_000)
    assert sandbox.control.get("/books").json()["emails_received"] == 0
