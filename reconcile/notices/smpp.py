"""One bound SMPP 3.4 session: PDUs by smpplib, and reading and writing under deadlines, so that nothing can hang.

smpplib's own client blocks while it reads and writes whole PDUs, phone numbers and password in them, to the debug log; so
only its encoding and decoding of PDUs is used.
"""

import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from smpplib import consts, smpp
from smpplib.exceptions import UnknownCommandError

from reconcile.config import ConfigurationError, Sms
from reconcile.notices.outcome import ChannelDownError

CONNECT_TIMEOUT_SECONDS: Final = 5.0
BIND_TIMEOUT_SECONDS: Final = 5.0
UNBIND_TIMEOUT_SECONDS: Final = 1.0
PDU_BYTES_MAX: Final = 65_536
READ_BYTES: Final = 65_536
PASSWORD_CHARACTERS_MAX: Final = 8
"""The protocol's limit; smpplib would cut a longer one without a word."""

_HEADER: Final = struct.Struct(">LLLL")


class LinkLostError(Exception):
    """The session is over: the peer closed it, unbound, or sent what is no SMPP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to the request with that sequence number."""

    sequence: int
    status: int
    message_id: str


class _Numbers:
    """Sequence numbers, in the form that smpplib asks them in."""

    def __init__(self) -> None:
        self.sequence = 0

    def next_sequence(self) -> int:
        self.sequence = self.sequence % 0x7FFFFFFF + 1
        return self.sequence


class Session:
    """A transceiver session. `on_answer` and `on_delivery` are called from within `pump`, and only there.

    `on_delivery` takes a `deliver_sm` and returns the status to answer it with, or None when the answer comes later.
    """

    def __init__(
        self, connection: socket.socket, selector: selectors.BaseSelector, on_delivery: Callable[[Any], int | None]
    ) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._selector = selector
        self._selector.register(connection, selectors.EVENT_READ)
        self._numbers = _Numbers()
        self._inbox = bytearray()
        self._outbox = bytearray()
        self._queued_bytes = 0
        self.sent_bytes = 0
        self.lost = False
        self.on_answer: Callable[[Answer], None] = lambda _answer: None
        self._on_delivery = on_delivery

    @classmethod
    @contextmanager
    def bound(cls, settings: Sms, on_delivery: Callable[[Any], int | None]) -> Iterator[Self]:
        """A session with the SMSC of the settings; raises `ChannelDownError` when there is none to be had."""
        place = f"the SMSC at {settings.host}:{settings.port}"
        password = settings.password.read()
        if len(password) > PASSWORD_CHARACTERS_MAX:
            raise ConfigurationError(
                f"sms.password: SMPP 3.4 knows no passwords of more than {PASSWORD_CHARACTERS_MAX} characters"
            )
        try:
            connection = socket.create_connection((settings.host, settings.port), timeout=CONNECT_TIMEOUT_SECONDS)
        except OSError as error:
            raise ChannelDownError(f"{place} cannot be reached: {error.strerror or error}") from error
        with connection, selectors.DefaultSelector() as selector:
            session = cls(connection, selector, on_delivery)
            session._bind(settings.system_id, password, place)
            try:
                yield session
            finally:
                session._unbind()

    def queue(self, name: str, **fields: Any) -> tuple[int, int]:
        """Puts one PDU into the send buffer; returns its sequence number and the value of `sent_bytes` once it is gone."""
        pdu = smpp.make_pdu(name, client=self._numbers, **fields)
        return pdu.sequence, self._append(pdu)

    def reply(self, name: str, sequence: int, status: int = consts.SMPP_ESME_ROK) -> None:
        """Puts the response to a request of the peer into the send buffer."""
        pdu = smpp.make_pdu(name, client=self._numbers, status=status)
        pdu.sequence = sequence
        self._append(pdu)

    def pump(self, wait_seconds: float) -> bool:
        """Writes what can be written and handles what has come, waiting at most so long for something; whether any came.

        Raises `LinkLostError`, once and from then on.
        """
        if self.lost:
            raise LinkLostError("the session is over")
        try:
            self._write()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outbox else 0)
            self._selector.modify(self._socket, events)
            ready = self._selector.select(max(0.0, wait_seconds))
            self._write()
            came = any(mask & selectors.EVENT_READ for _, mask in ready)
            if came:
                self._read()
        except (OSError, LinkLostError) as error:
            self.lost = True
            raise LinkLostError(str(error)) from error
        return came

    def _append(self, pdu: Any) -> int:
        octets = pdu.generate()
        self._outbox += octets
        self._queued_bytes += len(octets)
        return self._queued_bytes

    def _write(self) -> None:
        while self._outbox:
            try:
                count = self._socket.send(self._outbox)
            except BlockingIOError:
                return
            del self._outbox[:count]
            self.sent_bytes += count

    def _read(self) -> None:
        try:
            octets = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not octets:
            raise LinkLostError("the peer closed the connection")
        self._inbox += octets
        while len(self._inbox) >= _HEADER.size:
            length = _HEADER.unpack_from(self._inbox)[0]
            if not _HEADER.size <= length <= PDU_BYTES_MAX:
                raise LinkLostError("the peer sent what is no SMPP")
            if len(self._inbox) < length:
                return
            octets = bytes(self._inbox[:length])
            del self._inbox[:length]
            self._parse(octets)

    def _parse(self, octets: bytes) -> None:
        try:
            pdu = smpp.parse_pdu(octets, client=self._numbers, allow_unknown_opt_params=True)
        except UnknownCommandError:
            self.reply("generic_nack", _HEADER.unpack_from(octets)[3], consts.SMPP_ESME_RINVCMDID)
        except (struct.error, ValueError, IndexError, TypeError) as error:  # how smpplib says that a body is cut short
            raise LinkLostError("the peer sent what is no SMPP") from error
        else:
            self._handle(pdu)

    def _handle(self, pdu: Any) -> None:
        if pdu.command in {"submit_sm_resp", "bind_transceiver_resp", "unbind_resp", "generic_nack"}:
            message_id = getattr(pdu, "message_id", None) or b""
            self.on_answer(Answer(pdu.sequence, pdu.status, message_id.decode("latin-1")))
        elif pdu.command == "deliver_sm":
            status = self._on_delivery(pdu)
            if status is not None:
                self.reply("deliver_sm_resp", pdu.sequence, status)
        elif pdu.command == "enquire_link":
            self.reply("enquire_link_resp", pdu.sequence)
        elif pdu.command == "unbind":
            self.reply("unbind_resp", pdu.sequence)
            self._write()
            raise LinkLostError("the peer unbound")
        elif pdu.is_request():
            self.reply("generic_nack", pdu.sequence, consts.SMPP_ESME_RINVCMDID)

    def _bind(self, system_id: str, password: str, place: str) -> None:
        try:
            status = self._ask("bind_transceiver", BIND_TIMEOUT_SECONDS, system_id=system_id, password=password)
        except LinkLostError as error:
            raise ChannelDownError(f"{place} closed the connection instead of binding") from error
        if status is None:
            raise ChannelDownError(f"{place} did not answer the bind within {BIND_TIMEOUT_SECONDS:g} seconds")
        if status != consts.SMPP_ESME_ROK:
            reason = consts.DESCRIPTIONS.get(status, "unknown status")
            raise ChannelDownError(f"{place} refused the bind of {system_id!r}: {reason} ({status:#04x})")

    def _unbind(self) -> None:
        if self.lost:
            return
        try:
            self._ask("unbind", UNBIND_TIMEOUT_SECONDS)
        except LinkLostError:
            return  # it is over either way

    def _ask(self, name: str, timeout_seconds: float, **fields: Any) -> int | None:
        """Sends one request and returns the status of its answer, or None when none came in time."""
        answers: dict[int, int] = {}
        self.on_answer = lambda answer: answers.__setitem__(answer.sequence, answer.status)
        sequence, _ = self.queue(name, **fields)
        deadline = time.monotonic() + timeout_seconds
        while sequence not in answers and (left := deadline - time.monotonic()) > 0:
            self.pump(left)
        return answers.get(sequence)
