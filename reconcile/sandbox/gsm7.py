"""The GSM 03.38 default alphabet, one septet per octet as SMPP carries it."""

from typing import Final

_ESCAPE: Final = 0x1B
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}


def decode_gsm7(octets: bytes) -> str:
    """The text; raises ValueError on an octet above 0x7F and on an unknown or unfinished escape."""
    text: list[str] = []
    stream = iter(octets)
    for octet in stream:
        if octet == _ESCAPE:
            extended = _EXTENSION.get(next(stream, -1))
            if extended is None:
                raise ValueError("an escape that stands for no character")
            text.append(extended)
        elif octet < len(_BASIC):
            text.append(_BASIC[octet])
        else:
            raise ValueError(f"octet {octet:#04x} is outside the default alphabet")
    return "".join(text)
