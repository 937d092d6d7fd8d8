from itertools import permutations

import pytest
import smpp34

from reconcile.sandbox.clock import Clock
from reconcile.sandbox.database import Database
from reconcile.sandbox.day import DAY_START
from reconcile.sandbox.notice import NoticeStore
from reconcile.sandbox.smpp_pdu import PduError, Status, Submission, decode_submission
from reconcile.sandbox.sms import SmsStore, SubmissionError

TEXT = "Max it: vos 1 050 FCFA d'unités ne sont pas encore arrivés. " * 5


@pytest.fixture
def store(tmp_path, database: Database) -> SmsStore:
    return SmsStore(database, Clock(tmp_path / "clock", DAY_START))


@pytest.fixture
def texts(database: Database):
    return lambda: [(notice.recipient, notice.text) for notice in NoticeStore(database).all()]


def submission(payload: bytes, **fields: object) -> Submission:
    """Encoded by another codec, decoded by ours."""
    fields = {"data_coding": 8, "destination_addr": "2250707123456"} | fields
    wire = smpp34.SubmitSm(source_addr="MaxIt", short_message=payload, **fields).encode()
    return decode_submission(wire[16:])


def parts_with_header(text: str, *, is_long: bool) -> list[bytes]:
    octets = text.encode("utf-16-be")
    pieces = [octets[at : at + 120] for at in range(0, len(octets), 120)]
    return [
        (bytes((6, 8, 4, 1, 2, len(pieces), n)) if is_long else bytes((5, 0, 3, 9, len(pieces), n))) + piece
        for n, piece in enumerate(pieces, start=1)
    ]


def test_a_short_sms_is_kept_at_once(store: SmsStore, texts):
    store.accept(submission(b"Bonjour \x05", data_coding=0))
    assert texts() == [("+2250707123456", "Bonjour é")]


@pytest.mark.parametrize("is_long", [False, True])
def test_parts_are_put_together_in_whatever_order_they_come(store: SmsStore, texts, is_long: bool):
    parts = parts_with_header(TEXT[:130], is_long=is_long)
    orders = list(permutations(parts))
    for order in orders:
        for part in order:
            store.accept(submission(part, esm_class=0x40))
    assert [text for _, text in texts()] == [TEXT[:130]] * len(orders)


def test_parts_by_parameters_are_put_together_as_well(store: SmsStore, texts):
    for number, piece in enumerate((b"abc", b"def"), start=1):
        tlvs = [
            smpp34.Tlv(smpp34.TLV_SAR_MSG_REF_NUM, b"\0\7"),
            smpp34.Tlv(smpp34.TLV_SAR_TOTAL_SEGMENTS, b"\2"),
            smpp34.Tlv(smpp34.TLV_SAR_SEGMENT_SEQNUM, bytes((number,))),
        ]
        store.accept(submission(piece, data_coding=0, tlvs=tlvs))
    assert [text for _, text in texts()] == ["abcdef"]


def test_a_part_that_comes_twice_counts_once(store: SmsStore, texts):
    first, second, third = parts_with_header(TEXT[:130], is_long=False)
    for part in (first, first, second, third):
        store.accept(submission(part, esm_class=0x40))
    assert [text for _, text in texts()] == [TEXT[:130]]


def test_an_escape_cut_in_two_by_the_parts_survives(store: SmsStore, texts):
    for number, piece in enumerate((b"1\x1b", b"\x65"), start=1):
        store.accept(submission(bytes((5, 0, 3, 1, 2, number)) + piece, data_coding=0, esm_class=0x40))
    assert [text for _, text in texts()] == ["1€"]


def test_a_long_body_may_come_as_a_parameter(store: SmsStore, texts):
    store.accept(submission(b"", tlvs=[smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, TEXT.encode("utf-16-be"))]))
    assert [text for _, text in texts()] == [TEXT]


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (submission(b"x", destination_addr="12"), Status.INVALID_DESTINATION),
        (submission(b"x", data_coding=4), Status.INVALID_DATA_CODING),
        (submission(b"\xff", data_coding=0), Status.SUBMIT_FAILED),
        (submission(b"\0", data_coding=8), Status.SUBMIT_FAILED),
        (submission(bytes((5, 0, 3, 1, 2, 3)) + b"x", esm_class=0x40), Status.SUBMIT_FAILED),
        (submission(bytes((9, 0)), esm_class=0x40), Status.INVALID_MESSAGE_LENGTH),
    ],
)
def test_what_cannot_be_an_sms_is_refused_and_leaves_nothing(store: SmsStore, texts, bad: Submission, status: Status):
    with pytest.raises(SubmissionError) as refused:
        store.accept(bad)
    assert refused.value.status is status
    assert texts() == []
    assert list(store.owed_receipts(0)) == []


def test_receipts_are_owed_until_acknowledged_and_only_if_wanted(store: SmsStore):
    store.accept(submission(b"x", data_coding=0))
    wanted = store.accept(submission(b"x", data_coding=0, registered_delivery=1))
    assert [receipt.message_id for receipt in store.owed_receipts(0)] == [wanted]
    (receipt,) = store.owed_receipts(0)
    assert receipt.text().startswith(f"id:{wanted} sub:001 dlvrd:001 submit date:2407090000".encode())
    store.acknowledge(wanted)
    assert list(store.owed_receipts(0)) == []


@pytest.mark.parametrize("length", [0, 1, 5, 20])
def test_a_body_that_breaks_off_is_an_error_not_a_guess(length: int):
    wire = smpp34.SubmitSm(source_addr="MaxIt", destination_addr="2250707123456", short_message=b"hello").encode()
    with pytest.raises(PduError):
        decode_submission(wire[16 : 16 + length])
