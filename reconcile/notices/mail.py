"""E-mail over SMTP: one connection for many, step by step, so that each fate is known."""

import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE_POLICY
from email.utils import format_datetime, parseaddr
from typing import Final, Self

from reconcile.config import ConfigurationError, Email
from reconcile.notices.address import is_mailbox
from reconcile.notices.claiming import Ready
from reconcile.notices.outcome import ChannelDownError, Fate, Outcome
from reconcile.notices.writing import Mail

TIMEOUT_SECONDS: Final = 10.0
"""For each step: connecting, and every reply."""
_HOST_NAME: Final = "localhost"

_TAKEN: Final = 250
_FORWARDED: Final = 251
_GO_AHEAD: Final = 354
_CLOSING: Final = 421

_CONNECTION_FAULTS: Final = (smtplib.SMTPServerDisconnected, OSError)
_LOST_BEFORE: Final = Outcome(Fate.UNTOUCHED, (), "the connection to the mail server was lost before it was sent")
_LOST_AFTER: Final = Outcome(Fate.UNCERTAIN, (), "the connection to the mail server was lost after it was sent")


@dataclass(slots=True)
class MailLink:
    """A connection to a mail server, greeted and signed in."""

    server: smtplib.SMTP
    sender: str
    sent_at: datetime
    lost: bool = False

    @classmethod
    @contextmanager
    def open(cls, settings: Email, *, now: datetime) -> Iterator[Self]:
        """A link to the server of the settings; raises `ChannelDownError`, or `ConfigurationError` for a sender that cannot be.

        `now` dates the messages.
        """
        if not is_mailbox(parseaddr(settings.sender)[1]):
            raise ConfigurationError("email.sender: an address such as Max it <no-reply@example.org>")
        place = f"the mail server at {settings.host}:{settings.port}"
        try:
            server = smtplib.SMTP(settings.host, settings.port, local_hostname=_HOST_NAME, timeout=TIMEOUT_SECONDS)
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelDownError(f"{place} cannot be reached: {_short(error)}") from error
        try:
            try:
                _greet(server, settings)
            except (smtplib.SMTPException, OSError) as error:
                raise ChannelDownError(f"{place} does not let us in: {_short(error)}") from error
            link = cls(server, settings.sender, now)
            yield link
            link._quit()
        finally:
            server.close()

    @property
    def usable(self) -> bool:
        """Whether it makes sense to hand over more."""
        return not self.lost

    def send(self, notices: Sequence[Ready]) -> list[Outcome]:
        """Hands all of them over; one outcome for each, in their order. Raises nothing: a lost connection is an outcome."""
        return [self._send(notice) if not self.lost else _LOST_BEFORE for notice in notices]

    def _send(self, notice: Ready) -> Outcome:
        message = _message(notice, sender=self.sender, sent_at=self.sent_at)
        try:
            if (code := self._envelope(notice.recipient)) is not None:
                return self._refused(code, was_sent=False)
        except _CONNECTION_FAULTS:
            self.lost = True
            return _LOST_BEFORE
        # From here on the server may have the message, whatever becomes of the connection.
        try:
            self.server.send(_on_the_wire(message))
            code, _ = self.server.getreply()
        except _CONNECTION_FAULTS:
            self.lost = True
            return _LOST_AFTER
        if code == _TAKEN:
            return Outcome(Fate.SUBMITTED, (str(message["Message-ID"]),))
        return self._refused(code, was_sent=True)

    def _envelope(self, recipient: str) -> int | None:
        """Announces one message; None when the server waits for it, else the code with which it refused."""
        steps = (
            ("MAIL", f"FROM:<{parseaddr(self.sender)[1]}>", (_TAKEN,)),
            ("RCPT", f"TO:<{recipient}>", (_TAKEN, _FORWARDED)),
            ("DATA", "", (_GO_AHEAD,)),
        )
        for command, argument, expected in steps:
            code, _ = self.server.docmd(command, argument)
            if code not in expected:
                return code
        return None

    def _refused(self, code: int, *, was_sent: bool) -> Outcome:
        """The outcome of a refusal. Once the message was sent, only a clear one proves that it was not taken."""
        reason = f"the mail server answered {code}"
        is_clear = 400 <= code <= 599
        if is_clear and code != _CLOSING:
            self._reset()
        else:
            self.lost = True
        if code >= 500 and is_clear:
            return Outcome(Fate.REFUSED, (), reason)
        return Outcome(Fate.DEFERRED if is_clear or not was_sent else Fate.UNCERTAIN, (), reason)

    def _reset(self) -> None:
        try:
            self.server.rset()
        except _CONNECTION_FAULTS:
            self.lost = True

    def _quit(self) -> None:
        if not self.lost:
            with suppress(*_CONNECTION_FAULTS):  # every message has its reply already
                self.server.quit()


def _greet(server: smtplib.SMTP, settings: Email) -> None:
    server.ehlo_or_helo_if_needed()
    if settings.starttls:
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    if settings.username is not None:
        server.login(settings.username, settings.password.read() if settings.password else "")


def _message(notice: Ready, *, sender: str, sent_at: datetime) -> EmailMessage:
    mail = notice.message
    assert isinstance(mail, Mail)
    message = EmailMessage(policy=WIRE_POLICY)
    message["From"] = sender
    message["To"] = notice.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(sent_at)
    # The same notice has the same id for ever: a mailbox that gets it twice can tell.
    message["Message-ID"] = f"<{notice.notice_id}@{parseaddr(sender)[1].partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.plain, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = notice.language  # last: the bodies above take earlier Content- headers for their own
    return message


def _on_the_wire(message: EmailMessage) -> bytes:
    """The message with its lines that begin with a dot made safe, and the line that ends it (RFC 5321, § 4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", message.as_bytes()) + b".\r\n"


def _short(error: Exception) -> str:
    """What went wrong, without the server's own words: those may repeat an address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
