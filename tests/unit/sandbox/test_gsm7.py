import pytest
from smpplib.gsm import gsm_encode

from reconcile.sandbox.gsm7 import decode_gsm7


@pytest.mark.parametrize("text", ["Max it: vos 1 050 FCFA", "@£$¥èéùìòÇØøÅåΔ_ÆæßÉ¤¡ÄÖÑÜ¿äöñüà", "{a}[b]~|\\^"])
def test_what_another_codec_encodes_is_read(text: str):
    assert decode_gsm7(gsm_encode(text)) == text


def test_the_euro_sign_is_an_escape():
    assert decode_gsm7(b"\x1b\x65") == "€"


@pytest.mark.parametrize("octets", [b"\x80", b"abc\xe9", b"\x1b", b"\x1b\x41"])
def test_what_the_alphabet_does_not_have_is_refused(octets: bytes):
    with pytest.raises(ValueError, match=r"alphabet|escape"):
        decode_gsm7(octets)
