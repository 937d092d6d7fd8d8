"""Phone numbers in their one form, and in the form that may be shown."""

import re
from typing import Final

import phonenumbers

_DIGITS: Final = re.compile(r"(?<![\w.])\+?\d(?: ?\d){7,14}(?!\w)")
"""What may be somebody's number in a text: eight digits or more, with no more than spaces between them."""


class PhoneError(ValueError):
    """A text is not a possible phone number. The message never repeats the text: it may be somebody's number."""


def to_e164(text: str, region: str) -> str:
    """A number as people write it in `region` (ISO 3166 alpha-2) → E.164 (`+2250707123456`); raises `PhoneError`."""
    if any(character.isalpha() for character in text):  # the library takes the letters of a mask for a keypad's digits
        raise PhoneError("not a phone number")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise PhoneError("not a phone number") from error
    if not phonenumbers.is_possible_number(number):
        raise PhoneError(f"not a possible phone number for {region}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked(account: str) -> str:
    """Only the last two characters stay readable, for screens and stories: `+2250707123456` → `••••56`."""
    return f"••••{account[-2:]}"


def masked_within(text: str) -> str:
    """A text with everything masked in it that may be a phone number."""
    return _DIGITS.sub(lambda found: masked(found[0]), text)
