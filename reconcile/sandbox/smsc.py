"""The message centre: an SMPP 3.4 server that takes submissions and sends delivery receipts back."""

import asyncio
import contextlib
import hmac
import socket
from dataclasses import dataclass, field
from typing import Final

from reconcile.sandbox.smpp_pdu import (
    ESM_RECEIPT,
    HEADER,
    PDU_MAX_BYTES,
    RESPONSE,
    TAG_MESSAGE_STATE,
    TAG_RECEIPTED_MESSAGE_ID,
    Command,
    Pdu,
    PduError,
    Status,
    decode_bind,
    decode_submission,
    encode_delivery,
    encode_text,
)
from reconcile.sandbox.sms import Receipt, SmsStore, SubmissionError

SYSTEM_ID: Final = "reconcile"
OWN_SYSTEM_ID: Final = "maxit-smsc"
IDLE_SECONDS: Final = 300
RECEIPTS_IN_FLIGHT_MAX: Final = 20
_DELIVERED: Final = b"\x02"
_BINDS: Final = (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER)


class Smsc:
    """Serves any number of sessions; receipts go to whichever bound session can receive."""

    def __init__(self, store: SmsStore, password: str) -> None:
        """Accept `SYSTEM_ID` with `password`."""
        self._store = store
        self._password = password
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve on a bound socket."""
        self._server = await asyncio.start_server(self._serve, sock=listener)

    async def stop(self) -> None:
        """Close the socket and cut every session."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await _Session(self._store, self._password, writer).run(reader)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the other side has gone; what it submitted is durable, what it is owed stays owed
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@dataclass(slots=True)
class _Session:
    store: SmsStore
    password: str
    writer: asyncio.StreamWriter
    bound: Command | None = None
    last_sequence: int = 0
    last_receipt: int = 0
    in_flight: dict[int, int] = field(default_factory=dict)  # sequence number -> message id

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Answer until the other side unbinds or falls silent."""
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                pdu = await _read(reader)
            if pdu is None:
                self._send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND_LENGTH, 0))
                return
            going_on = self._handle(pdu)
            self._send_receipts()
            await self.writer.drain()
            if not going_on:
                return

    def _handle(self, pdu: Pdu) -> bool:
        """Answer one PDU; False ends the session."""
        if pdu.command & RESPONSE:
            self._note_response(pdu)
            return True
        if pdu.command in _BINDS:
            return self._bind(pdu)
        if pdu.command == Command.ENQUIRE_LINK:
            self._send(pdu.reply())
        elif pdu.command == Command.UNBIND:
            self._send(pdu.reply())
            return False
        elif pdu.command == Command.SUBMIT_SM:
            self._submit(pdu)
        else:
            self._send(Pdu(Command.GENERIC_NACK, Status.INVALID_COMMAND_ID, pdu.sequence))
        return True

    def _bind(self, pdu: Pdu) -> bool:
        if self.bound is not None:
            self._send(pdu.reply(Status.ALREADY_BOUND))
            return True
        try:
            system_id, password = decode_bind(pdu.body)
        except PduError:
            self._send(pdu.reply(Status.INVALID_COMMAND_LENGTH))
            return False
        if system_id != SYSTEM_ID:
            self._send(pdu.reply(Status.INVALID_SYSTEM_ID))
            return False
        if not hmac.compare_digest(password.encode(), self.password.encode()):
            self._send(pdu.reply(Status.INVALID_PASSWORD))
            return False
        self.bound = Command(pdu.command)
        self._send(pdu.reply(body=encode_text(OWN_SYSTEM_ID)))
        return True

    def _submit(self, pdu: Pdu) -> None:
        if self.bound not in {Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER}:
            self._send(pdu.reply(Status.NOT_BOUND))
            return
        try:
            message_id = self.store.accept(decode_submission(pdu.body))
        except PduError:
            self._send(pdu.reply(Status.INVALID_COMMAND_LENGTH))
        except SubmissionError as error:
            self._send(pdu.reply(error.status))
        else:
            self._send(pdu.reply(body=encode_text(str(message_id))))

    def _send_receipts(self) -> None:
        """As many receipts as the window allows, each once per session until it is acknowledged."""
        if self.bound not in {Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER}:
            return
        if len(self.in_flight) >= RECEIPTS_IN_FLIGHT_MAX:
            return
        for receipt in self.store.owed_receipts(self.last_receipt):
            self.last_receipt = receipt.message_id
            self.last_sequence += 1
            self.in_flight[self.last_sequence] = receipt.message_id
            self._send(Pdu(Command.DELIVER_SM, Status.OK, self.last_sequence, _receipt_body(receipt)))

    def _note_response(self, pdu: Pdu) -> None:
        message_id = self.in_flight.pop(pdu.sequence, None)
        if message_id is not None and pdu.status == Status.OK:
            self.store.acknowledge(message_id)

    def _send(self, pdu: Pdu) -> None:
        self.writer.write(pdu.encode())


def _receipt_body(receipt: Receipt) -> bytes:
    tags = {
        TAG_RECEIPTED_MESSAGE_ID: encode_text(str(receipt.message_id)),
        TAG_MESSAGE_STATE: _DELIVERED,
    }
    # A receipt travels the other way: from the number that got the message to the name that sent it.
    return encode_delivery(receipt.recipient.removeprefix("+"), receipt.sender, ESM_RECEIPT, receipt.text(), tags)


async def _read(reader: asyncio.StreamReader) -> Pdu | None:
    """The next PDU, or None when its length cannot be right and nothing after it can be trusted."""
    length, command, status, sequence = HEADER.unpack(await reader.readexactly(HEADER.size))
    if not HEADER.size <= length <= PDU_MAX_BYTES:
        return None
    return Pdu(command, status, sequence, await reader.readexactly(length - HEADER.size))
