"""Phone numbers of Côte d'Ivoire: +225 and ten national digits."""

from random import Random
from typing import Final

CALLING_CODE: Final = "+225"
NATIONAL_DIGITS: Final = 10

# Mobile ranges that the numbering plan has given out behind 07.
_PREFIXES: Final = ("0707", "0708", "0709", "0747", "0748", "0749", "0757", "0758", "0759", "0777", "0787", "0788")


def draw_number(random: Random) -> str:
    """One E.164 number in a range that exists."""
    return f"{CALLING_CODE}{random.choice(_PREFIXES)}{random.randrange(10**6):06d}"


def to_national(msisdn: str) -> str:
    """`0707123456` from `+2250707123456`: how messages write it."""
    return msisdn.removeprefix(CALLING_CODE)


def to_e164(written: str) -> str | None:
    """`+2250707123456` from any usual way to write it (with +, with 00, bare, national); None when it is none."""
    digits = "".join(character for character in written if character.isdigit())
    code = CALLING_CODE.removeprefix("+")
    digits = digits.removeprefix("00")
    if len(digits) == NATIONAL_DIGITS + len(code) and digits.startswith(code):
        digits = digits.removeprefix(code)
    return f"{CALLING_CODE}{digits}" if len(digits) == NATIONAL_DIGITS else None


def mask(msisdn: str) -> str:
    """`07 07 ** ** 56`: enough to recognise, too little to call."""
    national = to_national(msisdn)
    return f"{national[:2]} {national[2:4]} ** ** {national[-2:]}"
