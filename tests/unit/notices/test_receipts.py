import pytest
from smpplib import smpp

from reconcile.notices.receipts import Receipt, read_receipt
from reconcile.sandbox.smpp_pdu import HEADER, encode_delivery

TEXT = b"id:4711 sub:001 dlvrd:001 submit date:2407091450 done date:2407091450 stat:DELIVRD err:000 text:"
ID, STATE = 0x001E, 0x0427


def delivery(text=TEXT, tags=None, esm_class=0x04):
    body = encode_delivery("2250707000011", "Max it", esm_class, text, tags or {})
    octets = HEADER.pack(HEADER.size + len(body), 5, 0, 9) + body
    return smpp.parse_pdu(octets, client=None, need_sequence=False, allow_unknown_opt_params=True)


@pytest.mark.parametrize(
    ("text", "tags", "receipt"),
    [
        (TEXT, {}, Receipt("4711", "DELIVRD", 9)),
        (TEXT.replace(b"DELIVRD", b"UNDELIV"), {}, Receipt("4711", "UNDELIV", 9)),
        (b"", {ID: b"0a1f\0", STATE: b"\x02"}, Receipt("0a1f", "DELIVRD", 9)),
        (TEXT, {ID: b"0a1f\0", STATE: b"\x05"}, Receipt("0a1f", "UNDELIV", 9)),
        (b"id:4711 stat:enroute", {}, Receipt("4711", "ENROUTE", 9)),
        (b"gibberish", {}, Receipt("", "", 9)),
    ],
)
def test_a_receipt_is_read_from_its_parameters_or_else_its_text(text, tags, receipt):
    assert read_receipt(delivery(text, tags)) == receipt


@pytest.mark.parametrize("esm_class", [0x00, 0x40, 0x08])
def test_what_is_no_receipt_is_somebodys_message(esm_class):
    assert read_receipt(delivery(esm_class=esm_class)) is None
