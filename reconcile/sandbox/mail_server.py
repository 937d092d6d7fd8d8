"""The mail server: takes any mail, keeps its plain text."""

import asyncio
import email
import email.policy
import socket
from dataclasses import dataclass
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from reconcile.sandbox.clock import Clock
from reconcile.sandbox.notice import NoticeStore

MAIL_MAX_BYTES: Final = 2_000_000
HOST_NAME: Final = "mail.maxit.example"


@dataclass(slots=True)
class MailServer:
    """Serves SMTP; every mail is durable before it is acknowledged."""

    store: NoticeStore
    clock: Clock
    _server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve on a bound socket."""
        self._server = await asyncio.get_running_loop().create_server(self._session, sock=listener)

    async def stop(self) -> None:
        """Close the socket."""
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd looks for this name
        """Keep the mail, then say so."""
        assert isinstance(envelope.content, bytes), "decode_data is off"
        text = plain_text(envelope.content)
        self.store.keep_mail(self.clock.now(), envelope.mail_from or "", list(envelope.rcpt_tos), text)
        return "250 OK"

    def _session(self) -> SMTP:
        return SMTP(self, data_size_limit=MAIL_MAX_BYTES, hostname=HOST_NAME, enable_SMTPUTF8=True)


def plain_text(content: bytes) -> str:
    """Subject and body of a mail; of an HTML-only one what a reader would see."""
    message = email.message_from_bytes(content, _class=EmailMessage, policy=email.policy.default)
    part = message.get_body(preferencelist=("plain", "html"))
    body = "" if part is None else str(part.get_content())
    if part is not None and part.get_content_subtype() == "html":
        body = _strip(body)
    return f"{message.get('Subject', '')}\n\n{body}"


class _TextOnly(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser gives the signature
        self._hidden += tag in {"script", "style", "title"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _strip(html: str) -> str:
    parser = _TextOnly()
    parser.feed(html)
    parser.close()
    return " ".join(parser.pieces)
