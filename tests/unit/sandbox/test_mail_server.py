from email.message import EmailMessage

from reconcile.sandbox.mail_server import plain_text


def mail(**alternatives: str) -> bytes:
    message = EmailMessage()
    message["Subject"] = "Vos unités"
    message.set_content(alternatives.get("plain", ""))
    if "html" in alternatives:
        message.add_alternative(alternatives["html"], subtype="html")
    return message.as_bytes()


def test_the_plain_part_is_read_with_the_subject():
    text = plain_text(mail(plain="Vos 1\u202f050 F\u202fCFA sont arrivés", html="<p>autre</p>"))
    assert text.startswith("Vos unités\n")
    assert "1\u202f050 F\u202fCFA sont arrivés" in text
    assert "autre" not in text


def test_of_an_html_mail_the_visible_text_is_read():
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("<style>p{}</style><p>sont <b>arrivés</b> &agrave; 14h26</p>", subtype="html")
    text = " ".join(plain_text(message.as_bytes()).split())
    assert text == "x sont arrivés à 14h26"


def test_a_mail_of_nothing_is_read_as_nothing():
    assert plain_text(b"") == "\n\n"
