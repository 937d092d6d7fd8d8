"""SMPP 3.4 on the wire: the few PDUs that a message centre needs (specification 3.4, issue 1.2)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

HEADER: Final = struct.Struct(">IIII")
PDU_MAX_BYTES: Final = 65_536
RESPONSE: Final = 0x8000_0000

ESM_RECEIPT: Final = 0x04
ESM_HAS_HEADER: Final = 0x40

TAG_RECEIPTED_MESSAGE_ID: Final = 0x001E
TAG_MESSAGE_PAYLOAD: Final = 0x0424
TAG_MESSAGE_STATE: Final = 0x0427
TAG_SAR_REFERENCE: Final = 0x020C
TAG_SAR_TOTAL: Final = 0x020E
TAG_SAR_NUMBER: Final = 0x020F


class Command(IntEnum):
    """Command ids of requests; a response has the top bit set as well."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = 0x80000000


class Status(IntEnum):
    """Command states."""

    OK = 0x00
    INVALID_MESSAGE_LENGTH = 0x01
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND_ID = 0x03
    NOT_BOUND = 0x04
    ALREADY_BOUND = 0x05
    INVALID_DESTINATION = 0x0B
    INVALID_PASSWORD = 0x0E
    INVALID_SYSTEM_ID = 0x0F
    SUBMIT_FAILED = 0x45
    INVALID_DATA_CODING = 0x104


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit: command id, state, sequence number, body."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def encode(self) -> bytes:
        """Its bytes."""
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body

    def reply(self, status: Status = Status.OK, body: bytes = b"") -> Self:
        """The response to this request."""
        return type(self)(self.command | RESPONSE, status, self.sequence, body)


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of a submit_sm: `tags` holds its optional parameters."""

    source: str
    destination: str
    esm_class: int
    wants_receipt: bool
    data_coding: int
    payload: bytes
    tags: Mapping[int, bytes]


class PduError(ValueError):
    """Bytes that are no PDU body of the kind announced."""


class _Reader:
    """Takes fields off the front of a body."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def octet(self) -> int:
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise PduError("the body ends in the middle of a field")
        self._at += count
        return taken

    def text(self) -> str:
        """A string that ends with a NUL."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise PduError("a string does not end")
        taken = self._body[self._at : end]
        self._at = end + 1
        return taken.decode("latin-1")

    def tags(self) -> dict[int, bytes]:
        """The rest, as optional parameters."""
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag, length = struct.unpack(">HH", self.octets(4))
            found[tag] = self.octets(length)
        return found


def decode_bind(body: bytes) -> tuple[str, str]:
    """System id and password; raises PduError."""
    reader = _Reader(body)
    return reader.text(), reader.text()


def decode_submission(body: bytes) -> Submission:
    """The fields of a submit_sm that matter here; raises PduError."""
    reader = _Reader(body)
    reader.text()  # service type
    reader.octets(2)  # source type of number, numbering plan
    source = reader.text()
    reader.octets(2)  # destination type of number, numbering plan
    destination = reader.text()
    esm_class = reader.octet()
    reader.octets(2)  # protocol id, priority
    reader.text()  # scheduled delivery
    reader.text()  # validity period
    registered_delivery = reader.octet()
    reader.octet()  # replace if present
    data_coding = reader.octet()
    reader.octet()  # canned message
    short_message = reader.octets(reader.octet())
    tags = reader.tags()
    return Submission(
        source=source,
        destination=destination,
        esm_class=esm_class,
        wants_receipt=bool(registered_delivery & 0x03 == 1),
        data_coding=data_coding,
        payload=tags.get(TAG_MESSAGE_PAYLOAD, short_message),
        tags=tags,
    )


def encode_delivery(source: str, destination: str, esm_class: int, text: bytes, tags: Mapping[int, bytes]) -> bytes:
    """The body of a deliver_sm in the default alphabet."""
    head = b"\0" + b"\x01\x01" + encode_text(source) + b"\x01\x01" + encode_text(destination)
    flags = bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, 0, 0, len(text)))
    optional = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in tags.items())
    return head + flags + text + optional


def encode_text(text: str) -> bytes:
    """A string that ends with a NUL, as ids stand in responses."""
    return text.encode("latin-1") + b"\0"
