import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.notices import gsm
from reconcile.sandbox.gsm7 import decode_gsm7

ALPHABET = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡AZÄÖÑÜ§¿azäöñüà\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", gsm.Size("gsm", 0, 1)),
        ("é è à ù É", gsm.Size("gsm", 9, 1)),
        ("€", gsm.Size("gsm", 2, 1)),
        ("a" * 160, gsm.Size("gsm", 160, 1)),
        ("a" * 161, gsm.Size("gsm", 161, 2)),
        ("a" * 306, gsm.Size("gsm", 306, 2)),
        ("a" * 307, gsm.Size("gsm", 307, 3)),
        ("a" * 159 + "€", gsm.Size("gsm", 161, 2)),
        ("ç", gsm.Size("ucs2", 1, 1)),
        ("ê" * 70, gsm.Size("ucs2", 70, 1)),
        ("ê" * 71, gsm.Size("ucs2", 71, 2)),
        ("ê" * 134, gsm.Size("ucs2", 134, 2)),
        ("🙂" * 35, gsm.Size("ucs2", 70, 1)),
        ("1\u202f050\u00a0F\u202fCFA", gsm.Size("ucs2", 11, 1)),
    ],
)
def test_a_text_is_counted_in_the_units_of_its_alphabet(text, size):
    assert gsm.size(text) == size


def test_the_amount_as_babel_writes_it_turns_one_part_into_three_and_made_plain_it_does_not():
    text = "a" * 135 + " 1\u202f050\u00a0F\u202fCFA"
    assert gsm.size(text).parts == 3
    assert gsm.size(gsm.plain(text)) == gsm.Size("gsm", 147, 1)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Côte d’Ivoire – reçu", "Cote d'Ivoire - recu"),  # noqa: RUF001 - typographic marks are the subject
        ("« à bientôt… »", '" à bientot... "'),
        ("1\u202f050\u00a0F", "1 050 F"),
        ("déjà où", "déjà où"),
        ("••••56", "****56"),
        ("नमस्ते", "नमस्ते"),
    ],
)
def test_what_the_alphabet_lacks_is_made_simple_where_it_can_be(text, plain):
    assert gsm.plain(text) == plain


@given(st.text(alphabet=ALPHABET, max_size=900))
def test_gsm_octets_read_back_as_the_text_and_no_part_ends_inside_a_character(text):
    alphabet, parts = gsm.encode(text)
    assert alphabet == "gsm"
    assert "".join(decode_gsm7(part) for part in parts) == text
    assert len(parts) == gsm.size(text).parts
    assert all(len(part) <= (160 if len(parts) == 1 else 153) for part in parts)


@given(st.text(max_size=200, alphabet=st.characters(exclude_categories=["Cs"])).map("ç".__add__))
def test_ucs2_octets_read_back_as_the_text_and_no_part_ends_inside_a_character(text):
    alphabet, parts = gsm.encode(text)
    assert alphabet == "ucs2"
    assert "".join(part.decode("utf-16-be") for part in parts) == text
    assert all(len(part) <= (140 if len(parts) == 1 else 134) for part in parts)


def test_a_text_that_no_notice_needs_is_refused_without_being_repeated():
    with pytest.raises(gsm.TextTooLongError, match="takes 9 SMS; at most 8 are sent") as error:
        gsm.encode("+2250707123456 " * 90)
    assert "225" not in str(error.value)
