"""The connection with a mail server, step by step."""

import email
import email.policy
import socket
import threading
from uuid import uuid4

import pytest

from reconcile.config import ConfigurationError, Email
from reconcile.notices import mail
from reconcile.notices.claiming import Ready
from reconcile.notices.mail import MailLink
from reconcile.notices.outcome import ChannelDownError, Fate
from reconcile.notices.writing import Mail

from .conftest import NOW, PATIENCE_SECONDS, free_port


def settings(port, **changes):
    return Email(port=port, sender="Max it <no-reply@maxit.example>", **{"starttls": False, **changes})


def notice(plain="vos unités\n", recipient="awa@example.ci"):
    return Ready(uuid4(), "detected", recipient, "fr", Mail("Vos unités", plain, "<p>vos unités</p>"))


def test_lines_that_begin_with_a_dot_and_long_ones_arrive_as_they_were(post_office):
    plain = f".\n..\n.hidden\n{'é' * 300}\nend\n"
    with MailLink.open(settings(post_office.port), now=NOW) as link:
        assert link.send([notice(plain)])[0].fate is Fate.SUBMITTED
    received = email.message_from_bytes(post_office.mails[0].content, policy=email.policy.default)
    assert received.get_body(("plain",)).get_content().splitlines() == plain.splitlines()
    assert max(len(line) for line in post_office.mails[0].content.splitlines()) <= 78
    assert received["Date"].datetime == NOW


def test_a_server_that_does_not_answer_is_down(monkeypatch):
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ChannelDownError, match=r"127\.0\.0\.1:\d+ cannot be reached: SMTPServerDisconnected"),
        MailLink.open(settings(listener.getsockname()[1]), now=NOW),
    ):
        pass


def test_a_server_that_nobody_runs_is_down():
    port = free_port()
    with (
        pytest.raises(
            ChannelDownError, match=f"the mail server at 127.0.0.1:{port} cannot be reached: Connection refused"
        ),
        MailLink.open(settings(port), now=NOW),
    ):
        pass


def test_where_the_connection_must_be_encrypted_a_server_that_cannot_is_not_used(post_office):
    with (
        pytest.raises(ChannelDownError, match="does not let us in: SMTPNotSupportedError"),
        MailLink.open(settings(post_office.port, starttls=True), now=NOW),
    ):
        pass


def test_a_sender_that_is_no_address_is_refused(post_office):
    with (
        pytest.raises(ConfigurationError, match=r"email\.sender: an address such as"),
        MailLink.open(Email(port=post_office.port, sender="Max it"), now=NOW),
    ):
        pass


class Scripted:
    """A mail server that answers each command with the next line of its script; None is silence."""

    def __init__(self, *replies) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._replies = replies
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._listener:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rwb", buffering=0) as lines:
                lines.write(b"220 test\r\n")
                end = {b""}
                for reply in self._replies:
                    while (line := lines.readline()) not in end and len(end) > 1:
                        pass  # the lines of the message
                    if reply is None or not line:
                        break
                    lines.write(reply.encode() + b"\r\n")
                    end = {b"", b".\r\n"} if reply.startswith("354") else {b""}
                self._done.wait(PATIENCE_SECONDS)

    def join(self) -> None:
        self._done.set()
        self._thread.join(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("replies", "fates"),
    [
        (["250 hello", None], [Fate.UNTOUCHED, Fate.UNTOUCHED]),
        (["250 hello", "250 OK", None], [Fate.UNTOUCHED, Fate.UNTOUCHED]),
        (["250 hello", "250 OK", "250 OK", None], [Fate.UNTOUCHED, Fate.UNTOUCHED]),
        (["250 hello", "421 closing"], [Fate.DEFERRED, Fate.UNTOUCHED]),
        (["250 hello", "gibberish"], [Fate.DEFERRED, Fate.UNTOUCHED]),
        (["250 hello", "250 OK", "250 OK", "299 who knows"], [Fate.DEFERRED, Fate.UNTOUCHED]),
        (["250 hello", "250 OK", "250 OK", "354 go on", "421 closing"], [Fate.DEFERRED, Fate.UNTOUCHED]),
        (["250 hello", "250 OK", "250 OK", "354 go on", None], [Fate.UNCERTAIN, Fate.UNTOUCHED]),
        (["250 hello", "250 OK", "250 OK", "354 go on", "299 who knows"], [Fate.UNCERTAIN, Fate.UNTOUCHED]),
    ],
)
def test_the_fate_of_a_mail_is_what_is_proven_at_the_step_where_it_stopped(monkeypatch, replies, fates):
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.3)
    server = Scripted(*replies)
    with MailLink.open(settings(server.port), now=NOW) as link:
        assert [outcome.fate for outcome in link.send([notice(), notice()])] == fates
        assert link.lost
    server.join()
